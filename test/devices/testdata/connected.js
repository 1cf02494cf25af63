/** Prepares a page for an example of the documentation: it connects, and collects what the example logs. */
import { connect } from "./connect.js";

globalThis.logs = [];
console.log = (...values) => logs.push(values);
globalThis.run = async (jobDocument) => (globalThis.ran = jobDocument);
await connect();
globalThis.ready = true;
