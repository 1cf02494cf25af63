import { runModule } from "./page.js";

addEventListener("message", async ({ data: about }) => {
  await runModule(about);
  parent.postMessage("done", "*");
});
parent.postMessage("ready", "*");
