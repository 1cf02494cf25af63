// This file declares the part of wasm_exec.js that iot/load.js uses. The build makes wasm_exec.js from the toolchain's file.
export const stamp: string;
export function newGo(functions: unknown[]): {
  importObject: WebAssembly.Imports;
  exit(code: number): void;
  run(instance: WebAssembly.Instance): Promise<void>;
};
