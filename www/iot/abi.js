// The layout of the data that Go and JavaScript exchange through the memory of the
// wasm, and its only reader in JavaScript. Package wasm/abi documents the constants.
// Tests in wasm/abi and wasm/bridge compare the constants and the types with Go's.

// The build inlines these constants, because the module has no imports and begins with them.

// Offsets in the header, in words.
const HEADER_OUTPUT_ADDRESS = 2, HEADER_OUTPUT_LENGTH = 3, HEADER_TABLE_ADDRESS = 4, HEADER_TABLE_LENGTH = 5;
const HEADER_CRASH_ADDRESS = 6, HEADER_CRASH_LENGTH = 7, HEADER_PENDING = 8, HEADER_TOPIC_ADDRESS = 9, HEADER_WORDS = 10;
export const PENDING_NOTHING = 0, PENDING_READY = 1;
export const SENT = 1;
const TOPIC_SIZE = 65536;
export const MAX_INPUT = 268435455;

// Records.
const KIND_TOPIC = 1, KIND_MESSAGE = 2, KIND_DONE = 3, KIND_EFFECT = 4;
const TOPIC_ID = 1, TOPIC_FIRST = 2, TOPIC_NAME = 3, TOPIC_RECIPIENTS = 5, TOPIC_WORDS = 6;
const MESSAGE_TOPIC = 1, MESSAGE_FLAGS = 2, MESSAGE_PAYLOAD = 3, MESSAGE_PACKET = 5, MESSAGE_RECIPIENTS = 7, MESSAGE_PROPERTIES = 8, MESSAGE_WORDS = 9;
export const PROPERTY_ID = 0, PROPERTY_DATA = 1, PROPERTY_VALUE = 3, PROPERTY_WORDS = 5;
const DONE_TOKEN = 1, DONE_REASON = 2, DONE_WORDS = 3;
const EFFECT_TEXT = 1, EFFECT_BYTES = 3, EFFECT_WORDS = 5;

// Flags of a message.
export const FLAG_QOS = 3, FLAG_RETAIN = 4, FLAG_DUPLICATE = 8, FLAG_UTF8 = 16, FLAG_SHARED = 64, FLAG_LISTENERS = 512;
const FLAG_OWN_MEMORY = 32, FLAG_UNCLAIMED = 128, FLAG_SELECTED = 256;

// Identifiers of MQTT properties.
export const PAYLOAD_FORMAT = 1, MESSAGE_EXPIRY = 2, CONTENT_TYPE = 3, RESPONSE_TOPIC = 8, CORRELATION_DATA = 9, USER_PROPERTY = 38;
const LEAST_INPUT = 65536, LARGE_INPUT = 1048576;

/**
 * The argument of each operation, by its name. wasm/bridge/operations.go documents them.
 * @typedef {{
 *   new: undefined,
 *   free: { client: number },
 *   presign: { endpoint?: string, region?: string, credentials?: CredentialsArgument, date: number, expires?: number },
 *   connect: { token: number, options?: ConnectArgument },
 *   provided: { attempt: number, url?: string, credentials?: CredentialsArgument, date: number },
 *   providerFailed: { attempt: number, code: string, message: string, retryable: boolean },
 *   opened: { attempt: number },
 *   openFailed: { attempt: number, name: string },
 *   closed: { attempt: number, code: number },
 *   text: { attempt: number },
 *   probed: { attempt: number, status: number, code: string, message: string, offline: boolean, blocked: boolean, reported: boolean, skew: number },
 *   subscribe: { token: number, filter: string, qos?: number, noLocal?: boolean, retainAsPublished?: boolean, retainHandling?: number, userProperties?: [string, string][], connected?: boolean },
 *   unsubscribe: { token: number, subscription?: number, filter?: string },
 *   cancel: { token: number },
 *   disconnect: { token: number },
 *   reconnect: undefined,
 *   wake: undefined,
 *   listen: undefined,
 *   stats: undefined,
 * }} Operations
 */

/** @typedef {{ accessKeyId?: string, secretAccessKey?: string, sessionToken?: string, expiration?: number }} CredentialsArgument */
/** @typedef {{ endpoint?: string, region?: string, url: boolean, credentials: boolean, fresh: boolean, clientId: string, quotas?: string, authorizer?: AuthorizerArgument, username?: string, password?: Uint8Array, keepAlive?: number, sessionExpiry?: number, cleanStart?: boolean, ackTimeoutMs?: number, unclaimedTimeoutMs?: number, userProperties?: [string, string][], will?: WillArgument, reconnect?: ReconnectArgument | boolean, offline?: OfflineArgument }} ConnectArgument */
/** @typedef {{ name?: string, tokenKeyName?: string, token?: string, tokenSignature?: string }} AuthorizerArgument */
/** @typedef {{ topic?: string, payload?: Uint8Array, qos?: number, retain?: boolean, delay?: number, utf8?: boolean, messageExpiry?: number, contentType?: string, responseTopic?: string, correlationData?: Uint8Array, userProperties?: [string, string][] }} WillArgument */
/** @typedef {{ minDelayMs?: number, maxDelayMs?: number, stableAfterMs?: number, maxAttempts?: number }} ReconnectArgument */
/** @typedef {{ maxMessages?: number, maxBytes?: number, overflow?: string, qos0?: string }} OfflineArgument */

/**
 * An effect: what the wasm decides and JavaScript carries out. wasm/client/host.go documents them.
 * @typedef {{ kind: "provide", attempt: number, refused: boolean }
 *   | { kind: "open", attempt: number, url: string }
 *   | { kind: "close", attempt: number }
 *   | { kind: "probe", attempt: number, url: string }
 *   | { kind: "state", event: string, state: string, attempt: number, recovered: boolean, connection?: Connection, error?: ErrorObject, retryInMs?: number }
 *   | { kind: "done", token: number, value: Connection | PublishResult }
 *   | { kind: "failed", token: number, error: ErrorObject }
 *   | { kind: "ended", subscription: number, error?: ErrorObject }} Effect
 */

/** @typedef {{ class: string, code: string, phase: string, retryable: boolean, message: string, reasonCode?: number, closeCode?: number }} ErrorObject */
/** @typedef {{ reasonCode: number, reasonString?: string, userProperties?: [string, string][] }} PublishResult */
/** @typedef {import("../iot.js").Connection} Connection */

/**
 * A message as it lies in a frame: a WebSocket message, or memory of its own. Addresses are those in the wasm; base_ is
 * the address of the frame's first byte.
 * @typedef {{ flags_: number, frame_: ArrayBuffer, base_: number, payload_: number, length_: number, packet_: number, size_: number, properties_: Uint32Array }} Packet
 */

/**
 * What receives the records of a table.
 * @typedef {object} Recipient
 * @property {(id: number, first: boolean, name: string, recipients: Uint32Array) => void} topic_
 * @property {(topic: number, packet: Packet, chosen: Uint32Array | undefined) => void} message_
 * @property {(topic: number, packet: Packet) => void} unclaimed_
 * @property {(token: number, reason: number) => void} done_
 * @property {(effect: Effect, bytes: Uint8Array) => void} effect_
 */

export const encoder = new TextEncoder();
export const exact = new TextDecoder("utf-8", { ignoreBOM: true }); // MQTT's strings keep U+FEFF [MQTT-1.5.4-3]

const EMPTY = new Uint32Array(0);

/** The memory of a running wasm. */
export class Memory {
  #wasm;
  // Views of the memory. A call that grows the memory detaches them: their length is 0 then.
  #bytes = new Uint8Array(0);
  #words = EMPTY;
  #header = EMPTY;
  #deadline = new Float64Array(0);
  #input = new Uint8Array(0);
  #headerAddress;
  #inputSize = 0;
  #topic = "";
  #topicLength = 0;

  /** The address of the input. */
  input_ = 0;

  /** @param {any} wasm its exports */
  constructor(wasm) {
    this.#wasm = wasm;
    this.#headerAddress = wasm.iot_header() >>> 0; // a wasm i32 has a sign
  }

  /** Makes views of the memory if a call has grown it. */
  refresh_() {
    if (this.#bytes.length > 0) return;
    const { buffer } = this.#wasm.mem;
    this.#bytes = new Uint8Array(buffer);
    this.#words = new Uint32Array(buffer);
    this.#header = new Uint32Array(buffer, this.#headerAddress, HEADER_WORDS);
    this.#deadline = new Float64Array(buffer, this.#headerAddress, 1);
    this.#input = this.#bytes.subarray(this.input_, this.input_ + this.#inputSize);
  }

  /** Why the wasm has crashed, if it has. @returns {string | undefined} */
  get crash_() {
    return this.#header[HEADER_CRASH_LENGTH] ? this.#text(this.#header, HEADER_CRASH_ADDRESS) : undefined;
  }

  get pending_() {
    return this.#header[HEADER_PENDING];
  }

  get deadline_() {
    return this.#deadline[0];
  }

  /** A view of the first bytes of the output. @param {number} most */
  output_(most) {
    const at = this.#header[HEADER_OUTPUT_ADDRESS];
    return this.#bytes.subarray(at, at + Math.min(this.#header[HEADER_OUTPUT_LENGTH], most));
  }

  /** A view of the input, which has room for n bytes. @param {number} n */
  room_(n) {
    if (n > this.#inputSize || (this.#inputSize > LARGE_INPUT && n <= LARGE_INPUT)) {
      this.#inputSize = Math.max(n, LEAST_INPUT);
      this.input_ = this.#wasm.iot_input(this.#inputSize) >>> 0;
      this.#bytes = new Uint8Array(0);
    }
    this.refresh_();
    return this.#input;
  }

  /**
   * Writes the topic of a publish, unless it is there. Returns its length in bytes, TOPIC_SIZE if it is too long.
   * @param {string} topic
   * @param {(topic: string) => void} check is called before the topic is written
   */
  topic_(topic, check) {
    if (topic !== this.#topic) {
      check(topic);
      this.refresh_();
      this.#topic = "";
      const at = this.#header[HEADER_TOPIC_ADDRESS];
      const { read, written } = encoder.encodeInto(topic, this.#bytes.subarray(at, at + TOPIC_SIZE));
      if (read < topic.length) return TOPIC_SIZE;
      this.#topic = topic;
      this.#topicLength = written;
    }
    return this.#topicLength;
  }

  /**
   * Reads the table. The records of messages refer to the frame, whose first byte has the address base in the wasm.
   * @param {Recipient} to
   * @param {any} frame
   * @param {number} base
   */
  read_(to, frame, base) {
    const words = this.#words;
    let at = this.#header[HEADER_TABLE_ADDRESS] >>> 2;
    const end = at + this.#header[HEADER_TABLE_LENGTH];
    while (at < end) {
      switch (words[at]) {
        case KIND_TOPIC: {
          const ids = at + TOPIC_WORDS, next = ids + words[at + TOPIC_RECIPIENTS];
          to.topic_(words[at + TOPIC_ID], words[at + TOPIC_FIRST] === 1, this.#text(words, at + TOPIC_NAME), words.slice(ids, next));
          at = next;
          break;
        }
        case KIND_MESSAGE: {
          const flags = words[at + MESSAGE_FLAGS], topic = words[at + MESSAGE_TOPIC], packet = words[at + MESSAGE_PACKET], size = words[at + MESSAGE_PACKET + 1];
          const ids = at + MESSAGE_WORDS, properties = ids + words[at + MESSAGE_RECIPIENTS], next = properties + PROPERTY_WORDS * words[at + MESSAGE_PROPERTIES];
          const own = flags & FLAG_OWN_MEMORY;
          /** @type {Packet} */
          const record = {
            flags_: flags,
            frame_: own ? this.#bytes.slice(packet, packet + size).buffer : frame,
            base_: own ? packet : base,
            payload_: words[at + MESSAGE_PAYLOAD],
            length_: words[at + MESSAGE_PAYLOAD + 1],
            packet_: packet,
            size_: size,
            properties_: properties === next ? EMPTY : words.slice(properties, next),
          };
          if (flags & FLAG_UNCLAIMED) to.unclaimed_(topic, record);
          else to.message_(topic, record, flags & FLAG_SELECTED ? words.slice(ids, properties) : undefined);
          at = next;
          break;
        }
        case KIND_DONE:
          to.done_(words[at + DONE_TOKEN], words[at + DONE_REASON]);
          at += DONE_WORDS;
          break;
        default: { // KIND_EFFECT
          const bytes = words[at + EFFECT_BYTES];
          to.effect_(JSON.parse(this.#text(words, at + EFFECT_TEXT)), this.#bytes.slice(bytes, bytes + words[at + EFFECT_BYTES + 1]));
          at += EFFECT_WORDS;
        }
      }
    }
  }

  /** The string whose address and length are there. @param {Uint32Array} words @param {number} at */
  #text(words, at) {
    return exact.decode(this.#bytes.subarray(words[at], words[at] + words[at + 1]));
  }
}
