/**
 * Declares the global `iot` of iot.global.js, for scripts that import nothing:
 *
 *   /// <reference path="iot.global.d.ts" />
 *
 * Pages that import iot.js do not need this file. The typings of iot.js declare no global name.
 */
import type { DefaultClient } from "./iot.js";

declare global {
  /** The default client. All exports of iot.js are its properties. */
  var iot: DefaultClient;
}
