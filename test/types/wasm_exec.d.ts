// What iot/core.js takes from wasm_exec.js, which the toolchain brings.
export const stamp: string;
export function newGo(iotBridge: object): {
  importObject: WebAssembly.Imports;
  exit(code: number): void;
  run(instance: WebAssembly.Instance): Promise<void>;
};
