import { invalid } from "./errors.js";

/** @typedef {import("../iot.js").Message} Message */
/** @typedef {import("../iot.js").IotError} IotError */

const MOST_SEEN = 10_000; // topics; beyond, one may be heard twice

/**
 * What the client does with a subscription, and nobody else can: hand it a message
 * (false when an older one had to go for it), end it (with the error that ended
 * it, if one did), tie it to a signal, ask whether a retained message of a topic is
 * news to it, and say that all that is retained is.
 * @type {(subscription: Subscription, message: Message) => boolean}
 */
export let deliver;
/** @type {(subscription: Subscription, error?: IotError) => void} */
export let end;
/** @type {(subscription: Subscription, signal: AbortSignal | undefined) => void} */
export let until;
/** @type {(subscription: Subscription, topic: import("./core.js").Topic, joins: number) => boolean} */
export let wants;
/** @type {(subscription: Subscription, join: number, heard: number) => void} */
export let renew;

/**
 * What subscribe() resolves to. With a handler, messages go to it; without, they
 * wait for whoever iterates: `for await (const message of subscription)`.
 * Leaving the loop ends the subscription.
 */
export class Subscription {
  /** @type {import("../iot.js").QoS} */
  qos = 0;
  received = 0;
  dropped = 0;

  #leave;
  #handler;
  #bufferSize;
  #asPublished;
  /** @type {Message[]} */
  #buffer = [];
  /** @type {{ resolve(result: IteratorResult<Message, any>): void, reject(error: unknown): void }[]} */
  #readers = [];
  #ended = false;
  /** @type {IotError | undefined} */
  #error;
  /** @type {any} */
  #settleClosed;
  #disarm = () => {};
  /** @type {Promise<void> | undefined} */
  #leaving;

  // A broker sends retained messages for every SUBSCRIBE, also for one that another
  // subscription of the same page has caused, and does not say for which.
  #join = 0; // its place in the order of the client's subscriptions
  #since = 0; // how many live messages the client had heard then
  /** @type {Set<string>} */
  #seen = new Set(); // topics whose retained message it has had

  /**
   * `leave` is called for the page's wish to end it; no messages come after `end()`.
   * @param {string} filter
   * @param {import("../iot.js").MessageHandler | undefined} handler
   * @param {number} bufferSize
   * @param {boolean} asPublished what RETAIN says is the publisher's word
   * @param {(subscription: Subscription) => Promise<void>} leave
   */
  constructor(filter, handler, bufferSize, asPublished, leave) {
    this.filter = filter;
    this.#handler = handler;
    this.#bufferSize = bufferSize;
    this.#asPublished = asPublished;
    this.#leave = leave;
    /** @type {Promise<IotError | undefined>} */
    this.closed = new Promise((resolve) => {
      this.#settleClosed = resolve;
    });
  }

  static {
    deliver = (subscription, message) => subscription.#deliver(message);
    end = (subscription, error) => subscription.#end(error);
    until = (subscription, signal) => subscription.#until(signal);
    wants = (subscription, topic, joins) => subscription.#wants(topic, joins);
    renew = (subscription, join, heard) => {
      subscription.#join = join;
      subscription.#since = heard;
      subscription.#seen.clear();
    };
  }

  /** Ends the subscription, and with the last one to its filter sends UNSUBSCRIBE. Idempotent. */
  unsubscribe() {
    return (this.#leaving ??= this.#ended ? Promise.resolve() : this.#leave(this));
  }

  // Older browsers have no such symbol.
  [Symbol.asyncDispose ?? Symbol()]() {
    return this.unsubscribe();
  }

  /** @returns {AsyncIterableIterator<Message>} */
  [Symbol.asyncIterator]() {
    /** @type {AsyncIterableIterator<Message>} */
    const iterator = {
      next: () => this.#next(),
      return: async (value) => {
        this.#buffer.length = 0;
        await this.unsubscribe();
        return { value, done: true };
      },
      [Symbol.asyncIterator]: () => iterator,
    };
    return iterator;
  }

  /** @param {AbortSignal | undefined} signal */
  #until(signal) {
    if (!signal) return;
    const abort = () => this.unsubscribe().catch(() => {});
    signal.addEventListener("abort", abort);
    this.#disarm = () => signal.removeEventListener("abort", abort);
    if (signal.aborted) abort();
  }

  /** @param {import("./core.js").Topic} topic @param {number} joins */
  #wants(topic, joins) {
    if (this.#asPublished) return true;
    // It has had it, or has heard the topic live and somebody else has subscribed since.
    if (this.#seen.has(topic.name) || (topic.live > this.#since && this.#join < joins)) return false;
    if (this.#seen.size < MOST_SEEN) this.#seen.add(topic.name);
    return true;
  }

  /** @param {Message} message */
  #deliver(message) {
    if (this.#ended) return true;
    this.received++;
    if (this.#handler) {
      this.#handler(message);
    } else if (this.#readers.length > 0) {
      this.#readers.shift()?.resolve({ value: message, done: false });
    } else if (this.#buffer.push(message) > this.#bufferSize) {
      this.#buffer.shift();
      this.dropped++;
      return false;
    }
    return true;
  }

  /** @param {IotError} [error] */
  #end(error) {
    if (this.#ended) return;
    this.#ended = true;
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
  async #next() {
    const waiting = this.#buffer.shift();
    if (waiting) return { value: waiting, done: false };
    if (this.#ended) {
      const error = this.#error;
      this.#error = undefined; // thrown once: the next call says done
      if (error) throw error;
      return { value: undefined, done: true };
    }
    if (this.#handler) throw invalid(TypeError, "ERR_OPTION", "the messages go to the subscription's handler");
    return new Promise((resolve, reject) => this.#readers.push({ resolve, reject }));
  }
}
