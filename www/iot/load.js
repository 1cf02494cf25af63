import { newGo, stamp } from "../wasm_exec.js";
import { Core } from "./core.js";
import { IotError, wordsOf } from "./errors.js";

/**
 * Downloads and starts the wasm. `version` is that of the JavaScript.
 * @param {() => any} where
 * @param {string | undefined} integrity
 * @param {string} version
 */
export async function start(where, integrity, version) {
  /** @type {any} */
  const bridge = { effects: [], call: undefined, version: undefined, crash: undefined };
  let go, instance;
  try {
    if (typeof WebAssembly === "undefined") {
      throw new IotError("this browser has WebAssembly switched off", { code: "ERR_NO_WASM", phase: "load" });
    }
    go = newGo(bridge);
    instance = await instantiate(await where(), integrity, go.importObject);
  } catch (error) {
    throw loadError(error);
  }
  const core = new Core(instance.exports, bridge);
  go.exit = () => core.crashed("the Go program has ended");
  go.run(instance).catch((error) => core.crashed(wordsOf(error)));
  if (bridge.version !== stamp || !stamp.startsWith(`${version}+`)) {
    throw new IotError(
      `iot.js ${stamp} and iot.wasm ${bridge.version} are not of one build: run "make wasm", or clear the cache`,
      { code: "ERR_VERSION", phase: "load" },
    );
  }
  return core;
}

/** @param {any} source @param {string | undefined} integrity @param {WebAssembly.Imports} imports */
async function instantiate(source, integrity, imports) {
  if (source instanceof WebAssembly.Module) return WebAssembly.instantiate(source, imports);
  let response = source;
  if (typeof source === "string" || source instanceof URL) {
    const url = new URL(source, globalThis.location?.href); // throws where a classic script does not know its own
    // Not import("node:fs/promises"): webpack would look for that module, and fail.
    const node = /** @type {any} */ (globalThis).process;
    const files = url.protocol === "file:" && node?.getBuiltinModule?.("node:fs/promises");
    if (files) {
      if (integrity !== undefined) throw new TypeError("integrity is for what is fetched");
      return (await WebAssembly.instantiate(await files.readFile(url), imports)).instance;
    }
    response = await fetch(url, { integrity: integrity ?? "" });
  }
  if (!response.ok) {
    throw new IotError(`iot.wasm could not be loaded: HTTP ${response.status}`, { code: "ERR_LOAD", phase: "load", retryable: true });
  }
  if (/^application\/wasm\b/i.test(response.headers.get("Content-Type") ?? "")) {
    return (await WebAssembly.instantiateStreaming(response, imports)).instance;
  }
  return (await WebAssembly.instantiate(await response.arrayBuffer(), imports)).instance;
}

/** @param {unknown} error */
function loadError(error) {
  if (error instanceof IotError) return error;
  const csp = error instanceof WebAssembly.CompileError && /content security policy|unsafe-eval|blocked by CSP/i.test(error.message);
  if (csp) {
    return new IotError("the page's Content-Security-Policy forbids WebAssembly; add 'wasm-unsafe-eval' to its script-src", {
      code: "ERR_CSP", phase: "load", cause: error,
    });
  }
  return new IotError(`iot.wasm could not be loaded: ${wordsOf(error)}`, { code: "ERR_LOAD", phase: "load", retryable: true, cause: error });
}
