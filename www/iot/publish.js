import { invalid } from "./errors.js";
import { isBuffer, isWellFormed, viewOf } from "./options.js";

// What publish() takes, in the form that wasm/exports.go reads.

export const encoder = new TextEncoder();
const MAX_PACKET = 268_435_455;

export const NOTHING = new Uint8Array(0);

/**
 * The payload as a string that UTF-8 can carry, or as bytes (a view, not a copy).
 * @param {any} payload
 * @returns {string | Uint8Array}
 */
export function payloadOf(payload) {
  if (payload === undefined || payload === null) return NOTHING;
  if (typeof payload === "object" && !isBuffer(payload) && Object.hasOwn(payload, "json")) {
    payload = JSON.stringify(payload.json);
    if (payload === undefined) throw invalid(TypeError, "ERR_PAYLOAD", "payload.json is nothing that JSON can say");
  }
  if (typeof payload === "string") {
    if (payload.length > MAX_PACKET) throw tooLarge(payload.length);
    if (!isWellFormed(payload)) throw invalid(TypeError, "ERR_UNICODE", "payload holds a lone surrogate, which UTF-8 cannot carry; send bytes instead");
    if (payload.length <= 65536) return payload;
    payload = encoder.encode(payload);
  }
  if (!isBuffer(payload)) {
    const kind = Array.isArray(payload) ? "an array" : `a ${typeof payload}`;
    throw invalid(TypeError, "ERR_PAYLOAD", `payload must be a string, an ArrayBuffer or a view of one, {json: value} or null, not ${kind}`);
  }
  if (payload.byteLength > MAX_PACKET) throw tooLarge(payload.byteLength);
  return viewOf(payload);
}

/** @param {number} n */
function tooLarge(n) {
  return invalid(RangeError, "ERR_PACKET_TOO_LARGE", `payload has ${n} bytes; an MQTT packet has at most ${MAX_PACKET}`);
}

/** @param {number} qos @returns {import("../iot.js").QoS} */
export function qosOf(qos = 0) {
  if (qos !== 0 && qos !== 1 && qos !== 2) throw invalid(RangeError, "ERR_QOS", `qos is ${qos}; it must be 0, 1 or 2`);
  return qos;
}

/** @param {number} n @param {number} most @param {string} name */
export function within(n, most, name) {
  if (n < 0 || n > most) throw invalid(RangeError, "ERR_OPTION", `${name} is ${n}; it must be between 0 and ${most}`);
  return n;
}

/**
 * The options of a message, as MQTT's properties (section 2.2.2.2).
 * @param {any} o what check() made of them
 */
export function encodeOptions(o) {
  /** @type {(number[] | Uint8Array)[]} */
  const parts = [];
  /** @param {number} id @param {string} name @param {any[]} values text or bytes */
  const fields = (id, name, ...values) => {
    parts.push([id]);
    for (const v of values) {
      const bytes = v.length > 65535 ? v : typeof v === "string" ? encoder.encode(v) : viewOf(v);
      const { length } = bytes;
      if (length > 65535) throw invalid(RangeError, "ERR_OPTION", `${name} is longer than MQTT's 65,535 bytes`);
      parts.push([length >> 8, length], bytes); // what is above a byte, Uint8Array.set cuts off
    }
  };
  if (o.utf8) parts.push([1, 1]);
  if (o.messageExpiry !== undefined) {
    const n = within(o.messageExpiry, 0xffffffff, "messageExpiry");
    parts.push([2, n >>> 24, n >>> 16, n >>> 8, n]);
  }
  if (o.contentType !== undefined) fields(3, "contentType", o.contentType);
  if (o.responseTopic !== undefined) fields(8, "responseTopic", o.responseTopic);
  if (o.correlationData !== undefined) fields(9, "correlationData", o.correlationData);
  for (const [k, v] of o.userProperties ?? []) fields(38, "userProperties", k, v);
  const all = new Uint8Array(parts.reduce((n, p) => n + p.length, 0));
  let at = 0;
  for (const p of parts) {
    all.set(p, at);
    at += p.length;
  }
  return all;
}

/** A promise and what settles it. Older browsers have no Promise.withResolvers. @returns {any} */
export function settler() {
  const s = {};
  s.promise = new Promise((resolve, reject) => Object.assign(s, { resolve, reject }));
  return s;
}
