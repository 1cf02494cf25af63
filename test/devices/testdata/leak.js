/** A page that uses and closes shadows, jobs and presence. */
import iot from "/iot.js";
import { jobs } from "/jobs.js";
import { presence } from "/presence.js";
import { shadow } from "/shadow.js";
import { connect } from "./connect.js";

await connect();
const { signal } = new AbortController();
globalThis.refs = [];

/** Drops the error of a request that a lost connection has interrupted. */
const settled = (promise) => promise.catch(() => {});

async function useOnce() {
  const [lamp, device, present] = [shadow(iot, "leak"), jobs(iot, "leak"), presence(iot)];
  lamp.addEventListener("change", () => {});
  const loops = [lamp.deltas({ signal }), lamp.documents({ signal }), device.next({ signal }), present.changes({ signal })].map((loop) => loop.next());
  await present.ready;
  await Promise.all([
    lamp.update({ desired: { n: Math.random() } }, { signal, timeoutMs: 2000 }), lamp.get({ signal, timeoutMs: 2000 }), lamp.get({ timeoutMs: 0 }),
    device.pending({ signal, timeoutMs: 2000 }), device.describe("none", { signal, timeoutMs: 2000 }),
  ].map(settled));
  await Promise.all([lamp, device, present].map((object) => object.close()));
  await Promise.all(loops);
  refs.push(...[lamp, device, present].map((object) => new WeakRef(object)));
}

globalThis.use = async (n) => {
  for (let i = 0; i < n; i++) await useOnce();
};
globalThis.ready = true;
