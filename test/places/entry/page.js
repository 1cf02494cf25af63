/** What the windows do before and after the suite. */
import { said, tell } from "../suite.js";

/** Lets `suite` run here, or where it wants to, and goes on to the next place. */
export async function here(place, suite) {
  const about = { place, site: location.origin };
  try {
    await suite(about);
  } catch (error) {
    await tell(about, { fatal: said(error) });
  }
  const { next } = document.documentElement.dataset;
  if (next) location.replace(`/place/${next}`);
}

/** The module, and how another copy of it is had; for windows and workers alike. */
export async function load(site) {
  const before = Object.getOwnPropertyNames(globalThis);
  let copies = 0;
  const prefix = Math.random().toString(36).slice(2);
  return { before, api: await import(`${site}/iot.js`), fresh: () => import(`${site}/copy/${prefix}${++copies}/iot.js`) };
}
