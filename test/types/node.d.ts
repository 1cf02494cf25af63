// What iot/core.js takes from Node, where it runs there.
declare module "node:fs/promises" {
  export function readFile(path: URL): Promise<ArrayBuffer>;
}
