/**
 * Returns a new object with the own properties of the parts. The object has no prototype, so properties that the page
 * has added to Object.prototype do not appear in it.
 * @param {any[]} parts
 */
export const plain = (...parts) => Object.assign(Object.create(null), ...parts);

/**
 * The error for every failure except an argument that is not valid. docs/errors.md lists the
 * codes, which are stable. The message contains advice and no secret.
 */
export class IotError extends Error {
  /** @param {string} message @param {import("../iot.js").IotErrorInit} init */
  constructor(message, init) {
    const o = plain(init);
    super(message, o); // Error reads the member cause
    this.name = "IotError";
    this.code = o.code;
    this.phase = o.phase;
    this.retryable = o.retryable ?? false;
    if (o.reasonCode !== undefined) this.reasonCode = o.reasonCode;
    if (o.closeCode !== undefined) this.closeCode = o.closeCode;
  }
}

/**
 * Creates an IotError.
 * @param {import("../iot.js").IotErrorCode} code
 * @param {string} message
 * @param {import("../iot.js").Phase} phase
 * @param {boolean} [retryable]
 * @param {unknown} [cause]
 */
export function iotError(code, message, phase, retryable, cause) {
  return new IotError(message, plain({ code, phase, retryable }, cause && { cause }));
}

/**
 * Converts an error from the wasm to an IotError, TypeError or RangeError.
 * @param {any} o an ErrorObject of abi.js, with an optional member cause
 * @returns {Error}
 */
export function errorFrom(o) {
  if (o.class === "IotError") return new IotError(o.message, o);
  return argumentError(o.class === "TypeError" ? TypeError : RangeError, o.code, o.message);
}

/**
 * Creates a TypeError or RangeError with a stable code.
 * @param {TypeErrorConstructor | RangeErrorConstructor} Type
 * @param {import("../iot.js").ArgumentErrorCode} code
 * @param {string} message
 */
export function argumentError(Type, code, message) {
  return Object.assign(new Type(message), { code });
}

/**
 * Returns the message of an error, at most 300 characters. It removes the queries of URLs, because they may contain secrets.
 * @param {any} error
 */
export function messageOf(error) {
  let text = "unreadable error";
  try {
    text = String(error?.message || error);
  } catch {
    // The members of some objects cannot be read, for example those of a revoked proxy.
  }
  return text.replace(/\?\S+/g, "").slice(0, 300);
}
