import { Emitter } from "../emitter.js";
import { parseSearch } from "./search.js";

// The duration of a slice of the search, in milliseconds. Between two slices the page can draw a frame.
const SLICE_MS = 8;

/** A list of numbers in a typed array. Numbers are added at its end, and removed at both ends. */
class Numbers {
  #items = new Float64Array(1024);
  #from = 0;
  #to = 0;

  get size() {
    return this.#to - this.#from;
  }
  at(i) {
    return this.#items[this.#from + i];
  }
  push(n) {
    if (this.#to === this.#items.length) {
      const items = this.size > this.#items.length / 2 ? new Float64Array(this.#items.length * 2) : this.#items;
      items.set(this.#items.subarray(this.#from, this.#to));
      this.#items = items;
      this.#to -= this.#from;
      this.#from = 0;
    }
    this.#items[this.#to++] = n;
  }
  pop() {
    this.#to--;
  }
  shift() {
    this.#from++;
  }
}

/**
 * The messages that the list shows, newest first: all records of the history, or those that match a search. The search
 * runs in slices: first through the new records, then from the newest record to the oldest one.
 */
export class Results {
  #messages;
  #subscriptions;
  #query;
  #frozen = false;
  #older = new Numbers(); // the numbers of matching records, descending
  #newer = new Numbers(); // and of those that are newer than the begin of the search, ascending
  #newest = 0; // the number after the newest record that was tested
  #oldest = 0; // the number of the oldest record that was tested
  #timer;

  /** Counts the results that were added before the first one. A new search sets it to 0. */
  inserted = 0;
  /** The number after the newest record that the list may show. */
  end = 0;
  /** Called after the results have changed. While a search runs, it is called after each slice. */
  changed = new Emitter();
  /** The sum of the durations of the slices of the current search, and the longest one, in milliseconds. */
  busy = { total: 0, longest: 0 };

  /**
   * @param {import("./messages.js").Messages} messages
   * @param {import("./subscriptions.js").Subscriptions} subscriptions
   */
  constructor(messages, subscriptions) {
    this.#messages = messages;
    this.#subscriptions = subscriptions;
    this.end = messages.next;
    messages.changed.on(() => this.#follow());
  }

  /** The query, or undefined if all messages are shown. */
  get query() {
    return this.#query;
  }

  /** Searches. An empty expression shows all messages. Throws a SearchError and then keeps the current search. @param {string} expression */
  search(expression) {
    this.#query = parseSearch(expression, this.#subscriptions);
    this.#older = new Numbers();
    this.#newer = new Numbers();
    this.#newest = this.#oldest = this.end;
    this.inserted = 0;
    this.busy = { total: 0, longest: 0 };
    if (this.#query) this.#slice();
    else this.changed.emit();
  }

  /** Stops or continues to show new records. The history grows in any case. @param {boolean} on */
  freeze(on) {
    this.#frozen = on;
    this.#follow();
  }

  /** The number of records in the history that are newer than those that are shown. */
  get hidden() {
    return this.#messages.next - Math.max(this.end, this.#messages.first);
  }

  /** Whether a search has not tested all records. */
  get searching() {
    return this.#query !== undefined && (this.#newest < this.end || this.#oldest > this.#messages.first);
  }

  /** The part of the records that the search has tested, from 0 to 1. */
  get progress() {
    const total = this.end - this.#messages.first;
    return this.searching && total > 0 ? Math.max(0, this.#newest - Math.max(this.#oldest, this.#messages.first)) / total : 1;
  }

  get size() {
    return this.#query ? this.#newer.size + this.#older.size : Math.max(0, this.end - this.#messages.first);
  }

  /** Returns the record with an index in the results, or undefined if the history has removed it. @param {number} i */
  at(i) {
    if (!this.#query) return this.#messages.get(this.end - 1 - i);
    const { size } = this.#newer;
    return this.#messages.get(i < size ? this.#newer.at(size - 1 - i) : this.#older.at(i - size));
  }

  /** Returns the index of a record in the results, or -1. @param {number} n the number of the record */
  indexOf(n) {
    if (n < this.#messages.first || n >= this.end) return -1;
    if (!this.#query) return this.end - 1 - n;
    let low = 0, high = this.size - 1;
    while (low <= high) {
      const middle = (low + high) >> 1, size = this.#newer.size;
      const value = middle < size ? this.#newer.at(size - 1 - middle) : this.#older.at(middle - size);
      if (value === n) return middle;
      if (value > n) low = middle + 1;
      else high = middle - 1;
    }
    return -1;
  }

  /** Returns the records of the results, oldest first. */
  records() {
    const records = [];
    for (let i = this.size - 1; i >= 0; i--) {
      const record = this.at(i);
      if (record) records.push(record);
    }
    return records;
  }

  #follow() {
    const { first, next } = this.#messages;
    if (!this.#frozen) {
      if (!this.#query) this.inserted += next - this.end;
      this.end = next;
    }
    this.#newest = Math.max(this.#newest, Math.min(first, this.end));
    while (this.#older.size && this.#older.at(this.#older.size - 1) < first) this.#older.pop();
    while (!this.#older.size && this.#newer.size && this.#newer.at(0) < first) this.#newer.shift();
    if (this.searching) this.#schedule();
    this.changed.emit();
  }

  #schedule() {
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined;
      this.#slice();
    });
  }

  /** Tests records for the duration of a slice. */
  #slice() {
    if (!this.#query) return;
    const { matches } = this.#query, messages = this.#messages, start = performance.now();
    for (let tested = 1; ; tested++) {
      const isNew = this.#newest < this.end;
      if (!isNew && this.#oldest <= messages.first) break;
      const record = messages.get(isNew ? this.#newest++ : --this.#oldest);
      if (record && matches(record)) {
        (isNew ? this.#newer : this.#older).push(record.n);
        if (isNew) this.inserted++;
      }
      if ((tested % 16 === 0 || record?.payload.length > 16384) && performance.now() - start > SLICE_MS) break;
    }
    const took = performance.now() - start;
    this.busy.total += took;
    this.busy.longest = Math.max(this.busy.longest, took);
    if (this.searching) this.#schedule();
    this.changed.emit();
  }
}
