import { invalid } from "./errors.js";
import { copyOf, share } from "./message.js";
import { CONNECT, PUBLISH, REQUEST, SUBSCRIBE, check, credentialsObject, same, viewOf, wellFormed, wrong } from "./options.js";
import { tabId } from "./page.js";
import { NOTHING, encodeOptions, encoder, payloadOf, qosOf, within } from "./publish.js";
import { Requests } from "./request.js";
import { Subscription, deliver, end, renew, until, wants } from "./subscription.js";
import { Wire } from "./wire.js";

/** @typedef {import("../iot.js").ConnectOptions} ConnectOptions */

/** One MQTT client. Several on a page share the wasm. */
export class IotClient extends EventTarget {
  #options; // those of the constructor, checked when they are used
  /** @type {any} */
  #current; // those it is connected with
  /** @type {string | undefined} */
  #clientId;
  /** @type {import("../iot.js").State} */
  #state = "idle";
  /** @type {import("../iot.js").Connection | undefined} */
  #connection;
  #early = new Map(); // what providers were asked for before the wasm was there
  #starting = 0; // connect() calls that wait for the wasm
  #disarm = () => {}; // takes the signal of connect() off
  /** @type {Map<number, Subscription[]>} */
  #filters = new Map(); // id in the wasm → its subscriptions
  #joins = 0; // subscriptions so far
  #heard = 0; // live messages so far
  #requests = new Requests(this);
  #wantsMessages = false;
  /** @type {import("../iot.js").Stats} */
  #stats = { messagesIn: 0, messagesOut: 0, bytesIn: 0, bytesOut: 0, inflight: 0, queued: 0, subscriptions: 0, connects: 0 };

  #wire = new Wire(this, {
    deliver: (topic, message) => this.#deliver(topic, message),
    changed: (change, error) => this.#changed(change, error),
    unclaimed: (message) => this.#emit("unclaimed", message),
    ended: (id, error) => this.#ended(id, error),
    provide: (refused) => this.#provide(refused),
    crashed: (error) => this.#crashed(error),
  });

  /** @param {ConnectOptions} [options] */
  constructor(options) {
    super();
    this.#options = options;
  }

  get state() {
    return this.#state;
  }

  get connection() {
    return this.#connection;
  }

  /** @param {ConnectOptions} [options] @returns {Promise<import("../iot.js").Connection>} */
  async connect(options) {
    const wanted = options ?? this.#options;
    // Without any, those of last time, but for their signal, whose time is over.
    const o = wanted === undefined ? this.#current && { ...this.#current, signal: undefined } : check(wanted, CONNECT, "connect options");
    const signal = o?.signal;
    const described = o && this.#describe(o); // which finds at once what is wrong with it
    signal?.throwIfAborted();
    const given = o?.url ?? o?.credentials;
    if (typeof given === "function" && !this.#wire.alive && !this.#early.has(given)) {
      const answer = (async () => given())(); // while the wasm comes
      answer.catch(() => {});
      this.#early.set(given, answer);
    }
    this.#starting++;
    try {
      await abortable(signal, this.#wire.ready());
    } finally {
      this.#starting--;
    }
    signal?.throwIfAborted();
    const resting = this.#state === "idle" || this.#state === "closed";
    const join = !resting && (wanted === undefined || same(o, this.#current));
    if (resting) {
      this.#current = o;
      this.#arm(signal);
    }
    if (this.#wantsMessages) this.#wire.tell("listen");
    const done = this.#wire.ask((token) => this.#wire.call("connect", token, (!join && described) || null));
    done.catch(() => {
      if (this.#state === "idle" || this.#state === "closed") this.#disarm();
    });
    return abortable(signal, done);
  }

  /** The connection lasts as long as the signal lets it. @param {AbortSignal | undefined} signal */
  #arm(signal) {
    this.#disarm();
    if (!signal) return;
    const abort = () => this.disconnect();
    signal.addEventListener("abort", abort);
    this.#disarm = () => signal.removeEventListener("abort", abort);
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
      let bytes = payloadOf(payload);
      /** @type {AbortSignal | undefined} */
      let signal;
      let flags = 0, extra = NOTHING;
      if (options !== undefined) {
        const o = check(options, PUBLISH, "publish options");
        signal = o.signal;
        signal?.throwIfAborted();
        flags = qosOf(o.qos) | (o.retain ? 4 : 0);
        extra = encodeOptions(o);
      }
      if (this.#wire.alive) return abortable(signal, this.#wire.publish(topic, extra, bytes, flags, signal));
      if (typeof bytes !== "string") bytes = bytes.slice(); // the page may use its buffer again
      const sent = this.#wire.ready().then(() => {
        signal?.throwIfAborted();
        return this.#wire.publish(topic, extra, bytes, flags, signal);
      });
      return abortable(signal, sent);
    } catch (error) {
      return Promise.reject(error);
    }
  }

  /** @param {string} filter @param {any} [handler] @param {import("../iot.js").SubscribeOptions} [options] */
  async subscribe(filter, handler, options) {
    if (typeof filter !== "string") throw wrong("filter", "a string", filter);
    if (filter.length > 65535) throw invalid(TypeError, "ERR_FILTER", "filter is longer than 65,535 bytes");
    wellFormed(filter, "filter");
    if (typeof handler !== "function") {
      if (options !== undefined) throw wrong("handler", "a function", handler);
      options = handler;
      handler = undefined;
    }
    const o = check(options, SUBSCRIBE, "subscribe options");
    const bufferSize = o.bufferSize ?? 1000;
    if (bufferSize < 1) throw invalid(RangeError, "ERR_OPTION", `bufferSize is ${bufferSize}; it must be at least 1`);
    o.qos = qosOf(o.qos);
    o.retainHandling = within(o.retainHandling ?? 0, 2, "retainHandling");
    o.signal?.throwIfAborted();
    await abortable(o.signal, this.#wire.ready());
    o.signal?.throwIfAborted();
    const subscription = new Subscription(filter, handler, bufferSize, o.retainAsPublished, (it) => this.#leave(it));
    renew(subscription, ++this.#joins, this.#heard);
    const granted = this.#wire.ask((token) => {
      const id = this.#wire.call("subscribe", token, filter, o);
      if (id) this.#enter(id, subscription);
    });
    granted.catch((error) => this.#forget(subscription, error));
    until(subscription, o.signal);
    subscription.qos = (await abortable(o.signal, granted)).qos;
    return subscription;
  }

  /** @param {number} id @param {Subscription} subscription */
  #enter(id, subscription) {
    const list = this.#filters.get(id);
    if (list) list.push(subscription);
    else this.#filters.set(id, [subscription]);
  }

  /** @param {Subscription} subscription @param {any} error */
  #forget(subscription, error) {
    let found = 0;
    for (const [id, list] of this.#filters) {
      const i = list.indexOf(subscription);
      if (i < 0) continue;
      list.splice(i, 1);
      if (list.length === 0) this.#filters.delete(id);
      found = id;
    }
    end(subscription, error);
    return found;
  }

  /** @param {Subscription} subscription */
  async #leave(subscription) {
    const id = this.#forget(subscription, undefined);
    if (id && this.#wire.alive) await this.#wire.ask((token) => this.#wire.call("unsubscribe", token, id, false));
  }

  /** Ends every subscription to the filter. @param {string} filter */
  async unsubscribe(filter) {
    if (typeof filter !== "string") throw wrong("filter", "a string", filter);
    for (const [id, list] of this.#filters) {
      if (list[0].filter !== filter) continue;
      this.#filters.delete(id);
      for (const subscription of list) end(subscription);
      await this.#wire.ask((token) => this.#wire.call("unsubscribe", token, id, true));
      return;
    }
  }

  /**
   * Publishes a question, and resolves with the one message that answers it.
   * @param {string} topic
   * @param {import("../iot.js").Payload} [payload]
   * @param {import("../iot.js").RequestOptions} [options]
   * @returns {Promise<import("./message.js").Message>}
   */
  async request(topic, payload, options) {
    const o = check(options, REQUEST, "request options");
    return this.#requests.ask(topic, payload, o, this.#connection?.clientId ?? this.#current?.clientId ?? this.#clientId ?? "");
  }

  async disconnect() {
    if (this.#starting > 0) {
      try {
        await this.#wire.ready();
      } catch {
        return; // there is no wasm, so there is no connection
      }
    }
    if (this.#wire.alive) await this.#wire.ask((token) => this.#wire.call("disconnect", token));
  }

  // Older browsers have no such symbol.
  [Symbol.asyncDispose ?? Symbol()]() {
    return this.disconnect();
  }

  reconnect() {
    this.#wire.tell("reconnect");
  }

  stats() {
    return (this.#stats = Object.freeze({ ...this.#stats, ...this.#wire.tell("stats") }));
  }

  /**
   * @param {string} type
   * @param {any} listener
   * @param {AddEventListenerOptions | boolean} [options]
   */
  addEventListener(type, listener, options) {
    if (type === "message") {
      this.#wantsMessages = true;
      this.#wire.tell("listen");
    }
    super.addEventListener(type, listener, options);
  }

  /** The connect options as the wasm takes them: a plain object without a prototype. @param {any} o */
  #describe(o) {
    if (o.url !== undefined && (o.endpoint !== undefined || o.credentials !== undefined)) {
      throw invalid(TypeError, "ERR_OPTION", "connect() takes either url, or endpoint and credentials");
    }
    /** @param {object[]} parts */
    const plain = (...parts) => Object.assign(Object.create(null), ...parts);
    const d = plain(o, {
      source: o.url !== undefined ? "url" : o.credentials ? "credentials" : "none",
      fresh: typeof o.url === "function" || typeof o.credentials === "function",
      clientId: o.clientId ?? (this.#clientId ??= tabId()),
    });
    if (o.password !== undefined) d.password = typeof o.password === "string" ? encoder.encode(o.password) : viewOf(o.password);
    if (o.will) {
      if (o.will.topic === undefined) throw invalid(TypeError, "ERR_OPTION", "connect options.will needs a topic");
      const payload = payloadOf(o.will.payload);
      d.will = plain(o.will, {
        payload: typeof payload === "string" ? encoder.encode(payload) : payload,
        qos: qosOf(o.will.qos), delay: within(o.will.delay ?? 5, 0xffffffff, "will.delay"),
      });
    }
    return d;
  }

  /** Credentials or a URL for an attempt; what was refused is not to come from a provider's memory again. @param {boolean} refused */
  async #provide(refused) {
    const { url, credentials } = this.#current;
    const given = url ?? credentials;
    if (typeof given !== "function") return url === undefined ? credentials : { url };
    const early = this.#early.get(given);
    this.#early.clear();
    const answer = await (refused ? given({ forceRefresh: true }) : early ?? given());
    if (url === undefined) return credentialsObject(answer, "credentials");
    if (typeof answer !== "string" && !(answer instanceof URL)) throw wrong("what url() returns", "a string or a URL", answer);
    return { url: String(answer) };
  }

  /**
   * A message, for every subscription whose filter it matches. Each gets one of its own.
   * @param {import("./core.js").Topic} topic
   * @param {import("./message.js").Message} message
   */
  #deliver(topic, message) {
    const { retain } = message;
    if (!retain) topic.live = ++this.#heard;
    let given = false;
    if (this.#wantsMessages || topic.filters.length > 1) share(message);
    for (const id of topic.filters) {
      const list = this.#filters.get(id);
      if (!list) continue;
      if (list.length > 1) share(message);
      // A copy of the list only where one of several may end while it is walked.
      for (const subscription of list.length > 1 ? [...list] : list) {
        if (retain && !wants(subscription, topic, this.#joins)) continue;
        try {
          if (!deliver(subscription, given ? copyOf(message) : message)) {
            this.#emit("slowconsumer", { filter: subscription.filter, dropped: subscription.dropped });
          }
        } catch (error) {
          this.#emit("handlererror", { error, filter: subscription.filter });
          report(error);
        }
        given = true;
      }
    }
    if (this.#wantsMessages) this.#emit("message", given ? copyOf(message) : message);
  }

  /** @param {any} e @param {any} error */
  #changed(e, error) {
    this.#state = e.state;
    this.#connection = e.state === "connected" ? Object.freeze(e.connection) : undefined;
    switch (e.event) {
      case "connecting":
        return this.#emit("connecting", { attempt: e.attempt });
      case "connected":
        if (!e.recovered) for (const list of this.#filters.values()) for (const subscription of list) renew(subscription, ++this.#joins, this.#heard);
        return this.#emit("connected", { ...e.connection, attempt: e.attempt, recovered: e.recovered });
      case "disconnected":
        return this.#emit("disconnected", { error, retryInMs: e.retryInMs });
      case "closed":
        this.#disarm();
        return this.#emit("closed", { error });
    }
  }

  /** @param {number} id @param {any} error */
  #ended(id, error) {
    const list = this.#filters.get(id) ?? [];
    this.#filters.delete(id);
    for (const subscription of list) end(subscription, error);
  }

  /** @param {import("../iot.js").IotError} error */
  #crashed(error) {
    for (const id of [...this.#filters.keys()]) this.#ended(id, error);
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

/**
 * `work`, or the signal's own reason if that comes first.
 * @template T
 * @param {AbortSignal | undefined} signal
 * @param {Promise<T>} work
 * @returns {Promise<T>}
 */
function abortable(signal, work) {
  if (!signal) return work;
  return new Promise((resolve, reject) => {
    const abort = () => reject(signal.reason);
    signal.addEventListener("abort", abort, { once: true });
    if (signal.aborted) abort();
    work.then(resolve, reject).finally(() => signal.removeEventListener("abort", abort));
  });
}

/** @param {unknown} error */
function report(error) {
  if (typeof reportError === "function") reportError(error);
  else console.error(error);
}
