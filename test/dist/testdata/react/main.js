import { StrictMode, createElement, useEffect, useState } from "react";
import { createRoot } from "react-dom/client";
import iot from "iot.wasm";
import { cognito } from "iot.wasm/cognito";
import { echo, problem } from "./hello.js";

const server = new URLSearchParams(location.search).get("server");
const local = await (await fetch(`${server}local.json`)).json();
let effects = 0;

/** Connects when it is mounted. StrictMode mounts it twice in development. */
function Connection() {
  const [state, setState] = useState(iot.state);
  useEffect(() => {
    effects++;
    const { endpoint, region, credentials } = local;
    const show = () => setState(iot.state);
    iot.connect({ endpoint, region, credentials }).then(show, show);
    return () => setState("unmounted");
  }, []);
  return createElement("p", null, state);
}

// Two components use the same connection independently.
createRoot(document.querySelector("#root")).render(
  createElement(StrictMode, null, createElement(Connection), createElement(Connection)));

const shown = () => [...document.querySelectorAll("p")].map((p) => p.textContent);
new MutationObserver(async (_, observer) => {
  if (shown().join() !== "connected,connected") return;
  observer.disconnect();
  globalThis.outcome = { ...(await echo(iot).catch(problem)), cognito: typeof cognito, effects };
}).observe(document, { subtree: true, childList: true, characterData: true });
