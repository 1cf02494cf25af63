import { here } from "./page.js";
import { run } from "../suite.js";

await here("classic", async (about) => {
  const before = document.querySelector("script").names;
  const { iot } = globalThis;
  let copies = 0;
  /** Runs the script again. It makes a new client only if the page has no global iot. */
  async function fresh() {
    delete globalThis.iot;
    await new Promise((onload, onerror) => document.head.append(Object.assign(document.createElement("script"), { src: `/copy/classic${++copies}/iot.global.js`, onload, onerror })));
    const other = globalThis.iot;
    globalThis.iot = iot;
    return exported(other);
  }
  await import("../suite/all.js");
  await run({ ...about, before, api: exported(iot), fresh });
});

/** The exports of the module, which the classic script offers as members of iot. */
function exported(iot) {
  const { IotClient, IotError, load, matches, presign, version } = iot;
  return { IotClient, IotError, load, matches, presign, version, iot, default: iot };
}
