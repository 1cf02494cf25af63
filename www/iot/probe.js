import { textOf } from "./http.js";
import { blockedByPolicy } from "./page.js";

/**
 * Requests the URL of a WebSocket by HTTP, because a browser hides from a page why a WebSocket
 * did not open. Returns the argument of the operation probed. The promise never rejects. status
 * is 0 without an answer. skew is NaN without a readable Date header.
 * @param {number} attempt
 * @param {string} url a ws:// or wss:// URL
 */
export async function probe(attempt, url) {
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
    // The result has the values that were read before the error.
  }
  await new Promise((resolve) => setTimeout(resolve)); // the browser fires securitypolicyviolation in a later task
  return { attempt, status, code, message, offline: globalThis.navigator?.onLine === false, blocked: blockedByPolicy(url.replace("http", "ws")), reported: blockedByPolicy(url), skew };
}
