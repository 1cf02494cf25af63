import { equal, event, ok, rejects } from "../expect.js";
import { instances, test } from "../suite.js";

const compiled = new Map();

/** The wasm as a WebAssembly.Module. Compiles it once. */
export async function moduleOf(place) {
  if (!compiled.has(place.place)) compiled.set(place.place, await WebAssembly.compileStreaming(fetch(`${place.site}/iot.wasm`)));
  return compiled.get(place.place);
}

test("the import does not fetch the wasm, and all later calls together fetch it once", async (place) => {
  const { load, presign } = place.api;
  const before = await place.requests("/iot.wasm");
  const made = instances.length;
  await place.fresh(); // another instance does not fetch the wasm, either
  ok(place.api.matches("a/+", "a/b"), "matches() works without the wasm");
  equal([await place.requests("/iot.wasm") - before, instances.length - made], [0, 0], "the numbers of downloads and instances after the import");
  const [first] = await Promise.all([load(), load(), presign({ ...place.options, endpoint: "x.iot.eu-west-1.amazonaws.com" })]);
  ok(first instanceof WebAssembly.Module, "load() resolves with the compiled wasm");
  await Promise.all([place.connected(), place.connected(), place.connected()]);
  await load();
  equal([await place.requests("/iot.wasm") - before, instances.length - made], [place.isNode ? 0 : 1, 1], "the numbers of downloads and instances after all calls"); // Node reads the file
});

test("load can be called again after a failure, checks the integrity and accepts any media type", async (place) => {
  const { load, presign } = await place.fresh();
  const failed = await rejects(load({ wasm: `${place.site}/nothing/iot.wasm` }), { name: "IotError", code: "ERR_LOAD", includes: "404" });
  equal([failed.phase, failed.retryable], ["load", true]);
  await rejects(load({ wasm: await fetch(`${place.site}/nothing/iot.wasm`) }), { name: "IotError", code: "ERR_LOAD", includes: "404" });
  await rejects(load({ wasm: new URL("/iot.js", place.site) }), { name: "IotError", code: "ERR_LOAD" });
  const wasm = `${place.site}/wrong-type/iot.wasm`;
  const integrity = "sha256-AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";
  await rejects(load({ wasm, integrity }), { name: "IotError", code: "ERR_LOAD" });
  await rejects(load({ integrity }), { name: "IotError", code: "ERR_LOAD" });
  await load({ wasm, integrity: place.integrity });
  ok((await presign({ ...place.options, endpoint: "x.iot.eu-west-1.amazonaws.com" })).startsWith("wss://"), "the wasm works");
});

test("load accepts a WebAssembly.Module", async (place) => {
  const { load, IotClient } = await place.fresh();
  await load({ wasm: await moduleOf(place) });
  const client = place.keep(new IotClient());
  await client.connect(place.options);
  equal(client.state, "connected");
});

test("a client of a worker uses the module of the page, without a request for the wasm", async (place) => {
  const { load } = place.api;
  const module = await load();
  ok((await load({ wasm: module })) === module, "a second load() resolves with the same module");
  if (place.place !== "window") return; // a SharedWorker, a sandboxed frame and Node cannot start this worker
  const before = await place.requests("/iot.wasm");
  const worker = new Worker("/places/entry/with-module.js", { type: "module" });
  try {
    const reply = event(worker, "message");
    const failed = event(worker, "error");
    worker.postMessage({ module, options: { ...place.options, clientId: place.clientId() } });
    const { data } = await Promise.race([reply, failed.then(({ message }) => Promise.reject(new Error(message)))]);
    equal(data, { state: "connected" });
  } finally {
    worker.terminate();
  }
  equal(await place.requests("/iot.wasm") - before, 0, "the number of downloads");
});

test("load accepts a promise of a Response", async (place) => {
  const { load } = await place.fresh();
  await load({ wasm: fetch(`${place.site}/iot.wasm`) });
});

test("load rejects invalid options", async ({ api: { load } }) => {
  await rejects(load({ wasm: 5 }), { name: "TypeError", code: "ERR_OPTION", includes: "wasm" });
  await rejects(load({ wasn: "x" }), { name: "TypeError", code: "ERR_OPTION", includes: "did you mean wasm?" });
  await rejects(load({ wasm: new Response(""), integrity: "sha256-x" }), { name: "TypeError", code: "ERR_OPTION", includes: "integrity" });
});
