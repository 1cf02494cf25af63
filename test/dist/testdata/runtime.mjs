// This script runs in Node. Its arguments are the paths of a wasm_exec.js and of a Go program.
import { readFileSync } from "node:fs";

const [support, program] = process.argv.slice(2);
const { newGo } = await import(support);
const go = newGo({});
const { instance } = await WebAssembly.instantiate(readFileSync(program), go.importObject);
go.exit = (code) => console.log("exit code", code);
await go.run(instance);
