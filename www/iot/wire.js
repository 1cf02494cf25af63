import { IotError, errorFrom, wordsOf } from "./errors.js";
import { acquire } from "./module.js";
import { awake, forbids } from "./page.js";

const OK = Object.freeze({ reasonCode: 0 });

/**
 * What the wasm drives for one client: its socket, its timer, and the promises
 * that it settles. It decides nothing; `owner` hears what concerns the page:
 * deliver, changed, ended, provide and crashed.
 */
export class Wire {
  /** The client's number in the wasm, and the topics that it has told, by number: the core's. */
  id = 0;
  topics = [];

  #owner;
  #core;
  #tokens = new Map();
  #lastToken = 0;
  #socket; // { attempt, ws }
  #flushing = false;
  #atFlush = []; // the tokens of QoS 0 messages that go with this turn
  #timer;
  #timerAt = Number.POSITIVE_INFINITY;

  constructor(owner) {
    this.#owner = owner;
  }

  /** Whether the wasm is there and runs. */
  get alive() {
    return this.#core !== undefined && !this.#core.crash;
  }

  /** Resolves when the wasm is there and knows this client. */
  async ready() {
    const core = await acquire();
    if (this.#core !== core) {
      this.#core = core;
      this.topics = [];
      core.attach(this);
    }
    core.hold(this);
  }

  /** A rare call into the wasm, for this client. */
  call(op, ...args) {
    return this.#core.call(this, op, ...args);
  }

  /** The same from where nobody could be told of a crash; all who wait have been. */
  tell(op, ...args) {
    if (!this.alive) return undefined;
    try {
      return this.call(op, ...args);
    } catch {
      return undefined;
    }
  }

  /** Promises what the wasm settles under the token that `start` is given. */
  ask(start) {
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

  /** Publishes. An abort takes back what still waits. */
  publish(topic, options, payload, flags, signal) {
    let token;
    const done = this.ask((t) => {
      token = t;
      if (this.#core.publish(this, t, topic, options, payload, flags)) this.#atFlush.push(t);
    });
    if (signal) {
      const abort = () => {
        if (this.#tokens.delete(token)) this.tell("cancel", token);
      };
      signal.addEventListener("abort", abort, { once: true });
      const forget = () => signal.removeEventListener("abort", abort);
      done.then(forget, forget);
    }
    return flags & 3 ? done : done.then(() => OK);
  }

  // ---- what the core calls

  deliver(topic, frame, at, length, flags, properties) {
    this.#owner.deliver(topic, frame, at, length, flags, properties);
  }

  settle(token, value) {
    const waiter = this.#tokens.get(token);
    this.#tokens.delete(token);
    waiter?.resolve(value);
  }

  #fail(token, error) {
    const waiter = this.#tokens.get(token);
    this.#tokens.delete(token);
    waiter?.reject(error);
  }

  effect(e) {
    switch (e.kind) {
      case "done":
        return this.settle(e.token, e.value);
      case "failed":
        return this.#fail(e.token, errorFrom(e.error));
      case "state":
        if (e.event === "closed") this.#rest();
        else awake.add(this);
        return this.#owner.changed(e);
      case "ended":
        return this.#owner.ended(e.id, e.error && errorFrom(e.error));
      case "resolve":
        this.#resolve(e.attempt, e.refused);
        return;
      case "open":
        return this.#open(e.attempt, e.url);
      case "close":
        return this.#close(e.attempt, e.last);
      case "probe":
        this.#probe(e.attempt, e.url);
    }
  }

  /** Until it connects again, nothing but the page holds the client. */
  #rest() {
    clearTimeout(this.#timer);
    this.#timerAt = Number.POSITIVE_INFINITY;
    awake.delete(this);
    this.#core.release(this);
  }

  /** Gets credentials or a URL for an attempt. */
  async #resolve(attempt, refused) {
    let resolution;
    try {
      resolution = await this.#owner.provide(refused);
    } catch (error) {
      const code = error instanceof IotError ? error.code : "";
      this.tell("unresolved", attempt, code, wordsOf(error), error?.retryable !== false);
      return;
    }
    this.tell("resolved", attempt, resolution, Date.now());
  }

  #open(attempt, url) {
    let ws;
    try {
      ws = new WebSocket(url, ["mqtt"]);
    } catch (error) {
      this.tell("unopenable", attempt, wordsOf(error));
      return;
    }
    ws.binaryType = "arraybuffer";
    ws.onopen = () => this.tell("opened", attempt);
    ws.onmessage = ({ data }) => {
      if (typeof data === "string") return this.tell("text", attempt);
      try {
        if (this.alive) this.#core.receive(this, attempt, data);
      } catch {
        // A crash, of which everybody who waits has been told.
      }
    };
    ws.onclose = ({ code }) => {
      if (this.#socket?.ws === ws) this.#socket = undefined;
      this.tell("closed", attempt, code);
    };
    // A socket that the page's policy forbids is closed from the start, and Chromium fires no close event.
    if (ws.readyState === 3) ws.onerror = () => ws.onclose({ code: 1006 });
    this.#socket = { attempt, ws };
  }

  #close(attempt, last) {
    if (this.#socket?.attempt !== attempt) return;
    const { ws } = this.#socket;
    this.#letGo();
    if (ws.readyState === 1 && last.length > 0) ws.send(last);
    ws.close(1000);
    this.#flushed(true); // what went with the turn was in there
  }

  #letGo() {
    const { ws } = this.#socket;
    this.#socket = undefined;
    ws.onopen = ws.onmessage = ws.onerror = ws.onclose = null;
  }

  /** Asks by HTTP why a WebSocket was refused: a browser tells a page only so. */
  async #probe(attempt, url) {
    const result = { status: 0, code: "", message: "", offline: globalThis.navigator?.onLine === false, blocked: false, dated: false, skew: 0 };
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
    result.blocked = forbids(url);
    this.tell("probed", attempt, result);
  }

  wake() {
    this.tell("wake");
  }

  /** Sends what a turn has put together; whether there was a socket to take it. */
  send(bytes) {
    const ws = this.#socket?.ws;
    if (ws?.readyState !== 1) return false;
    ws.send(bytes);
    return true;
  }

  flushSoon() {
    if (this.#flushing) return;
    this.#flushing = true;
    queueMicrotask(() => {
      this.#flushing = false;
      this.#flushed(this.#turn());
    });
  }

  #turn() {
    try {
      return this.alive && this.#core.turn(this);
    } catch {
      return false; // a crash, of which everybody who waits has been told
    }
  }

  #flushed(sent) {
    if (this.#atFlush.length === 0) return;
    const tokens = this.#atFlush;
    this.#atFlush = [];
    for (const token of tokens) {
      if (sent) this.settle(token, OK);
      else this.#fail(token, new IotError("the connection was lost before the message left", { code: "ERR_CONNECTION_LOST", phase: "publish", retryable: true }));
    }
  }

  wakeAt(deadline) {
    if (deadline >= this.#timerAt) return; // the timer that is set will look again
    clearTimeout(this.#timer);
    this.#timerAt = deadline;
    this.#timer = setTimeout(() => {
      this.#timerAt = Number.POSITIVE_INFINITY;
      this.#turn();
    }, Math.min(2 ** 31 - 1, Math.max(0, deadline - performance.now())));
  }

  crashed(error) {
    this.#rest();
    if (this.#socket) {
      const { ws } = this.#socket;
      this.#letGo();
      ws.close();
    }
    const waiters = [...this.#tokens.values()];
    this.#tokens.clear();
    this.#atFlush = [];
    for (const waiter of waiters) waiter.reject(error);
    this.#owner.crashed(error);
  }
}
