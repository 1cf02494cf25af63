import { PENDING_NOTHING, PENDING_READY, SENT_FULL, encoder } from "./abi.js";
import { iotError } from "./errors.js";
import { queueTask } from "./task.js";
import { Tokens, withResolvers } from "./tokens.js";

/** The result of a call with the reason code 0. */
export const OK = Object.freeze({ reasonCode: 0 });

/**
 * The frequent calls of one client into the wasm: publish, receive, and the end of a turn of
 * the event loop. The output of a turn is sent when the turn ends; large output is sent before.
 */
export class Turns {
  tokens_ = new Tokens();
  /** @type {import("./socket.js").Socket | undefined} */
  socket_;

  #client = 0;
  /** @type {import("./core.js").Core} */
  #core = /** @type {any} */ (undefined);
  #records;
  #microtask = false; // whether a microtask will end the turn
  #task = false; // whether a task will end the turn
  /** @type {any} the promise of all QoS 0 messages of this turn, with resolve and reject */
  #qos0;
  // Times are in ms of performance.now().
  #turnTime = 0; // the time at which the microtask was scheduled
  #lastArrival = 0; // the last time at which received bytes had to wait in the queue
  /** @type {any} */
  #timer;
  #timerAt = Infinity; // the time at which the timer ends the turn

  /** @param {import("./abi.js").RecordHandler} records handles the records of the client's calls */
  constructor(records) {
    this.#records = records;
  }

  /**
   * Sets the wasm to call, and the id of the client in it.
   * @param {import("./core.js").Core} core
   * @param {number} client
   */
  setCore_(core, client) {
    this.#core = core;
    this.#client = client;
  }

  /**
   * Publishes to the topic that writeTopic_ has written.
   * @param {number} topicLength in bytes
   * @param {Uint8Array} properties the encoded MQTT properties
   * @param {string | Uint8Array} payload
   * @param {number} qos
   * @param {boolean | undefined} retain
   * @param {(cancel: () => void) => void} [setCancel] receives a function that removes the message, unless it has been sent
   */
  publish_(topicLength, properties, payload, qos, retain, setCancel) {
    const core = this.#core, n = properties.length, text = typeof payload === "string";
    const token = this.tokens_.next_();
    const done = this.tokens_.promise_(token);
    try {
      let size = payload.length, input = core.memory_.reserveInput_(n + (text ? size * 3 : size));
      if (n > 0) {
        input.set(properties);
        input = input.subarray(n);
      }
      if (text) size = encoder.encodeInto(payload, input).written;
      else input.set(payload);
      const sent = core.wasm_.iot_publish(this.#client, token, topicLength, n, size, qos, retain, this.#now());
      if (sent) {
        this.tokens_.drop_(token);
        this.#scheduleEnd(false);
        const { promise } = (this.#qos0 ??= withResolvers());
        if (sent === SENT_FULL) {
          this.#send();
          core.memory_.readTable_(this.#records); // the end of the turn handles the records
        }
        return promise;
      }
    } catch (error) {
      core.crashed_(error); // rejects all promises
    }
    this.handleResults_();
    setCancel?.(() => {
      if (this.tokens_.drop_(token)) this.#core.call_(this.#client, "cancel", { token });
    });
    return done;
  }

  /** Returns the time. If a microtask will end the turn, it returns the time at which the turn began, because reading the clock is slow. */
  #now() {
    return this.#microtask ? this.#turnTime : performance.now();
  }

  /**
   * Passes a received WebSocket message to the wasm.
   * @param {number} attempt
   * @param {ArrayBuffer} frame
   * @param {number} [from] the index of the first byte to pass
   * @returns {void}
   */
  receive_(attempt, frame, from = 0) {
    const core = this.#core, { memory_, queue_ } = core;
    while (!core.hasCrashed_() && from < frame.byteLength) {
      if (queue_.paused_) return queue_.prepend_(() => this.receive_(attempt, frame, from));
      const now = performance.now(), left = frame.byteLength - from, n = Math.min(left, memory_.part_);
      let processed = 0;
      try {
        memory_.reserveInput_(n).set(new Uint8Array(frame, from, n));
        processed = core.wasm_.iot_receive(this.#client, attempt, n, left - n, now) >>> 0;
      } catch (error) {
        core.crashed_(error); // rejects all promises
      }
      this.handleResults_(frame, memory_.inputAddress_ - from, now);
      from += processed;
    }
  }

  /**
   * Runs work at once, or after the waiting events and work in the queue.
   * @param {() => void} work
   * @param {number} bytes the size of its data in memory
   */
  runInOrder_(work, bytes) {
    const { queue_ } = this.#core;
    if (!queue_.mustWait_) return work();
    this.#lastArrival = performance.now();
    queue_.append_(work, bytes);
  }

  /**
   * Handles the header and the records that a call into the wasm has written, unless the wasm has crashed.
   * @param {ArrayBuffer} [frame] the WebSocket message that the call received
   * @param {number} [base] see Memory.readTable_
   * @param {number} [now] the time, if the caller has read the clock
   */
  handleResults_(frame, base, now) {
    const core = this.#core, { memory_, queue_ } = core;
    if (core.hasCrashed_()) return this.tokens_.rejectAll_(core.crashError_); // also tokens of calls after the crash
    memory_.readTable_(this.#records, frame, base);
    // Output that a received frame caused is sent in a task. Acknowledgements of several frames then share one send().
    if (memory_.pending_ === PENDING_READY) this.#scheduleEnd(frame !== undefined);
    this.#setTimer(memory_.deadline_);
    queue_.run_(now);
  }

  /**
   * Schedules the end of the turn.
   * @param {boolean} task true: in a task; false: in a microtask, which is sooner
   */
  #scheduleEnd(task) {
    if (this.#microtask || (task && this.#task)) return;
    if (task) {
      this.#task = true;
      queueTask(() => {
        this.#task = false;
        if (!this.#microtask) this.#endTurn();
      });
    } else {
      this.#microtask = true;
      this.#turnTime = performance.now();
      queueMicrotask(() => {
        this.#microtask = false;
        this.#endTurn();
      });
    }
  }

  /** Ends the turn: sends the output, and handles the records. */
  #endTurn() {
    const core = this.#core;
    if (core.crashError_) return;
    try {
      core.wasm_.iot_turn(this.#client, performance.now(), this.#lastArrival, this.socket_?.buffered_);
      this.#send();
    } catch (error) {
      core.crashed_(error); // rejects all promises
    }
    // The handlers of events may publish further messages.
    if (core.memory_.pending_ === PENDING_NOTHING) this.settleQoS0_(this.socket_?.open_);
    this.handleResults_();
  }

  /** Sends the output that the header describes, and the output that follows. Throws if the wasm throws. */
  #send() {
    const core = this.#core;
    while (!core.hasCrashed_()) {
      const bytes = core.memory_.output_(), n = bytes.length;
      if (n === 0) break;
      this.socket_?.send_(bytes);
      core.wasm_.iot_flushed(this.#client, n, this.#now());
    }
  }

  /**
   * Settles the promise of the QoS 0 messages of the turn.
   * @param {unknown} sent whether the socket has accepted them
   * @param {unknown} [error] the default is ERR_CONNECTION_LOST
   */
  settleQoS0_(sent, error) {
    const messages = this.#qos0;
    this.#qos0 = undefined;
    if (sent) messages?.resolve(OK);
    else messages?.reject(error ?? iotError("ERR_CONNECTION_LOST", "the connection was lost", "publish", true));
  }

  /**
   * Sets the timer, unless it fires earlier. The end of a turn sets it again.
   * @param {number} deadline
   */
  #setTimer(deadline) {
    if (deadline >= this.#timerAt) return;
    clearTimeout(this.#timer);
    this.#timerAt = deadline;
    this.#timer = setTimeout(() => {
      this.#timerAt = Infinity;
      this.#endTurn();
    }, Math.min(2 ** 31 - 1, deadline - performance.now()));
  }

  stopTimer_() {
    clearTimeout(this.#timer);
    this.#timerAt = Infinity;
  }
}
