import { Emitter, oncePerFrame } from "./emitter.js";

/**
 * A list of records with bounds. Above a bound it removes the oldest records. Each record has a number `n`, which never
 * changes, and `bytes`, its approximate memory.
 * @template {{ n: number, bytes: number }} Item
 */
export class BoundedList {
  /** @type {(Item | undefined)[]} */
  #records = [];
  #head = 0; // the index of the oldest record
  #changed = oncePerFrame(() => this.changed.emit());

  /** The number of the oldest record, and the number that the next record will have. */
  first = 0;
  next = 0;
  /** The memory of the records, in bytes, and its bound. */
  bytes = 0;
  maxBytes;
  maxRecords;
  /** Called for each new record. The callbacks must be fast. */
  added = new Emitter();
  /** Called at most once for each animation frame, after records were added or removed. */
  changed = new Emitter();

  /** @param {number} maxBytes @param {number} maxRecords */
  constructor(maxBytes, maxRecords) {
    this.maxBytes = maxBytes;
    this.maxRecords = maxRecords;
  }

  /** Returns a record, or undefined if it was removed. @param {number} n */
  get(n) {
    return n < this.first ? undefined : this.#records[this.#head + n - this.first];
  }

  /** The number of records. */
  get size() {
    return this.next - this.first;
  }

  /** Adds a record whose `n` is `next`. @param {Item} record */
  append(record) {
    this.#records.push(record);
    this.next++;
    this.bytes += record.bytes;
    this.trim();
    this.added.emit(record);
  }

  /** Removes the oldest records until the others are within the bounds. The newest record stays in any case. */
  trim() {
    while (this.size > 1 && (this.bytes > this.maxBytes || this.size > this.maxRecords)) this.#removeOldest();
    this.#changed();
  }

  #removeOldest() {
    this.bytes -= this.#records[this.#head]?.bytes ?? 0;
    this.#records[this.#head++] = undefined;
    this.first++;
    if (this.#head > 4096 && this.#head > this.#records.length / 2) {
      this.#records.splice(0, this.#head);
      this.#head = 0;
    }
  }

  /** Removes all records. */
  clear() {
    this.#records = [];
    this.#head = this.bytes = 0;
    this.first = this.next;
    this.#changed();
  }
}
