/** A page that is only connected. Its client id is in the address. */
import { connect } from "./connect.js";

await connect({ clientId: location.hash.slice(1) });
globalThis.ready = true;
