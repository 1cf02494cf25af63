import { List } from "./list.js";
import { soon } from "./soon.js";

// A longer task makes the page stutter.
const SLICE_MS = 12;
const LOOK = 16; // events between two readings of the clock

// Beyond this many waiting bytes the queue does not pause, so that the network waits.
const MOST_BEHIND = 64 << 20;
const OVERHEAD = 1024; // bytes of a buffer, a closure and a record, about, besides the bytes in the buffer

/**
 * The events for the page, in the order in which they happened, also where calls
 * are nested. Many events are handled in slices, so that the page can do other work
 * between them. Frames that arrive meanwhile wait behind the events.
 */
export class Queue {
  /** @type {any[]} */
  #events = []; // link, kind, detail, and so on
  #next = 0;
  #running = false;
  #resting = false; // between two slices
  #resuming = false; // in a slice that is not the first
  #until = 0; // end of this slice
  /** @type {List<{ work_(): void, bytes_: number }>} */
  #waiting = new List(); // work behind the events
  #waitingBytes = 0;

  /** Whether new frames have to wait. */
  get behind_() {
    return this.#resting || this.#waiting.length_ > 0;
  }

  /**
   * Adds an event. kind is the list of recipients of a message, or the token of a result; else detail is a function to call.
   * @param {any} link
   * @param {Uint32Array | number | undefined} kind
   * @param {any} detail
   */
  push_(link, kind, detail) {
    this.#events.push(link, kind, detail);
  }

  /** Adds work behind everything that waits. @param {() => void} work @param {number} bytes that it keeps in memory */
  later_(work, bytes) {
    bytes += OVERHEAD;
    this.#waitingBytes += bytes;
    this.#waiting.push_({ work_: work, bytes_: bytes });
    if (this.#waitingBytes > MOST_BEHIND) this.#resume();
  }

  /** Adds work in front of other work that waits. @param {() => void} work */
  next_(work) {
    if (!this.#resting) return work();
    this.#waiting.putBack_({ work_: work, bytes_: 0 });
  }

  /** Handles the events. A handler may cause further events, which are handled here. */
  run_() {
    const events = this.#events;
    if (this.#running || this.#resting || events.length === 0) return;
    this.#running = true;
    if (!this.#resuming) this.#until = performance.now() + SLICE_MS;
    try {
      let look = LOOK;
      while (this.#next < events.length) {
        const i = this.#next;
        this.#next += 3;
        const link = events[i], kind = events[i + 1], detail = events[i + 2];
        if (typeof kind === "object") link.deliver_(kind, detail);
        else if (kind === undefined) detail();
        else link.settle_(kind, detail);
        if (--look === 0) {
          look = LOOK;
          if (this.#over()) return this.#rest();
        }
      }
      events.length = this.#next = 0;
    } finally {
      this.#running = false;
    }
  }

  #over() {
    return performance.now() > this.#until && this.#waitingBytes <= MOST_BEHIND;
  }

  /** Pauses until another task. */
  #rest() {
    this.#resting = true;
    soon(() => this.#resume());
  }

  #resume() {
    if (this.#running || this.#resuming) return;
    this.#resting = false;
    this.#resuming = true;
    this.#until = performance.now() + SLICE_MS;
    try {
      this.run_();
      while (!this.#resting && this.#waiting.length_ > 0) {
        const { work_, bytes_ } = this.#waiting.shift_();
        this.#waitingBytes -= bytes_;
        work_();
        if (!this.#resting && this.#waiting.length_ > 0 && this.#over()) this.#rest();
      }
    } finally {
      this.#resuming = false;
    }
  }

  /** Removes everything. */
  clear_() {
    this.#events.length = this.#next = this.#waitingBytes = 0;
    this.#waiting = new List();
  }
}
