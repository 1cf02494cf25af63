import { load } from "./page.js";
import { run, said, tell } from "../suite.js";

async function suite(about) {
  try {
    const module = await load(about.site);
    await import("../suite/all.js");
    await run({ ...about, ...module });
  } catch (error) {
    await tell(about, { fatal: said(error) });
  }
}

// A dedicated worker hears from its page, a shared one of a port to it.
if (typeof SharedWorkerGlobalScope === "function") {
  addEventListener("connect", ({ ports: [port] }) => {
    port.onmessage = async ({ data }) => port.postMessage(await suite(data));
  });
} else {
  addEventListener("message", async ({ data }) => postMessage(await suite(data)));
}
