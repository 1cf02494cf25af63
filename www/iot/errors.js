/**
 * Returns an object with the own properties of the parts. It has no prototype, which the page may have polluted.
 * @param {any[]} parts
 */
export const plain = (...parts) => Object.assign(Object.create(null), ...parts);

/**
 * An error that is not the caller's. Its code is stable and listed in docs/errors.md.
 * Its message says what to do, and contains no secret.
 */
export class IotError extends Error {
  /** @param {string} message @param {import("../iot.js").IotErrorInit} init */
  constructor(message, init) {
    const o = plain(init);
    super(message, o); // with the cause, if there is one
    this.name = "IotError";
    this.code = o.code;
    this.phase = o.phase;
    this.retryable = o.retryable ?? false;
    if (o.reasonCode !== undefined) this.reasonCode = o.reasonCode;
    if (o.closeCode !== undefined) this.closeCode = o.closeCode;
  }
}

/**
 * @param {import("../iot.js").IotErrorCode} code
 * @param {string} message
 * @param {import("../iot.js").Phase} phase
 * @param {boolean} [retryable]
 * @param {unknown} [cause]
 */
export function failed(code, message, phase, retryable, cause) {
  return new IotError(message, plain({ code, phase, retryable }, cause && { cause }));
}

/**
 * Converts an error from the wasm.
 * @param {any} o an ErrorObject, with a cause if there is one
 * @returns {Error}
 */
export function errorFrom(o) {
  if (o.class === "IotError") return new IotError(o.message, o);
  return invalid(o.class === "TypeError" ? TypeError : RangeError, o.code, o.message);
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
 * Returns the message of an error, without the queries of URLs.
 * @param {any} error
 */
export function wordsOf(error) {
  let text = "an error that cannot be read";
  try {
    text = String(error?.message || error);
  } catch {
    // A revoked proxy cannot be read.
  }
  return text.replace(/\?\S+/g, "").slice(0, 300);
}
