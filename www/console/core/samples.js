import { Emitter } from "./emitter.js";

const EVERY_MS = 1000;
const MAX_SAMPLES = 600; // ten minutes
const RATE_SAMPLES = 5; // rates are averages of this number of intervals

/**
 * The counters of a client at a time. roundTripMs is undefined while there is no connection.
 * @typedef {{ time: number, roundTripMs: number | undefined, stats: import("../../iot.js").Stats }} Sample
 */

/** Reads the counters of a client once a second, and keeps those of the last ten minutes. */
export class Samples {
  #client;
  /** The samples, oldest first. @type {Sample[]} */
  list = [];
  /** Called after each new sample. */
  added = new Emitter();

  /** @param {import("../../iot.js").IotClient} client */
  constructor(client) {
    this.#client = client;
    setInterval(() => this.take(), EVERY_MS);
  }

  /** The newest sample. */
  get last() {
    return this.list.at(-1);
  }

  take() {
    const { state } = this.#client;
    if (state === "idle") return;
    const stats = this.#client.stats();
    this.list.push({ time: performance.now(), roundTripMs: state === "connected" ? stats.roundTripMs : undefined, stats });
    if (this.list.length > MAX_SAMPLES) this.list.shift();
    this.added.emit();
  }

  /** Returns how fast a counter has grown in the last seconds, per second. @param {"messagesIn" | "messagesOut" | "bytesIn" | "bytesOut"} name */
  rateOf(name) {
    const { last } = this, before = this.list.at(-1 - RATE_SAMPLES) ?? this.list[0];
    if (!last || last === before) return 0;
    return Math.max(0, (last.stats[name] - before.stats[name]) / ((last.time - before.time) / 1000));
  }
}
