import {
  CONTENT_TYPE, CORRELATION_DATA, FLAG_DUPLICATE, FLAG_QOS, FLAG_RETAIN, FLAG_SHARED, FLAG_UTF8, MESSAGE_EXPIRY,
  PROPERTY_DATA, PROPERTY_ID, PROPERTY_VALUE, PROPERTY_WORDS, RESPONSE_TOPIC, USER_PROPERTY, exact,
} from "./abi.js";
import { argumentError } from "./errors.js";

const decoder = new TextDecoder();
// compact() copies the packet only if the frame has more bytes than this.
const LARGE = 262144;

/**
 * Returns another Message with the same content.
 * @type {(message: Message) => Message}
 */
export let copyOf;
/**
 * Returns the flags of a message: FLAG constants of abi.js.
 * @type {(message: Message) => number}
 */
export let flagsOf;
/**
 * Reduces the memory of a message that waits in a buffer, and returns its frame. If the frame is large, and more than twice
 * as large as the packet, a copy of the packet replaces the frame.
 * @type {(message: Message) => ArrayBuffer}
 */
export let compact;

/**
 * A received message. It refers to the frame (the data of the WebSocket message) that contains the packet. A getter decodes
 * its member at each call. iot.d.ts documents the public members.
 */
export class Message {
  #record;
  #client;
  /** @type {import("../iot.js").OwnBytes | undefined} the payload, after the page has read it */
  #payload;

  /**
   * @param {string} topic
   * @param {import("./abi.js").MessageRecord} record
   * @param {Pick<import("../iot.js").IotClient, "publish">} client sends the reply
   */
  constructor(topic, record, client) {
    this.topic = topic;
    this.#record = record;
    this.#client = client;
  }

  static {
    flagsOf = (m) => m.#record.flags_;
    copyOf = (m) => new Message(m.topic, m.#record, m.#client);
    compact = (m) => {
      const r = m.#record;
      if (r.frame_.byteLength > Math.max(LARGE, 2 * r.size_)) m.#record = { ...r, frame_: r.frame_.slice(r.packet_ - r.base_, r.packet_ - r.base_ + r.size_), base_: r.packet_ };
      return m.#record.frame_;
    };
  }

  get payload() {
    // A single recipient gets a view, because a copy costs time. Several recipients get copies, which they may change.
    return (this.#payload ??= this.#record.flags_ & FLAG_SHARED ? this.#body().slice() : this.#body());
  }
  get qos() {
    return /** @type {import("../iot.js").QoS} */ (this.#record.flags_ & FLAG_QOS);
  }
  get retain() {
    return (this.#record.flags_ & FLAG_RETAIN) !== 0;
  }
  get duplicate() {
    return (this.#record.flags_ & FLAG_DUPLICATE) !== 0;
  }
  get utf8() {
    return (this.#record.flags_ & FLAG_UTF8) !== 0;
  }
  get contentType() {
    return this.#text(CONTENT_TYPE);
  }
  get responseTopic() {
    return this.#text(RESPONSE_TOPIC);
  }
  get correlationData() {
    return this.#all(CORRELATION_DATA, (at, length) => this.#bytes(at, length).slice())[0];
  }
  /** @returns {number | undefined} */
  get messageExpiry() {
    return this.#all(MESSAGE_EXPIRY, (seconds) => seconds)[0];
  }
  /** @returns {[string, string][]} */
  get userProperties() {
    return this.#all(USER_PROPERTY, (name, nameLength, value, length) => [this.#string(name, nameLength), this.#string(value, length)]);
  }

  text() {
    return decoder.decode(this.#payload ?? this.#body());
  }

  json() {
    return JSON.parse(this.text());
  }

  /** @param {import("../iot.js").Payload} [payload] @param {import("../iot.js").PublishOptions} [options] */
  async reply(payload, options) {
    const topic = this.responseTopic;
    if (topic === undefined) throw argumentError(TypeError, "ERR_OPTION", "the message has no responseTopic");
    const correlationData = this.correlationData;
    return this.#client.publish(topic, payload, correlationData ? { correlationData, ...options } : options);
  }

  /** Returns a view of the payload. */
  #body() {
    return this.#bytes(this.#record.payload_, this.#record.length_);
  }

  /**
   * Returns a view of the bytes at an address in the wasm.
   * @param {number} at
   * @param {number} length
   */
  #bytes(at, length) {
    return new Uint8Array(this.#record.frame_, length && at - this.#record.base_, length);
  }

  /**
   * Decodes the string at an address in the wasm.
   * @param {number} at
   * @param {number} length
   */
  #string(at, length) {
    return exact.decode(this.#bytes(at, length));
  }

  /**
   * Returns the value of a string property; undefined if there is no such property.
   * @param {number} id
   */
  #text(id) {
    return this.#all(id, (at, length) => this.#string(at, length))[0];
  }

  /**
   * Returns the decoded values of all properties with this id.
   * @template T
   * @param {number} id
   * @param {(data: number, length: number, value: number, valueLength: number) => T} decode
   */
  #all(id, decode) {
    /** @type {T[]} */
    const values = [];
    const list = this.#record.properties_;
    for (let i = 0; i < list.length; i += PROPERTY_WORDS) {
      if (list[i + PROPERTY_ID] === id) values.push(decode(list[i + PROPERTY_DATA], list[i + PROPERTY_DATA + 1], list[i + PROPERTY_VALUE], list[i + PROPERTY_VALUE + 1]));
    }
    return values;
  }
}
