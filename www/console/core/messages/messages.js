import { BoundedList } from "../bounded-list.js";
import { Emitter } from "../emitter.js";
import { kept } from "../storage.js";

// The sizes in MiB that the user may choose for the history, as in index.html.
const BOUNDS = [8, 16, 32, 64, 128, 256, 512];
const DEFAULT_BOUND = 64;
// With more records, the list would be higher than the highest element of Firefox.
const MAX_RECORDS = 300_000;
// The approximate memory of a record beside its topic and its bytes.
const OVERHEAD = 400;
/** @type {import("../../../iot.js").UserProperties} */
const NO_PROPERTIES = Object.freeze([]);

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
 * @property {import("../../../iot.js").UserProperties} userProperties
 * @property {readonly number[]} subscriptions the ids of the subscriptions that received the message; several records may share the array
 * @property {string} source the name of the file from which the record was imported; "" for a received message
 * @property {number} bytes the approximate memory of the record
 */

/** The history of received messages. @extends {BoundedList<MessageRecord>} */
export class Messages extends BoundedList {
  /** Called after clear(). */
  cleared = new Emitter();

  constructor() {
    super(boundOf(kept.get("history", DEFAULT_BOUND)) * 2 ** 20, MAX_RECORDS);
  }

  /**
   * Adds a message of iot.js, or an object with the same members.
   * @param {import("../../../iot.js").Message} message
   * @param {readonly number[]} subscriptions
   * @param {number} [time]
   * @param {string} [source]
   */
  add(message, subscriptions, time = Date.now(), source = "") {
    const { topic, payload, qos, retain, duplicate, utf8, contentType, responseTopic, correlationData, messageExpiry, userProperties } = message;
    const record = {
      n: this.next, time, topic, qos, retain, duplicate, utf8, contentType, responseTopic, correlationData, messageExpiry, subscriptions, source,
      userProperties: userProperties.length ? userProperties : NO_PROPERTIES,
      payload: payload.slice(), // the buffer of the message contains the other messages of its WebSocket frame
      bytes: OVERHEAD + 2 * topic.length + payload.length,
    };
    record.bytes += 2 * ((contentType?.length ?? 0) + (responseTopic?.length ?? 0)) + (correlationData?.length ?? 0);
    for (const [name, value] of userProperties) record.bytes += 100 + 2 * (name.length + value.length);
    this.append(record);
    return record;
  }

  /** Returns the newest record of the same topic that is older than a record, or undefined. */
  previous({ n, topic }) {
    for (let i = n - 1; i >= this.first; i--) {
      const record = this.get(i);
      if (record?.topic === topic) return record;
    }
    return undefined;
  }

  /** Sets the bound of the history, and keeps it for the next visit. @param {number} size one of BOUNDS, in MiB */
  setBound(size) {
    this.maxBytes = boundOf(size) * 2 ** 20;
    kept.set("history", boundOf(size));
    this.trim();
  }

  /** Removes all records. */
  clear() {
    super.clear();
    this.cleared.emit();
  }
}

/** Returns a size that the user may choose: the argument or, if it is none, the default. */
function boundOf(size) {
  return BOUNDS.includes(size) ? size : DEFAULT_BOUND;
}
