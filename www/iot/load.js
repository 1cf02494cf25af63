import { newGo, stamp } from "../wasm_exec.js";
import { Core } from "./core.js";
import { IotError, failed, plain, wordsOf } from "./errors.js";

/**
 * Downloads and starts the wasm. `version` is that of the JavaScript.
 * @param {() => any} where
 * @param {string | undefined} integrity
 * @param {string} version
 */
export async function start(where, integrity, version) {
  let running = "";
  /** @type {any} */
  let operation;
  // Go calls start() while it starts, with its version and the function for operations.
  const bridge = plain({
    /** @param {string} v @param {any} f */
    start(v, f) {
      running = v;
      operation = f;
    },
  });
  let go, instance;
  try {
    if (typeof WebAssembly === "undefined") {
      throw failed("ERR_NO_WASM", "WebAssembly is disabled", "load");
    }
    go = newGo(bridge);
    instance = await instantiate(await where(), integrity, go.importObject);
  } catch (error) {
    throw loadError(error);
  }
  /** @type {Core | undefined} */
  let core;
  go.exit = () => core?.crashed_("it has ended");
  go.run(instance).catch((error) => core?.crashed_(error));
  if (running !== stamp || !stamp.startsWith(`${version}+`)) {
    throw failed("ERR_VERSION", `iot.js ${stamp} and iot.wasm ${running} are of different builds; clear the cache`, "load");
  }
  return (core = new Core(instance.exports, operation));
}

/** @param {any} source @param {string | undefined} integrity @param {WebAssembly.Imports} imports */
async function instantiate(source, integrity, imports) {
  if (source instanceof WebAssembly.Module) return WebAssembly.instantiate(source, imports);
  let response = source, bytes;
  if (typeof source === "string" || source instanceof URL) {
    const url = new URL(source, globalThis.location?.href); // throws where a classic script has no address
    // webpack would fail to find the module of import("node:fs/promises").
    const node = /** @type {any} */ (globalThis).process;
    const files = url.protocol === "file:" && node?.getBuiltinModule?.("node:fs/promises");
    if (files) {
      if (integrity !== undefined) throw new TypeError("integrity needs an address that is fetched");
      bytes = await files.readFile(url);
    } else response = await fetch(url, plain({ integrity: integrity ?? "" }));
  }
  if (!bytes) {
    if (!response.ok) throw new TypeError(`HTTP ${response.status}`);
    if (/^application\/wasm\b/i.test(response.headers.get("Content-Type") ?? "")) {
      return (await WebAssembly.instantiateStreaming(response, imports)).instance;
    }
    bytes = await response.arrayBuffer();
  }
  return (await WebAssembly.instantiate(bytes, imports)).instance;
}

/** @param {unknown} error */
function loadError(error) {
  if (error instanceof IotError) return error;
  const csp = error instanceof WebAssembly.CompileError && /content security policy|unsafe-eval|blocked by CSP/i.test(error.message);
  if (csp) {
    return failed("ERR_CSP", "the page's Content-Security-Policy forbids WebAssembly; add 'wasm-unsafe-eval' to its script-src", "load", false, error);
  }
  return failed("ERR_LOAD", `iot.wasm could not be loaded: ${wordsOf(error)}`, "load", true, error);
}
