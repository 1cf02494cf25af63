/** The promises that the wasm settles, by token. */
export class Tokens {
  /** @type {Map<number, { resolve(value: any): void, reject(error: unknown): void }>} */
  #pending = new Map();
  #last = 0;

  /** A token that is not in use. */
  next_() {
    return (this.#last = (this.#last % 0xffffffff) + 1);
  }

  /** The promise of a token. @param {number} token @returns {Promise<any>} */
  promise_(token) {
    return new Promise((resolve, reject) => this.#pending.set(token, { resolve, reject }));
  }

  /** Forgets a token. Its promise stays pending. Returns false if there was none. @param {number} token */
  drop_(token) {
    return this.#pending.delete(token);
  }

  /** @param {number} token @param {any} value */
  resolve_(token, value) {
    this.#pending.get(token)?.resolve(value);
    this.drop_(token);
  }

  /** @param {number} token @param {unknown} error */
  reject_(token, error) {
    this.#pending.get(token)?.reject(error);
    this.drop_(token);
  }

  /** @param {unknown} error */
  rejectAll_(error) {
    for (const { reject } of this.#pending.values()) reject(error);
    this.#pending.clear();
  }
}
