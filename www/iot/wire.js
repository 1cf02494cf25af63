import { IotError, errorFrom } from "./errors.js";
import { textOf } from "./http.js";
import { acquire } from "./module.js";
import { awake, forbids, watch } from "./page.js";
import { settler } from "./publish.js";
import { soon } from "./soon.js";

const OK = Object.freeze({ reasonCode: 0 });

/**
 * What of the client its wire tells.
 * @typedef {object} Owner
 * @property {(topic: import("./core.js").Topic, message: import("./message.js").Message) => void} deliver
 * @property {(change: any, error: any) => void} changed
 * @property {(id: number, error: any) => void} ended
 * @property {(message: import("./message.js").Message) => void} unclaimed
 * @property {(refused: boolean) => Promise<any>} provide
 * @property {(error: IotError) => void} crashed
 */

/**
 * What the wasm drives for one client: its socket, its timer, and the promises
 * that it settles. It decides nothing; `owner` hears what concerns the page:
 * deliver, changed, ended, provide and crashed.
 */
export class Wire {
  /** The client's number in the wasm, and the topics that it has told, by number: the core's. */
  id = 0;
  /** @type {any[]} */
  topics = [];

  #owner;
  /** @type {Awaited<ReturnType<typeof acquire>>} */
  #core;
  /** @type {Map<number, { resolve(value: any): void, reject(error: unknown): void }>} */
  #tokens = new Map();
  #lastToken = 0;
  /** @type {{ attempt: number, ws: WebSocket } | undefined} */
  #socket; // { attempt, ws }
  #flushing = false;
  #answering = false;
  /** @type {{ promise: Promise<any>, resolve(value: any): void, reject(error: unknown): void } | undefined} */
  #leaving; // the QoS 0 messages that go with this turn
  #turnTime = 0; // when the turn began in which something was published
  #heardAt = 0; // when bytes last came that had to wait
  /** @type {unknown} */
  #cause; // what the page's provider threw last
  /** @type {any} */
  #timer;
  #timerAt = Number.POSITIVE_INFINITY;

  /** @param {import("./client.js").IotClient} client @param {Owner} owner */
  constructor(client, owner) {
    this.client = client;
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

  /** A rare call into the wasm, for this client. @param {string} op @param {any[]} args */
  call(op, ...args) {
    return this.#core.call(this, op, ...args);
  }

  /** The same from where nobody could be told of a crash; all who wait have been. @param {string} op @param {any[]} args */
  tell(op, ...args) {
    if (!this.alive) return undefined;
    try {
      return this.call(op, ...args);
    } catch {
      return undefined;
    }
  }

  /**
   * Promises what the wasm settles under the token that `start` is given.
   * @param {(token: number) => void} start
   * @returns {Promise<any>}
   */
  ask(start) {
    return new Promise((resolve, reject) => {
      const token = this.#newToken();
      this.#tokens.set(token, { resolve, reject });
      try {
        start(token);
      } catch (error) {
        this.#tokens.delete(token);
        reject(error);
      }
    });
  }

  #newToken() {
    return (this.#lastToken = (this.#lastToken % 0xffffffff) + 1);
  }

  /**
   * Publishes. An abort takes back what still waits.
   * @param {string} topic
   * @param {Uint8Array} options
   * @param {string | Uint8Array} payload
   * @param {number} flags
   * @param {AbortSignal | undefined} signal
   */
  publish(topic, options, payload, flags, signal) {
    const token = this.#newToken();
    if (this.#core.publish(this, token, topic, options, payload, flags)) {
      this.flushSoon();
      return (this.#leaving ??= settler()).promise; // one for all of the turn
    }
    const done = new Promise((resolve, reject) => this.#tokens.set(token, { resolve, reject }));
    try {
      this.#core.afterwards(this);
    } catch {
      // A crash, of which everybody who waits has been told: `done`, too.
    }
    if (signal) {
      const abort = () => {
        if (this.#tokens.delete(token)) this.tell("cancel", token);
      };
      signal.addEventListener("abort", abort, { once: true });
      const forget = () => signal.removeEventListener("abort", abort);
      done.then(forget, forget);
    }
    return done;
  }

  /** When this turn of the event loop began, about. */
  turnTime() {
    return this.#flushing ? this.#turnTime : (this.#turnTime = performance.now());
  }

  // ---- what the core calls

  /** @type {Owner["deliver"]} */
  deliver(topic, message) {
    this.#owner.deliver(topic, message);
  }

  /** A reason code, an operation's own value, or nothing. @param {number} token @param {any} value */
  settle(token, value) {
    const waiter = this.#tokens.get(token);
    this.#tokens.delete(token);
    waiter?.resolve(typeof value === "object" ? value : value ? { reasonCode: value } : OK);
  }

  /** @param {number} token @param {unknown} error */
  #fail(token, error) {
    const waiter = this.#tokens.get(token);
    this.#tokens.delete(token);
    waiter?.reject(error);
  }

  /** @param {any} e */
  effect(e) {
    switch (e.kind) {
      case "done":
        return this.settle(e.token, e.value);
      case "failed":
        return this.#fail(e.token, this.#error(e));
      case "state":
        if (e.event === "disconnected") this.#left(false);
        if (e.event === "closed") this.#rest();
        else {
          awake.add(this);
          watch();
        }
        return this.#owner.changed(e, this.#error(e));
      case "unclaimed":
        return this.#owner.unclaimed(e.message);
      case "ended":
        return this.#owner.ended(e.id, this.#error(e));
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

  /** The error of an effect. That of a provider is its cause. @param {any} e */
  #error({ error }) {
    return error && errorFrom({ ...error, cause: error.code === "ERR_CREDENTIALS" ? this.#cause : undefined });
  }

  /** Until it connects again, nothing but the page holds the client. */
  #rest() {
    clearTimeout(this.#timer);
    this.#timerAt = Number.POSITIVE_INFINITY;
    awake.delete(this);
    this.#core.release(this);
  }

  /** Gets credentials or a URL for an attempt. @param {number} attempt @param {boolean} refused */
  async #resolve(attempt, refused) {
    let resolution;
    try {
      resolution = await this.#owner.provide(refused);
    } catch (/** @type {any} */ error) {
      this.#cause = error;
      const ours = error instanceof IotError; // whose words are ours, too
      this.tell("unresolved", attempt, ours ? error.code : "", ours ? error.message : "", error?.retryable !== false);
      return;
    }
    this.tell("resolved", attempt, resolution, Date.now());
  }

  /** @param {number} attempt @param {string} url */
  #open(attempt, url) {
    /** @type {WebSocket} */
    let ws;
    try {
      ws = new WebSocket(url, ["mqtt"]);
    } catch (/** @type {any} */ error) {
      // Firefox and WebKit throw where the page's policy forbids it, and name the policy in an event that comes later.
      setTimeout(() => (forbids(url) ? this.tell("closed", attempt, 1006) : this.tell("unopenable", attempt, String(error?.name))));
      return;
    }
    ws.binaryType = "arraybuffer";
    ws.onopen = () => this.tell("opened", attempt);
    ws.onmessage = ({ data }) => {
      if (typeof data === "string") return this.#inOrder(() => this.tell("text", attempt), 0);
      if (!this.alive) return;
      if (this.#core.behind) return this.#inOrder(() => this.#receive(attempt, data), data.byteLength);
      this.#receive(attempt, data);
    };
    /** @param {{ code: number }} event */
    const closed = ({ code }) => {
      if (this.#socket?.ws === ws) this.#socket = undefined;
      this.#inOrder(() => this.tell("closed", attempt, code), 0);
    };
    ws.onclose = closed;
    // Two fire no close event: Chromium for a socket that the page's policy forbids, which is closed from
    // the start, and Node 22 for one that does not open, which is never closed.
    const forbidden = ws.readyState === 3;
    ws.onerror = () => {
      if (forbidden || ws.readyState === 0) closed({ code: 1006 });
    };
    this.#socket = { attempt, ws };
  }

  /** @param {number} attempt @param {ArrayBuffer} data */
  #receive(attempt, data) {
    try {
      this.#core.receive(this, attempt, data);
    } catch {
      // A crash, of which everybody who waits has been told.
    }
  }

  /** Does something behind what the page is behind with. @param {() => void} work @param {number} bytes */
  #inOrder(work, bytes) {
    if (!this.alive || !this.#core.behind) return work();
    this.#heardAt = performance.now();
    this.#core.later(work, bytes);
  }

  /** @param {number} attempt @param {any} last */
  #close(attempt, last) {
    if (this.#socket?.attempt !== attempt) return;
    const { ws } = this.#socket;
    this.#letGo();
    if (ws.readyState === 1 && last.length > 0) ws.send(last);
    ws.close(1000);
    this.#left(true); // what went with the turn was in there
  }

  #letGo() {
    const { ws } = /** @type {{ ws: WebSocket }} */ (this.#socket);
    this.#socket = undefined;
    ws.onopen = ws.onmessage = ws.onerror = ws.onclose = null;
  }

  /** Asks by HTTP why a WebSocket was refused: a browser tells a page only so. @param {number} attempt @param {string} url */
  async #probe(attempt, url) {
    let status = 0, code = "", message = "", skew = NaN;
    url = url.replace(/^ws/, "http");
    try {
      const response = await fetch(url, {
        cache: "no-store", credentials: "omit", redirect: "manual", signal: AbortSignal.timeout?.(8000),
      });
      status = response.type === "opaqueredirect" ? 302 : response.status;
      skew = Date.parse(response.headers.get("Date") ?? "") - Date.now();
      const body = JSON.parse(await textOf(response));
      code = String(body.code ?? body.__type ?? "");
      message = String(body.message ?? "");
    } catch {
      // What was learned so far is the answer.
    }
    await new Promise((resolve) => setTimeout(resolve)); // a violation is told in a task of its own
    this.tell("probed", attempt, status, code, message, globalThis.navigator?.onLine === false, forbids(url.replace("http", "ws")), forbids(url), skew);
  }

  wake() {
    this.tell("wake");
  }

  /** How many bytes the socket has not sent yet. */
  get buffered() {
    return this.#socket?.ws.bufferedAmount ?? 0;
  }

  /** Sends something that a turn has put together. Without a socket the wasm will hear of that, too. @param {any} bytes */
  send(bytes) {
    const ws = this.#socket?.ws;
    if (ws?.readyState === 1) ws.send(bytes);
  }

  /**
   * Has output sent at the end of this turn of the event loop.
   * Answers to what has come go a task later, together with those to what has come
   * meanwhile.
   * @param {boolean} [answers]
   */
  flushSoon(answers) {
    if (this.#flushing || (answers && this.#answering)) return;
    if (answers) {
      this.#answering = true;
      return soon(() => {
        this.#answering = false;
        if (!this.#flushing) this.#turn();
      });
    }
    this.#flushing = true;
    queueMicrotask(() => {
      this.#flushing = false;
      this.#turn();
    });
  }

  #turn() {
    try {
      if (this.alive && this.#core.turn(this, this.#heardAt)) this.#left(this.#socket?.ws.readyState === 1);
    } catch {
      // A crash, of which everybody who waits has been told.
    }
  }

  /** @param {boolean} sent */
  #left(sent) {
    const leaving = this.#leaving;
    this.#leaving = undefined;
    if (sent) leaving?.resolve(OK);
    else leaving?.reject(new IotError("the connection was lost before the message left", { code: "ERR_CONNECTION_LOST", phase: "publish", retryable: true }));
  }

  /** @param {number} deadline */
  wakeAt(deadline) {
    if (deadline >= this.#timerAt) return; // the timer that is set will look again
    clearTimeout(this.#timer);
    this.#timerAt = deadline;
    this.#timer = setTimeout(() => {
      this.#timerAt = Number.POSITIVE_INFINITY;
      this.#turn();
    }, Math.min(2 ** 31 - 1, Math.max(0, deadline - performance.now())));
  }

  /** @param {IotError} error */
  crashed(error) {
    this.#rest();
    if (this.#socket) {
      const { ws } = this.#socket;
      this.#letGo();
      ws.close();
    }
    const waiters = [...this.#tokens.values()];
    this.#tokens.clear();
    this.#leaving?.reject(error);
    this.#leaving = undefined;
    for (const waiter of waiters) waiter.reject(error);
    this.#owner.crashed(error);
  }
}
