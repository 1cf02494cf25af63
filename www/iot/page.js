import { failed } from "./errors.js";

/** @typedef {import("./errors.js").IotError} IotError */

// The page or worker of the clients. Server-side rendering imports this module,
// too, where there is neither.

/**
 * The clients that are connected or connecting. They are notified when the page
 * resumes, and when it ends. Other clients are kept alive by the page only.
 * @type {Set<{ wake_(): void, crashed_(error: IotError): void }>}
 */
export const awake = new Set();

/**
 * Functions that reject the pending promises of the page.
 * @type {Set<(error: unknown) => void>}
 */
const pending = new Set();

/** The error of all calls once the page has ended. @type {IotError | undefined} */
export let gone;

/** Adds a listener, except in Node. @param {string} type @param {(event: any) => void} listener */
const on = (type, listener) => globalThis.addEventListener?.(type, listener);

let watching = false;

/** Listens for the events of the page. */
function watch() {
  if (watching) return;
  watching = true;
  const wake = () => {
    for (const client of [...awake]) client.wake_();
  };
  on("online", wake);
  on("pageshow", (e) => e.persisted && wake()); // from the back/forward cache
  on("pagehide", (e) => e.persisted || leave());
  const { document } = globalThis;
  document?.addEventListener("resume", wake); // the browser had frozen the page
  document?.addEventListener("visibilitychange", () => document.visibilityState === "visible" && wake());
}

/** Rejects everything at the end of the page or the removal of its frame: no timer and no microtask runs afterwards. */
function leave() {
  gone ??= failed("ERR_CLOSED", "the page has ended", "session");
  for (const fail of pending) fail(gone);
  for (const client of awake) client.crashed_(gone);
  return gone;
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

/** @typedef {(signal: AbortSignal | undefined) => void} Until */

/**
 * Returns a promise for the page, which settles as the promise of start does. An
 * abort of the signal that start passes to its argument rejects it with the signal's
 * reason. The end of the page rejects it, without a microtask.
 * @template T
 * @param {(until: Until) => Promise<T>} start
 * @param {() => void} [settled] is called after it has settled
 * @returns {Promise<T>}
 */
export function promised(start, settled) {
  return new Promise((resolve, reject) => {
    watch();
    if (gone || globalThis.closed === true) throw leave();
    /** @type {AbortSignal | undefined} */
    let signal;
    const work = start((s) => {
      signal = s;
      s?.throwIfAborted();
    });
    /** @type {<T>(settle: (value: T) => void) => (value: T) => void} */
    const by = (settle) => (value) => {
      pending.delete(fail);
      disarm();
      settle(value);
      settled?.();
    };
    const fail = by(reject);
    const abort = () => fail(signal?.reason);
    const disarm = onAbort(signal, abort);
    pending.add(fail);
    work.then(by(resolve), fail);
    if (signal?.aborted) abort();
  });
}

/** @type {Set<string | undefined>} */
const forbidden = new Set();
(globalThis.document ?? globalThis).addEventListener?.("securitypolicyviolation", (e) => {
  // A policy that only reports does not forbid a WebSocket. For an HTTP request, the report itself counts.
  if (e.effectiveDirective === "connect-src" && (e.disposition === "enforce" || e.blockedURI.startsWith("http"))) forbidden.add(hostOf(e.blockedURI));
});

/**
 * Whether the page's Content-Security-Policy has forbidden a WebSocket to that
 * address, or has reported an HTTP request to it.
 * @param {string} url
 */
export function forbids(url) {
  return forbidden.has(hostOf(url));
}

/** @param {string} url */
function hostOf(url) {
  return url.split(/[/?#]/, 3).join();
}

const KEY = "iot.clientId";
/** @type {string | undefined} */
let base;
let given = 0;

/**
 * Returns a client id that survives a reload of the tab, and differs in a duplicate
 * of the tab. The id is in sessionStorage, which a duplicate copies. Only a page
 * that ends marks its id as free.
 */
export function tabId() {
  base ??= takeBase();
  return given++ ? `${base}-${given}` : base;
}

function takeBase() {
  try {
    const { sessionStorage } = globalThis;
    if (!sessionStorage) return randomId();
    const [kept, free] = (sessionStorage.getItem(KEY) ?? "").split(" ");
    const id = kept && free ? kept : randomId();
    sessionStorage.setItem(KEY, id);
    on("pagehide", () => sessionStorage.setItem(KEY, `${id} free`));
    on("pageshow", (e) => e.persisted && sessionStorage.setItem(KEY, id));
    return id;
  } catch {
    return randomId(); // a sandboxed page has no storage
  }
}

function randomId() {
  return `iot-${crypto.getRandomValues(new Uint32Array(4)).join("").slice(0, 32)}`;
}
