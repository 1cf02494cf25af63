import { start } from "./core.js";
import { errorFrom } from "./errors.js";
import { LOAD, PRESIGN, check } from "./options.js";

export const version = "0.1.0";

let where = () => undefined; // set by the entry, which knows its own address
let loading;
let core;

export function setDefaultWasm(get) {
  where = get;
}

/** The running wasm: started at the first call, and anew after a crash or a failed download. */
export async function acquire(source, integrity) {
  if (core?.crash) core = loading = undefined;
  if (!loading) {
    const attempt = start(source ?? where(), integrity, version);
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

/** Loads the wasm ahead of the first call. Called twice, it loads once; after a failure it can be called again. */
export async function load(options) {
  const o = check(options, LOAD, "load options");
  await acquire(o.wasm, o.integrity);
}

/** The signed wss:// URL. Treat it as a secret. */
export async function presign(options) {
  const o = check(options, PRESIGN, "presign options");
  const running = await acquire();
  const result = running.call("presign", 0, {
    endpoint: o.endpoint, region: o.region, credentials: o.credentials ?? {},
    date: (o.date ?? new Date()).getTime(), expires: o.expires ?? 0,
  });
  if (result.error) throw errorFrom(result.error);
  return result.url;
}

/** Whether `topic` matches `filter`, by MQTT's rules; false where either is not valid. */
export function matches(filter, topic) {
  if (typeof filter !== "string" || typeof topic !== "string" || filter === "" || topic === "") return false;
  if (/[+#\0]/.test(topic) || filter.includes("\0")) return false;
  const share = /^\$share\/([^/]*)\/(.*)$/su.exec(filter);
  if (filter.startsWith("$share/")) {
    if (!share || share[1] === "" || share[2] === "" || /[+#]/.test(share[1])) return false;
    filter = share[2];
  }
  const f = filter.split("/");
  if (f.some((l, i) => (l.includes("#") && (l !== "#" || i < f.length - 1)) || (l.includes("+") && l !== "+"))) return false;
  const t = topic.split("/");
  if (topic.startsWith("$") && (f[0] === "+" || f[0] === "#")) return false;
  for (let i = 0; i < f.length; i++) {
    if (f[i] === "#") return true;
    if (i >= t.length || (f[i] !== "+" && f[i] !== t[i])) return false;
  }
  return f.length === t.length;
}
