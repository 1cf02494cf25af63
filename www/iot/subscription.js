import { invalid } from "./errors.js";
import { List } from "./list.js";
import { kept } from "./message.js";
import { onAbort } from "./page.js";
import { settler } from "./publish.js";

/** @typedef {import("./message.js").Message} Message */
/** @typedef {import("../iot.js").IotError} IotError */

const MOST_SEEN = 1 << 20; // bytes of topics; beyond, one may be heard twice
const OVERHEAD = 100; // bytes of a record, about, besides the bytes in it

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
export let endWith;
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
  #options;
  /** @type {List<{ message: Message, frame: ArrayBuffer, bytes: number }>} */
  #buffer = new List();
  #buffered = 0; // bytes in it
  /** @type {{ resolve(result: IteratorResult<Message, any>): void, reject(error: unknown): void }[]} */
  #readers = [];
  #ended = false;
  /** @type {IotError | undefined} */
  #error;
  #closing = settler();
  #disarm = () => {};
  /** @type {Promise<void> | undefined} */
  #leaving;

  // A broker sends retained messages for every SUBSCRIBE, also for one that another
  // subscription of the same page has caused, and does not say for which.
  #join = 0; // its place in the order of the client's subscriptions
  #since = 0; // how many live messages the client had heard then
  /** @type {Set<string>} */
  #seen = new Set(); // topics whose retained message it has had
  #seenBytes = 0;

  /**
   * `leave` is called for the page's wish to end it; no messages come after `end()`.
   * @param {string} filter
   * @param {import("../iot.js").MessageHandler | undefined} handler
   * @param {any} options
   * @param {(subscription: Subscription) => Promise<void>} leave
   */
  constructor(filter, handler, options, leave) {
    this.filter = filter;
    this.#handler = handler;
    this.#options = options;
    this.#leave = leave;
    /** @type {Promise<IotError | undefined>} */
    this.closed = this.#closing.promise;
  }

  static {
    deliver = (subscription, message) => subscription.#deliver(message);
    end = (subscription, error) => subscription.#end(error);
    endWith = (subscription, signal) => subscription.#endWith(signal);
    wants = (subscription, topic, joins) => subscription.#wants(topic, joins);
    renew = (subscription, join, heard) => {
      subscription.#join = join;
      subscription.#since = heard;
      subscription.#seen.clear();
      subscription.#seenBytes = 0;
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
        this.#buffer = new List();
        await this.unsubscribe();
        return { value, done: true };
      },
      [Symbol.asyncIterator]: () => iterator,
    };
    return iterator;
  }

  /** @param {AbortSignal | undefined} signal */
  #endWith(signal) {
    const abort = () => this.unsubscribe().catch(() => {});
    this.#disarm = onAbort(signal, abort);
    if (signal?.aborted) abort();
  }

  /** @param {import("./core.js").Topic} topic @param {number} joins */
  #wants(topic, joins) {
    if (this.#options.retainAsPublished) return true; // what RETAIN says is the publisher's word
    // It has had it, or has heard the topic live and somebody else has subscribed since.
    if (this.#seen.has(topic.name) || (topic.live > this.#since && this.#join < joins)) return false;
    this.#seenBytes += topic.name.length + OVERHEAD;
    if (this.#seenBytes < MOST_SEEN) this.#seen.add(topic.name);
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
    } else {
      return this.#keep(message);
    }
    return true;
  }

  /** Keeps it for the iterator; false when an older one had to go. @param {Message} message */
  #keep(message) {
    const buffer = this.#buffer;
    const { dropped } = this;
    const frame = kept(message);
    // The bytes of a WebSocket message that several have come in count once.
    const bytes = message.topic.length + OVERHEAD + (buffer.last?.frame === frame ? 0 : frame.byteLength);
    this.#buffered += bytes;
    buffer.push({ message, frame, bytes });
    while (buffer.length > this.#options.bufferSize || (this.#buffered > this.#options.bufferBytes && buffer.length > 1)) {
      this.#take();
      this.dropped++;
    }
    return dropped === this.dropped;
  }

  #take() {
    const { message, bytes } = this.#buffer.shift();
    this.#buffered -= bytes;
    return message;
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
    this.#closing.resolve(error);
  }

  /** Not an async function: the end of the page rejects it, and runs no microtask. @returns {Promise<IteratorResult<Message, any>>} */
  #next() {
    return new Promise((resolve, reject) => {
      if (this.#buffer.length > 0) return resolve({ value: this.#take(), done: false });
      if (this.#ended) {
        const error = this.#error;
        this.#error = undefined; // thrown once: the next call says done
        if (error) throw error;
        return resolve({ value: undefined, done: true });
      }
      if (this.#handler) throw invalid(TypeError, "ERR_OPTION", "the messages go to the subscription's handler");
      this.#readers.push({ resolve, reject });
    });
  }
}
