import { invalid, plain } from "./errors.js";
import { copyOf, share } from "./message.js";
import { CONNECT, PUBLISH, SUBSCRIBE, check, credentialsObject, same, wellFormed, wrong } from "./options.js";
import { onAbort, promised, tabId } from "./page.js";
import { NOTHING, encodeOptions, payloadOf, qosOf, within } from "./publish.js";
import { Requests } from "./request.js";
import { Subscription, deliver, end, endWith, renew, wants } from "./subscription.js";
import { Wire } from "./wire.js";

/** @typedef {import("../iot.js").ConnectOptions} ConnectOptions */

/** One MQTT client. Several on a page share the wasm. */
export class IotClient extends EventTarget {
  /** @type {any} */
  #options; // those of the constructor
  /** @type {unknown} */
  #wrong; // and what is wrong with them
  /** @type {any} */
  #current; // those it is connected with
  /** @type {string | undefined} */
  #clientId;
  /** @type {import("../iot.js").State} */
  #state = "idle";
  /** @type {import("../iot.js").Connection | undefined} */
  #connection;
  #early = new Map(); // what providers were asked for before the wasm was there
  #disarm = () => {}; // takes the signal of connect() off
  /** @type {Map<number, Subscription[]>} */
  #filters = new Map(); // id in the wasm → its subscriptions
  #joins = 0; // subscriptions so far
  #heard = 0; // live messages so far
  // A request needs a connection: its timeout is running.
  #requests = new Requests(this, (topic, take) => this.#subscribe(topic, take, { qos: 1 }, "subscribeNow"));
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
      if (given) this.#describe(given); // which finds at once what is wrong with it
      until(signal);
      const provider = given?.url ?? given?.credentials;
      if (typeof provider === "function" && !this.#wire.alive && !this.#early.has(provider)) {
        const answer = (async () => provider())(); // while the wasm comes
        answer.catch(() => {});
        this.#early.set(provider, answer);
      }
      const done = this.#wire.ask((token) => {
        // Without any options, those of last time, but for their signal, whose time is over.
        const o = given ?? (this.#current && plain(this.#current, { signal: undefined }));
        const join = !this.#resting && (!given || same(o, this.#current));
        if (this.#resting) {
          this.#current = o;
          this.#arm(signal);
        }
        if (this.#wantsMessages) this.#wire.tell("listen");
        this.#wire.call("connect", token, join || !o ? null : this.#describe(o));
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

  /** The connection lasts as long as the signal lets it. @param {AbortSignal | undefined} signal */
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
      let flags = 0, extra = NOTHING;
      if (options !== undefined) {
        const o = check(options, PUBLISH, "publish options");
        signal = o.signal;
        signal?.throwIfAborted();
        flags = qosOf(o.qos) | (o.retain ? 4 : 0);
        extra = encodeOptions(o);
      }
      let bytes = payloadOf(payload); // behind the options, whose getters may be the page's code
      if (!signal && this.#wire.open) return this.#wire.publish(topic, extra, bytes, flags);
      if (typeof bytes !== "string") bytes = bytes.slice(); // the page may use its buffer again
      /** @type {(() => void) | undefined} */
      let cancel;
      return promised((until) => {
        until(signal);
        return this.#wire.enter(() => this.#wire.publish(topic, extra, bytes, flags, (undo) => (cancel = undo)), signal);
      }, () => cancel?.());
    } catch (error) {
      return Promise.reject(error);
    }
  }

  /** @param {string} filter @param {any} [handler] @param {import("../iot.js").SubscribeOptions} [options] */
  subscribe(filter, handler, options) {
    return this.#subscribe(filter, handler, options, "subscribe");
  }

  /** @param {string} filter @param {any} handler @param {any} options @param {string} op @returns {Promise<Subscription>} */
  #subscribe(filter, handler, options, op) {
    return promised((until) => {
      if (typeof filter !== "string") throw wrong("filter", "a string", filter);
      if (filter.length > 65535) throw invalid(TypeError, "ERR_FILTER", "filter is longer than 65,535 bytes");
      wellFormed(filter, "filter");
      if (typeof handler !== "function") {
        if (options !== undefined) throw wrong("handler", "a function", handler);
        options = handler;
        handler = undefined;
      }
      const o = plain({ bufferSize: 1000, bufferBytes: 16 << 20 }, check(options, SUBSCRIBE, "subscribe options"));
      for (const name of ["bufferSize", "bufferBytes"]) within(o[name], Infinity, name, 1);
      o.qos = qosOf(o.qos);
      o.retainHandling = within(o.retainHandling ?? 0, 2, "retainHandling");
      until(o.signal);
      const subscription = new Subscription(filter, handler, o, (it) => this.#leave(it));
      const granted = this.#wire.ask((token) => {
        renew(subscription, ++this.#joins, this.#heard);
        const id = this.#wire.call(op, token, filter, o);
        if (id) this.#filters.set(id, [...(this.#filters.get(id) ?? []), subscription]);
      }, o.signal);
      granted.catch((error) => this.#forget(subscription, error));
      endWith(subscription, o.signal);
      return granted.then(({ qos }) => {
        subscription.qos = qos;
        return subscription;
      });
    });
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
  #leave(subscription) {
    return promised(async () => {
      const id = this.#forget(subscription, undefined);
      if (id && this.#wire.alive) await this.#wire.ask((token) => this.#wire.call("unsubscribe", token, id, false));
    });
  }

  /** Ends every subscription to the filter. @param {string} filter */
  unsubscribe(filter) {
    return promised(async () => {
      if (typeof filter !== "string") throw wrong("filter", "a string", filter);
      if (!this.#wire.known) return;
      await this.#wire.ask((token) => {
        for (const [id, list] of this.#filters) {
          if (list[0].filter !== filter) continue;
          this.#filters.delete(id);
          for (const subscription of list) end(subscription);
          return this.#wire.call("unsubscribe", token, id, true);
        }
        this.#wire.settle(token, 0);
      });
    });
  }

  /**
   * Publishes a question, and resolves with the one message that answers it.
   * @param {string} topic
   * @param {import("../iot.js").Payload} [payload]
   * @param {import("../iot.js").RequestOptions} [options]
   * @returns {Promise<import("./message.js").Message>}
   */
  request(topic, payload, options) {
    return this.#requests.ask(topic, payload, options, this.#connection?.clientId ?? this.#current?.clientId ?? this.#clientId ?? "");
  }

  disconnect() {
    return promised(async () => {
      if (!this.#wire.known) return;
      // Where the wasm does not load, or has crashed, there is no connection.
      await this.#wire.ask((token) => this.#wire.call("disconnect", token)).catch(() => {});
    });
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
      throw invalid(TypeError, "ERR_OPTION", "connect() takes either url or endpoint and credentials");
    }
    const d = plain(o, {
      source: o.url !== undefined ? "url" : o.credentials ? "credentials" : "none",
      fresh: typeof o.url === "function" || typeof o.credentials === "function",
      clientId: o.clientId ?? (this.#clientId ??= tabId()),
    });
    if (o.will) {
      d.will = plain({ payload: NOTHING, delay: 5 }, o.will);
      qosOf(d.will.qos);
      within(d.will.delay, 0xffffffff, "will.delay");
      if (o.will.topic === undefined) throw invalid(TypeError, "ERR_OPTION", "connect options.will needs a topic");
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
    this.#connection = e.state === "connected" ? Object.freeze({ ...e.connection }) : undefined;
    const { event, attempt, recovered, retryInMs } = e;
    if (event === "connected" && !recovered) for (const list of this.#filters.values()) for (const subscription of list) renew(subscription, ++this.#joins, this.#heard);
    if (event === "closed") this.#disarm();
    /** @type {any} */
    const details = { connecting: { attempt }, connected: { ...e.connection, attempt, recovered }, disconnected: { error, retryInMs }, closed: { error } };
    this.#emit(event, details[event]);
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
