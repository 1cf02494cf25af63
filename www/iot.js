/**
 * iot: publish and subscribe to AWS IoT Core, or any MQTT 5 broker, from a page.
 *
 *   import iot from "./iot.js";
 *   await iot.connect({ endpoint, credentials });
 *   await iot.subscribe("hello", (message) => console.log(message.text()));
 *   await iot.publish("hello", "world");
 *
 * The import starts no download. The first call downloads iot.wasm from the folder of
 * this file. The default client is also globalThis.iot.
 */
import { load, matches, presign, setDefaultWasm, version } from "./iot/module.js";
import { IotError, plain } from "./iot/errors.js";
import { IotClient } from "./iot/client.js";

setDefaultWasm(() => new URL("iot.wasm", import.meta.url));

const iot = new IotClient();
for (const [name, value] of Object.entries({ IotClient, IotError, load, matches, presign, version })) {
  Object.defineProperty(iot, name, plain({ value }));
}
// If another copy of this script has set the global, its client stays there. The test for
// publish() excludes an HTML element with the id "iot", which browsers make a global.
try {
  if (typeof globalThis.iot?.publish !== "function") {
    Object.defineProperty(globalThis, "iot", plain({ value: iot, configurable: true, writable: true, enumerable: true }));
  }
} catch {
  // The page has declared "var iot", which cannot be redefined. The exports still work.
}

export { IotClient, IotError, iot, load, matches, presign, version };
export default iot;
