import { here } from "./page.js";

await here("worker", (about) => {
  const worker = new Worker("/places/entry/within-worker.js", { type: "module" });
  return new Promise((resolve, reject) => {
    worker.onmessage = resolve;
    worker.onerror = (e) => reject(new Error(`the worker does not start: ${e.message}`));
    worker.postMessage(about);
  });
});
