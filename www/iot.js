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
import { load, matches, presign, setDefaultWasm, version } from "./iot/module.js";
import { IotError, plain } from "./iot/errors.js";
import { IotClient } from "./iot/client.js";

setDefaultWasm(() => new URL("iot.wasm", import.meta.url));

const iot = new IotClient();
for (const [name, value] of Object.entries({ IotClient, IotError, load, matches, presign, version })) {
  Object.defineProperty(iot, name, plain({ value }));
}
// A second copy of this script on a page leaves the first one's client in place.
// (An element with the id "iot" is no client, though browsers make it a global.)
// What cannot be replaced, such as the page's own "var iot", stays in place, too.
try {
  if (typeof globalThis.iot?.publish !== "function") {
    Object.defineProperty(globalThis, "iot", plain({ value: iot, configurable: true, writable: true, enumerable: true }));
  }
} catch {
  // The module exports the client all the same.
}

export { IotClient, IotError, iot, load, matches, presign, version };
export default iot;
