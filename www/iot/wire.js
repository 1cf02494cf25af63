import { IotError, errorFrom, failed, plain } from "./errors.js";
import { textOf } from "./http.js";
import { acquire } from "./module.js";
import { awake, forbids, gone } from "./page.js";
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
  /** @type {[() => void, (error: unknown) => void][]} */
  #waiting = []; // calls that wait for the wasm, in the order of the page
  /** @type {{ attempt: number, ws: WebSocket } | undefined} */
  #socket; // { attempt, ws }
  #native = false; // whether the socket is the browser's
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
  #timerAt = Infinity;

  /** @param {import("./client.js").IotClient} client @param {Owner} owner */
  constructor(client, owner) {
    this.client = client;
    this.#owner = owner;
  }

  /** Whether the wasm is there and runs. */
  get alive() {
    return this.#core !== undefined && !this.#core.crash && !gone;
  }

  /** Whether a call enters the wasm at once. */
  get open() {
    return this.alive && this.#waiting.length === 0;
  }

  /** Whether the wasm knows the client, or will. */
  get known() {
    return this.alive || this.#waiting.length > 0;
  }

  /**
   * Does what calls the wasm: at once where it is there, else in the order of the
   * calls when it has come. Returns what `work` does, or a promise of it.
   * @template T
   * @param {() => Promise<T>} work
   * @param {AbortSignal} [signal]
   * @returns {Promise<T>}
   */
  enter(work, signal) {
    if (this.open) return work();
    return new Promise((resolve, reject) => {
      const enter = async () => {
        signal?.throwIfAborted();
        return work();
      };
      if (this.#waiting.push([() => resolve(enter()), reject]) === 1) this.#load();
    });
  }

  async #load() {
    awake.add(this); // so that the page's end is told to those who wait
    try {
      const core = await acquire();
      if (gone) throw gone; // microtasks of a removed frame run in some browsers
      if (this.#core !== core) {
        this.#core = core;
        this.topics = [];
        core.attach(this);
      }
    } catch (error) {
      for (const [, reject] of this.#waiting.splice(0)) reject(error);
    }
    awake.delete(this);
    for (const [enter] of this.#waiting) enter(); // and what is added meanwhile
    this.#waiting = [];
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
   * Promises what the wasm settles under the token that `start` is given, in its turn.
   * @param {(token: number) => void} start
   * @param {AbortSignal} [signal]
   * @returns {Promise<any>}
   */
  ask(start, signal) {
    return this.enter(() => new Promise((resolve, reject) => {
      const token = this.#newToken();
      this.#tokens.set(token, { resolve, reject });
      start(token); // which throws only after a crash
    }), signal);
  }

  #newToken() {
    return (this.#lastToken = (this.#lastToken % 0xffffffff) + 1);
  }

  /**
   * Publishes. What `cancel` is given takes back a message that still waits.
   * @param {string} topic
   * @param {Uint8Array} options
   * @param {string | Uint8Array} payload
   * @param {number} flags
   * @param {(undo: () => void) => void} [cancel]
   */
  publish(topic, options, payload, flags, cancel) {
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
    cancel?.(() => this.#tokens.delete(token) && this.tell("cancel", token));
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
    this.#tokens.get(token)?.resolve(typeof value === "object" ? { ...value } : value ? { reasonCode: value } : OK);
    this.#tokens.delete(token);
  }

  /** @param {number} token @param {unknown} error */
  #fail(token, error) {
    this.#tokens.get(token)?.reject(error);
    this.#tokens.delete(token);
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
        else awake.add(this);
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
    return error && errorFrom(plain(error, error.phase === "credentials" && this.#cause && { cause: this.#cause }));
  }

  /** Until it connects again, nothing but the page holds the client. */
  #rest() {
    clearTimeout(this.#timer);
    this.#timerAt = Infinity;
    awake.delete(this);
  }

  /** Gets credentials or a URL for an attempt. @param {number} attempt @param {boolean} refused */
  async #resolve(attempt, refused) {
    let resolution;
    this.#cause = undefined;
    try {
      resolution = await this.#owner.provide(refused);
    } catch (/** @type {any} */ error) {
      let code = "", why = "", retryable = true;
      try {
        // Of an error of ours, the words are ours, too. Those of others may hold a secret.
        const ours = error instanceof IotError;
        if (ours) code = String(error.code ?? "");
        if (ours || error?.code === "ERR_OPTION") why = error.message;
        retryable = error?.retryable !== false;
      } catch {
        // Nothing can be read of a revoked proxy.
      }
      this.#cause = error;
      this.tell("unresolved", attempt, code, why, retryable);
      return;
    }
    this.tell("resolved", attempt, resolution, Date.now());
  }

  /** @param {number} attempt @param {string} url */
  #open(attempt, url) {
    try {
      this.#listen(attempt, new WebSocket(url, ["mqtt"]));
    } catch (/** @type {any} */ error) {
      // Firefox and WebKit throw where the page's policy forbids it, and name the policy in an event that comes later.
      setTimeout(() => (forbids(url) ? this.tell("closed", attempt, 1006) : this.tell("unopenable", attempt, String(error?.name))));
    }
  }

  /** @param {number} attempt @param {WebSocket} ws which may be one of the page's own make */
  #listen(attempt, ws) {
    /** @type {Promise<void> | undefined} */
    let reading; // what has come as a Blob, in its order
    ws.binaryType = "arraybuffer";
    ws.onopen = () => this.tell("opened", attempt);
    ws.onmessage = ({ data }) => {
      if (!reading && (data instanceof ArrayBuffer || typeof data === "string")) return this.#frame(attempt, data);
      const before = reading;
      reading = (async () => {
        const bytes = typeof data === "string" ? data : await new Response(data).arrayBuffer();
        await before;
        this.#frame(attempt, bytes);
      })().catch(() => this.#lose(ws));
    };
    /** @param {{ code?: number }} [event] */
    const closed = async (event) => {
      if (this.#socket?.ws === ws) this.#socket = undefined;
      if (reading) await reading;
      this.#closed(attempt, event?.code);
    };
    ws.onclose = closed;
    // Two fire no close event: Chromium for a socket that the page's policy forbids, which is closed from
    // the start, and Node 22 for one that does not open, which is never closed.
    const forbidden = ws.readyState === 3;
    ws.onerror = () => {
      if (forbidden || ws.readyState === 0) closed();
    };
    this.#native = `${ws.send}`.includes("[native");
    this.#socket = { attempt, ws };
  }

  /** @param {number} attempt @param {any} code which an event of the page's own make may lack */
  #closed(attempt, code) {
    this.#inOrder(() => this.tell("closed", attempt, Number.isInteger(code) ? code : 1006), 0);
  }

  /** A socket that does not do what a WebSocket does counts as a lost connection. @param {WebSocket} ws */
  #lose(ws) {
    if (this.#socket?.ws !== ws) return;
    const { attempt } = this.#socket;
    this.#letGo();
    queueMicrotask(() => this.#closed(attempt, 1006)); // not in the middle of a turn
  }

  /** @param {number} attempt @param {string | ArrayBuffer} data */
  #frame(attempt, data) {
    if (typeof data === "string") return this.#inOrder(() => this.tell("text", attempt), 0);
    if (!this.alive || data.byteLength === 0) return;
    if (this.#core.behind) return this.#inOrder(() => this.#receive(attempt, data), data.byteLength);
    this.#receive(attempt, data);
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
    this.#letGo(last);
    this.#left(true); // what went with the turn was in there
  }

  /** Closes the socket, which has nothing to say any more. @param {any} [last] bytes to send before */
  #letGo(last) {
    const { ws } = /** @type {{ ws: WebSocket }} */ (this.#socket);
    this.#socket = undefined;
    ws.onopen = ws.onmessage = ws.onerror = ws.onclose = null;
    quietly(() => ws.readyState === 1 && last?.length > 0 && ws.send(last));
    quietly(() => ws.close(1000));
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

  /** How many bytes the socket has not sent yet. One of the page's own make may say anything. */
  get buffered() {
    let n = 0;
    quietly(() => (n = /** @type {any} */ (this.#socket)?.ws.bufferedAmount >>> 0));
    return n;
  }

  /** Sends something that a turn has put together. Without a socket the wasm will hear of that, too. @param {any} bytes */
  send(bytes) {
    const ws = this.#socket?.ws;
    // A socket of the page's own make may send later, when the wasm's memory is another: it gets a copy.
    if (ws?.readyState === 1 && !quietly(() => ws.send(this.#native ? bytes : bytes.slice()))) this.#lose(ws);
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
    else leaving?.reject(failed("ERR_CONNECTION_LOST", "the connection was lost", "publish", true));
  }

  /** @param {number} deadline */
  wakeAt(deadline) {
    if (deadline >= this.#timerAt) return; // the timer that is set will look again
    clearTimeout(this.#timer);
    this.#timerAt = deadline;
    this.#timer = setTimeout(() => {
      this.#timerAt = Infinity;
      this.#turn();
    }, Math.min(2 ** 31 - 1, Math.max(0, deadline - performance.now())));
  }

  /** @param {IotError} error */
  crashed(error) {
    this.#rest();
    if (this.#socket) this.#letGo();
    this.#leaving?.reject(error);
    this.#leaving = undefined;
    for (const { reject } of this.#tokens.values()) reject(error);
    this.#tokens.clear();
    this.#owner.crashed(error);
  }
}

/** Calls what may throw where the page has replaced WebSocket; whether it has not. @param {() => any} call */
function quietly(call) {
  try {
    call();
    return true;
  } catch {
    return false;
  }
}
