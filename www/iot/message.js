import {
  CONTENT_TYPE, CORRELATION_DATA, FLAG_DUPLICATE, FLAG_QOS, FLAG_RETAIN, FLAG_SHARED, FLAG_UTF8, MESSAGE_EXPIRY,
  PROPERTY_DATA, PROPERTY_ID, PROPERTY_VALUE, PROPERTY_WORDS, RESPONSE_TOPIC, USER_PROPERTY, exact,
} from "./abi.js";
import { invalid } from "./errors.js";

const decoder = new TextDecoder();
const LARGE = 262144; // bytes of a WebSocket message

/** A message with the same content. @type {(message: Message) => Message} */
export let copyOf;
/** The flags of a message. @type {(message: Message) => number} */
export let flagsOf;
/**
 * The buffer that a message keeps in memory. Of a WebSocket message that is much larger than the message, the message
 * keeps a copy of its own part.
 * @type {(message: Message) => ArrayBuffer}
 */
export let kept;

/** A received message. It keeps the WebSocket message that contains it, and decodes a member when it is read. */
export class Message {
  #packet;
  #client;
  /** @type {import("../iot.js").OwnBytes | undefined} */
  #payload;

  /**
   * @param {string} topic
   * @param {import("./abi.js").Packet} packet
   * @param {Pick<import("../iot.js").IotClient, "publish">} client
   */
  constructor(topic, packet, client) {
    this.topic = topic;
    this.#packet = packet;
    this.#client = client;
  }

  static {
    flagsOf = (m) => m.#packet.flags_;
    copyOf = (m) => new Message(m.topic, m.#packet, m.#client);
    kept = (m) => {
      const { frame_, base_, packet_, size_ } = m.#packet;
      if (frame_.byteLength > Math.max(LARGE, 2 * size_)) {
        const start = packet_ - base_;
        m.#packet = { ...m.#packet, frame_: frame_.slice(start, start + size_), base_: packet_ };
      }
      return m.#packet.frame_;
    };
  }

  get payload() {
    if (!this.#payload) {
      // The only recipient gets a view of the frame. A copy would cost more than everything else.
      const view = this.#body();
      this.#payload = this.#packet.flags_ & FLAG_SHARED ? view.slice() : view;
    }
    return this.#payload;
  }
  get qos() {
    return /** @type {import("../iot.js").QoS} */ (this.#packet.flags_ & FLAG_QOS);
  }
  get retain() {
    return (this.#packet.flags_ & FLAG_RETAIN) !== 0;
  }
  get duplicate() {
    return (this.#packet.flags_ & FLAG_DUPLICATE) !== 0;
  }
  get utf8() {
    return (this.#packet.flags_ & FLAG_UTF8) !== 0;
  }
  get contentType() {
    return this.#text(CONTENT_TYPE);
  }
  get responseTopic() {
    return this.#text(RESPONSE_TOPIC);
  }
  get correlationData() {
    return this.#find(CORRELATION_DATA, (at, length) => this.#bytes(at, length).slice());
  }
  /** @returns {number | undefined} */
  get messageExpiry() {
    return this.#find(MESSAGE_EXPIRY, (seconds) => seconds);
  }
  get userProperties() {
    /** @type {[string, string][]} */
    const pairs = [];
    const list = this.#packet.properties_;
    for (let i = 0; i < list.length; i += PROPERTY_WORDS) {
      if (list[i + PROPERTY_ID] === USER_PROPERTY) {
        pairs.push([this.#string(list[i + PROPERTY_DATA], list[i + PROPERTY_DATA + 1]), this.#string(list[i + PROPERTY_VALUE], list[i + PROPERTY_VALUE + 1])]);
      }
    }
    return pairs;
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
    if (topic === undefined) throw invalid(TypeError, "ERR_OPTION", "the message has no responseTopic");
    const correlationData = this.correlationData;
    return this.#client.publish(topic, payload, correlationData ? { correlationData, ...options } : options);
  }

  #body() {
    return this.#bytes(this.#packet.payload_, this.#packet.length_);
  }

  /** @param {number} at an address @param {number} length */
  #bytes(at, length) {
    return new Uint8Array(this.#packet.frame_, length && at - this.#packet.base_, length);
  }

  /** @param {number} at @param {number} length */
  #string(at, length) {
    return exact.decode(this.#bytes(at, length));
  }

  /** @param {number} id */
  #text(id) {
    return this.#find(id, (at, length) => this.#string(at, length));
  }

  /**
   * The value of a property, undefined if it is absent.
   * @template T
   * @param {number} id
   * @param {(data: number, length: number) => T} decode
   */
  #find(id, decode) {
    const list = this.#packet.properties_;
    for (let i = 0; i < list.length; i += PROPERTY_WORDS) {
      if (list[i + PROPERTY_ID] === id) return decode(list[i + PROPERTY_DATA], list[i + PROPERTY_DATA + 1]);
    }
    return undefined;
  }
}
