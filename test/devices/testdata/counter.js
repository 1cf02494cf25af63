/** A page that counts in a shadow. */
import iot from "/iot.js";
import { shadow } from "/shadow.js";
import { connect } from "./connect.js";

await connect();
globalThis.counter = shadow(iot, "counter");
globalThis.increment = (options) => counter.update(({ reported }) => ({ reported: { n: (reported?.n ?? 0) + 1 } }), options);
globalThis.ready = true;
