import { failed } from "./errors.js";

/** @typedef {import("./errors.js").IotError} IotError */

// What the page, or worker, around the clients does and is. Imported during
// server-side rendering too, where there is neither.

/**
 * The clients whose life goes on, which are told when the page comes back, and
 * when it ends. Nothing else but the page holds a client.
 * @type {Set<{ wake(): void, crashed(error: IotError): void }>}
 */
export const awake = new Set();

/**
 * What rejects the promises that the page waits for.
 * @type {Set<(error: unknown) => void>}
 */
const pending = new Set();

/** Why nothing goes on, once the page has ended. @type {IotError | undefined} */
export let gone;

/** Not in Node. @param {string} type @param {(event: any) => void} listener */
const on = (type, listener) => globalThis.addEventListener?.(type, listener);

let watching = false;

/** Makes sure that they are told. */
function watch() {
  if (watching) return;
  watching = true;
  const wake = () => {
    for (const client of [...awake]) client.wake();
  };
  on("online", wake);
  on("pageshow", (e) => e.persisted && wake()); // from the back/forward cache
  on("pagehide", (e) => e.persisted || leave());
  const { document } = globalThis;
  document?.addEventListener("resume", wake); // after the browser had frozen the page
  document?.addEventListener("visibilitychange", () => document.visibilityState === "visible" && wake());
}

/** The page ends, or its frame is removed: its timers and microtasks do not run any more. */
function leave() {
  gone ??= failed("ERR_CLOSED", "the page has ended", "session");
  for (const fail of pending) fail(gone);
  for (const client of awake) client.crashed(gone);
  return gone;
}

/**
 * Calls back when the signal aborts; returns what ends that.
 * @param {AbortSignal | undefined} signal
 * @param {() => void} abort
 */
export function onAbort(signal, abort) {
  signal?.addEventListener("abort", abort);
  return () => signal?.removeEventListener("abort", abort);
}

/** @typedef {(signal: AbortSignal | undefined) => void} Until */

/**
 * A promise for the page, of what `start` returns or throws. An abort of the signal
 * that `start` names rejects it with the signal's reason. The page's end rejects it
 * without a microtask, as those of a removed frame do not run.
 * @template T
 * @param {(until: Until) => Promise<T>} start
 * @param {() => void} [settled] is called when it has settled
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
  // A policy that only reports does not forbid a WebSocket; a report of a request is what counts.
  if (e.effectiveDirective === "connect-src" && (e.disposition === "enforce" || e.blockedURI.startsWith("http"))) forbidden.add(hostOf(e.blockedURI));
});

/**
 * Whether the page's Content-Security-Policy has kept a WebSocket from that address,
 * or has reported an HTTP request to it.
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
 * A client id that stays the same through a reload of the tab, and is another
 * one in a duplicate of it: the id is kept in sessionStorage, which a duplicate
 * copies, but only a page that has gone marks it as free.
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
