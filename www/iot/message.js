import { invalid } from "./errors.js";

const decoder = new TextDecoder();
export const exact = new TextDecoder("utf-8", { ignoreBOM: true }); // MQTT's strings keep U+FEFF [MQTT-1.5.4-3]

// MQTT's property identifiers, as the records from the wasm name them.
const EXPIRY = 2, CONTENT_TYPE = 3, RESPONSE_TOPIC = 8, CORRELATION = 9, USER = 38;

// The flags of a message record.
const RETAIN = 4, DUPLICATE = 8, UTF8 = 16, SHARED = 64;

const LARGE = 256 << 10; // bytes of a WebSocket message

/** Another message that says the same. @type {(message: Message) => Message} */
export let copyOf;
/** Others will get copies of the message: its payload is to be its own. @type {(message: Message) => void} */
export let share;
/** The buffer that the message keeps: a copy of what is its own, where the WebSocket message is much larger. @type {(message: Message) => ArrayBuffer} */
export let kept;

/**
 * A message that has arrived. It keeps the WebSocket message it came in, and
 * takes from it only what is asked for.
 */
export class Message {
  #frame;
  #base; // the address in the wasm that stands for the frame's beginning
  #at;
  #length;
  #flags;
  #properties; // those of the record in the table, five words each
  #client;
  #packet;
  #size; // of the packet
  /** @type {import("../iot.js").OwnBytes | undefined} */
  #payload;

  /**
   * @param {string} topic
   * @param {ArrayBuffer} frame
   * @param {number} base
   * @param {number} at
   * @param {number} length
   * @param {number} flags
   * @param {Uint32Array | number[]} properties
   * @param {Pick<import("../iot.js").IotClient, "publish">} client
   * @param {number} packet its address
   * @param {number} size
   */
  constructor(topic, frame, base, at, length, flags, properties, client, packet, size) {
    this.topic = topic;
    this.#frame = frame;
    this.#base = base;
    this.#at = at;
    this.#length = length;
    this.#flags = flags;
    this.#properties = properties;
    this.#client = client;
    this.#packet = packet;
    this.#size = size;
  }

  static {
    share = (m) => {
      m.#flags |= SHARED;
    };
    kept = (m) => {
      if (m.#frame.byteLength > Math.max(LARGE, 2 * m.#size)) {
        const start = m.#packet - m.#base;
        m.#frame = m.#frame.slice(start, start + m.#size);
        m.#base = m.#packet;
      }
      return m.#frame;
    };
    copyOf = (m) => new Message(m.topic, m.#frame, m.#base, m.#at, m.#length, m.#flags, m.#properties, m.#client, m.#packet, m.#size);
  }

  get payload() {
    if (!this.#payload) {
      // A view of the frame where nobody else gets the message: a copy would cost more than all the rest.
      const view = this.#bytes(this.#at, this.#length);
      this.#payload = this.#flags & SHARED ? view.slice() : view;
    }
    return this.#payload;
  }
  get qos() {
    return /** @type {import("../iot.js").QoS} */ (this.#flags & 3);
  }
  get retain() {
    return (this.#flags & RETAIN) !== 0;
  }
  get duplicate() {
    return (this.#flags & DUPLICATE) !== 0;
  }
  get utf8() {
    return (this.#flags & UTF8) !== 0;
  }
  get contentType() {
    return this.#text(CONTENT_TYPE);
  }
  get responseTopic() {
    return this.#text(RESPONSE_TOPIC);
  }
  get correlationData() {
    const p = this.#find(CORRELATION);
    return p < 0 ? undefined : this.#bytes(this.#properties[p + 1], this.#properties[p + 2]).slice();
  }
  /** @returns {number | undefined} */
  get messageExpiry() {
    return this.#properties[this.#find(EXPIRY) + 1 || -1];
  }
  get userProperties() {
    /** @type {[string, string][]} */
    const pairs = [];
    const list = this.#properties;
    for (let i = 0; i < list.length; i += 5) {
      if (list[i] === USER) pairs.push([this.#string(list[i + 1], list[i + 2]), this.#string(list[i + 3], list[i + 4])]);
    }
    return pairs;
  }

  text() {
    return decoder.decode(this.#payload ?? this.#bytes(this.#at, this.#length));
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

  /** @param {number} at @param {number} length */
  #bytes(at, length) {
    return new Uint8Array(this.#frame, length && at - this.#base, length);
  }

  /** @param {number} at @param {number} length */
  #string(at, length) {
    return exact.decode(this.#bytes(at, length));
  }

  /** @param {number} id @returns {number} */
  #find(id) {
    const list = this.#properties;
    for (let i = 0; i < list.length; i += 5) if (list[i] === id) return i;
    return -1;
  }

  /** @param {number} id */
  #text(id) {
    const p = this.#find(id);
    return p < 0 ? undefined : this.#string(this.#properties[p + 1], this.#properties[p + 2]);
  }
}
