/**
 * First in, first out. Unlike an array's, its shift() costs the same however much
 * there is, and releases the memory.
 * @template T
 */
export class List {
  /** @type {any} */
  #taken = {}; // a node without a value, before the oldest
  #newest = this.#taken;
  length = 0;

  /** The value that was added last, unless it has been taken out. @returns {T | undefined} */
  get last() {
    return this.#newest.value;
  }

  /** @param {T} value */
  push(value) {
    this.#newest = this.#newest.next = { value };
    this.length++;
  }

  /** Takes the oldest out; there must be one. @returns {T} */
  shift() {
    const node = (this.#taken = this.#taken.next);
    const { value } = node;
    node.value = undefined;
    this.length--;
    return value;
  }

  /** Puts it before all others. @param {T} value */
  putBack(value) {
    this.#taken.value = value;
    this.#taken = { next: this.#taken };
    this.length++;
  }
}
