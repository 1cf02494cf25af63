import { stamp } from "../wasm_exec.js";
import { LOAD, PRESIGN, check } from "./options.js";
import { errorFrom, invalid, plain } from "./errors.js";
import { start } from "./load.js";
import { promised } from "./page.js";

export const version = "0.1.0";

/** @type {() => any} */
let beside = () => undefined; // the address beside iot.js, which sets it
/** @type {import("../iot.js").LoadOptions | undefined} */
let source; // the options of the last load(), for every further instance, too
/** @type {Promise<any> | undefined} */
let loading;
/** @type {Awaited<ReturnType<typeof start>> | undefined} */
let core;

/** @param {() => URL} get */
export function setDefaultWasm(get) {
  beside = () => {
    const url = get();
    if (url.protocol[0] === "h") url.search = stamp; // so that no cache answers with another build
    return url;
  };
}

/** Returns the running wasm. It starts at the first call, and again after a crash or a failed download. */
export async function acquire() {
  if (core?.crash_) core = loading = undefined;
  if (!loading) {
    const attempt = start(source?.wasm === undefined ? beside : () => source?.wasm, source?.integrity, version);
    loading = attempt;
    attempt.then(
      (started) => (core = started),
      () => {
        if (loading === attempt) loading = undefined;
      },
    );
  }
  return loading;
}

/**
 * Loads the wasm ahead of the first call. A second call waits for the same load. After a failure, the next call tries again.
 * @type {typeof import("../iot.js").load}
 */
export function load(options) {
  return promised(async () => {
    const o = check(options, LOAD, "load options");
    const address = o.wasm === undefined || typeof o.wasm === "string" || o.wasm instanceof URL;
    if (o.integrity !== undefined && !address) throw invalid(TypeError, "ERR_OPTION", "integrity needs an address");
    if (!loading || core?.crash_) source = o;
    try {
      await acquire();
    } catch (error) {
      source = undefined;
      throw error;
    }
    if (!address && source === o && !(o.wasm instanceof WebAssembly.Module)) source = undefined; // a Response can be read only once
  });
}

/**
 * Returns a signed wss:// URL. It is a secret.
 * @type {typeof import("../iot.js").presign}
 */
export function presign(options) {
  return promised(async () => {
    const o = check(options, PRESIGN, "presign options");
    const running = await acquire();
    const result = plain(running.call_(0, "presign", plain(o, { date: (o.date ?? new Date()).getTime() })));
    if (result.error) throw errorFrom(result.error);
    return result.url;
  });
}

/**
 * Returns whether the topic matches the topic filter (section 4.7), false if either is not valid.
 * @type {typeof import("../iot.js").matches}
 */
export function matches(filter, topic) {
  if (typeof filter !== "string" || typeof topic !== "string" || !topic || /[+#\0]/.test(topic)) return false;
  if (filter.startsWith("$share/")) filter = /^\$share\/[^/+#]+\/(.*)$/su.exec(filter)?.[1] ?? "";
  const f = filter.split("/"), t = topic.split("/");
  // A wildcard is a whole level, and # is the last level.
  if (!filter || f.some((l, i) => !/^(?:\+|#|[^+#\0]*)$/.test(l) || (l === "#" && i < f.length - 1))) return false;
  if (topic.startsWith("$") && (f[0] === "+" || f[0] === "#")) return false;
  const all = f.at(-1) === "#";
  if (all) f.pop();
  return (all ? f.length <= t.length : f.length === t.length) && f.every((l, i) => l === "+" || l === t[i]);
}
