/**
 * Declares the global `iot`, which iot.global.js creates. Scripts without imports use this file:
 *
 *   /// <reference path="iot.global.d.ts" />
 *
 * The typings of iot.js do not declare the global.
 */
import type { DefaultClient } from "./iot.js";

declare global {
  /** The default client. All exports of iot.js are its properties. */
  var iot: DefaultClient;
}
