import { List } from "./list.js";
import { queueTask } from "./task.js";

// The time after which the queue pauses, in milliseconds. Longer tasks would delay the rendering of the page.
const SLICE_MS = 12;
// The number of events after which the queue reads the clock.
const CLOCK_INTERVAL = 16;

// If the waiting work keeps more bytes than this, the queue does not pause. The page then
// reads no further bytes from the network until the work is done.
const MAX_WAITING_BYTES = 64 << 20;
// The approximate number of bytes that waiting work needs beside its data.
const OVERHEAD = 1024;

/**
 * A queue of the events for the page: messages, results of calls, and effects. It handles
 * them in the order in which the wasm reported them, even if a handler calls the wasm. It
 * pauses after SLICE_MS, so that the page can do other work. Work that arrives during a
 * pause, such as a received frame, waits until all events are handled.
 */
export class Queue {
  /** @type {any[]} */
  #events = []; // three elements for each event: link, kind, detail
  #index = 0; // the first element of the next event
  #running = false; // whether run_ is handling events
  paused_ = false; // whether a task will call #resume
  #resuming = false; // whether #resume is running
  #sliceEnd = 0; // the time of the next pause, in ms of performance.now()
  /** @type {List<{ work_(): void, bytes_: number }>} */
  #waiting = new List(); // the work that waits for the events
  #waitingBytes = 0; // the bytes that this work keeps in memory

  /** Whether new work must wait. */
  get mustWait_() {
    return this.paused_ || this.#waiting.length_ > 0;
  }

  /**
   * Adds an event.
   * @param {any} link the client's Link
   * @param {Uint32Array | number | undefined} kind the recipients of a message, the token of a result, or undefined for a function
   * @param {any} detail the message, the result, or the function to call
   */
  push_(link, kind, detail) {
    this.#events.push(link, kind, detail);
  }

  /**
   * Adds work after all other waiting work.
   * @param {() => void} work
   * @param {number} bytes the size of its data in memory
   */
  append_(work, bytes) {
    bytes += OVERHEAD;
    this.#waitingBytes += bytes;
    this.#waiting.push_({ work_: work, bytes_: bytes });
    if (this.#waitingBytes > MAX_WAITING_BYTES) this.#resume();
  }

  /**
   * Adds work before all other waiting work, during a pause.
   * @param {() => void} work
   */
  prepend_(work) {
    this.#waiting.unshift_({ work_: work, bytes_: 0 });
  }

  /**
   * Handles the events, including those that a handler adds.
   * @param {number} [now] the time, if the caller has read the clock
   */
  run_(now) {
    const events = this.#events;
    if (this.#running || this.paused_ || events.length === 0) return;
    this.#running = true;
    if (!this.#resuming) this.#sliceEnd = (now ?? performance.now()) + SLICE_MS;
    try {
      let untilClock = CLOCK_INTERVAL;
      while (this.#index < events.length) {
        const i = this.#index;
        this.#index += 3;
        const link = events[i], kind = events[i + 1], detail = events[i + 2];
        if (typeof kind === "object") link.deliver_(kind, detail);
        else if (kind === undefined) detail();
        else link.settle_(kind, detail);
        if (--untilClock === 0) {
          untilClock = CLOCK_INTERVAL;
          if (this.#sliceOver()) return this.#pause();
        }
      }
      events.length = this.#index = 0;
    } finally {
      this.#running = false;
    }
  }

  /** Whether the queue must pause. */
  #sliceOver() {
    return performance.now() > this.#sliceEnd && this.#waitingBytes <= MAX_WAITING_BYTES;
  }

  #pause() {
    this.paused_ = true;
    queueTask(() => this.#resume());
  }

  /** Ends a pause: handles the events, and then runs the waiting work. */
  #resume() {
    if (this.#running || this.#resuming) return;
    this.paused_ = false;
    this.#resuming = true;
    this.#sliceEnd = performance.now() + SLICE_MS;
    try {
      this.run_();
      while (!this.paused_ && this.#waiting.length_ > 0) {
        const { work_, bytes_ } = this.#waiting.shift_();
        this.#waitingBytes -= bytes_;
        work_();
        if (!this.paused_ && this.#waiting.length_ > 0 && this.#sliceOver()) this.#pause();
      }
    } finally {
      this.#resuming = false;
    }
  }

  clear_() {
    this.#events.length = this.#index = this.#waitingBytes = 0;
    this.#waiting = new List();
  }
}
