import { FLAG_LISTENERS } from "./abi.js";
import { plain } from "./errors.js";
import { Link } from "./link.js";
import { copyOf, flagsOf } from "./message.js";
import { CONNECT, PUBLISH, SUBSCRIBE, check, credentialsObject, same, wellFormed, wrong } from "./options.js";
import { onAbort, promised, tabId } from "./page.js";
import { NOTHING, encodeOptions, payloadOf, within } from "./publish.js";
import { Requests } from "./request.js";
import { Subscription, deliver, end, endWith } from "./subscription.js";

/** @typedef {import("../iot.js").ConnectOptions} ConnectOptions */

/** One MQTT client. The clients of a page share the wasm. */
export class IotClient extends EventTarget {
  /** @type {any} */
  #options; // of the constructor
  /** @type {unknown} */
  #wrong; // the error in them
  /** @type {any} */
  #current; // of the current or last connection
  /** @type {string | undefined} */
  #clientId;
  /** @type {import("../iot.js").State} */
  #state = "idle";
  /** @type {import("../iot.js").Connection | undefined} */
  #connection;
  #early = new Map(); // provider → its answer, requested before the wasm was loaded
  #disarm = () => {}; // removes the listener for the signal of connect()
  /** @type {Map<number, Subscription>} */
  #subscriptions = new Map(); // by their ids in the wasm
  // A request needs a connection, as its timeout is running.
  #requests = new Requests(this, (topic, take) => this.#subscribe(topic, take, { qos: 1 }, true));
  #listening = false;
  /** @type {import("../iot.js").Stats} */
  #stats = { messagesIn: 0, messagesOut: 0, bytesIn: 0, bytesOut: 0, inflight: 0, queued: 0, subscriptions: 0, connects: 0 };

  #link = new Link(this, {
    deliver_: (recipients, message) => this.#deliver(recipients, message),
    unclaimed_: (message) => this.#emit("unclaimed", message),
    changed_: (change, error) => this.#changed(change, error),
    ended_: (id, error) => this.#ended(id, error),
    provide_: (refused) => this.#provide(refused),
    crashed_: (error) => this.#crashed(error),
  });

  /** @param {ConnectOptions} [options] */
  constructor(options) {
    super();
    try {
      if (options !== undefined) this.#options = check(options, CONNECT, "connect options");
    } catch (error) {
      this.#wrong = error;
    }
  }

  get state() {
    return this.#state;
  }

  get connection() {
    return this.#connection;
  }

  /** @param {ConnectOptions} [options] @returns {Promise<import("../iot.js").Connection>} */
  connect(options) {
    return promised((until) => {
      if (options == null && this.#wrong) throw this.#wrong;
      const given = options == null ? this.#options : check(options, CONNECT, "connect options");
      const signal = given?.signal;
      until(signal);
      const provider = given?.url ?? given?.credentials;
      if (typeof provider === "function" && !this.#link.alive_ && !this.#early.has(provider)) {
        const answer = (async () => provider())(); // while the wasm is loading
        answer.catch(() => {});
        this.#early.set(provider, answer);
      }
      const done = this.#link.ask_((token) => {
        // Without options, those of the last connection apply, without its signal.
        const o = given ?? (this.#current && plain(this.#current, { signal: undefined }));
        const join = !this.#resting && (!given || same(o, this.#current));
        if (this.#resting) {
          this.#current = o;
          this.#arm(signal);
        }
        if (this.#listening) this.#link.tell_("listen");
        this.#link.call_("connect", join || !o ? { token } : { token, options: this.#describe(o) });
      }, signal);
      done.catch(() => {
        if (!this.#resting) return;
        this.#disarm();
        this.#early.clear();
      });
      return done;
    });
  }

  get #resting() {
    return this.#state === "idle" || this.#state === "closed";
  }

  /** Disconnects when the signal aborts. @param {AbortSignal | undefined} signal */
  #arm(signal) {
    this.#disarm();
    this.#disarm = onAbort(signal, () => this.disconnect());
  }

  /**
   * @param {string} topic
   * @param {import("../iot.js").Payload} [payload]
   * @param {import("../iot.js").PublishOptions} [options]
   * @returns {Promise<import("../iot.js").PublishResult>}
   */
  publish(topic, payload, options) {
    try {
      if (typeof topic !== "string") throw wrong("topic", "a string", topic);
      /** @type {AbortSignal | undefined} */
      let signal;
      /** @type {boolean | undefined} */
      let retain;
      let qos = 0, extra = NOTHING;
      if (options !== undefined) {
        const o = check(options, PUBLISH, "publish options");
        signal = o.signal;
        signal?.throwIfAborted();
        qos = o.qos ?? 0;
        retain = o.retain;
        extra = encodeOptions(o);
      }
      let bytes = payloadOf(payload); // after the options, whose getters may change the payload
      if (!signal && this.#link.open_) return this.#link.publish_(topic, extra, bytes, qos, retain);
      if (typeof bytes !== "string") bytes = bytes.slice(); // the page may reuse its buffer
      /** @type {(() => void) | undefined} */
      let cancel;
      return promised((until) => {
        until(signal);
        return this.#link.enter_(() => this.#link.publish_(topic, extra, bytes, qos, retain, (undo) => (cancel = undo)), signal);
      }, () => cancel?.());
    } catch (error) {
      return Promise.reject(error);
    }
  }

  /** @param {string} filter @param {any} [handler] @param {import("../iot.js").SubscribeOptions} [options] */
  subscribe(filter, handler, options) {
    return this.#subscribe(filter, handler, options, false);
  }

  /** @param {string} filter @param {any} handler @param {any} options @param {boolean} connected it fails without a connection @returns {Promise<Subscription>} */
  #subscribe(filter, handler, options, connected) {
    return promised((until) => {
      if (typeof filter !== "string") throw wrong("filter", "a string", filter);
      wellFormed(filter, "filter");
      if (typeof handler !== "function") {
        if (options !== undefined) throw wrong("handler", "a function", handler);
        options = handler;
        handler = undefined;
      }
      const o = plain({ bufferSize: 1000, bufferBytes: 16 << 20 }, check(options, SUBSCRIBE, "subscribe options"));
      for (const name of ["bufferSize", "bufferBytes"]) within(o[name], 1, Infinity, name);
      until(o.signal);
      let id = 0;
      const subscription = new Subscription(filter, handler, o, () =>
        promised(async () => {
          const known = this.#subscriptions.delete(id);
          end(subscription);
          if (known && this.#link.alive_) await this.#link.ask_((token) => this.#link.call_("unsubscribe", { token, subscription: id }));
        }));
      const granted = this.#link.ask_((token) => {
        id = this.#link.call_("subscribe", plain(o, { token, filter, connected }));
        if (id) this.#subscriptions.set(id, subscription);
      }, o.signal);
      granted.catch((error) => this.#ended(id, error, subscription));
      endWith(subscription, o.signal);
      return granted.then(({ reasonCode }) => {
        subscription.qos = reasonCode;
        return subscription;
      });
    });
  }

  /** Ends every subscription to the topic filter. @param {string} filter */
  unsubscribe(filter) {
    return promised(async () => {
      if (typeof filter !== "string") throw wrong("filter", "a string", filter);
      if (!this.#link.known_) return;
      await this.#link.ask_((token) => {
        for (const [id, subscription] of this.#subscriptions) if (subscription.filter === filter) this.#ended(id);
        this.#link.call_("unsubscribe", { token, filter });
      });
    });
  }

  /**
   * Publishes a request, and resolves with the reply.
   * @param {string} topic
   * @param {import("../iot.js").Payload} [payload]
   * @param {import("../iot.js").RequestOptions} [options]
   * @returns {Promise<import("./message.js").Message>}
   */
  request(topic, payload, options) {
    return this.#requests.ask_(topic, payload, options, this.#connection?.clientId ?? this.#current?.clientId ?? this.#clientId ?? "");
  }

  disconnect() {
    return promised(async () => {
      if (!this.#link.known_) return;
      // Without a running wasm there is no connection.
      await this.#link.ask_((token) => this.#link.call_("disconnect", { token })).catch(() => {});
    });
  }

  // Older browsers have no such symbol.
  [Symbol.asyncDispose ?? Symbol()]() {
    return this.disconnect();
  }

  reconnect() {
    this.#link.tell_("reconnect");
  }

  stats() {
    return (this.#stats = Object.freeze({ ...this.#stats, ...this.#link.tell_("stats") }));
  }

  /**
   * @param {string} type
   * @param {any} listener
   * @param {AddEventListenerOptions | boolean} [options]
   */
  addEventListener(type, listener, options) {
    if (type === "message") {
      this.#listening = true;
      this.#link.tell_("listen");
    }
    super.addEventListener(type, listener, options);
  }

  /** Converts the connect options for the wasm. @param {any} o */
  #describe(o) {
    const { url, credentials } = o;
    return plain(o, {
      url: url !== undefined,
      credentials: credentials !== undefined,
      fresh: typeof url === "function" || typeof credentials === "function",
      clientId: o.clientId ?? (this.#clientId ??= tabId()),
    });
  }

  /** Returns credentials or a URL for an attempt. If the service refused the last ones, the provider must not answer from a cache. @param {boolean} refused */
  async #provide(refused) {
    const { url, credentials } = this.#current;
    const given = url ?? credentials;
    if (typeof given !== "function") return url === undefined ? { credentials } : { url };
    const early = this.#early.get(given);
    this.#early.clear();
    const answer = await (refused ? given({ forceRefresh: true }) : early ?? given());
    if (url === undefined) return { credentials: credentialsObject(answer, "credentials") };
    if (typeof answer !== "string" && !(answer instanceof URL)) throw wrong("the result of url()", "a string or a URL", answer);
    return { url: String(answer) };
  }

  /**
   * Delivers a message. Each recipient gets an object of its own.
   * @param {Uint32Array} recipients ids of subscriptions
   * @param {import("./message.js").Message} message
   */
  #deliver(recipients, message) {
    let given = 0;
    for (let i = 0; i < recipients.length; i++) {
      const subscription = this.#subscriptions.get(recipients[i]);
      if (!subscription) continue;
      const { filter } = subscription;
      try {
        if (!deliver(subscription, given++ ? copyOf(message) : message)) this.#emit("slowconsumer", { filter, dropped: subscription.dropped });
      } catch (error) {
        this.#emit("handlererror", { error, filter });
        report(error);
      }
    }
    if (flagsOf(message) & FLAG_LISTENERS) this.#emit("message", given ? copyOf(message) : message);
  }

  /** @param {any} e @param {any} error */
  #changed(e, error) {
    this.#state = e.state;
    this.#connection = e.state === "connected" ? Object.freeze({ ...e.connection }) : undefined;
    const { event, attempt, recovered, retryInMs } = e;
    if (event === "closed") this.#disarm();
    /** @type {any} */
    const details = { connecting: { attempt }, connected: { ...e.connection, attempt, recovered }, disconnected: { error, retryInMs }, closed: { error } };
    this.#emit(event, details[event]);
  }

  /** @param {number} id @param {any} [error] @param {Subscription} [subscription] */
  #ended(id, error, subscription = this.#subscriptions.get(id)) {
    this.#subscriptions.delete(id);
    if (subscription) end(subscription, error);
  }

  /** @param {import("../iot.js").IotError} error */
  #crashed(error) {
    for (const id of [...this.#subscriptions.keys()]) this.#ended(id, error);
    if (this.#resting) return;
    this.#state = "closed";
    this.#connection = undefined;
    this.#disarm();
    this.#emit("closed", { error });
  }

  /** @param {string} type @param {unknown} detail */
  #emit(type, detail) {
    this.dispatchEvent(new CustomEvent(type, { detail }));
  }
}

/** @param {unknown} error */
function report(error) {
  const { reportError = console.error } = globalThis;
  reportError(error);
}
