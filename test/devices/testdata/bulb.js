/** A light bulb: it switches its light as desired, and reports the state of the light. */
import iot from "/iot.js";
import { shadow } from "/shadow.js";
import { connect, show } from "./connect.js";

await connect();
const bulb = shadow(iot, "bulb");
globalThis.versions = [];
for await (const { state, version } of bulb.deltas()) {
  versions.push(version);
  show(state.on ? "on" : "off");
  await bulb.update({ reported: state });
}
