import { stamp } from "../wasm_exec.js";
import { LOAD, PRESIGN, check } from "./options.js";
import { argumentError, errorFrom, plain } from "./errors.js";
import { start } from "./load.js";
import { pagePromise } from "./page.js";

export const version = "0.1.0";

/**
 * Returns the default URL of the wasm. iot.js sets it.
 * @type {() => any}
 */
let defaultWasm = () => undefined;
/** @type {import("../iot.js").LoadOptions | undefined} the options of load(), which also apply when a crash requires another load */
let loadOptions;
/** @type {Promise<any> | undefined} */
let loading;
/** @type {Awaited<ReturnType<typeof start>> | undefined} */
let core;

/**
 * Sets the default URL of the wasm.
 * @param {() => URL} getUrl
 */
export function setDefaultWasm(getUrl) {
  defaultWasm = () => {
    const url = getUrl();
    // With the build stamp as the query of an HTTP URL, a cache cannot return the wasm of another build.
    if (url.protocol[0] === "h") url.search = stamp;
    return url;
  };
}

/** Returns the running wasm. The first call loads it. A call after a crash or a failed load loads it again. */
export async function acquire() {
  if (core?.crashError_) core = loading = undefined;
  if (!loading) {
    const attempt = start(loadOptions?.wasm === undefined ? defaultWasm : () => loadOptions?.wasm, loadOptions?.integrity);
    loading = attempt;
    attempt.then(
      (started) => (core = started),
      () => {
        if (loading === attempt) loading = loadOptions = undefined;
      },
    );
  }
  return loading;
}

/**
 * Loads the wasm before the first call. iot.d.ts documents load(), presign() and matches().
 * @type {typeof import("../iot.js").load}
 */
export function load(options) {
  return pagePromise(async () => {
    const o = check(options, LOAD, "load options");
    const isUrl = o.wasm === undefined || typeof o.wasm === "string" || o.wasm instanceof URL;
    if (o.integrity !== undefined && !isUrl) throw argumentError(TypeError, "ERR_OPTION", "integrity requires a URL");
    if (!loading || core?.crashError_) loadOptions = o;
    const wasm = (await acquire()).module_;
    loadOptions = { wasm }; // after a crash, the client does not download the wasm again
    return wasm;
  });
}

/**
 * Returns a signed URL.
 * @type {typeof import("../iot.js").presign}
 */
export function presign(options) {
  return pagePromise(async () => {
    const o = check(options, PRESIGN, "presign options");
    const running = await acquire();
    const result = plain(running.call_(0, "presign", plain(o, { date: (o.date ?? new Date()).getTime() })));
    if (result.error) throw errorFrom(result.error);
    return result.url;
  });
}

/**
 * Returns whether the topic matches the topic filter (section 4.7). Returns false if either is not valid.
 * @type {typeof import("../iot.js").matches}
 */
export function matches(filter, topic) {
  if (typeof filter !== "string" || typeof topic !== "string" || !topic || /[+#\0]/.test(topic)) return false;
  if (filter.startsWith("$share/")) filter = /^\$share\/[^/+#]+\/(.*)$/su.exec(filter)?.[1] ?? "";
  const f = filter.split("/"), t = topic.split("/");
  // In a valid filter, a wildcard fills a whole level, and # is the last level.
  if (!filter || f.some((l, i) => !/^(?:\+|#|[^+#\0]*)$/.test(l) || (l === "#" && i < f.length - 1))) return false;
  if (topic.startsWith("$") && (f[0] === "+" || f[0] === "#")) return false;
  const all = f.at(-1) === "#";
  if (all) f.pop();
  return (all ? f.length <= t.length : f.length === t.length) && f.every((l, i) => l === "+" || l === t[i]);
}
