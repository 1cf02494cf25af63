import { newGo, stamp } from "../wasm_exec.js";
import { exact } from "./abi.js";
import { Core } from "./core.js";
import { IotError, iotError, messageOf, plain } from "./errors.js";

/**
 * Downloads and starts the wasm. Rejects with `ERR_LOAD`, `ERR_VERSION`, `ERR_NO_WASM` or `ERR_CSP`.
 * @param {() => any} getSource returns the option `wasm` of load()
 * @param {string | undefined} integrity the option `integrity` of load()
 */
export async function start(getSource, integrity) {
  /** @type {any[]} */
  const functions = []; // the main function of Go adds the function that calls operations
  let go, module, instance;
  try {
    if (typeof WebAssembly === "undefined") {
      throw iotError("ERR_NO_WASM", "WebAssembly is disabled", "load");
    }
    module = await compile(await getSource(), integrity);
    const wasmStamp = exact.decode(WebAssembly.Module.customSections(module, "stamp")[0]);
    if (wasmStamp !== stamp) {
      throw iotError("ERR_VERSION", `iot.js ${stamp} and iot.wasm ${wasmStamp} are different builds; clear the cache`, "load");
    }
    go = newGo(functions);
    instance = await WebAssembly.instantiate(module, go.importObject);
  } catch (error) {
    throw loadError(error);
  }
  /** @type {Core | undefined} */
  let core;
  go.exit = () => core?.crashed_("it exited");
  go.run(instance).catch((error) => core?.crashed_(error));
  return (core = new Core(instance.exports, functions[0], module));
}

/**
 * Compiles the wasm.
 * @param {any} source
 * @param {string | undefined} integrity
 * @returns {Promise<WebAssembly.Module>}
 */
async function compile(source, integrity) {
  if (source instanceof WebAssembly.Module) return source;
  let response = source;
  if (typeof source === "string" || source instanceof URL) {
    const url = new URL(source, globalThis.location?.href); // throws for a relative URL without a base
    // Node reads the file by node:fs. webpack cannot resolve an import of node:fs.
    const node = /** @type {any} */ (globalThis).process;
    const files = url.protocol === "file:" && node?.getBuiltinModule?.("node:fs/promises");
    if (files) {
      if (integrity !== undefined) throw new TypeError("integrity requires a URL that is fetched");
      return WebAssembly.compile(await files.readFile(url));
    }
    response = await fetch(url, plain({ integrity: integrity ?? "" }));
  }
  if (!response.ok) throw new TypeError(`HTTP ${response.status}`);
  if (/^application\/wasm\b/i.test(response.headers.get("Content-Type") ?? "")) return WebAssembly.compileStreaming(response);
  return WebAssembly.compile(await response.arrayBuffer());
}

/**
 * Converts an error of the download, the compilation or the start to an IotError.
 * @param {unknown} error
 */
function loadError(error) {
  if (error instanceof IotError) return error;
  const csp = error instanceof WebAssembly.CompileError && /content security policy|unsafe-eval|blocked by CSP/i.test(error.message);
  if (csp) {
    return iotError("ERR_CSP", "the page's Content-Security-Policy forbids WebAssembly; add 'wasm-unsafe-eval' to script-src", "load", false, error);
  }
  return iotError("ERR_LOAD", `iot.wasm could not be loaded: ${messageOf(error)}`, "load", true, error);
}
