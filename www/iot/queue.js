import { List } from "./list.js";
import { soon } from "./soon.js";

// A task of the page's should take less than 50 ms, or the page stutters.
const SLICE_MS = 12;
const LOOK = 16; // events between two looks at the clock

// Beyond so many bytes it is better that the network waits than that memory fills.
const MOST_BEHIND = 64 << 20;
const OVERHEAD = 1024; // bytes of a buffer, a closure and a record, about, besides the bytes in the buffer

/**
 * What the page is to hear of, in the order in which it happened, whatever calls
 * are nested. Where there is much of it, it is done in slices, with room for the
 * page's other work between them; what comes meanwhile waits behind it.
 */
export class Queue {
  /** @type {any[]} */
  #events = []; // owner, what, detail; and so on
  #next = 0;
  #running = false;
  #resting = false; // between two slices
  #resuming = false; // in a slice that is not the first
  #until = 0; // the end of this slice
  /** @type {List<{ work(): void, bytes: number }>} */
  #waiting = new List(); // to be done behind the events
  #waitingBytes = 0;

  get behind() {
    return this.#resting || this.#waiting.length > 0;
  }

  /** A message where `what` is a topic, a result where it is a token, else an effect. @param {any} owner @param {any} what @param {any} detail */
  push(owner, what, detail) {
    this.#events.push(owner, what, detail);
  }

  /** Has work done behind what waits already. @param {() => void} work @param {number} bytes that it keeps in memory */
  later(work, bytes) {
    bytes += OVERHEAD;
    this.#waitingBytes += bytes;
    this.#waiting.push({ work, bytes });
    if (this.#waitingBytes > MOST_BEHIND) this.#resume();
  }

  /** Has work done before anything else that waits. @param {() => void} work */
  next(work) {
    if (!this.#resting) return work();
    this.#waiting.putBack({ work, bytes: 0 });
  }

  /** Lets the page hear of what there is. What it does then may happen again in here. */
  run() {
    const events = this.#events;
    if (this.#running || this.#resting || events.length === 0) return;
    this.#running = true;
    if (!this.#resuming) this.#until = performance.now() + SLICE_MS;
    try {
      let look = LOOK;
      while (this.#next < events.length) {
        const i = this.#next;
        this.#next += 3;
        const owner = events[i], what = events[i + 1], detail = events[i + 2];
        if (typeof what === "object") owner.deliver(what, detail);
        else if (what === undefined) owner.effect(detail);
        else owner.settle(what, detail);
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

  /** Goes on in a task of its own. */
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
      this.run();
      while (!this.#resting && this.#waiting.length > 0) {
        const { work, bytes } = this.#waiting.shift();
        this.#waitingBytes -= bytes;
        work();
        if (!this.#resting && this.#waiting.length > 0 && this.#over()) this.#rest();
      }
    } finally {
      this.#resuming = false;
    }
  }

  /** Forgets everything. */
  clear() {
    this.#events.length = this.#next = this.#waitingBytes = 0;
    this.#waiting = new List();
  }
}
