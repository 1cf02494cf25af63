import { invalid } from "./errors.js";

/** @typedef {import("../iot.js").Message} Message */

/**
 * What subscribe() resolves to. With a handler, messages go to it; without, they
 * wait for whoever iterates: `for await (const message of subscription)`.
 * Leaving the loop ends the subscription.
 */
export class Subscription {
  #feed;
  /** @type {Promise<void> | undefined} */
  #unsubscribing;

  /** @param {Feed} feed */
  constructor(feed) {
    this.#feed = feed;
  }

  get filter() {
    return this.#feed.filter;
  }
  get qos() {
    return this.#feed.qos;
  }
  get received() {
    return this.#feed.received;
  }
  get dropped() {
    return this.#feed.dropped;
  }
  get closed() {
    return this.#feed.closed;
  }

  /** Ends the subscription, and with the last one to its filter sends UNSUBSCRIBE. Idempotent. */
  unsubscribe() {
    return (this.#unsubscribing ??= this.#feed.leave());
  }

  /** @returns {AsyncIterableIterator<Message>} */
  [Symbol.asyncIterator]() {
    /** @type {AsyncIterableIterator<Message>} */
    const iterator = {
      next: () => this.#feed.next(),
      return: async (value) => {
        this.#feed.clear();
        await this.unsubscribe();
        return { value, done: true };
      },
      [Symbol.asyncIterator]: () => iterator,
    };
    return iterator;
  }
}

// Older browsers have no Symbol.asyncDispose.
if (Symbol.asyncDispose) {
  Object.defineProperty(Subscription.prototype, Symbol.asyncDispose, {
    value() {
      return this.unsubscribe();
    },
    configurable: true,
    writable: true,
  });
}

/** The client's side of a subscription: messages go in, and wait for a reader within a bound. */
export class Feed {
  /** @type {import("../iot.js").QoS} */
  qos = 0;
  received = 0;
  dropped = 0;
  ended = false;
  /** @type {Promise<import("../iot.js").IotError | undefined>} */
  closed;

  #leave;
  #handler;
  #bufferSize;
  #fresh; // tells the retained messages that are news to it
  /** @type {Message[]} */
  #buffer = [];
  /** @type {{ resolve(result: IteratorResult<Message, any>): void, reject(error: unknown): void }[]} */
  #readers = [];
  /** @type {import("../iot.js").IotError | undefined} */
  #error;
  /** @type {(error: import("../iot.js").IotError | undefined) => void} */
  #settleClosed = () => {};
  #disarm = () => {};

  /**
   * `leave` is called for the page's wish to end it; no messages come after `end()`.
   * @param {string} filter
   * @param {import("../iot.js").MessageHandler | undefined} handler
   * @param {number} bufferSize
   * @param {Fresh | undefined} fresh
   * @param {(feed: Feed) => Promise<void>} leave
   */
  constructor(filter, handler, bufferSize, fresh, leave) {
    this.filter = filter;
    this.#handler = handler;
    this.#bufferSize = bufferSize;
    this.#fresh = fresh;
    this.#leave = leave;
    this.closed = new Promise((resolve) => {
      this.#settleClosed = resolve;
    });
  }

  async leave() {
    if (!this.ended) await this.#leave(this);
  }

  /** Ties the lifetime to a signal. @param {AbortSignal | undefined} signal */
  until(signal) {
    if (!signal) return;
    const abort = () => this.leave().catch(() => {});
    signal.addEventListener("abort", abort);
    this.#disarm = () => signal.removeEventListener("abort", abort);
    if (signal.aborted) abort();
  }

  /** The broker's session is another: what it had retained is news again. @param {Fresh} fresh */
  renew(fresh) {
    this.#fresh &&= fresh;
  }

  /**
   * Whether a retained message of the topic is for this subscription, and not one that another has asked for.
   * @param {import("./core.js").Topic} topic
   * @param {number} joins
   */
  wants(topic, joins) {
    return !this.#fresh || this.#fresh.admits(topic, joins);
  }

  /** Takes one message; false when an older one had to go for it. @param {Message} message */
  deliver(message) {
    if (this.ended) return true;
    this.received++;
    if (this.#handler) {
      this.#handler(message);
    } else if (this.#readers.length > 0) {
      this.#readers.shift()?.resolve({ value: message, done: false });
    } else {
      this.#buffer.push(message);
      if (this.#buffer.length > this.#bufferSize) {
        this.#buffer.shift();
        this.dropped++;
        return false;
      }
    }
    return true;
  }

  /** It is over; `error` is what ended it, if anything did. @param {import("../iot.js").IotError} [error] */
  end(error) {
    if (this.ended) return;
    this.ended = true;
    this.#error = error;
    this.#disarm();
    for (const reader of this.#readers.splice(0)) {
      this.#error = undefined;
      if (error) reader.reject(error);
      else reader.resolve({ value: undefined, done: true });
    }
    this.#settleClosed(error);
  }

  /** @returns {Promise<IteratorResult<Message, any>>} */
  async next() {
    const waiting = this.#buffer.shift();
    if (waiting) return { value: waiting, done: false };
    if (this.ended) {
      const error = this.#error;
      this.#error = undefined; // thrown once: the next call says done
      if (error) throw error;
      return { value: undefined, done: true };
    }
    if (this.#handler) throw invalid(TypeError, "ERR_OPTION", "this subscription has a handler, which gets its messages");
    return new Promise((resolve, reject) => this.#readers.push({ resolve, reject }));
  }

  clear() {
    this.#buffer.length = 0;
  }
}

const MOST_SEEN = 10_000; // beyond, one may be heard twice

/**
 * Which retained messages are news to a subscription. A broker sends them for
 * every SUBSCRIBE, also for one that another subscription of the same page has
 * caused, and does not say for which.
 */
export class Fresh {
  #join; // its place in the order of the client's subscriptions
  #since; // how many live messages the client had heard then
  /** @type {Set<string>} */
  #seen = new Set(); // topics whose retained message it has had

  /** @param {number} join @param {number} since */
  constructor(join, since) {
    this.#join = join;
    this.#since = since;
  }

  /** @param {import("./core.js").Topic} topic @param {number} joins */
  admits(topic, joins) {
    if (this.#seen.has(topic.name)) return false;
    // It has heard the topic live, and somebody else has subscribed since.
    if (topic.live > this.#since && this.#join < joins) return false;
    if (this.#seen.size < MOST_SEEN) this.#seen.add(topic.name);
    return true;
  }
}
