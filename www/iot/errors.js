/**
 * One object of the parts' own properties. It has no prototype, so that nothing is read from a polluted one.
 * @param {any[]} parts
 */
export const plain = (...parts) => Object.assign(Object.create(null), ...parts);

/**
 * What goes wrong in the world. `code` is stable and listed in the README;
 * `message` says what to do about it, and holds no secret.
 */
export class IotError extends Error {
  /** @param {string} message @param {import("../iot.js").IotErrorInit} init */
  constructor(message, init) {
    const o = plain(init);
    super(message, o); // which has the cause, if there is one
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
 * The words of an error, less the query of any URL in them.
 * @param {any} error
 */
export function wordsOf(error) {
  let text = "an error that cannot be read";
  try {
    text = String(error?.message || error);
  } catch {
    // A revoked proxy, perhaps.
  }
  return text.replace(/\?\S+/g, "").slice(0, 300);
}
