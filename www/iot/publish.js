import { CONTENT_TYPE, CORRELATION_DATA, MAX_INPUT, MESSAGE_EXPIRY, PAYLOAD_FORMAT, RESPONSE_TOPIC, USER_PROPERTY, encoder } from "./abi.js";
import { argumentError } from "./errors.js";
import { checkRange, isBuffer, unicode, viewOf, wrongType } from "./values.js";

// This module converts the arguments of publish() to bytes.

export const NOTHING = new Uint8Array(0);

/**
 * Converts a payload. Returns a string of at most 65,536 characters without lone surrogates, or bytes. The bytes of a
 * buffer are a view of it, not a copy. Throws a TypeError or RangeError if the payload is not valid.
 * @param {any} payload
 * @param {string} [name] the name of the payload, for error messages
 * @returns {string | Uint8Array}
 */
export function payloadOf(payload, name = "payload") {
  if (payload === undefined || payload === null) return NOTHING;
  if (typeof payload === "object" && !isBuffer(payload) && Object.hasOwn(payload, "json")) {
    let cause;
    try {
      payload = JSON.stringify(payload.json);
    } catch (error) {
      payload = undefined; // the value contains a cycle or a BigInt, or the page's toJSON threw an error
      cause = error;
    }
    if (payload === undefined) throw Object.assign(argumentError(TypeError, "ERR_PAYLOAD", `${name}.json cannot be serialised as JSON`), { cause });
  }
  if (typeof payload === "string") {
    checkLength(payload.length, name);
    unicode(payload, name);
    if (payload.length <= 65536) return payload;
    payload = encoder.encode(payload);
  }
  if (!isBuffer(payload)) {
    throw wrongType(name, "a string, a buffer, {json: value} or null", payload, "ERR_PAYLOAD");
  }
  const bytes = viewOf(payload, name, "ERR_PAYLOAD");
  checkLength(bytes.length, name);
  return bytes;
}

/**
 * Throws a RangeError if a payload of this length cannot fit into an MQTT packet.
 * @param {number} n
 * @param {string} name
 */
function checkLength(n, name) {
  checkRange(n, 0, MAX_INPUT, `${name}.length`, "ERR_PACKET_TOO_LARGE");
}

/** @type {[number, string][]} the options that have the type string or binary data in MQTT */
const FIELDS = [[CONTENT_TYPE, "contentType"], [RESPONSE_TOPIC, "responseTopic"], [CORRELATION_DATA, "correlationData"]];

/**
 * Encodes the options of a message as MQTT properties (section 2.2.2.2). Throws a RangeError if a value is too long or too
 * large for its encoding.
 * @param {any} o the checked options
 */
export function encodeOptions(o) {
  /** @type {(number[] | Uint8Array)[]} */
  const parts = [];
  /**
   * Adds a property.
   * @param {number} id
   * @param {string} name
   * @param {any[]} values strings or bytes
   */
  const fields = (id, name, ...values) => {
    parts.push([id]);
    for (const v of values) {
      const bytes = v.length > 65535 || typeof v !== "string" ? v : encoder.encode(v);
      const { length } = bytes;
      if (length > 65535) throw argumentError(RangeError, "ERR_OPTION", `${name} is longer than 65,535 bytes`);
      parts.push([length >> 8, length], bytes); // a Uint8Array stores only the lowest byte of a number
    }
  };
  if (o.utf8) parts.push([PAYLOAD_FORMAT, 1]);
  if (o.messageExpiry !== undefined) {
    const n = checkRange(o.messageExpiry, 0, 0xffffffff, "messageExpiry");
    parts.push([MESSAGE_EXPIRY, n >>> 24, n >>> 16, n >>> 8, n]);
  }
  for (const [id, name] of FIELDS) if (o[name] !== undefined) fields(id, name, o[name]);
  for (const [k, v] of o.userProperties ?? []) fields(USER_PROPERTY, "userProperties", k, v);
  return parts.length === 0 ? NOTHING : Uint8Array.from(parts.flatMap((p) => [...p]));
}
