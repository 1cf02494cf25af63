/**
 * The global `iot` that iot.global.js leaves on a page, for scripts that import nothing:
 *
 *   /// <reference path="iot.global.d.ts" />
 *
 * Pages that import iot.js have no need of this, and get no global name from its typings.
 */
import type { DefaultClient } from "./iot.js";

declare global {
  /** The default client, with everything that iot.js exports as its properties. */
  var iot: DefaultClient;
}
