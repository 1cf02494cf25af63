/** The switch of the light bulb: a click changes the desired state. The text is the reported state. */
import iot from "/iot.js";
import { shadow } from "/shadow.js";
import { connect, show } from "./connect.js";

await connect();
const bulb = shadow(iot, "bulb");
globalThis.steps = []; // desired, delta and reported after each change
bulb.addEventListener("change", () => {
  const { desired, delta, reported } = bulb;
  steps.push([desired?.on ?? null, delta?.on ?? null, reported?.on ?? null]);
  show(reported?.on === undefined ? "unknown" : reported.on ? "on" : "off");
});
document.querySelector("button").addEventListener("click", () => {
  globalThis.update = bulb.update({ desired: { on: !bulb.desired?.on } });
});
globalThis.ready = true;
