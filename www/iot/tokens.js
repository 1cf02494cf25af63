/** The promises that the wasm settles. A token is the number by which the wasm names a promise. */
export class Tokens {
  /** @type {Map<number, { resolve(value: any): void, reject(error: unknown): void }>} */
  #pending = new Map();
  #last = 0;

  /** Returns a new token, 1 to 4,294,967,295. The numbers repeat after the last one. */
  next_() {
    return (this.#last = (this.#last % 0xffffffff) + 1);
  }

  /**
   * Creates the promise of a token.
   * @param {number} token
   * @returns {Promise<any>}
   */
  promise_(token) {
    return new Promise((resolve, reject) => this.#pending.set(token, { resolve, reject }));
  }

  /**
   * Removes a token. Its promise stays pending.
   * @param {number} token
   * @returns {boolean} false if the token was already removed
   */
  drop_(token) {
    return this.#pending.delete(token);
  }

  /**
   * Settles the promise of a token.
   * @param {number} token ignored if it was removed
   * @param {"resolve" | "reject"} method
   * @param {any} value the result or the error
   */
  settle_(token, method, value) {
    this.#pending.get(token)?.[method](value);
    this.drop_(token);
  }

  /**
   * Rejects all pending promises.
   * @param {unknown} error
   */
  rejectAll_(error) {
    for (const { reject } of this.#pending.values()) reject(error);
    this.#pending.clear();
  }
}

/**
 * Returns an object with a new promise and its functions resolve and reject. Older browsers have no Promise.withResolvers.
 * @returns {any}
 */
export function withResolvers() {
  const result = {};
  result.promise = new Promise((resolve, reject) => Object.assign(result, { resolve, reject }));
  return result;
}
