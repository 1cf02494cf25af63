import { textOf } from "./http.js";
import { forbids } from "./page.js";

/**
 * Requests the address of a WebSocket by HTTP: a browser does not tell a page why a WebSocket failed.
 * @param {number} attempt
 * @param {string} url
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
    // The values so far are the result.
  }
  await new Promise((resolve) => setTimeout(resolve)); // the event of a violated policy comes in a task of its own
  return { attempt, status, code, message, offline: globalThis.navigator?.onLine === false, blocked: forbids(url.replace("http", "ws")), reported: forbids(url), skew };
}
