/** This script runs the suite in Node. Its arguments are the address of the test's server and the name of the place. */
import { cpSync, mkdtempSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { describe, run, send } from "../suite.js";

const [site, place] = process.argv.slice(2);
const www = new URL("../../../www/", import.meta.url);

/** Imports another instance of the module, from a copy in a folder of its own. */
async function fresh() {
  const folder = mkdtempSync(join(tmpdir(), "iot-copy-"));
  for (const name of ["iot.js", "iot", "wasm_exec.js"]) cpSync(new URL(name, www), join(folder, name), { recursive: true });
  symlinkSync(new URL("iot.wasm", www), join(folder, "iot.wasm"));
  return import(pathToFileURL(join(folder, "iot.js")).href);
}

const about = { place, site };
try {
  const before = Object.getOwnPropertyNames(globalThis);
  const api = await import(new URL("iot.js", www).href);
  await import(place === "node-20" ? "../suite/offline.js" : "../suite/all.js");
  await run({ ...about, before, api, fresh });
} catch (error) {
  await send(about, { fatal: describe(error) });
}
