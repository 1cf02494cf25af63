/** @typedef {<T>(work: Promise<T>) => Promise<T>} Within settles as the work does, and rejects earlier at the end of the diagnosis or of the time */

/** @param {import("../iot.js").IotErrorCode} code @param {string} text @returns {import("./advice.js").Finding} */
const finding = (code, text, status = /** @type {import("../diagnose.js").DiagnoseStatus} */ ("failed")) => ({ status, code, text });

/** Returns the scheme and the host of a URL. @param {string} url */
const originOf = (url) => url.split("/", 3).join("/");

/**
 * Records the origins that the page's Content-Security-Policy forbids, until the signal aborts. Returns a function that reports
 * whether it forbids the origin of a URL.
 * @param {AbortSignal} signal
 */
export function watchPolicy(signal) {
  /** @type {Set<string>} */
  const forbidden = new Set();
  const { document } = globalThis;
  (document ?? globalThis).addEventListener?.("securitypolicyviolation", (/** @type {any} */ e) => {
    if (e.effectiveDirective === "connect-src" && e.disposition === "enforce") forbidden.add(originOf(e.blockedURI));
  }, { signal });
  /** @param {string} url */
  return async (url) => {
    await new Promise((resolve) => setTimeout(resolve, 20)); // the browser fires the event in a later task
    return forbidden.has(originOf(url));
  };
}

/**
 * Checks that an endpoint answers. The requests contain no secret.
 * @param {string} url a ws:// or wss:// URL without a query
 * @param {(url: string) => Promise<boolean>} isForbidden
 * @param {Within} within
 * @param {AbortSignal} signal
 * @returns {Promise<import("./advice.js").Finding>}
 */
export async function reach(url, isForbidden, within, signal) {
  const http = url.replace("ws", "http"), { host, protocol } = new URL(http);
  /** @type {any} */
  let problem;
  // Without CORS headers, the second request shows that there is an answer, but not its clock.
  for (const mode of /** @type {const} */ (["cors", "no-cors"])) {
    const start = Date.now();
    try {
      const response = await within(fetch(http, { mode, cache: "no-store", credentials: "omit", redirect: mode === "cors" ? "manual" : "follow", signal }));
      // The header has a resolution of one second.
      return { text: `${host} answers by ${protocol.slice(0, -1).toUpperCase()}.`, skewMs: Date.parse(response.headers.get("Date") ?? "") + 500 - (start + Date.now()) / 2 };
    } catch (error) {
      signal.throwIfAborted();
      problem = error;
    }
  }
  if (globalThis.navigator?.onLine === false) return finding("ERR_OFFLINE", "The browser has no network connection.");
  const hidden = await isForbidden(http);
  // Some brokers answer no HTTP request.
  /** @type {any} */
  let socket, insecure;
  try {
    await within(new Promise((/** @type {(value?: any) => void} */ resolve, reject) => {
      socket = new WebSocket(url, "mqtt");
      socket.onopen = resolve;
      socket.onerror = socket.onclose = reject;
    }));
    return { text: `${host} opens a WebSocket.` };
  } catch (/** @type {any} */ error) {
    signal.throwIfAborted();
    // WebKit also throws this error if the policy forbids the endpoint.
    insecure = error?.name === "SecurityError";
  } finally {
    socket?.close();
  }
  if (await isForbidden(url)) return finding("ERR_CSP", "The page's Content-Security-Policy forbids the endpoint.");
  if (insecure) return finding("ERR_WEBSOCKET", "A page that was loaded by HTTPS cannot use ws:.");
  if (hidden) return finding("ERR_CSP", "The page's Content-Security-Policy forbids HTTPS requests to the endpoint, so the reason of a refusal is hidden.", "warning");
  const code = /^[A-Z_]{4,40}$/.exec(problem?.cause?.code)?.[0]; // in Node
  return finding("ERR_UNREACHABLE", `${host} cannot be reached${code ? ` (${code})` : ""}.`);
}
