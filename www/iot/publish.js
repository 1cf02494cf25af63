import { CONTENT_TYPE, CORRELATION_DATA, MAX_INPUT, MESSAGE_EXPIRY, PAYLOAD_FORMAT, RESPONSE_TOPIC, USER_PROPERTY, encoder } from "./abi.js";
import { invalid } from "./errors.js";
import { isBuffer, unicode, viewOf, wrong } from "./options.js";

// Conversion of the arguments of publish() to bytes.

export const NOTHING = new Uint8Array(0);

/**
 * Converts a payload to a string without lone surrogates, or to bytes (a view, not a copy).
 * @param {any} payload
 * @param {string} [name]
 * @returns {string | Uint8Array}
 */
export function payloadOf(payload, name = "payload") {
  if (payload === undefined || payload === null) return NOTHING;
  if (typeof payload === "object" && !isBuffer(payload) && Object.hasOwn(payload, "json")) {
    payload = JSON.stringify(payload.json);
    if (payload === undefined) throw invalid(TypeError, "ERR_PAYLOAD", `${name}.json cannot be serialised as JSON`);
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
  within(n, 0, MAX_INPUT, `${name}.length`, "ERR_PACKET_TOO_LARGE");
}

/**
 * Throws unless n is between the bounds.
 * @param {number} n
 * @param {number} least
 * @param {number} most
 * @param {string} name
 * @param {import("../iot.js").ArgumentErrorCode} [code]
 */
export function within(n, least, most, name, code = "ERR_OPTION") {
  if (n < least || n > most) throw invalid(RangeError, code, `${name} is ${n}; it must be between ${least} and ${most}`);
  return n;
}

/** @type {[number, string][]} */
const FIELDS = [[CONTENT_TYPE, "contentType"], [RESPONSE_TOPIC, "responseTopic"], [CORRELATION_DATA, "correlationData"]];

/**
 * Encodes the options of a message as MQTT properties (section 2.2.2.2). It checks only the bounds of the encoding.
 * @param {any} o the checked options
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
      parts.push([length >> 8, length], bytes); // Uint8Array keeps the lowest byte of a number
    }
  };
  if (o.utf8) parts.push([PAYLOAD_FORMAT, 1]);
  if (o.messageExpiry !== undefined) {
    const n = within(o.messageExpiry, 0, 0xffffffff, "messageExpiry");
    parts.push([MESSAGE_EXPIRY, n >>> 24, n >>> 16, n >>> 8, n]);
  }
  for (const [id, name] of FIELDS) if (o[name] !== undefined) fields(id, name, o[name]);
  for (const [k, v] of o.userProperties ?? []) fields(USER_PROPERTY, "userProperties", k, v);
  return parts.length === 0 ? NOTHING : Uint8Array.from(parts.flatMap((p) => [...p]));
}

/** A promise with its functions resolve and reject. Older browsers have no Promise.withResolvers. @returns {any} */
export function settler() {
  const s = {};
  s.promise = new Promise((resolve, reject) => Object.assign(s, { resolve, reject }));
  return s;
}
