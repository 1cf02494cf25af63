import { Emitter } from "../emitter.js";
import { numberAt, valueOf } from "./numbers.js";
import { pathText } from "./search-path.js";

/** The bounds of the chart: the number of series, and the points of each. */
export const MAX_SERIES = 16;
export const MAX_POINTS = 100_000;
/** The memory of a point: a time and a value. */
export const POINT_BYTES = 16;

// The colours have a contrast of at least 3 to the background of both themes.
export const COLOURS = ["#3b82f6", "#e0601f", "#2a9a57", "#9b6cf0", "#d94a97", "#1195a6", "#a07a0c", "#e04b43"];

// advance() looks at the clock after this number of records.
const BATCH = 128;

/** The numbers at one path of the messages of one topic, in the order of their times. */
export class Series {
  /** The times in milliseconds since 1970, and the values. The arrays are longer than the series. */
  times = new Float64Array(1024);
  values = new Float64Array(1024);
  size = 0;
  /** The number of the next record of the history to read. */
  next = 0;
  /** The number of points that were removed because of the bound. */
  removed = 0;
  hidden = false;
  #sorted = true;

  /** @param {string} topic @param {(string | number)[]} keys @param {string} colour */
  constructor(topic, keys, colour) {
    this.topic = topic;
    this.keys = keys;
    this.path = pathText(keys);
    this.colour = colour;
  }

  /** The name: the topic and the path. */
  get name() {
    return this.path ? `${this.topic} · ${this.path}` : this.topic;
  }

  push(time, value) {
    if (this.size === MAX_POINTS) this.#shorten();
    if (this.size === this.times.length) {
      const length = Math.min(2 * this.size, MAX_POINTS);
      this.times = copyOf(this.times, length);
      this.values = copyOf(this.values, length);
    }
    // An imported message may be older than the last one.
    if (this.size && time < this.times[this.size - 1]) this.#sorted = false;
    this.times[this.size] = time;
    this.values[this.size++] = value;
  }

  /** Removes the oldest tenth of the points. */
  #shorten() {
    this.sort();
    const count = MAX_POINTS / 10;
    this.times.copyWithin(0, count, this.size);
    this.values.copyWithin(0, count, this.size);
    this.size -= count;
    this.removed += count;
  }

  /** Sorts the points by time, if they are not. */
  sort() {
    if (this.#sorted) return;
    this.#sorted = true;
    const { times, values } = this;
    const order = Uint32Array.from({ length: this.size }, (_, i) => i).sort((a, b) => times[a] - times[b] || a - b);
    this.times = times.slice();
    this.values = values.slice();
    order.forEach((from, to) => ([this.times[to], this.values[to]] = [times[from], values[from]]));
  }

  clear() {
    this.size = this.removed = 0;
    this.#sorted = true;
  }

  /** Returns the index of the first point at or after a time, or only after it. */
  indexAt(time, after = false) {
    let low = 0, high = this.size;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.times[middle] < time || (after && this.times[middle] === time)) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

const copyOf = (array, length) => {
  const copy = new Float64Array(length);
  copy.set(array);
  return copy;
};

/** The series of the chart. They read the history, so a new series has the points of the messages that the page has kept. */
export class SeriesSet {
  #messages;
  /** @type {Map<string, Series[]>} */
  #byTopic = new Map();
  /** @type {Series[]} */
  list = [];
  /** Called after a series was added, removed or edited. */
  changed = new Emitter();

  /** @param {import("./messages.js").Messages} messages */
  constructor(messages) {
    this.#messages = messages;
    messages.cleared.on(() => {
      for (const series of this.list) series.clear();
    });
  }

  /** Adds a series, unless there is the same or the bound is reached. @param {string} topic @param {(string | number)[]} keys @param {string} [colour] */
  add(topic, keys, colour) {
    const path = pathText(keys);
    if (this.list.length >= MAX_SERIES || this.list.some((series) => series.topic === topic && series.path === path)) return undefined;
    const series = new Series(topic, keys, colour ?? COLOURS.find((one) => !this.list.some((other) => other.colour === one)) ?? COLOURS[this.list.length % COLOURS.length]);
    series.next = this.#messages.first;
    this.list.push(series);
    this.#index();
    return series;
  }

  /** @param {Series} series */
  remove(series) {
    this.list = this.list.filter((other) => other !== series);
    this.#index();
  }

  #index() {
    this.#byTopic = Map.groupBy(this.list, (series) => series.topic);
    this.changed.emit();
  }

  /**
   * Reads the records that are new for the series, and stops after some milliseconds. Returns whether records are left.
   * @param {number} duration
   */
  advance(duration) {
    const messages = this.#messages, end = messages.next, start = performance.now();
    let n = this.list.reduce((least, series) => Math.min(least, series.next), end);
    n = Math.max(n, messages.first);
    for (let count = 1; n < end; n++, count++) {
      const record = messages.get(n), list = record && this.#byTopic.get(record.topic);
      if (list) {
        let value, known = false;
        for (const series of list) {
          if (series.next > n) continue;
          if (!known) [value, known] = [valueOf(record.payload), true];
          const number = numberAt(value, series.keys);
          if (!Number.isNaN(number)) series.push(record.time, number);
        }
      }
      if (count % BATCH === 0 && performance.now() - start > duration) {
        n++;
        break;
      }
    }
    for (const series of this.list) series.next = Math.max(series.next, n);
    return n < end;
  }

  /** The number of points of all series. */
  get points() {
    return this.list.reduce((sum, series) => sum + series.size, 0);
  }

  /** The times of the first and the last point of all series, or undefined. @returns {[number, number] | undefined} */
  get extent() {
    let from = Infinity, to = -Infinity;
    for (const series of this.list) {
      if (!series.size) continue;
      series.sort();
      from = Math.min(from, series.times[0]);
      to = Math.max(to, series.times[series.size - 1]);
    }
    return from <= to ? [from, to] : undefined;
  }
}
