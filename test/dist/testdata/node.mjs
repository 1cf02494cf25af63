// This script runs in Node, in a project that has installed the package. Its arguments are the path of
// the golden URLs and the URL of the stand-in. It prints the results as JSON.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import iot, * as all from "iot.wasm";
import { cognito } from "iot.wasm/cognito";
import { hello, problem } from "./hello.js";

const [golden, server] = process.argv.slice(2);
const require = createRequire(import.meta.url);

const wrong = [];
const { cases } = JSON.parse(readFileSync(golden, "utf8"));
for (const c of cases) {
  const iso = c.date.replace(/(....)(..)(..T..)(..)(..Z)/, "$1-$2-$3:$4:$5");
  const url = await iot.presign({
    endpoint: c.url.split("?")[0], region: c.region, date: new Date(iso), expires: c.expires ?? undefined,
    credentials: { accessKeyId: c.accessKeyId, secretAccessKey: c.secretAccessKey, sessionToken: c.sessionToken ?? undefined },
  });
  if (url !== c.url) wrong.push(c.name);
}

const result = {
  presigned: cases.length, wrong,
  names: [all.IotClient, all.IotError].map((c) => c.name).concat(iot.constructor.name),
  same: require("iot.wasm").default === iot && require("iot.wasm/cognito").cognito === cognito && globalThis.iot === iot,
  wasm: readFileSync(require.resolve("iot.wasm/iot.wasm")).length,
  hello: await hello(iot, server).catch(problem),
};
await iot.disconnect();
console.log(JSON.stringify(result));
