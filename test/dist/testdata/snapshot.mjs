// This script runs in Node. Its arguments are the paths of two wasm_exec.js and of two modules: a program that has not
// started, and a snapshot of it. The script starts the program, with the clock and the random bytes of the snapshot, and
// continues the snapshot. It writes the memory of the started program to the last path, and prints what both have in
// JavaScript.
import { readFileSync, writeFileSync } from "node:fs";

const [programSupport, snapshotSupport, program, snapshot, memory] = process.argv.slice(2);
Object.defineProperty(globalThis, "performance", { value: { now: () => 1 } });
Object.defineProperty(globalThis, "crypto", { value: { getRandomValues: (bytes) => bytes.forEach((_, i) => (bytes[i] = i + 1)) } });

async function run(support, module) {
  const { newGo } = await import(support);
  const calls = [];
  const bridge = { push: (...args) => void calls.push(args.map((arg) => typeof arg)) };
  const go = newGo(bridge);
  const { instance } = await WebAssembly.instantiate(readFileSync(module), go.importObject);
  await go.run(instance);
  // On the page of a snapshot, empty objects replace those that only the start reads.
  const nameOf = (v) => (v === go ? "go" : v === bridge ? "bridge" : typeof v === "function" ? `function ${v.name}` : typeof v === "object" && v ? "object" : String(v));
  const values = go._values.map(nameOf);
  const ids = [...go._ids].map(([v, id]) => `${id}: ${nameOf(v)}`).filter((id) => id !== "0: NaN"); // nothing looks up NaN
  return { exports: instance.exports, js: { values, ids, counts: go._goRefCounts.map(String), free: go._idPool, calls } };
}

const started = await run(programSupport, program);
writeFileSync(memory, new Uint8Array(started.exports.mem.buffer));
const globals = Object.entries(started.exports).filter(([, value]) => value instanceof WebAssembly.Global).map(([, { value }]) => String(value));
const restored = await run(snapshotSupport, snapshot);
console.log(JSON.stringify({ globals, started: started.js, restored: restored.js }));
