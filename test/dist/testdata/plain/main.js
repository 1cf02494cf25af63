import iot from "iot.wasm";
import { cognito } from "iot.wasm/cognito";
import { hello, problem } from "./hello.js";

const server = new URLSearchParams(location.search).get("server");
hello(iot, server).catch(problem).then((result) => {
  globalThis.outcome = { ...result, cognito: typeof cognito };
});
