// What the page, or worker, around the clients does and is. Imported during
// server-side rendering too, where there is neither.

/**
 * The clients that are told when the page comes back.
 * @type {Set<{ wake(): void }>}
 */
export const awake = new Set();

let watching = false;

/** Makes sure that they are told. */
export function watch() {
  if (watching || typeof globalThis.addEventListener !== "function") return;
  watching = true;
  const wake = () => {
    for (const client of [...awake]) client.wake();
  };
  globalThis.addEventListener("online", wake);
  globalThis.addEventListener("pageshow", (e) => e.persisted && wake()); // from the back/forward cache
  const { document } = globalThis;
  document?.addEventListener("resume", wake); // after the browser had frozen the page
  document?.addEventListener("visibilitychange", () => document.visibilityState === "visible" && wake());
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
  return /^(?:ws|http)s?:\/\/[^/?#]*/.exec(url)?.[0];
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
  given++;
  return given === 1 ? base : `${base}-${given}`;
}

function takeBase() {
  try {
    const { sessionStorage } = globalThis;
    if (!sessionStorage) return randomId();
    const [kept, free] = (sessionStorage.getItem(KEY) ?? "").split(" ");
    const id = kept && free ? kept : randomId();
    sessionStorage.setItem(KEY, id);
    globalThis.addEventListener("pagehide", () => sessionStorage.setItem(KEY, `${id} free`));
    globalThis.addEventListener("pageshow", (e) => e.persisted && sessionStorage.setItem(KEY, id));
    return id;
  } catch {
    return randomId(); // a sandboxed page has no storage
  }
}

function randomId() {
  return `iot-${crypto.getRandomValues(new Uint32Array(4)).join("").slice(0, 32)}`;
}
