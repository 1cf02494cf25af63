import { PENDING_NOTHING, PENDING_READY, SENT, encoder } from "./abi.js";
import { failed } from "./errors.js";
import { settler } from "./publish.js";
import { soon } from "./soon.js";
import { Tokens } from "./tokens.js";

export const OK = Object.freeze({ reasonCode: 0 });

// A larger WebSocket message enters the wasm, or leaves it, in pieces of this many bytes.
const PIECE = 1048576;

/**
 * The hot path of one client: received bytes into the wasm, publish out, and what
 * the page sends at the end of a turn of the event loop.
 */
export class Turns {
  tokens_ = new Tokens();
  /** @type {import("./socket.js").Socket | undefined} */
  socket_;

  #client = 0;
  /** @type {import("./core.js").Core} */
  #core = /** @type {any} */ (undefined);
  #records;
  #flushing = false; // a turn ends in a microtask
  #answering = false; // a turn ends in a task
  /** @type {any} */
  #sending; // the promise of the QoS 0 messages of this turn
  #time = 0; // about when the turn began
  #arrival = 0; // when bytes last arrived that had to wait
  /** @type {any} */
  #timer;
  #timerAt = Infinity;

  /** @param {import("./abi.js").Recipient} records receives the records of the client's calls */
  constructor(records) {
    this.#records = records;
  }

  /** Uses another wasm. @param {import("./core.js").Core} core @param {number} client */
  use_(core, client) {
    this.#core = core;
    this.#client = client;
  }

  /**
   * Publishes. cancel is given a function that takes a message back that has not been sent.
   * @param {number} length of the topic in the memory
   * @param {Uint8Array} options as MQTT properties
   * @param {string | Uint8Array} payload
   * @param {number} qos
   * @param {boolean | undefined} retain
   * @param {(undo: () => void) => void} [cancel]
   */
  publish_(length, options, payload, qos, retain, cancel) {
    const core = this.#core, n = options.length, text = typeof payload === "string";
    const token = this.tokens_.next_();
    const done = this.tokens_.promise_(token);
    try {
      let input = core.memory_.room_(n + (text ? payload.length * 3 : payload.length));
      if (n > 0) {
        input.set(options);
        input = input.subarray(n);
      }
      let { length: size } = payload;
      if (text) size = encoder.encodeInto(payload, input).written;
      else input.set(payload);
      if (core.wasm_.iot_publish(this.#client, token, length, n, size, qos, retain ? 1 : 0, this.#now()) === SENT) {
        this.tokens_.drop_(token);
        this.#flushSoon(false);
        return (this.#sending ??= settler()).promise;
      }
    } catch (error) {
      core.crashed_(error); // rejects all promises
    }
    this.afterwards_();
    cancel?.(() => {
      if (this.tokens_.drop_(token)) this.#core.call_(this.#client, "cancel", { token });
    });
    return done;
  }

  #now() {
    return this.#flushing ? this.#time : (this.#time = performance.now());
  }

  /**
   * Passes a WebSocket message to the client.
   * @param {number} attempt
   * @param {ArrayBuffer} frame
   * @param {number} [from]
   */
  receive_(attempt, frame, from = 0) {
    const core = this.#core;
    if (core.crash_) return;
    const n = Math.min(frame.byteLength - from, PIECE);
    try {
      core.memory_.room_(n).set(new Uint8Array(frame, from, n));
      core.wasm_.iot_receive(this.#client, attempt, n, performance.now());
    } catch (error) {
      core.crashed_(error); // rejects all promises
    }
    this.afterwards_(frame, core.memory_.input_ - from);
    if (from + n < frame.byteLength) core.queue_.next_(() => this.receive_(attempt, frame, from + n));
  }

  /** Runs work behind the events and frames that wait. @param {() => void} work @param {number} bytes that it keeps in memory */
  inOrder_(work, bytes) {
    const { queue_ } = this.#core;
    if (!queue_.behind_) return work();
    this.#arrival = performance.now();
    queue_.later_(work, bytes);
  }

  /** Handles the result of a call into the wasm, unless it has crashed. @param {ArrayBuffer} [frame] @param {number} [base] */
  afterwards_(frame, base = 0) {
    const { memory_, queue_ } = this.#core;
    if (this.#core.crashes_()) return;
    memory_.read_(this.#records, frame, base);
    // Acknowledgements leave in a task, together with those of the frames that arrive until then.
    if (memory_.pending_ === PENDING_READY) this.#flushSoon(frame !== undefined);
    this.#wakeAt(memory_.deadline_);
    queue_.run_();
  }

  /** Ends the turn in a microtask, or in a task. @param {boolean} task */
  #flushSoon(task) {
    if (this.#flushing || (task && this.#answering)) return;
    if (task) {
      this.#answering = true;
      soon(() => {
        this.#answering = false;
        if (!this.#flushing) this.#turn();
      });
    } else {
      this.#flushing = true;
      queueMicrotask(() => {
        this.#flushing = false;
        this.#turn();
      });
    }
  }

  /** Sends the output of the turn in one WebSocket message, or in several where there is much, as far as the socket takes it. */
  #turn() {
    const core = this.#core;
    if (core.crash_) return;
    const { memory_, wasm_ } = core;
    try {
      wasm_.iot_turn(this.#client, performance.now(), this.#arrival, this.socket_?.buffered_ ?? 0);
      while (!core.crashes_()) {
        const bytes = memory_.output_(PIECE), n = bytes.length;
        if (n === 0) break;
        this.socket_?.send_(bytes);
        wasm_.iot_flushed(this.#client, n, performance.now());
      }
    } catch (error) {
      core.crashed_(error); // rejects all promises
    }
    const all = memory_.pending_ === PENDING_NOTHING;
    this.afterwards_();
    if (all) this.sent_(this.socket_?.open_);
  }

  /** Settles the QoS 0 messages of the turn. @param {unknown} ok @param {unknown} [error] */
  sent_(ok, error) {
    const sending = this.#sending;
    this.#sending = undefined;
    if (ok) sending?.resolve(OK);
    else sending?.reject(error ?? failed("ERR_CONNECTION_LOST", "the connection was lost", "publish", true));
  }

  /** @param {number} deadline */
  #wakeAt(deadline) {
    if (deadline >= this.#timerAt) return; // the earlier timer sets the next one
    clearTimeout(this.#timer);
    this.#timerAt = deadline;
    this.#timer = setTimeout(() => {
      this.#timerAt = Infinity;
      this.#turn();
    }, Math.min(2 ** 31 - 1, Math.max(0, deadline - performance.now())));
  }

  stop_() {
    clearTimeout(this.#timer);
    this.#timerAt = Infinity;
  }
}
