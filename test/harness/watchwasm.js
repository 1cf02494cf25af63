// This script sets globalThis.wasm to the exports of the newest WebAssembly instance of the page.
{
  const { instantiate } = WebAssembly;
  WebAssembly.instantiate = async (...args) => {
    const result = await instantiate.apply(WebAssembly, args);
    globalThis.wasm = (result.instance ?? result).exports;
    return result;
  };
}
