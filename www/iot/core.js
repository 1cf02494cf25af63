import { failed, invalid, wordsOf } from "./errors.js";
import { Queue } from "./queue.js";
import { wellFormed } from "./options.js";
import { encoder } from "./publish.js";
import { Message, exact } from "./message.js";

// The kinds of record in the table that wasm/turn.go fills.
const TOPIC = 1, MESSAGE = 2, PUBLISHED = 3, DONE = 4;
const OWN_MEMORY = 32, UNCLAIMED = 128;
const NO_PROPERTIES = new Uint32Array(0);

// A larger WebSocket message goes into the wasm in pieces of this many bytes.
const PIECE = 1 << 20;
const LEAST_INPUT = 1 << 16;
const MOST_TOPIC = 65535;

/** @typedef {import("./wire.js").Wire} Wire */
/** @typedef {import("./errors.js").IotError} IotError */

/**
 * A topic that messages have come for: the ids of the filters it matches, and
 * the number of the last live message.
 * @typedef {{ name: string, filters: number[], live: number }} Topic
 */

/**
 * One running wasm, shared by the clients of a page. An owner is a client's
 * Wire; it is known here, so that a crash can be told to it, and not held.
 */
export class Core {
  #wasm;
  #bridge;
  // Views of the wasm's memory, made afresh when it has grown.
  #bytes = new Uint8Array(0);
  #words = new Uint32Array(0);
  #header = new Uint32Array(0);
  #deadline = new Float64Array(0);
  #input = new Uint8Array(0); // what goes in is written here,
  #topic = new Uint8Array(0); // and the topic of a publish here, where it stays
  #headerAt = 0;
  #inputAt = 0;
  #inputSize = 0;
  #lastTopic = "";
  #lastTopicLength = 0;
  /** @type {Map<number, WeakRef<Wire>>} */
  #owners = new Map();
  #gone = new FinalizationRegistry((id) => {
    this.#owners.delete(id);
    if (!this.crash) this.call(undefined, "free", id);
  });
  /** @type {IotError | undefined} */
  #crash;
  #queue = new Queue();
  #objects = 0; // JavaScript values that Go has not let go of yet, about

  /** @param {any} wasm its exports @param {any} bridge what it calls, and is called by */
  constructor(wasm, bridge) {
    this.#wasm = wasm;
    this.#bridge = bridge;
  }

  get crash() {
    return this.#crash;
  }

  /** Makes a client in the wasm; it lasts as long as its owner does. @param {Wire} owner */
  attach(owner) {
    owner.id = this.#guard(() => this.#bridge.call("new", 0, 0));
    this.#gone.register(owner, owner.id);
    this.#owners.set(owner.id, new WeakRef(owner));
  }

  /** A rare call: see wasm/calls.go. @param {Wire | undefined} owner @param {string} op @param {any[]} args @returns {any} */
  call(owner, op, ...args) {
    const result = this.#guard(() => this.#bridge.call(op, owner?.id ?? 0, performance.now(), ...args));
    if (owner) this.afterwards(owner);
    return result;
  }

  /** Whether the page is behind with what has come, so that more has to wait. */
  get behind() {
    return this.#queue.behind;
  }

  /** Does something in its order behind what waits: n bytes of it. @param {() => void} work @param {number} n */
  later(work, n) {
    this.#queue.later(work, n);
  }

  /** Hands a WebSocket message to the client. @param {Wire} owner @param {number} attempt @param {ArrayBuffer} frame @param {number} [from] */
  receive(owner, attempt, frame, from = 0) {
    if (this.#crash) return;
    const n = Math.min(frame.byteLength - from, PIECE);
    this.#guard(() => {
      this.#room(n);
      this.#input.set(new Uint8Array(frame, from, n));
      this.#wasm.iot_receive(owner.id, attempt, n, performance.now());
    });
    this.afterwards(owner, frame, this.#inputAt - from);
    if (from + n < frame.byteLength) this.#queue.next(() => this.receive(owner, attempt, frame, from + n));
  }

  /**
   * Publishes; true when it goes out with this turn and nothing more will be
   * heard of it. Otherwise the caller makes itself ready to hear of the token, and
   * calls afterwards().
   * @param {Wire} owner
   * @param {number} token
   * @param {string} topic
   * @param {Uint8Array} options
   * @param {string | Uint8Array} payload
   * @param {number} flags
   */
  publish(owner, token, topic, options, payload, flags) {
    if (this.#crash) throw this.#crash;
    try {
      const text = typeof payload === "string";
      this.#room(options.length + (text ? payload.length * 3 : payload.length));
      if (topic !== this.#lastTopic) this.#writeTopic(topic);
      let input = this.#input;
      if (options.length > 0) {
        input.set(options);
        input = input.subarray(options.length);
      }
      let { length } = payload;
      if (text) length = encoder.encodeInto(payload, input).written;
      else input.set(payload);
      return this.#wasm.iot_publish(owner.id, token, this.#lastTopicLength, options.length, length, flags, owner.turnTime()) === 1;
    } catch (error) {
      if (error instanceof TypeError) throw error; // about the topic
      throw this.crashed(wordsOf(error));
    }
  }

  /** @param {string} topic */
  #writeTopic(topic) {
    this.#lastTopic = "";
    const { read, written } = encoder.encodeInto(wellFormed(topic.slice(0, MOST_TOPIC + 1), "topic"), this.#topic);
    if (read < topic.length) throw invalid(TypeError, "ERR_TOPIC", "topic is longer than 65,535 bytes");
    this.#lastTopic = topic;
    this.#lastTopicLength = written;
  }

  /**
   * Ends a turn of the event loop: what it has to send goes out in one WebSocket
   * message, or in more where there is much, as far as the socket takes it.
   * Whether all of it went. `heard` is when bytes last came, also such as wait.
   * @param {Wire} owner
   * @param {number} heard
   */
  turn(owner, heard) {
    this.#guard(() => this.#wasm.iot_turn(owner.id, performance.now(), heard, owner.buffered));
    this.#refresh();
    while (this.#header[1] > 0 && !this.#header[4]) {
      const at = this.#header[0], n = Math.min(this.#header[1], PIECE);
      owner.send(this.#bytes.subarray(at, at + n));
      this.#guard(() => this.#wasm.iot_flushed(owner.id, n, performance.now()));
      this.#refresh();
    }
    const sent = this.#header[5] === 0;
    this.afterwards(owner);
    return sent;
  }

  /** Makes room for n bytes of input. @param {number} n */
  #room(n) {
    if (n > this.#inputSize || (this.#inputSize > PIECE && n <= PIECE)) {
      this.#inputSize = Math.max(n, LEAST_INPUT);
      this.#inputAt = this.#wasm.iot_input(this.#inputSize) >>> 0; // a wasm i32 has a sign
      this.#bytes = new Uint8Array(0);
    }
    if (this.#bytes.length === 0) this.#refresh();
  }

  /** Does what a call into the wasm has left to do. @param {Wire} owner @param {ArrayBuffer} [frame] @param {number} [base] */
  afterwards(owner, frame, base = 0) {
    this.#refresh();
    const header = this.#header;
    if (header[4]) throw this.crashed(this.#bridge.crash);
    if (header[3] > 0) this.#read(owner, frame, base);
    if (header[5] === 1) owner.flushSoon(frame !== undefined);
    owner.wakeAt(this.#deadline[0]);
    // Go lets go of JavaScript's values only when it is resumed, which exports do not do.
    if (this.#objects > 1000) {
      this.#objects = 0;
      this.#guard(() => this.#bridge.call("rest", 0, 0));
    }
    this.#queue.run();
  }

  /** Reads the table into the queue; while it does, no code of the page runs. @param {Wire} owner @param {any} frame @param {number} base */
  #read(owner, frame, base) {
    const words = this.#words, queue = this.#queue;
    const { effects } = this.#bridge;
    this.#objects += effects.length;
    let effect = 0;
    let at = this.#header[2] >>> 2;
    const end = at + this.#header[3];
    while (at < end) {
      switch (words[at]) {
        case TOPIC:
          at = this.#readTopic(owner, at);
          break;
        case MESSAGE: {
          const topic = owner.topics[words[at + 1]];
          const length = words[at + 3], flags = words[at + 4], count = words[at + 7];
          let buffer = frame, start = base;
          if (flags & OWN_MEMORY) {
            start = words[at + 5];
            buffer = this.#bytes.slice(start, start + words[at + 6]).buffer;
          }
          const properties = count === 0 ? NO_PROPERTIES : words.slice(at + 8, at + 8 + 5 * count);
          const message = new Message(topic.name, buffer, start, words[at + 2], length, flags, properties, owner.client, words[at + 5], words[at + 6]);
          if (flags & UNCLAIMED) queue.push(owner, undefined, { kind: "unclaimed", message });
          else queue.push(owner, topic, message);
          at += 8 + 5 * count;
          break;
        }
        case PUBLISHED:
          queue.push(owner, words[at + 1], words[at + 4] + words[at + 5] > 0 ? this.#result(at) : words[at + 2]);
          at += 6 + 4 * words[at + 5];
          break;
        case DONE:
          queue.push(owner, words[at + 1], undefined);
          at += 2;
          break;
        default: // an effect
          queue.push(owner, undefined, effects[effect++]);
          at += 1;
      }
    }
    effects.length = 0;
  }

  /** @param {Wire} owner @param {number} at */
  #readTopic({ topics }, at) {
    const words = this.#words;
    const id = words[at + 1], count = words[at + 5];
    if (words[at + 2]) topics.length = 0;
    const name = this.#text(at + 3);
    if (topics[id]?.name !== name) topics[id] = { name, filters: [], live: 0 };
    topics[id].filters = Array.from(words.subarray(at + 6, at + 6 + count));
    return at + 6 + count;
  }

  /** What the broker said with an acknowledgement. @param {number} at */
  #result(at) {
    const words = this.#words;
    /** @type {any} */
    const result = { reasonCode: words[at + 2] };
    if (words[at + 4]) result.reasonString = this.#text(at + 3);
    const count = words[at + 5];
    if (count) {
      result.userProperties = [];
      for (let i = 0, p = at + 6; i < count; i++, p += 4) result.userProperties.push([this.#text(p), this.#text(p + 2)]);
    }
    return result;
  }

  /** A string whose address and length are there. @param {number} at */
  #text(at) {
    const start = this.#words[at], length = this.#words[at + 1];
    return length ? exact.decode(this.#bytes.subarray(start, start + length)) : "";
  }

  /** Memory may have grown in any call, which detaches the views of it: they are empty then. */
  #refresh() {
    if (this.#bytes.length > 0) return;
    const { buffer } = this.#wasm.mem;
    this.#headerAt ||= this.#wasm.iot_header() >>> 0;
    this.#bytes = new Uint8Array(buffer);
    this.#words = new Uint32Array(buffer);
    this.#header = new Uint32Array(buffer, this.#headerAt, 9);
    this.#deadline = new Float64Array(buffer, this.#headerAt + 24, 1);
    this.#input = this.#bytes.subarray(this.#inputAt, this.#inputAt + this.#inputSize);
    this.#topic = this.#bytes.subarray(this.#header[8], this.#header[8] + MOST_TOPIC);
  }

  /**
   * Runs a call into the wasm; if that breaks, so do all clients, each with a clear error.
   * @template T
   * @param {() => T} enter
   * @returns {T}
   */
  #guard(enter) {
    if (this.#crash) throw this.#crash;
    try {
      return enter();
    } catch (error) {
      throw this.crashed(wordsOf(error));
    }
  }

  /** The wasm is beyond repair: everything that is pending fails, and the next connect() starts a fresh one. @param {string} why */
  crashed(why) {
    if (!this.#crash) {
      this.#crash = failed("ERR_CRASHED", `the wasm has crashed (${why}); connect() starts a fresh one`, "session", true);
      this.#queue.clear();
      for (const owner of [...this.#owners.values()]) owner.deref()?.crashed(this.#crash);
    }
    return this.#crash;
  }
}
