/**
 * iot: publish and subscribe to AWS IoT Core, or any MQTT 5 broker, from a page.
 *
 *   import iot from "./iot.js";
 *   await iot.connect({ endpoint, credentials });
 *   await iot.subscribe("hello", (message) => console.log(message.text()));
 *   await iot.publish("hello", "world");
 *
 * Importing costs nothing: the wasm beside this file is fetched by the first
 * call. The default client is also globalThis.iot.
 */
import { IotClient } from "./iot/client.js";
import { IotError } from "./iot/errors.js";
import { load, matches, presign, setDefaultWasm, version } from "./iot/module.js";

setDefaultWasm(() => new URL("iot.wasm", import.meta.url));

const iot = new IotClient();
for (const [name, value] of Object.entries({ IotClient, IotError, load, matches, presign, version })) {
  Object.defineProperty(iot, name, { value });
}
// A second copy of this script on a page leaves the first one's client in place.
// (An element with the id "iot" is no client, though browsers make it a global.)
if (typeof globalThis.iot?.publish !== "function") {
  Object.defineProperty(globalThis, "iot", { value: iot, configurable: true, writable: true, enumerable: true });
}

export { IotClient, IotError, iot, load, matches, presign, version };
export default iot;
