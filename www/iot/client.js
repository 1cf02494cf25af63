import { IotError, errorFrom, invalid, wordsOf } from "./errors.js";
import { Message } from "./message.js";
import { Subscription } from "./subscription.js";
import { CONNECT, PUBLISH, SUBSCRIBE, check, credentialsObject, isBuffer, same, viewOf, wellFormed, wrong } from "./options.js";
import { acquire } from "./module.js";
import { awake, tabId } from "./page.js";

const encoder = new TextEncoder();
const NOTHING = new Uint8Array(0);
const MAX_PACKET = 268_435_455;
const OK = Object.freeze({ reasonCode: 0 });

/** One MQTT client. Several on a page share the wasm. */
export class IotClient extends EventTarget {
  #options; // those of the constructor, checked when they are used
  #current; // those it is connected with
  #core;
  #id = 0;
  #starting = 0; // connect() calls that wait for the wasm
  #state = "idle";
  #connection;

  #tokens = new Map();
  #lastToken = 0;
  #filters = new Map(); // id in the wasm → its subscriptions
  #wantsMessages = false;

  #socket;
  #attempt = 0;
  #flushing = false;
  #atFlush = []; // what QoS 0 publishes wait for
  #timer;
  #timerAt = Number.POSITIVE_INFINITY;
  #clientId;

  /** Topics by their number in the wasm: the core's. */
  topics = [];

  constructor(options) {
    super();
    this.#options = options;
    Object.defineProperty(this, "topics", { enumerable: false });
  }

  get state() {
    return this.#state;
  }

  get connection() {
    return this.#connection;
  }

  async connect(options) {
    const wanted = options ?? this.#options;
    const o = wanted === undefined ? undefined : check(wanted, CONNECT, "connect options");
    const describe = o && this.#describe(o);
    throwIfAborted(o?.signal);
    this.#starting++;
    let core;
    try {
      core = await this.#ready();
    } finally {
      this.#starting--;
    }
    throwIfAborted(o?.signal);
    const resting = this.#state === "idle" || this.#state === "closed";
    if (resting && !o) throw invalid(TypeError, "ERR_OPTION", "connect() needs options the first time");
    const join = !resting && (!o || same(o, this.#current));
    if (resting) this.#current = o;
    const done = this.#wait((token) => core.call("connect", this.#id, token, join ? null : describe));
    if (o?.signal && resting) this.#endWith(o.signal);
    return abortable(o?.signal, done);
  }

  /** The connection lasts as long as the signal lets it. */
  #endWith(signal) {
    const abort = () => this.disconnect().catch(() => {});
    signal.addEventListener("abort", abort, { once: true });
    this.addEventListener("closed", () => signal.removeEventListener("abort", abort), { once: true });
  }

  publish(topic, payload, options) {
    try {
      if (typeof topic !== "string") throw wrong("topic", "a string", topic);
      wellFormed(topic, "topic");
      const bytes = payloadOf(payload);
      let flags = 0, extra = NOTHING, signal;
      if (options !== undefined) {
        const o = check(options, PUBLISH, "publish options");
        signal = o.signal;
        throwIfAborted(signal);
        flags = qosOf(o.qos) | (o.retain ? 4 : 0);
        extra = encodeProperties(o);
      }
      if (!this.#core || this.#core.crash) {
        return abortable(signal, this.#ready().then(() => this.#send(topic, bytes, extra, flags)));
      }
      return abortable(signal, this.#send(topic, bytes, extra, flags));
    } catch (error) {
      return Promise.reject(error);
    }
  }

  #send(topic, bytes, extra, flags) {
    let token = 0;
    const done = this.#wait((t) => {
      token = t;
      if (this.#core.publish(this.#id, t, topic, extra, bytes, flags)) this.#atFlush.push(t);
    });
    return flags & 3 ? done : done.then(() => OK);
  }

  async subscribe(filter, handler, options) {
    if (typeof filter !== "string") throw wrong("filter", "a string", filter);
    wellFormed(filter, "filter");
    if (typeof handler !== "function") {
      options ??= handler;
      handler = undefined;
    }
    const o = check(options, SUBSCRIBE, "subscribe options");
    const bufferSize = o.bufferSize ?? 1000;
    if (bufferSize < 1) throw invalid(RangeError, "ERR_OPTION", `bufferSize is ${bufferSize}; it must be at least 1`);
    const asked = {
      qos: qosOf(o.qos), noLocal: o.noLocal ?? false, retainAsPublished: o.retainAsPublished ?? false,
      retainHandling: smallOf(o.retainHandling, "retainHandling"), userProperties: o.userProperties,
    };
    throwIfAborted(o.signal);
    const core = await this.#ready();
    throwIfAborted(o.signal);
    const subscription = new Subscription(this, filter, handler, bufferSize);
    const granted = this.#wait((token) => {
      const id = core.call("subscribe", this.#id, token, filter, asked);
      if (id) this.#enter(id, subscription);
    });
    granted.catch((error) => this.#forget(subscription, error));
    subscription.until(o.signal);
    subscription.qos = (await abortable(o.signal, granted)).qos;
    return subscription;
  }

  #enter(id, subscription) {
    let list = this.#filters.get(id);
    if (!list) this.#filters.set(id, (list = []));
    list.push(subscription);
  }

  #forget(subscription, error) {
    for (const [id, list] of this.#filters) {
      const i = list.indexOf(subscription);
      if (i < 0) continue;
      list.splice(i, 1);
      if (list.length === 0) this.#filters.delete(id);
      subscription.end(error);
      return id;
    }
    subscription.end(error);
    return 0;
  }

  /** @internal Ends one subscription. */
  leave(subscription) {
    const id = this.#forget(subscription, undefined);
    if (!id || !this.#core) return Promise.resolve();
    return this.#wait((token) => this.#core.call("unsubscribe", this.#id, token, id, false));
  }

  /** Ends every subscription to the filter. */
  async unsubscribe(filter) {
    if (typeof filter !== "string") throw wrong("filter", "a string", filter);
    for (const [id, list] of this.#filters) {
      if (list[0]?.filter !== filter) continue;
      this.#filters.delete(id);
      for (const subscription of list) subscription.end(undefined);
      await this.#wait((token) => this.#core.call("unsubscribe", this.#id, token, id, true));
      return;
    }
  }

  async disconnect() {
    if (this.#starting > 0) await this.#ready();
    if (!this.#core || this.#core.crash) return;
    await this.#wait((token) => this.#core.call("disconnect", this.#id, token));
  }

  reconnect() {
    if (this.#core && !this.#core.crash) this.#core.call("reconnect", this.#id);
  }

  stats() {
    const zero = { messagesIn: 0, messagesOut: 0, bytesIn: 0, bytesOut: 0, inflight: 0, queued: 0, subscriptions: 0, connects: 0 };
    return { ...zero, ...(this.#core && !this.#core.crash ? this.#core.call("stats", this.#id) : undefined) };
  }

  addEventListener(type, listener, options) {
    if (type === "message") this.#wantsMessages = true;
    super.addEventListener(type, listener, options);
  }

  /** Promises what the wasm will settle under a token of its own. */
  #wait(start) {
    return new Promise((resolve, reject) => {
      const token = (this.#lastToken = (this.#lastToken % 0xffffffff) + 1);
      this.#tokens.set(token, { resolve, reject });
      try {
        start(token);
      } catch (error) {
        this.#tokens.delete(token);
        reject(error);
      }
    });
  }

  async #ready() {
    const core = await acquire();
    if (this.#core !== core) {
      this.#core = core;
      this.topics = [];
      this.#id = core.attach(this);
    }
    return core;
  }

  /** The connect options as the wasm takes them. */
  #describe(o) {
    if (o.url !== undefined && (o.endpoint !== undefined || o.credentials !== undefined)) {
      throw invalid(TypeError, "ERR_OPTION", "connect() takes either url, or endpoint and credentials");
    }
    const d = { ...o, userProperties: o.userProperties };
    d.source = o.url !== undefined ? "url" : o.credentials ? "credentials" : "none";
    d.fresh = typeof o.url === "function" || typeof o.credentials === "function";
    d.clientId = o.clientId ?? (this.#clientId ??= tabId());
    if (typeof o.password === "string") d.password = encoder.encode(o.password);
    else if (o.password) d.password = viewOf(o.password);
    if (o.will) {
      if (o.will.topic === undefined) throw invalid(TypeError, "ERR_OPTION", "connect options.will needs a topic");
      const payload = payloadOf(o.will.payload);
      d.will = { ...o.will, payload: typeof payload === "string" ? encoder.encode(payload) : payload };
      smallOf(o.will.qos, "will.qos");
      smallOf(o.will.delay, "will.delay", 0xffffffff);
    }
    for (const key of ["credentials", "url", "signal"]) delete d[key];
    return d;
  }

  // ---- what the core calls

  /** A message, for every subscription whose filter it matches. */
  deliver(topic, frame, at, length, flags, properties) {
    for (const id of topic.filters) {
      const list = this.#filters.get(id);
      if (!list) continue;
      // A copy only where one of several may end while it is walked.
      for (const subscription of list.length > 1 ? [...list] : list) {
        this.#hand(subscription, new Message(topic.name, frame, at, length, flags, properties, this));
      }
    }
    if (this.#wantsMessages) this.#emit("message", new Message(topic.name, frame, at, length, flags, properties, this));
  }

  #hand(subscription, message) {
    try {
      if (!subscription.deliver(message)) {
        this.#emit("slowconsumer", { filter: subscription.filter, dropped: subscription.dropped });
      }
    } catch (error) {
      this.#emit("handlererror", { error, filter: subscription.filter });
      report(error);
    }
  }

  settle(token, value) {
    const waiter = this.#tokens.get(token);
    this.#tokens.delete(token);
    waiter?.resolve(value);
  }

  effect(e) {
    switch (e.kind) {
      case "done":
        return this.settle(e.token, e.value);
      case "failed": {
        const waiter = this.#tokens.get(e.token);
        this.#tokens.delete(e.token);
        return waiter?.reject(errorFrom(e.error));
      }
      case "state":
        return this.#changed(e);
      case "ended": {
        const list = this.#filters.get(e.id) ?? [];
        this.#filters.delete(e.id);
        const error = e.error && errorFrom(e.error);
        for (const subscription of list) subscription.end(error);
        return;
      }
      case "resolve":
        this.#resolve(e.attempt, e.refused);
        return;
      case "open":
        return this.#open(e.attempt, e.url);
      case "close":
        return this.#close(e.last);
      case "probe":
        this.#probe(e.attempt, e.url);
    }
  }

  #changed(e) {
    this.#state = e.state;
    this.#connection = e.state === "connected" ? Object.freeze(e.connection) : undefined;
    const error = e.error && errorFrom(e.error);
    switch (e.event) {
      case "connecting":
        awake.add(this);
        return this.#emit("connecting", { attempt: e.attempt });
      case "connected":
        return this.#emit("connected", { ...e.connection, attempt: e.attempt, recovered: e.recovered });
      case "disconnected":
        return this.#emit("disconnected", { error, retryInMs: e.retryInMs });
      case "closed":
        this.#timerAt = Number.POSITIVE_INFINITY;
        clearTimeout(this.#timer);
        awake.delete(this);
        return this.#emit("closed", { error });
    }
  }

  #emit(type, detail) {
    this.dispatchEvent(new CustomEvent(type, { detail }));
  }

  /** Gets credentials or a URL for an attempt; refused ones are not to come from a provider's memory again. */
  async #resolve(attempt, refused) {
    const { url, credentials } = this.#current;
    const given = url ?? credentials;
    let resolution;
    try {
      const answer = typeof given === "function" ? await (refused ? given({ forceRefresh: true }) : given()) : given;
      resolution = url === undefined ? credentialsObject(answer, "credentials") : { url: String(answer) };
    } catch (error) {
      const code = error instanceof IotError ? error.code : "";
      return this.#call("unresolved", attempt, code, wordsOf(error), error?.retryable !== false && typeof given === "function");
    }
    this.#call("resolved", attempt, resolution, Date.now());
  }

  #call(op, ...args) {
    if (this.#core && !this.#core.crash) this.#core.call(op, this.#id, ...args);
  }

  #open(attempt, url) {
    this.#attempt = attempt;
    let socket;
    try {
      socket = new WebSocket(url, ["mqtt"]);
    } catch {
      queueMicrotask(() => this.#call("closed", attempt, 0));
      return;
    }
    socket.binaryType = "arraybuffer";
    socket.onopen = () => this.#call("opened", attempt);
    socket.onmessage = ({ data }) => {
      if (this.#core.crash) return;
      if (typeof data === "string") this.#call("text", attempt);
      else this.#core.receive(this.#id, attempt, data);
    };
    socket.onclose = ({ code }) => {
      if (this.#socket === socket) this.#socket = undefined;
      this.#call("closed", attempt, code);
    };
    this.#socket = socket;
  }

  #close(last) {
    const socket = this.#socket;
    this.#socket = undefined;
    if (!socket) return;
    socket.onopen = socket.onmessage = socket.onclose = null;
    if (socket.readyState === WebSocket.OPEN && last.length > 0) socket.send(last);
    socket.close(1000);
    this.#flushed();
  }

  /** Asks by HTTP why the WebSocket was refused: to a page, a browser says so only this way. */
  async #probe(attempt, url) {
    const result = { status: 0, code: "", message: "", offline: globalThis.navigator?.onLine === false, dated: false, skew: 0 };
    try {
      const response = await fetch(url.replace(/^ws/, "http"), {
        cache: "no-store", credentials: "omit", redirect: "manual", signal: AbortSignal.timeout?.(8000),
      });
      result.status = response.type === "opaqueredirect" ? 302 : response.status;
      const date = Date.parse(response.headers.get("Date") ?? "");
      if (!Number.isNaN(date)) Object.assign(result, { dated: true, skew: date - Date.now() });
      const body = JSON.parse((await response.text()).slice(0, 4096));
      if (typeof body.code === "string") result.code = body.code;
      else if (typeof body.__type === "string") result.code = body.__type;
      if (typeof body.message === "string") result.message = wordsOf(body.message);
    } catch {
      // What was learned so far is the answer.
    }
    this.#call("probed", attempt, result);
  }

  /** The page is back from something that a connection may not have lived through. */
  wake() {
    this.#call("wake");
  }

  /** Sends what a turn of the event loop has put together. */
  send(bytes) {
    const socket = this.#socket;
    if (socket?.readyState === 1) socket.send(bytes);
  }

  flushSoon() {
    if (this.#flushing) return;
    this.#flushing = true;
    queueMicrotask(() => {
      this.#flushing = false;
      if (this.#core && !this.#core.crash) this.#core.turn(this.#id);
      this.#flushed();
    });
  }

  #flushed() {
    if (this.#atFlush.length === 0) return;
    const tokens = this.#atFlush;
    this.#atFlush = [];
    for (const token of tokens) this.settle(token, OK);
  }

  wakeAt(deadline) {
    if (deadline >= this.#timerAt) return; // the timer that is set will look again
    clearTimeout(this.#timer);
    this.#timerAt = deadline;
    this.#timer = setTimeout(() => {
      this.#timerAt = Number.POSITIVE_INFINITY;
      if (this.#core && !this.#core.crash) this.#core.turn(this.#id);
    }, Math.min(2 ** 31 - 1, Math.max(0, deadline - performance.now())));
  }

  crashed(error) {
    clearTimeout(this.#timer);
    this.#timerAt = Number.POSITIVE_INFINITY;
    const socket = this.#socket;
    this.#socket = undefined;
    if (socket) {
      socket.onopen = socket.onmessage = socket.onclose = null;
      socket.close();
    }
    const waiters = [...this.#tokens.values()];
    this.#tokens.clear();
    this.#atFlush = [];
    for (const waiter of waiters) waiter.reject(error);
    const lists = [...this.#filters.values()];
    this.#filters.clear();
    for (const list of lists) for (const subscription of list) subscription.end(error);
    this.#state = "closed";
    this.#connection = undefined;
    this.#emit("closed", { error });
  }
}

if (Symbol.asyncDispose) {
  Object.defineProperty(IotClient.prototype, Symbol.asyncDispose, {
    value() {
      return this.disconnect();
    },
    configurable: true,
    writable: true,
  });
}

/** `work`, or the signal's own reason if that comes first. */
function abortable(signal, work) {
  if (!signal) return work;
  return new Promise((resolve, reject) => {
    const abort = () => reject(signal.reason);
    signal.addEventListener("abort", abort, { once: true });
    if (signal.aborted) abort();
    work.then(resolve, reject).finally(() => signal.removeEventListener("abort", abort));
  });
}

function throwIfAborted(signal) {
  if (signal?.aborted) throw signal.reason;
}

function payloadOf(payload) {
  if (payload === undefined || payload === null) return NOTHING;
  if (typeof payload === "object" && !isBuffer(payload) && Object.hasOwn(payload, "json")) {
    const text = JSON.stringify(payload.json);
    if (text === undefined) throw invalid(TypeError, "ERR_PAYLOAD", "payload.json is nothing that JSON can say");
    payload = text;
  }
  if (typeof payload === "string") {
    if (payload.length > MAX_PACKET) throw tooLarge(payload.length);
    const ok = payload.isWellFormed ? payload.isWellFormed() : !/\p{Surrogate}/u.test(payload);
    if (!ok) throw invalid(TypeError, "ERR_UNICODE", "payload holds a lone surrogate, which UTF-8 cannot carry; send bytes instead");
    return payload.length > 65536 ? encoder.encode(payload) : payload;
  }
  if (!isBuffer(payload)) throw invalid(TypeError, "ERR_PAYLOAD", `payload must be a string, an ArrayBuffer or a view of one, {json: value} or null, not ${Array.isArray(payload) ? "an array" : `a ${typeof payload}`}`);
  if (payload.byteLength > MAX_PACKET) throw tooLarge(payload.byteLength);
  return viewOf(payload);
}

function tooLarge(n) {
  return invalid(RangeError, "ERR_PACKET_TOO_LARGE", `payload has ${n} bytes; an MQTT packet has at most ${MAX_PACKET}`);
}

function qosOf(qos) {
  if (qos === undefined) return 0;
  if (qos !== 0 && qos !== 1 && qos !== 2) throw invalid(RangeError, "ERR_QOS", `qos is ${qos}; it must be 0, 1 or 2`);
  return qos;
}

function smallOf(n, name, max = 2) {
  if (n === undefined) return 0;
  if (n < 0 || n > max) throw invalid(RangeError, "ERR_OPTION", `${name} is ${n}; it must be between 0 and ${max}`);
  return n;
}

/** Publish options in the form that wasm/exports.go reads. */
function encodeProperties(o) {
  const parts = [];
  const number = (id, n) => {
    const b = new Uint8Array(5);
    b[0] = id;
    new DataView(b.buffer).setUint32(1, n, true);
    parts.push(b);
  };
  const fields = (id, ...values) => {
    parts.push(Uint8Array.of(id));
    for (const v of values) {
      const bytes = typeof v === "string" ? encoder.encode(v) : viewOf(v);
      const length = new Uint8Array(4);
      new DataView(length.buffer).setUint32(0, bytes.length, true);
      parts.push(length, bytes);
    }
  };
  if (o.utf8) number(1, 1);
  if (o.messageExpiry !== undefined) number(2, smallOf(o.messageExpiry, "messageExpiry", 0xffffffff));
  if (o.contentType !== undefined) fields(3, o.contentType);
  if (o.responseTopic !== undefined) fields(8, o.responseTopic);
  if (o.correlationData !== undefined) fields(9, o.correlationData);
  for (const [k, v] of o.userProperties ?? []) fields(38, k, v);
  if (parts.length === 0) return NOTHING;
  const all = new Uint8Array(parts.reduce((n, p) => n + p.length, 0));
  let at = 0;
  for (const p of parts) {
    all.set(p, at);
    at += p.length;
  }
  return all;
}

function report(error) {
  if (typeof reportError === "function") reportError(error);
  else console.error(error);
}
