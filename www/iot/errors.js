/**
 * What goes wrong in the world. `code` is stable and listed in the README;
 * `message` says what to do about it, and holds no secret.
 */
export class IotError extends Error {
  /** @param {string} message @param {import("../iot.js").IotErrorInit} init */
  constructor(message, { code, phase, retryable = false, reasonCode, closeCode, cause } = /** @type {any} */ ({})) {
    super(message, cause === undefined ? undefined : { cause });
    this.name = "IotError";
    this.code = code;
    this.phase = phase;
    this.retryable = retryable;
    if (reasonCode !== undefined) this.reasonCode = reasonCode;
    if (closeCode !== undefined) this.closeCode = closeCode;
  }
}

/**
 * The error that an object from the wasm describes.
 * @param {import("../iot.js").IotErrorInit & { class: number, message: string }} o
 */
export function errorFrom(o) {
  if (o.class === 0) return new IotError(o.message, o);
  return invalid(o.class === 1 ? TypeError : RangeError, /** @type {any} */ (o.code), o.message);
}

/**
 * A TypeError or RangeError with a stable code.
 * @param {TypeErrorConstructor | RangeErrorConstructor} Type
 * @param {import("../iot.js").ArgumentErrorCode} code
 * @param {string} message
 */
export function invalid(Type, code, message) {
  return Object.assign(new Type(message), { code });
}

/**
 * What of an error of the page's own may be repeated: its words, less anything signed.
 * @param {any} error
 */
export function wordsOf(error) {
  let text;
  try {
    text = String(error?.message || error);
  } catch {
    text = "an error that cannot be read";
  }
  return text.replace(/X-Amz-[\w-]+=[^&\s"']*/gi, "[redacted]").replace(/(wss?|https?):\/\/[^\s"']*\?[^\s"']*/gi, "[URL]").slice(0, 300);
}
