import { here } from "./page.js";

await here("sharedworker", (about) => {
  const worker = new SharedWorker("/places/entry/within-worker.js", { type: "module" });
  return new Promise((resolve, reject) => {
    worker.port.onmessage = resolve;
    worker.onerror = (e) => reject(new Error(`the worker does not start: ${e.message}`));
    worker.port.postMessage(about);
  });
});
