import { forbids } from "./page.js";

/**
 * @typedef {object} SocketEvents
 * @property {() => void} opened_
 * @property {(name: string) => void} openFailed_ the browser made no WebSocket; the name of its error
 * @property {(data: string | ArrayBuffer) => void} received_
 * @property {(code: number) => void} closed_
 */

/**
 * A WebSocket, without the differences between browsers. A page may have replaced
 * the browser's WebSocket by one that behaves otherwise. Such a socket counts as
 * lost when it breaks a rule.
 */
export class Socket {
  #events;
  /** @type {WebSocket | undefined} */
  #ws;
  #native = false; // it is the browser's own
  /** @type {Promise<void> | undefined} */
  #reading; // the conversion of Blobs, in order

  /** @param {string} url @param {SocketEvents} events */
  constructor(url, events) {
    this.#events = events;
    try {
      this.#listen((this.#ws = new WebSocket(url, ["mqtt"])));
    } catch (/** @type {any} */ error) {
      this.#ws = undefined;
      // Firefox and WebKit throw where the page's policy forbids the address. The event that names the policy follows.
      setTimeout(() => (forbids(url) ? events.closed_(1006) : events.openFailed_(String(error?.name))));
    }
  }

  /** @param {WebSocket} ws */
  #listen(ws) {
    const events = this.#events;
    ws.binaryType = "arraybuffer";
    ws.onopen = events.opened_;
    ws.onmessage = ({ data }) => {
      if (!this.#reading && (data instanceof ArrayBuffer || typeof data === "string")) return events.received_(data);
      const before = this.#reading;
      this.#reading = (async () => {
        const bytes = typeof data === "string" ? data : await new Response(data).arrayBuffer();
        await before;
        if (this.#ws) events.received_(bytes);
      })().catch(() => this.#lose());
    };
    /** @param {{ code?: any }} [event] */
    const closed = async (event) => {
      if (this.#reading) await this.#reading;
      if (!this.#ws) return;
      this.#ws = undefined;
      events.closed_(Number.isInteger(event?.code) ? event?.code : 1006);
    };
    ws.onclose = closed;
    // Two WebSockets fire no close event: Chromium's that the page's policy forbids, which is closed from the start,
    // and that of Node 22 that does not open, which never closes.
    const forbidden = ws.readyState === 3;
    ws.onerror = () => {
      if (forbidden || ws.readyState === 0) closed();
    };
    this.#native = `${ws.send}`.includes("[native");
  }

  get open_() {
    return this.#ws?.readyState === 1;
  }

  /** How many bytes the socket has not sent yet. */
  get buffered_() {
    let n = 0;
    quietly(() => (n = /** @type {any} */ (this.#ws)?.bufferedAmount >>> 0));
    return n;
  }

  /** Sends bytes if the socket is open. @param {any} bytes a view of the wasm's memory */
  send_(bytes) {
    // A socket of the page's own may send later, when the memory has changed: it gets a copy.
    if (this.open_ && !quietly(() => this.#ws?.send(this.#native ? bytes : bytes.slice()))) this.#lose();
  }

  /** Closes the socket. No events follow. @param {Uint8Array} [last] bytes to send before */
  close_(last) {
    const ws = this.#ws;
    if (!ws) return;
    if (last?.length) this.send_(last);
    this.#ws = undefined;
    ws.onopen = ws.onmessage = ws.onerror = ws.onclose = null;
    quietly(() => ws.close(1000));
  }

  #lose() {
    if (!this.#ws) return;
    this.close_();
    queueMicrotask(() => this.#events.closed_(1006)); // not during a call into the wasm
  }
}

/** Calls a method that may throw where the page has replaced WebSocket. Returns whether it has not. @param {() => any} call */
function quietly(call) {
  try {
    call();
    return true;
  } catch {
    return false;
  }
}
