import { invalid } from "./errors.js";
import { List } from "./list.js";
import { kept } from "./message.js";
import { onAbort } from "./page.js";
import { settler } from "./publish.js";

/** @typedef {import("./message.js").Message} Message */
/** @typedef {import("../iot.js").IotError} IotError */

const OVERHEAD = 100; // about the bytes of a record, beside its content

// Operations on a Subscription that only its client may call.

/** Delivers a message. Returns false if an older message was dropped for it. @type {(subscription: Subscription, message: Message) => boolean} */
export let deliver;
/** Ends the subscription, with an error if one ended it. @type {(subscription: Subscription, error?: IotError) => void} */
export let end;
/** Ends the subscription when the signal aborts. @type {(subscription: Subscription, signal: AbortSignal | undefined) => void} */
export let endWith;

/**
 * A subscription. Its handler receives the messages. Without a handler they are
 * buffered for an iterator: `for await (const message of subscription)`. Leaving the
 * loop ends the subscription.
 */
export class Subscription {
  /** @type {import("../iot.js").QoS} */
  qos = 0;
  received = 0;
  dropped = 0;

  #leave;
  #handler;
  #options;
  /** @type {List<{ message_: Message, frame_: ArrayBuffer, bytes_: number }>} */
  #buffer = new List();
  #buffered = 0; // bytes in the buffer
  /** @type {{ resolve(result: IteratorResult<Message, any>): void, reject(error: unknown): void }[]} */
  #readers = [];
  #ended = false;
  /** @type {IotError | undefined} */
  #error;
  #closing = settler();
  #disarm = () => {};
  /** @type {Promise<void> | undefined} */
  #leaving;

  /**
   * @param {string} filter
   * @param {import("../iot.js").MessageHandler | undefined} handler
   * @param {any} options
   * @param {() => Promise<void>} leave ends the subscription for the page
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
  }

  /** Ends the subscription. The end of the last one to a topic filter sends UNSUBSCRIBE. */
  unsubscribe() {
    return (this.#leaving ??= this.#ended ? Promise.resolve() : this.#leave());
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

  /** Buffers a message for the iterator. Returns false if an older one was dropped. @param {Message} message */
  #keep(message) {
    const buffer = this.#buffer;
    const { dropped } = this;
    const frame = kept(message);
    // Messages of one WebSocket message share its memory.
    const bytes = message.topic.length + OVERHEAD + (buffer.last_?.frame_ === frame ? 0 : frame.byteLength);
    this.#buffered += bytes;
    buffer.push_({ message_: message, frame_: frame, bytes_: bytes });
    while (buffer.length_ > this.#options.bufferSize || (this.#buffered > this.#options.bufferBytes && buffer.length_ > 1)) {
      this.#take();
      this.dropped++;
    }
    return dropped === this.dropped;
  }

  #take() {
    const { message_, bytes_ } = this.#buffer.shift_();
    this.#buffered -= bytes_;
    return message_;
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

  /** Not an async function, whose promise would need a microtask: none runs after the end of the page. @returns {Promise<IteratorResult<Message, any>>} */
  #next() {
    return new Promise((resolve, reject) => {
      if (this.#buffer.length_ > 0) return resolve({ value: this.#take(), done: false });
      if (this.#ended) {
        const error = this.#error;
        this.#error = undefined; // thrown once: later calls are done
        if (error) throw error;
        return resolve({ value: undefined, done: true });
      }
      if (this.#handler) throw invalid(TypeError, "ERR_OPTION", "the subscription has a handler, which receives its messages");
      this.#readers.push({ resolve, reject });
    });
  }
}
