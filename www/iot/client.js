import { FLAG_LISTENERS } from "./abi.js";
import { plain } from "./errors.js";
import { Link, emit } from "./link.js";
import { copyOf, flagsOf } from "./message.js";
import { CONNECT, PUBLISH, SUBSCRIBE, check, credentialsObject, equal } from "./options.js";
import { onAbort, pagePromise, tabClientId } from "./page.js";
import { NOTHING, encodeOptions, payloadOf } from "./publish.js";
import { Requests } from "./request.js";
import { Subscription, deliver, end, endOnAbort } from "./subscription.js";
import { checkRange, wellFormed, wrongType } from "./values.js";

/** @typedef {import("../iot.js").ConnectOptions} ConnectOptions */

/** One MQTT client. All clients of a page share the wasm. iot.d.ts documents the public members. */
export class IotClient extends EventTarget {
  /** @type {any} the checked options of the constructor */
  #options;
  /** @type {unknown} the error in the options of the constructor; connect() reports it */
  #optionsError;
  /** @type {any} the checked options of the current or the last connection */
  #current;
  /** @type {string | undefined} the default client id */
  #clientId;
  /** @type {import("../iot.js").State} */
  #state = "idle";
  /** @type {import("../iot.js").Connection | undefined} */
  #connection;
  /** Removes the listener for the signal of connect(). */
  #removeListener = () => {};
  /** @type {Map<number, Subscription>} maps the id of a subscription in the wasm to the subscription */
  #subscriptions = new Map();
  // A request has a timeout, so its subscription must not wait for a later connect().
  #requests = new Requests(this, (topic, handler) => this.#subscribe(topic, handler, { qos: 1 }, true));
  /** @type {Set<string>} an operation for each event that has had a listener; the wasm ignores unknown ones */
  #listening = new Set();
  /** @type {import("../iot.js").Stats} the last known counters; the wasm has none before it is loaded */
  #stats = { messagesIn: 0, messagesOut: 0, bytesIn: 0, bytesOut: 0, inflight: 0, queued: 0, subscriptions: 0, connects: 0 };

  #link = new Link(this, {
    deliver_: (recipients, message) => this.#deliver(recipients, message),
    changed_: (change, error) => this.#changed(change, error),
    ended_: (id, error) => this.#ended(id, error),
    provide_: (refused) => this.#provide(refused),
    failed_: (error) => this.#failed(error),
  });

  /** @param {ConnectOptions} [options] */
  constructor(options) {
    super();
    try {
      if (options !== undefined) this.#options = check(options, CONNECT, "connect options");
    } catch (error) {
      this.#optionsError = error;
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
    const early = {};
    return pagePromise((useSignal) => {
      if (options == null && this.#optionsError) throw this.#optionsError;
      const given = options == null ? this.#options : check(options, CONNECT, "connect options");
      const signal = given?.signal;
      useSignal(signal);
      if (!this.#link.running_) this.#link.startEarly_(early, given?.url ?? given?.credentials);
      const done = this.#link.withToken_((token) => {
        // A signal is valid for one connect(), so the options of the last connection are used without it.
        const o = given ?? (this.#current && plain(this.#current, { signal: undefined }));
        const sameConnection = !this.#inactive && (!given || equal(o, this.#current));
        if (this.#inactive) {
          this.#current = o;
          this.#disconnectOnAbort(signal);
        }
        this.#reportListeners();
        this.#link.call_("connect", sameConnection || !o ? { token } : { token, options: this.#connectArgument(o) });
      }, signal);
      done.catch(() => this.#inactive && this.#removeListener());
      return done;
    }, () => this.#link.endEarly_(early));
  }

  /** Whether the client is neither connected nor trying to connect. */
  get #inactive() {
    return this.#state === "idle" || this.#state === "closed";
  }

  /**
   * Disconnects when the signal aborts.
   * @param {AbortSignal | undefined} signal
   */
  #disconnectOnAbort(signal) {
    this.#removeListener();
    this.#removeListener = onAbort(signal, () => this.disconnect());
  }

  /**
   * @param {string} topic
   * @param {import("../iot.js").Payload} [payload]
   * @param {import("../iot.js").PublishOptions} [options]
   * @returns {Promise<import("../iot.js").PublishResult>}
   */
  publish(topic, payload, options) {
    try {
      if (typeof topic !== "string") throw wrongType("topic", "a string", topic);
      /** @type {AbortSignal | undefined} */
      let signal;
      /** @type {boolean | undefined} */
      let retain;
      let qos = 0, properties = NOTHING;
      if (options !== undefined) {
        const o = check(options, PUBLISH, "publish options");
        signal = o.signal;
        signal?.throwIfAborted();
        qos = o.qos ?? 0;
        retain = o.retain;
        properties = encodeOptions(o);
      }
      // The options are read first, because a getter among them may change the payload.
      let bytes = payloadOf(payload);
      if (!signal && this.#link.ready_) return this.#link.publish_(topic, properties, bytes, qos, retain);
      if (typeof bytes !== "string") bytes = bytes.slice(); // the page may reuse its buffer
      /** @type {(() => void) | undefined} */
      let cancel;
      return pagePromise((useSignal) => {
        useSignal(signal);
        return this.#link.whenReady_(() => this.#link.publish_(topic, properties, bytes, qos, retain, (f) => (cancel = f)), signal);
      }, () => cancel?.());
    } catch (error) {
      return Promise.reject(error);
    }
  }

  /** @param {string} filter @param {any} [handler] @param {import("../iot.js").SubscribeOptions} [options] */
  subscribe(filter, handler, options) {
    return this.#subscribe(filter, handler, options, false);
  }

  /**
   * Subscribes.
   * @param {string} filter
   * @param {any} handler
   * @param {any} options
   * @param {boolean} connected if true, the call fails unless the client is connected or connecting
   * @returns {Promise<Subscription>}
   */
  #subscribe(filter, handler, options, connected) {
    return pagePromise((useSignal) => {
      if (typeof filter !== "string") throw wrongType("filter", "a string", filter);
      wellFormed(filter, "filter");
      if (typeof handler !== "function") {
        if (options !== undefined) throw wrongType("handler", "a function", handler);
        options = handler;
        handler = undefined;
      }
      const o = plain({ bufferSize: 1000, bufferBytes: 16 << 20 }, check(options, SUBSCRIBE, "subscribe options"));
      for (const name of ["bufferSize", "bufferBytes"]) checkRange(o[name], 1, Infinity, name);
      useSignal(o.signal);
      let id = 0;
      const subscription = new Subscription(filter, handler, o, () =>
        pagePromise(async () => {
          const active = this.#subscriptions.delete(id);
          end(subscription);
          if (active && this.#link.running_) await this.#link.withToken_((token) => this.#link.call_("unsubscribe", { token, subscription: id }));
        }));
      const granted = this.#link.withToken_((token) => {
        id = this.#link.call_("subscribe", plain(o, { token, filter, connected, signal: undefined }));
        if (id) this.#subscriptions.set(id, subscription);
      }, o.signal);
      granted.catch((error) => this.#ended(id, error, subscription));
      endOnAbort(subscription, o.signal);
      return granted.then(({ reasonCode }) => {
        subscription.qos = reasonCode;
        return subscription;
      });
    });
  }

  /** @param {string} filter */
  unsubscribe(filter) {
    return pagePromise(async () => {
      if (typeof filter !== "string") throw wrongType("filter", "a string", filter);
      if (!this.#link.runningOrLoading_) return;
      await this.#link.withToken_((token) => {
        for (const [id, subscription] of this.#subscriptions) if (subscription.filter === filter) this.#ended(id);
        this.#link.call_("unsubscribe", { token, filter });
      });
    });
  }

  /**
   * @param {string} topic
   * @param {import("../iot.js").Payload} [payload]
   * @param {import("../iot.js").RequestOptions} [options]
   * @returns {Promise<import("./message.js").Message>}
   */
  request(topic, payload, options) {
    return this.#requests.request_(topic, payload, options, this.#connection?.clientId ?? this.#current?.clientId ?? this.#clientId ?? "");
  }

  disconnect() {
    return pagePromise(async () => {
      this.#link.endEarly_();
      if (!this.#link.runningOrLoading_) return;
      // An error means that the wasm is not running, so there is no connection to close.
      await this.#link.withToken_((token) => this.#link.call_("disconnect", { token })).catch(() => {});
    });
  }

  // Older browsers do not have Symbol.asyncDispose.
  [Symbol.asyncDispose ?? Symbol()]() {
    return this.disconnect();
  }

  reconnect() {
    this.#link.tryCall_("reconnect");
  }

  stats() {
    return (this.#stats = Object.freeze({ ...this.#stats, ...this.#link.tryCall_("stats") }));
  }

  /**
   * @param {string} type
   * @param {any} listener
   * @param {AddEventListenerOptions | boolean} [options]
   */
  addEventListener(type, listener, options) {
    this.#listening.add("on" + type);
    this.#reportListeners();
    super.addEventListener(type, listener, options);
  }

  /** Reports to the wasm which events have a listener. */
  #reportListeners() {
    for (const name of this.#listening) this.#link.tryCall_(/** @type {"onmessage"} */ (name));
  }

  /**
   * Converts checked connect options to the argument of the operation connect.
   * @param {any} o
   */
  #connectArgument(o) {
    const { url, credentials } = o;
    return plain(o, {
      url: url !== undefined,
      credentials: credentials !== undefined,
      fresh: typeof url === "function" || typeof credentials === "function",
      clientId: o.clientId ?? (this.#clientId ??= tabClientId()),
    });
  }

  /**
   * Returns credentials or a URL for an attempt.
   * @param {boolean} refused whether the service refused the last credentials or URL, so that the provider must not return a cached value
   * @returns {Promise<any>}
   */
  async #provide(refused) {
    const { url, credentials } = this.#current;
    const given = url ?? credentials;
    if (typeof given !== "function") return url === undefined ? { credentials } : { url };
    const early = this.#link.early_;
    const answer = await (refused ? given({ forceRefresh: true }) : early?.provider_ === given ? early?.answer_ : given());
    if (url === undefined) return { credentials: credentialsObject(answer, "credentials") };
    if (typeof answer !== "string" && !(answer instanceof URL)) throw wrongType("the result of url()", "a string or a URL", answer);
    return { url: String(answer) };
  }

  /**
   * Delivers a message. Each recipient gets a Message object of its own.
   * @param {Uint32Array} recipients ids of subscriptions
   * @param {import("./message.js").Message} message
   */
  #deliver(recipients, message) {
    let delivered = 0;
    for (let i = 0; i < recipients.length; i++) {
      const subscription = this.#subscriptions.get(recipients[i]);
      if (!subscription) continue;
      const { filter } = subscription;
      try {
        if (!deliver(subscription, delivered++ ? copyOf(message) : message)) emit(this, "slowconsumer", { filter, dropped: subscription.dropped });
      } catch (error) {
        emit(this, "handlererror", { error, filter });
        (globalThis.reportError ?? console.error)(error); // Node has no reportError()
      }
    }
    if (flagsOf(message) & FLAG_LISTENERS) emit(this, "message", delivered ? copyOf(message) : message);
  }

  /**
   * Stores the new state and fires its event.
   * @param {any} change the effect state
   * @param {any} error
   */
  #changed(change, error) {
    this.#state = change.state;
    this.#connection = change.state === "connected" ? Object.freeze({ ...change.connection }) : undefined;
    const { event, attempt, recovered, retryInMs } = change;
    if (event === "closed") this.#removeListener();
    /** @type {any} */
    const details = { connecting: { attempt }, connected: { ...change.connection, attempt, recovered }, disconnected: { error, retryInMs }, closed: { error } };
    emit(this, event, details[event]);
  }

  /**
   * Removes and ends a subscription.
   * @param {number} id
   * @param {any} [error]
   * @param {Subscription} [subscription]
   */
  #ended(id, error, subscription = this.#subscriptions.get(id)) {
    this.#subscriptions.delete(id);
    if (subscription) end(subscription, error);
  }

  /**
   * Closes the client after a crash of the wasm, or at the end of the page.
   * @param {import("../iot.js").IotError} error
   */
  #failed(error) {
    for (const id of [...this.#subscriptions.keys()]) this.#ended(id, error);
    if (this.#inactive) return;
    this.#state = "closed";
    this.#connection = undefined;
    this.#removeListener();
    emit(this, "closed", { error });
  }
}
