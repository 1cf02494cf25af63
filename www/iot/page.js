import { iotError } from "./errors.js";

/** @typedef {import("./errors.js").IotError} IotError */

// This module handles the events and the storage of the page or worker. A server that
// renders pages also imports it, so it must work without a window.

/**
 * The clients that are connected, are connecting, or load the wasm. This module calls
 * wake_ when the page resumes, and fail_ when the page ends. A client that is not in this
 * set is garbage-collected when the page has no reference to it.
 * @type {Set<{ wake_(): void, fail_(error: IotError): void }>}
 */
export const activeClients = new Set();

/**
 * The functions that reject the pending promises of the page.
 * @type {Set<(error: unknown) => void>}
 */
const pending = new Set();

/** @type {IotError | undefined} the error with which all calls reject after the page has ended; undefined before */
export let pageError;

/**
 * Adds a listener to the window or worker. Node has no global events.
 * @param {string} type
 * @param {(event: any) => void} listener
 */
const on = (type, listener) => globalThis.addEventListener?.(type, listener);

let watching = false;

/** Listens for the events of the page. */
function watch() {
  if (watching) return;
  watching = true;
  const wake = () => {
    for (const client of [...activeClients]) client.wake_();
  };
  on("online", wake);
  on("pageshow", (e) => e.persisted && wake()); // the page was in the back/forward cache
  on("pagehide", (e) => e.persisted || endPage());
  const { document } = globalThis;
  document?.addEventListener("resume", wake); // the page was frozen (Page Lifecycle API)
  document?.addEventListener("visibilitychange", () => document.visibilityState === "visible" && wake());
}

/**
 * Follows the end of the page or the removal of its frame. Rejects all pending promises and
 * closes all clients at once, because no timer and no microtask runs later. Returns pageError.
 */
function endPage() {
  pageError ??= iotError("ERR_CLOSED", "the page has ended", "session");
  for (const fail of pending) fail(pageError);
  for (const client of activeClients) client.fail_(pageError);
  return pageError;
}

/**
 * Calls abort when the signal aborts. Returns a function that removes the listener.
 * @param {AbortSignal | undefined} signal
 * @param {() => void} abort
 */
export function onAbort(signal, abort) {
  signal?.addEventListener("abort", abort);
  return () => signal?.removeEventListener("abort", abort);
}

/** @typedef {(signal: AbortSignal | undefined) => void} UseSignal */

/**
 * Calls start and returns a promise that settles as the promise of start does. It rejects
 * earlier in two cases: with the signal's reason when the signal aborts, and with pageError
 * when the page ends. start passes this signal to its argument.
 * @template T
 * @param {(useSignal: UseSignal) => Promise<T>} start
 * @param {() => void} [afterwards] is called after the returned promise was settled, except if start throws
 * @returns {Promise<T>}
 */
export function pagePromise(start, afterwards) {
  return new Promise((resolve, reject) => {
    watch();
    if (pageError || globalThis.closed === true) throw endPage();
    /** @type {AbortSignal | undefined} */
    let signal;
    const work = start((s) => {
      signal = s;
      s?.throwIfAborted();
    });
    /** @type {<T>(settle: (value: T) => void) => (value: T) => void} */
    const settleBy = (settle) => (value) => {
      pending.delete(fail);
      removeListener();
      settle(value);
      afterwards?.();
    };
    const fail = settleBy(reject);
    const abort = () => fail(signal?.reason);
    const removeListener = onAbort(signal, abort);
    pending.add(fail);
    work.then(settleBy(resolve), fail);
    if (signal?.aborted) abort();
  });
}

/** @type {Set<string | undefined>} the origins of URLs in violations of the directive connect-src */
const blockedOrigins = new Set();
(globalThis.document ?? globalThis).addEventListener?.("securitypolicyviolation", (e) => {
  // A report-only policy does not block a WebSocket. Its report on an HTTP request matters, because the report contains the URL.
  if (e.effectiveDirective === "connect-src" && (e.disposition === "enforce" || e.blockedURI.startsWith("http"))) blockedOrigins.add(originOf(e.blockedURI));
});

/**
 * Whether a Content-Security-Policy of the page has blocked a WebSocket to the origin of the
 * URL. For an HTTP URL: whether a policy has reported a request to the origin.
 * @param {string} url
 */
export function blockedByPolicy(url) {
  return blockedOrigins.has(originOf(url));
}

/**
 * Returns the scheme and the host of a URL, as a key.
 * @param {string} url
 */
function originOf(url) {
  return url.split(/[/?#]/, 3).join();
}

const KEY = "iot.clientId";
/** @type {string | undefined} */
let firstId;
let count = 0;

/**
 * Returns a new client id. After a reload of the tab, the calls return the same ids again. A
 * duplicate of the tab gets other ids. The browser copies sessionStorage to a duplicate, so
 * a stored id is used only if the page that stored it has ended and has marked it as free.
 */
export function tabClientId() {
  firstId ??= storedId();
  return count++ ? `${firstId}-${count}` : firstId;
}

/** Returns the stored id if it is free, otherwise a random one, and stores it as in use. */
function storedId() {
  try {
    const { sessionStorage } = globalThis;
    if (!sessionStorage) return randomId();
    const [stored, free] = (sessionStorage.getItem(KEY) ?? "").split(" ");
    const id = stored && free ? stored : randomId();
    sessionStorage.setItem(KEY, id);
    on("pagehide", () => sessionStorage.setItem(KEY, `${id} free`));
    on("pageshow", (e) => e.persisted && sessionStorage.setItem(KEY, id));
    return id;
  } catch {
    return randomId(); // sessionStorage throws in a sandboxed page
  }
}

function randomId() {
  return `iot-${crypto.getRandomValues(new Uint32Array(4)).join("").slice(0, 32)}`;
}
