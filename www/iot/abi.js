// This file has the layout of the data that Go and JavaScript exchange through the memory
// of the wasm. No other file in JavaScript reads the records. Package wasm/abi documents the
// constants. Tests in wasm/abi and wasm/bridge compare the constants and the types with Go's.

// This module has no imports, and the constants are its first statements. Therefore the
// build inlines the constants.

// Offsets in the header, in words.
const HEADER_OUTPUT_ADDRESS = 2, HEADER_OUTPUT_LENGTH = 3, HEADER_TABLE_ADDRESS = 4, HEADER_TABLE_LENGTH = 5;
const HEADER_CRASH_ADDRESS = 6, HEADER_CRASH_LENGTH = 7, HEADER_PENDING = 8, HEADER_TOPIC_ADDRESS = 9, HEADER_PART = 10, HEADER_WORDS = 12;
export const PENDING_NOTHING = 0, PENDING_READY = 1;
export const SENT = 1, SENT_FULL = 2;
const TOPIC_SIZE = 65536;
export const MAX_INPUT = 268435455;

// Records.
const KIND_TOPIC = 1, KIND_MESSAGE = 2, KIND_DONE = 3, KIND_EFFECT = 4, KIND_PACKET = 5;
const TOPIC_ID = 1, TOPIC_FIRST = 2, TOPIC_NAME = 3, TOPIC_RECIPIENTS = 5, TOPIC_WORDS = 6;
const MESSAGE_TOPIC = 1, MESSAGE_FLAGS = 2, MESSAGE_PAYLOAD = 3, MESSAGE_PACKET = 5, MESSAGE_RECIPIENTS = 7, MESSAGE_PROPERTIES = 8, MESSAGE_WORDS = 9;
export const PROPERTY_ID = 0, PROPERTY_DATA = 1, PROPERTY_VALUE = 3, PROPERTY_WORDS = 5;
const DONE_TOKEN = 1, DONE_REASON = 2, DONE_WORDS = 3;
const EFFECT_TEXT = 1, EFFECT_BYTES = 3, EFFECT_WORDS = 5;
const PACKET_OUT = 1, PACKET_SIZE = 2, PACKET_BYTES = 3, PACKET_WORDS = 5;

// Flags of a message.
export const FLAG_QOS = 3, FLAG_RETAIN = 4, FLAG_DUPLICATE = 8, FLAG_UTF8 = 16, FLAG_SHARED = 64, FLAG_UNCLAIMED = 128, FLAG_LISTENERS = 512;
const FLAG_OWN_MEMORY = 32, FLAG_SELECTED = 256;

// Identifiers of MQTT properties.
export const PAYLOAD_FORMAT = 1, MESSAGE_EXPIRY = 2, CONTENT_TYPE = 3, RESPONSE_TOPIC = 8, CORRELATION_DATA = 9, USER_PROPERTY = 38;

// Sizes of the input buffer, in bytes. The buffer has at least LEAST_INPUT. A smaller buffer replaces one above LARGE_INPUT
// when a call needs less.
const LEAST_INPUT = 65536, LARGE_INPUT = 1048576;

/**
 * The arguments of the operations, by the names of the operations. wasm/bridge/operations.go documents the operations.
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
 *   onmessage: undefined,
 *   onpacket: undefined,
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
 * An effect is an action that the wasm requests from JavaScript. wasm/client/host.go documents the effects.
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
 * The record of a message. frame_ contains the packet. It is either a received WebSocket message or a copy from the
 * memory of the wasm. payload_ and packet_ are addresses in the wasm. base_ is the address of the first byte of frame_. length_ is
 * the length of the payload, and size_ that of the packet, both in bytes.
 * @typedef {{ flags_: number, frame_: ArrayBuffer, base_: number, payload_: number, length_: number, packet_: number, size_: number, properties_: Uint32Array }} MessageRecord
 */

/**
 * The callbacks for the records of a table. id and topic are the id of a topic. selected has the ids of the recipients if
 * they are not all recipients of the topic.
 * @typedef {object} RecordHandler
 * @property {(id: number, first: number, name: string, recipients: Uint32Array) => void} topic_
 * @property {(topic: number, record: MessageRecord, selected: Uint32Array | undefined) => void} message_
 * @property {(token: number, reason: number) => void} done_
 * @property {(effect: Effect, bytes: Uint8Array) => void} effect_
 * @property {(packet: import("../iot.js").PacketDetail) => void} packet_
 */

export const encoder = new TextEncoder();
export const exact = new TextDecoder("utf-8", { ignoreBOM: true }); // U+FEFF is part of a string [MQTT-1.5.4-3]

const EMPTY = new Uint32Array(0);

/** Reads and writes the memory of a running wasm. */
export class Memory {
  #wasm;
  // Views of the memory. A call that grows the memory detaches them. A detached view has the length 0.
  #bytes = new Uint8Array(0);
  #words = EMPTY;
  #header = EMPTY;
  #deadline = new Float64Array(0);
  #input = this.#bytes;
  #topicBytes = this.#bytes;
  #headerAddress;
  #inputSize = 0;

  /** The address of the input buffer, which JavaScript fills before a call. */
  inputAddress_ = 0;

  /** @param {any} wasm the exports of the wasm */
  constructor(wasm) {
    this.#wasm = wasm;
    this.#headerAddress = wasm.iot_header();
  }

  /** Makes new views if a call has grown the memory. */
  refresh_() {
    if (this.#bytes.length > 0) return;
    const { buffer } = this.#wasm.mem;
    this.#bytes = new Uint8Array(buffer);
    this.#words = new Uint32Array(buffer);
    this.#header = new Uint32Array(buffer, this.#headerAddress, HEADER_WORDS);
    this.#deadline = new Float64Array(buffer, this.#headerAddress, 1);
    this.#input = this.#bytes.subarray(this.inputAddress_, this.inputAddress_ + this.#inputSize);
    this.#topicBytes = new Uint8Array(buffer, this.#header[HEADER_TOPIC_ADDRESS], TOPIC_SIZE);
  }

  /**
   * The text of the panic if the wasm has crashed, otherwise undefined.
   * @returns {string | undefined}
   */
  get crashReason_() {
    return this.#header[HEADER_CRASH_LENGTH] ? this.#text(this.#header, HEADER_CRASH_ADDRESS) : undefined;
  }

  /** Whether there is output: one of the PENDING constants, or Go's PendingBlocked. */
  get pending_() {
    return this.#header[HEADER_PENDING];
  }

  /** The maximum number of bytes of the next call of iot_receive. */
  get part_() {
    return this.#header[HEADER_PART];
  }

  /** The time at which iot_turn is due, in ms of performance.now(), or Infinity. */
  get deadline_() {
    return this.#deadline[0];
  }

  /** Returns a view of the output. */
  output_() {
    const at = this.#header[HEADER_OUTPUT_ADDRESS];
    return this.#bytes.subarray(at, at + this.#header[HEADER_OUTPUT_LENGTH]);
  }

  /**
   * Returns a view of the input buffer.
   * @param {number} n the minimum length of the view, in bytes
   */
  reserveInput_(n) {
    if (n > this.#inputSize || (this.#inputSize > LARGE_INPUT && n <= LARGE_INPUT)) {
      this.#inputSize = Math.max(n, LEAST_INPUT);
      this.inputAddress_ = this.#wasm.iot_input(this.#inputSize) >>> 0;
      this.#bytes = new Uint8Array(0);
    }
    this.refresh_();
    return this.#input;
  }

  /**
   * Writes the topic of a publish.
   * @param {string} topic
   * @param {(topic: string, name: string) => void} check throws if a topic that is not ASCII is not valid
   * @returns {number} the length of the topic in bytes, or TOPIC_SIZE if it is too long
   */
  writeTopic_(topic, check) {
    this.refresh_();
    // Most topics are ASCII. In Chromium, encodeInto takes seven times as long as this loop.
    for (let n = 0, code; n < TOPIC_SIZE; this.#topicBytes[n++] = code) {
      if (n === topic.length) return n;
      code = topic.charCodeAt(n);
      if (code < 1 || code > 127) break;
    }
    check(topic, "topic");
    const { read, written } = encoder.encodeInto(topic, this.#topicBytes);
    return read < topic.length ? TOPIC_SIZE : written;
  }

  /**
   * Reads the table and calls the handler for each record.
   * @param {RecordHandler} handler
   * @param {any} [frame] the frame (a WebSocket message) that contains the packets
   * @param {any} [base] the address of the frame's first byte, even if the input contains only a later part of the frame
   */
  readTable_(handler, frame, base) {
    const words = this.#words;
    let at = this.#header[HEADER_TABLE_ADDRESS] >>> 2;
    const end = at + this.#header[HEADER_TABLE_LENGTH];
    while (at < end) {
      switch (words[at]) {
        case KIND_TOPIC: {
          const ids = at + TOPIC_WORDS, next = ids + words[at + TOPIC_RECIPIENTS];
          handler.topic_(words[at + TOPIC_ID], words[at + TOPIC_FIRST], this.#text(words, at + TOPIC_NAME), words.slice(ids, next));
          at = next;
          break;
        }
        case KIND_MESSAGE: {
          const flags = words[at + MESSAGE_FLAGS], topic = words[at + MESSAGE_TOPIC], packet = words[at + MESSAGE_PACKET], size = words[at + MESSAGE_PACKET + 1];
          const ids = at + MESSAGE_WORDS, properties = ids + words[at + MESSAGE_RECIPIENTS], next = properties + PROPERTY_WORDS * words[at + MESSAGE_PROPERTIES];
          const own = flags & FLAG_OWN_MEMORY;
          /** @type {MessageRecord} */
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
          handler.message_(topic, record, flags & FLAG_SELECTED ? words.slice(ids, properties) : undefined);
          at = next;
          break;
        }
        case KIND_DONE:
          handler.done_(words[at + DONE_TOKEN], words[at + DONE_REASON]);
          at += DONE_WORDS;
          break;
        default: { // KIND_EFFECT, KIND_PACKET
          const start = words[at + EFFECT_BYTES], bytes = this.#bytes.slice(start, start + words[at + EFFECT_BYTES + 1]);
          if (words[at] === KIND_EFFECT) handler.effect_(JSON.parse(this.#text(words, at + EFFECT_TEXT)), bytes);
          else handler.packet_({ direction: words[at + PACKET_OUT] ? "out" : "in", size: words[at + PACKET_SIZE], bytes, time: performance.now() });
          at += EFFECT_WORDS;
        }
      }
    }
  }

  /**
   * Decodes a string.
   * @param {Uint32Array} words
   * @param {number} at the index of the word with the address; the next word is the length
   */
  #text(words, at) {
    return exact.decode(this.#bytes.subarray(words[at], words[at] + words[at + 1]));
  }
}
