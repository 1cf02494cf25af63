// This script sets globalThis.wasm to the exports of the newest WebAssembly instance of the page.
{
  const { instantiateStreaming } = WebAssembly;
  WebAssembly.instantiateStreaming = async (...args) => {
    const result = await instantiateStreaming.apply(WebAssembly, args);
    globalThis.wasm = result.instance.exports;
    return result;
  };
}
