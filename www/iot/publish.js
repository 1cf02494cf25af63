import { invalid } from "./errors.js";
import { isBuffer, unicode, viewOf, wrong } from "./options.js";

// What publish() takes, in the form that wasm/exports.go reads.

export const encoder = new TextEncoder();
const MAX_PACKET = 268_435_455;

export const NOTHING = new Uint8Array(0);

/**
 * The payload as a string that UTF-8 can carry, or as bytes (a view, not a copy).
 * @param {any} payload
 * @param {string} [name]
 * @returns {string | Uint8Array}
 */
export function payloadOf(payload, name = "payload") {
  if (payload === undefined || payload === null) return NOTHING;
  if (typeof payload === "object" && !isBuffer(payload) && Object.hasOwn(payload, "json")) {
    payload = JSON.stringify(payload.json);
    if (payload === undefined) throw invalid(TypeError, "ERR_PAYLOAD", `${name}.json is nothing that JSON can say`);
  }
  if (typeof payload === "string") {
    fits(payload.length, name);
    unicode(payload, name);
    if (payload.length <= 65536) return payload;
    payload = encoder.encode(payload);
  }
  if (!isBuffer(payload)) {
    throw wrong(name, "a string, an ArrayBuffer or a view of one, {json: value} or null", payload, "ERR_PAYLOAD");
  }
  const bytes = viewOf(payload, name, "ERR_PAYLOAD");
  fits(bytes.length, name);
  return bytes;
}

/** @param {number} n @param {string} name */
function fits(n, name) {
  within(n, MAX_PACKET, `${name}.length`, 0, "ERR_PACKET_TOO_LARGE");
}

/** @param {number} qos a whole number @returns {any} */
export function qosOf(qos = 0) {
  return within(qos, 2, "qos", 0, "ERR_QOS");
}

/** @param {number} n @param {number} most @param {string} name @param {import("../iot.js").ArgumentErrorCode} [code] */
export function within(n, most, name, least = 0, code = "ERR_OPTION") {
  if (n < least || n > most) throw invalid(RangeError, code, `${name} is ${n}; it must be between ${least} and ${most}`);
  return n;
}

/** @type {[number, string][]} */
const FIELDS = [[3, "contentType"], [8, "responseTopic"], [9, "correlationData"]];

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
      const bytes = v.length > 65535 || typeof v !== "string" ? v : encoder.encode(v);
      const { length } = bytes;
      if (length > 65535) throw invalid(RangeError, "ERR_OPTION", `${name} is longer than MQTT's 65,535 bytes`);
      parts.push([length >> 8, length], bytes); // what is above a byte, Uint8Array cuts off
    }
  };
  if (o.utf8) parts.push([1, 1]);
  if (o.messageExpiry !== undefined) {
    const n = within(o.messageExpiry, 0xffffffff, "messageExpiry");
    parts.push([2, n >>> 24, n >>> 16, n >>> 8, n]);
  }
  for (const [id, name] of FIELDS) if (o[name] !== undefined) fields(id, name, o[name]);
  for (const [k, v] of o.userProperties ?? []) fields(38, "userProperties", k, v);
  return parts.length === 0 ? NOTHING : Uint8Array.from(parts.flatMap((p) => [...p]));
}

/** A promise and what settles it. Older browsers have no Promise.withResolvers. @returns {any} */
export function settler() {
  const s = {};
  s.promise = new Promise((resolve, reject) => Object.assign(s, { resolve, reject }));
  return s;
}
