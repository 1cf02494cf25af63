import { runModule } from "./page.js";

// A page sends messages to a dedicated worker itself, and to a port of a shared worker.
if (typeof SharedWorkerGlobalScope === "function") {
  addEventListener("connect", ({ ports: [port] }) => {
    port.onmessage = async ({ data }) => port.postMessage(await runModule(data));
  });
} else {
  addEventListener("message", async ({ data }) => postMessage(await runModule(data)));
}
