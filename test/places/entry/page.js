/** The windows, frames and workers of a browser share this module. */
import { describe, run, send } from "../suite.js";

/** Calls `suite`, which runs the suite in this window, a frame or a worker. Then navigates to the page of the next place. */
export async function here(place, suite) {
  const about = { place, site: location.origin };
  try {
    await suite(about);
  } catch (error) {
    await send(about, { fatal: describe(error) });
  }
  const { next } = document.documentElement.dataset;
  if (next) location.replace(`/place/${next}`);
}

/** Imports the module and runs the suite here. `about` is { place, site }. */
export async function runModule(about) {
  try {
    const before = Object.getOwnPropertyNames(globalThis);
    const api = await import(`${about.site}/iot.js`);
    const prefix = Math.random().toString(36).slice(2);
    let copies = 0;
    const fresh = () => import(`${about.site}/copy/${prefix}${++copies}/iot.js`);
    await import("../suite/all.js");
    await run({ ...about, before, api, fresh });
  } catch (error) {
    await send(about, { fatal: describe(error) });
  }
}
