// This module reads the typings in www/ with the API of the compiler.
import { createRequire } from "node:module";
import { fileURLToPath } from "node:url";

const ts = createRequire(new URL("../npm/", import.meta.url))("typescript-2023");
const www = fileURLToPath(new URL("../../www/", import.meta.url));

export { ts };

/** Compiles a file of typings. Returns { program, checker, file, exports }; `exports` are the symbols that the file exports. */
export function read(name) {
  const path = www + name;
  const lib = ["lib.es2022.d.ts", "lib.esnext.disposable.d.ts", "lib.dom.d.ts"];
  const program = ts.createProgram([path], { strict: true, types: [], lib, target: ts.ScriptTarget.ES2022, module: ts.ModuleKind.ES2022, moduleResolution: ts.ModuleResolutionKind.Bundler });
  const checker = program.getTypeChecker();
  const file = program.getSourceFile(path);
  const symbol = checker.getSymbolAtLocation(file);
  return { program, checker, file, exports: symbol ? checker.getExportsOfModule(symbol) : [] };
}

/** Whether www/ contains one of the symbol's declarations. */
export function isOurs(symbol) {
  return Boolean(symbol.declarations?.some((d) => d.getSourceFile().fileName.startsWith(www.replaceAll("\\", "/"))));
}
