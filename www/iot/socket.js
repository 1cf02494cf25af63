import { blockedByPolicy } from "./page.js";

/**
 * The callbacks of a Socket.
 * @typedef {object} SocketEvents
 * @property {() => void} opened_ the WebSocket has opened
 * @property {(name: string) => void} openFailed_ the constructor of WebSocket threw an error with this name
 * @property {(data: string | ArrayBuffer) => void} received_ a WebSocket message was received
 * @property {(code: number) => void} closed_ the WebSocket has closed or did not open; code is its close code
 */

/**
 * A Socket wraps a WebSocket and hides the differences between browsers. The page may have
 * replaced globalThis.WebSocket by its own class. If a method of such a class throws, or its
 * data cannot be read, the Socket closes with the code 1006.
 */
export class Socket {
  url_;
  /** @type {[name: string, value: any][]} the calls of callbacks before listen_ */
  early_ = [];
  /** @type {SocketEvents} before listen_, it records the calls */
  #events = new Proxy(/** @type {any} */ ({}), { get: (_, name) => (/** @type {any} */ value) => this.early_.push([/** @type {any} */ (name), value]) });
  /** @type {WebSocket | undefined} */
  #ws;
  #native = false; // whether #ws is the browser's own WebSocket
  /** @type {Promise<void> | undefined} */
  #reading; // the conversion of received Blobs; each conversion waits for the previous one

  /** @param {string} url */
  constructor(url) {
    this.url_ = url;
    try {
      this.#listen((this.#ws = new WebSocket(url, ["mqtt"])));
    } catch (/** @type {any} */ error) {
      this.#ws = undefined;
      // Firefox and WebKit throw if a Content-Security-Policy blocks the URL. They report the violation in a later task.
      setTimeout(() => (blockedByPolicy(url) ? this.#events.closed_(1006) : this.#events.openFailed_(String(error?.name))));
    }
  }

  /**
   * Calls the callbacks for the events since the Socket was created, and for all later events.
   * @param {SocketEvents} events
   */
  listen_(events) {
    this.#events = events;
    for (const [name, value] of this.early_) /** @type {any} */ (events)[name](value);
  }

  /**
   * Sets the event handlers of the WebSocket.
   * @param {WebSocket} ws
   */
  #listen(ws) {
    ws.binaryType = "arraybuffer";
    ws.onopen = () => this.#events.opened_();
    ws.onmessage = ({ data }) => {
      if (!this.#reading && (data instanceof ArrayBuffer || typeof data === "string")) return this.#events.received_(data);
      const before = this.#reading;
      this.#reading = (async () => {
        const bytes = typeof data === "string" ? data : await new Response(data).arrayBuffer();
        await before;
        if (this.#ws) this.#events.received_(bytes);
      })().catch(() => this.#lose());
    };
    /** @param {{ code?: any }} [event] */
    const closed = async (event) => {
      if (this.#reading) await this.#reading;
      if (!this.#ws) return;
      this.#ws = undefined;
      this.#events.closed_(Number.isInteger(event?.code) ? event?.code : 1006);
    };
    ws.onclose = closed;
    // In two cases a WebSocket fires error but not close. If a policy blocks it, Chromium creates it in the state CLOSED.
    // If it cannot open, Node 22 leaves it in the state CONNECTING.
    const blocked = ws.readyState === 3;
    ws.onerror = () => {
      if (blocked || ws.readyState === 0) closed();
    };
    this.#native = `${ws.send}`.includes("[native");
  }

  get open_() {
    return this.#ws?.readyState === 1;
  }

  /** The number of bytes that were not sent yet. */
  get buffered_() {
    let n = 0;
    quietly(() => (n = /** @type {any} */ (this.#ws)?.bufferedAmount >>> 0));
    return n;
  }

  /**
   * Sends bytes if the WebSocket is open.
   * @param {any} bytes a view of the memory of the wasm
   */
  send_(bytes) {
    // The browser's send() copies the bytes. The page's class may read them after the memory has changed, so it gets a copy.
    if (this.open_ && !quietly(() => this.#ws?.send(this.#native ? bytes : bytes.slice()))) this.#lose();
  }

  /**
   * Closes the WebSocket. No callback is called later.
   * @param {Uint8Array} [last] bytes to send before it closes
   */
  close_(last) {
    const ws = this.#ws;
    if (!ws) return;
    if (last?.length) this.send_(last);
    this.#ws = undefined;
    ws.onopen = ws.onmessage = ws.onerror = ws.onclose = null;
    quietly(() => ws.close(1000));
  }

  /** Closes the WebSocket and reports the code 1006. */
  #lose() {
    if (!this.#ws) return;
    this.close_();
    queueMicrotask(() => this.#events.closed_(1006)); // the current call into the wasm must return first
  }
}

/**
 * Calls a function. Returns false if it throws, as a method of the page's own WebSocket class may.
 * @param {() => any} call
 */
function quietly(call) {
  try {
    call();
    return true;
  } catch {
    return false;
  }
}
