import { argumentError } from "./errors.js";

// Checks of single values, for options and arguments.

/**
 * Returns the text. Throws a TypeError if it contains a lone surrogate [MQTT-1.5.4-1] or U+0000 [MQTT-1.5.4-2].
 * @param {string} text
 * @param {string} name
 */
export function wellFormed(text, name) {
  unicode(text, name);
  if (text.includes("\0")) throw argumentError(TypeError, "ERR_UNICODE", `${name} contains U+0000, which MQTT forbids`);
  return text;
}

/**
 * Throws a TypeError if the text contains a lone surrogate. Older browsers have no String.prototype.isWellFormed.
 * @param {string & { isWellFormed?: () => boolean }} text
 * @param {string} name
 */
export function unicode(text, name) {
  if (text.isWellFormed ? !text.isWellFormed() : /\p{Surrogate}/u.test(text)) {
    throw argumentError(TypeError, "ERR_UNICODE", `${name} contains a lone surrogate`);
  }
}

/**
 * Whether a value is a buffer or a view of one.
 * @param {unknown} v
 * @returns {v is ArrayBuffer | ArrayBufferView}
 */
export function isBuffer(v) {
  return v instanceof ArrayBuffer || ArrayBuffer.isView(v);
}

/**
 * Returns a Uint8Array of the bytes of a buffer or view, without a copy. Throws if a buffer was transferred or has shrunk.
 * @param {any} v
 * @param {string} name
 * @param {import("../iot.js").ArgumentErrorCode} [code] the code of that error
 */
export function viewOf(v, name, code = "ERR_OPTION") {
  try {
    v.at?.(0); // throws if a typed array is detached or out of bounds; byteLength would be 0
    return ArrayBuffer.isView(v) ? new Uint8Array(v.buffer, v.byteOffset, v.byteLength) : new Uint8Array(v);
  } catch {
    throw argumentError(TypeError, code, `${name} is detached, or out of bounds`);
  }
}

/**
 * Creates the error for a value of the wrong type.
 * @param {string} name the name of the option or argument
 * @param {string} expected what it must be
 * @param {unknown} [value] the value; the message contains its type, or the number
 * @param {import("../iot.js").ArgumentErrorCode} [code]
 */
export function wrongType(name, expected, value, code = "ERR_OPTION") {
  const kind = value === null ? "null" : Array.isArray(value) ? "an array" : typeof value === "number" ? value : typeof value;
  return argumentError(TypeError, code, `${name} must be ${expected}${value === undefined ? "" : `, not ${kind}`}`);
}

/**
 * Returns n. Throws a RangeError if n is less than least or more than most.
 * @param {number} n
 * @param {number} least
 * @param {number} most
 * @param {string} name
 * @param {import("../iot.js").ArgumentErrorCode} [code]
 */
export function checkRange(n, least, most, name, code = "ERR_OPTION") {
  if (n < least || n > most) throw argumentError(RangeError, code, `${name} is ${n}; it must be between ${least} and ${most}`);
  return n;
}
