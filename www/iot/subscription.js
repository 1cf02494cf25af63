/**
 * What subscribe() resolves to. With a handler, messages go to it; without, they
 * wait for whoever iterates: `for await (const message of subscription)`.
 * Leaving the loop ends the subscription.
 */
export class Subscription {
  #leave;
  #handler;
  #signal;
  #onAbort;
  #bufferSize;
  #buffer = [];
  #readers = [];
  #ended = false;
  #error;
  #settleClosed;
  #ending;

  constructor(leave, filter, handler, bufferSize) {
    this.#leave = leave;
    this.filter = filter;
    this.qos = 0;
    this.received = 0;
    this.dropped = 0;
    this.#handler = handler;
    this.#bufferSize = bufferSize;
    this.closed = new Promise((resolve) => {
      this.#settleClosed = resolve;
    });
  }

  /** Ends the subscription, and with the last one to its filter sends UNSUBSCRIBE. Idempotent. */
  unsubscribe() {
    return (this.#ending ??= this.#ended ? Promise.resolve() : this.#leave(this));
  }

  /** @internal Ties the lifetime to a signal. */
  until(signal) {
    if (!signal) return;
    this.#signal = signal;
    this.#onAbort = () => this.unsubscribe().catch(() => {});
    signal.addEventListener("abort", this.#onAbort);
    if (signal.aborted) this.#onAbort();
  }

  /** @internal One message. */
  deliver(message) {
    if (this.#ended) return true;
    this.received++;
    if (this.#handler) {
      this.#handler(message);
    } else if (this.#readers.length > 0) {
      this.#readers.shift().resolve({ value: message, done: false });
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

  /** @internal It is over; `error` is what ended it, if anything did. */
  end(error) {
    if (this.#ended) return;
    this.#ended = true;
    this.#error = error;
    this.#signal?.removeEventListener("abort", this.#onAbort);
    for (const reader of this.#readers.splice(0)) {
      this.#error = undefined;
      if (error) reader.reject(error);
      else reader.resolve({ value: undefined, done: true });
    }
    this.#settleClosed(error);
  }

  [Symbol.asyncIterator]() {
    return {
      next: () => {
        if (this.#buffer.length > 0) return Promise.resolve({ value: this.#buffer.shift(), done: false });
        if (this.#ended) {
          const error = this.#error;
          this.#error = undefined; // thrown once: the next call says done
          return error ? Promise.reject(error) : Promise.resolve({ value: undefined, done: true });
        }
        if (this.#handler) return Promise.reject(new TypeError("this subscription has a handler, which gets its messages"));
        return new Promise((resolve, reject) => this.#readers.push({ resolve, reject }));
      },
      return: async (value) => {
        this.#buffer.length = 0;
        await this.unsubscribe();
        return { value, done: true };
      },
      [Symbol.asyncIterator]() {
        return this;
      },
    };
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
