import { here, load } from "./page.js";
import { run } from "../suite.js";

await here("window", async (about) => {
  const module = await load(about.site);
  await import("../suite/all.js");
  await run({ ...about, ...module });
});
