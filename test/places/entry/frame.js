import { load } from "./page.js";
import { run, said, tell } from "../suite.js";

addEventListener("message", async ({ data: about }) => {
  try {
    const module = await load(about.site);
    await import("../suite/all.js");
    await run({ ...about, ...module });
  } catch (error) {
    await tell(about, { fatal: said(error) });
  }
  parent.postMessage("done", "*");
});
parent.postMessage("ready", "*");
