import { argumentError } from "./errors.js";
import { List } from "./list.js";
import { compact } from "./message.js";
import { onAbort } from "./page.js";
import { withResolvers } from "./tokens.js";

/** @typedef {import("./message.js").Message} Message */
/** @typedef {import("../iot.js").IotError} IotError */

// The approximate number of bytes that a buffered message needs beside its topic and its frame.
const OVERHEAD = 100;

// Operations on a Subscription that only its client may call.

/**
 * Delivers a message. Returns false if the buffer dropped messages to make room.
 * @type {(subscription: Subscription, message: Message) => boolean}
 */
export let deliver;
/**
 * Ends the subscription. The error is the reason; undefined if the page ended it.
 * @type {(subscription: Subscription, error?: IotError) => void}
 */
export let end;
/**
 * Unsubscribes when the signal aborts, or now if it has aborted.
 * @type {(subscription: Subscription, signal: AbortSignal | undefined) => void}
 */
export let endOnAbort;

/**
 * A subscription. Its handler receives the messages. Without a handler, the subscription
 * buffers the messages for its iterator. iot.d.ts documents the public members.
 */
export class Subscription {
  /** @type {import("../iot.js").QoS} */
  qos = 0;
  received = 0;
  dropped = 0;

  #unsubscribe;
  #handler;
  #options;
  /** @type {List<{ message_: Message, frame_: ArrayBuffer, bytes_: number }>} */
  #buffer = new List();
  /** The memory of the buffered messages, in bytes. */
  #buffered = 0;
  /** @type {{ resolve(result: IteratorResult<Message, any>): void, reject(error: unknown): void }[]} the pending calls of next() */
  #readers = [];
  #ended = false;
  /** @type {IotError | undefined} the error that ended the subscription, until an iterator throws it */
  #error;
  #closed = withResolvers();
  /** Removes the listener for the option signal. */
  #removeListener = () => {};
  /** @type {Promise<void> | undefined} the promise of the first unsubscribe() */
  #unsubscribed;

  /**
   * @param {string} filter
   * @param {import("../iot.js").MessageHandler | undefined} handler
   * @param {any} options the checked options of subscribe()
   * @param {() => Promise<void>} unsubscribe ends this subscription in the client and in the wasm
   */
  constructor(filter, handler, options, unsubscribe) {
    this.filter = filter;
    this.#handler = handler;
    this.#options = options;
    this.#unsubscribe = unsubscribe;
    /** @type {Promise<IotError | undefined>} */
    this.closed = this.#closed.promise;
  }

  static {
    deliver = (subscription, message) => {
      if (subscription.#ended) return true;
      subscription.received++;
      if (subscription.#handler) subscription.#handler(message);
      else if (subscription.#readers.length > 0) subscription.#readers.shift()?.resolve({ value: message, done: false });
      else return subscription.#store(message);
      return true;
    };
    end = (subscription, error) => {
      if (subscription.#ended) return;
      subscription.#ended = true;
      subscription.#error = error;
      subscription.#removeListener();
      for (const reader of subscription.#readers.splice(0)) {
        subscription.#error = undefined;
        if (error) reader.reject(error);
        else reader.resolve({ value: undefined, done: true });
      }
      subscription.#closed.resolve(error);
    };
    endOnAbort = (subscription, signal) => {
      const abort = () => subscription.unsubscribe().catch(() => {});
      subscription.#removeListener = onAbort(signal, abort);
      if (signal?.aborted) abort();
    };
  }

  unsubscribe() {
    return (this.#unsubscribed ??= this.#ended ? Promise.resolve() : this.#unsubscribe());
  }

  // Older browsers do not have Symbol.asyncDispose.
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

  /**
   * Adds a message to the buffer, and drops the oldest messages above the bounds.
   * @param {Message} message
   * @returns {boolean} false if it dropped a message
   */
  #store(message) {
    const buffer = this.#buffer;
    const before = this.dropped;
    const frame = compact(message);
    // Messages that arrived in one frame share it, so the frame counts once.
    const bytes = message.topic.length + OVERHEAD + (buffer.last_?.frame_ === frame ? 0 : frame.byteLength);
    this.#buffered += bytes;
    buffer.push_({ message_: message, frame_: frame, bytes_: bytes });
    while (buffer.length_ > this.#options.bufferSize || (this.#buffered > this.#options.bufferBytes && buffer.length_ > 1)) {
      this.#shift();
      this.dropped++;
    }
    return before === this.dropped;
  }

  /** Removes the oldest message from the buffer. */
  #shift() {
    const { message_, bytes_ } = this.#buffer.shift_();
    this.#buffered -= bytes_;
    return message_;
  }

  /**
   * Returns the next result. An async function would reject in a microtask, but microtasks do not run after the end of the page.
   * @returns {Promise<IteratorResult<Message, any>>}
   */
  #next() {
    return new Promise((resolve, reject) => {
      if (this.#buffer.length_ > 0) return resolve({ value: this.#shift(), done: false });
      if (this.#ended) {
        const error = this.#error;
        this.#error = undefined; // only one call throws the error; later calls return done
        if (error) throw error;
        return resolve({ value: undefined, done: true });
      }
      if (this.#handler) throw argumentError(TypeError, "ERR_OPTION", "a subscription with a handler cannot be iterated");
      this.#readers.push({ resolve, reject });
    });
  }
}
