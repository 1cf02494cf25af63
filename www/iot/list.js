/**
 * A queue, first in, first out. Its shift_() takes constant time and releases
 * memory, unlike that of an array.
 * @template T
 */
export class List {
  /** @type {any} */
  #taken = {}; // a node without a value, before the oldest
  #newest = this.#taken;
  length_ = 0;

  /** The newest value, undefined if it has been removed. @returns {T | undefined} */
  get last_() {
    return this.#newest.value;
  }

  /** @param {T} value */
  push_(value) {
    this.#newest = this.#newest.next = { value };
    this.length_++;
  }

  /** Removes the oldest value, which must exist. @returns {T} */
  shift_() {
    const node = (this.#taken = this.#taken.next);
    const { value } = node;
    node.value = undefined;
    this.length_--;
    return value;
  }

  /** Adds a value as the oldest. @param {T} value */
  putBack_(value) {
    this.#taken.value = value;
    this.#taken = { next: this.#taken };
    this.length_++;
  }
}
