/**
 * A linked list for first-in, first-out queues. Unlike the shift() of an array, shift_()
 * takes constant time for any length and releases memory.
 * @template T
 */
export class List {
  /** @type {any} a node without a value, before the node of the oldest value */
  #head = {};
  #tail = this.#head;
  length_ = 0;

  /**
   * The newest value; undefined if the list is empty.
   * @returns {T | undefined}
   */
  get last_() {
    return this.#tail.value;
  }

  /**
   * Adds a value as the newest.
   * @param {T} value
   */
  push_(value) {
    this.#tail = this.#tail.next = { value };
    this.length_++;
  }

  /**
   * Removes and returns the oldest value. The list must not be empty.
   * @returns {T}
   */
  shift_() {
    const node = (this.#head = this.#head.next);
    const { value } = node;
    node.value = undefined;
    this.length_--;
    return value;
  }

  /**
   * Adds a value before the oldest one.
   * @param {T} value
   */
  unshift_(value) {
    this.#head.value = value;
    this.#head = { next: this.#head };
    this.length_++;
  }
}
