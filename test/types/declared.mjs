// Reads the typings in www/ with the compiler's own API.
import { createRequire } from "node:module";
import { fileURLToPath } from "node:url";

const ts = createRequire(new URL("../npm/", import.meta.url))("typescript-2023");
const www = fileURLToPath(new URL("../../www/", import.meta.url));

export { ts };

/** The program of one file of typings, and what that file exports: { program, checker, file, exports }. */
export function read(name) {
  const path = www + name;
  const lib = ["lib.es2022.d.ts", "lib.esnext.disposable.d.ts", "lib.dom.d.ts"];
  const program = ts.createProgram([path], { strict: true, types: [], lib, target: ts.ScriptTarget.ES2022, module: ts.ModuleKind.ES2022, moduleResolution: ts.ModuleResolutionKind.Bundler });
  const checker = program.getTypeChecker();
  const file = program.getSourceFile(path);
  const symbol = checker.getSymbolAtLocation(file);
  return { program, checker, file, exports: symbol ? checker.getExportsOfModule(symbol) : [] };
}

/** Whether one of the symbol's declarations stands in www/. */
export function isOurs(symbol) {
  return Boolean(symbol.declarations?.some((d) => d.getSourceFile().fileName.startsWith(www.replaceAll("\\", "/"))));
}
