import { Emitter, oncePerFrame } from "./emitter.js";

// The bounds of the history.
const MAX_BYTES = 64 << 20;
const MAX_RECORDS = 200_000;
// The approximate memory of a record beside its topic and its bytes.
const OVERHEAD = 300;

/**
 * A received message, as the page keeps it.
 * @typedef {object} MessageRecord
 * @property {number} n the number of the record, from 0; records are never renumbered
 * @property {number} time the time of arrival, in milliseconds since 1970
 * @property {string} topic
 * @property {Uint8Array} payload
 * @property {0 | 1 | 2} qos
 * @property {boolean} retain
 * @property {boolean} duplicate
 * @property {boolean} utf8
 * @property {string | undefined} contentType
 * @property {string | undefined} responseTopic
 * @property {Uint8Array | undefined} correlationData
 * @property {number | undefined} messageExpiry
 * @property {[string, string][]} userProperties
 * @property {number[]} subscriptions the ids of the subscriptions that received the message
 * @property {number} bytes the approximate memory of the record
 */

/** The history of received messages. Above the bounds it removes the oldest ones. */
export class Messages {
  /** @type {(MessageRecord | undefined)[]} */
  #records = [];
  #head = 0; // the index of the oldest record
  #changed = oncePerFrame(() => this.changed.emit());

  /** The number of the oldest record, and the number that the next record will have. */
  first = 0;
  next = 0;
  /** The memory of the records, in bytes, and its bound. */
  bytes = 0;
  maxBytes = MAX_BYTES;
  maxRecords = MAX_RECORDS;
  /** Called for each new record. The callbacks must be fast. */
  added = new Emitter();
  /** Called at most once for each animation frame, after records were added or removed. */
  changed = new Emitter();
  /** Called after clear(). */
  cleared = new Emitter();

  /** Returns a record, or undefined if it was removed. */
  get(n) {
    return n < this.first ? undefined : this.#records[this.#head + n - this.first];
  }

  /** The number of records. */
  get size() {
    return this.next - this.first;
  }

  /**
   * Adds a message of iot.js, or an object with the same members.
   * @param {import("../../iot.js").Message} message
   * @param {number[]} subscriptions
   * @param {number} [time]
   */
  add(message, subscriptions, time = Date.now()) {
    const { topic, payload, qos, retain, duplicate, utf8, contentType, responseTopic, correlationData, messageExpiry, userProperties } = message;
    const record = {
      n: this.next, time, topic, qos, retain, duplicate, utf8, contentType, responseTopic, correlationData, messageExpiry, userProperties, subscriptions,
      payload: payload.slice(), // the buffer of the message contains the other messages of its WebSocket frame
      bytes: 0,
    };
    record.bytes = OVERHEAD + 2 * topic.length + payload.length + userProperties.reduce((sum, [name, value]) => sum + 2 * (name.length + value.length), 0);
    this.#records.push(record);
    this.next++;
    this.bytes += record.bytes;
    while (this.size > 1 && (this.bytes > this.maxBytes || this.size > this.maxRecords)) this.#removeOldest();
    this.added.emit(record);
    this.#changed();
    return record;
  }

  #removeOldest() {
    this.bytes -= this.#records[this.#head].bytes;
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
    this.cleared.emit();
    this.#changed();
  }
}
