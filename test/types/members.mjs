// This script prints the declarations of a file of typings as JSON:
//
//   exports  name → "class", "function", "const", "interface" or "type"
//   types    name of a class, an interface or a const → its members → { kind, optional }
//
// kind is "method", "property" or "class". A member is optional if it may be undefined. The script
// prints own and inherited members that the typings declare. It prints a member that TypeScript's
// libraries declare only if its name is a symbol. The argument is the name of the file; the default
// is iot.d.ts.
import { isOurs, read, ts } from "./declared.mjs";

const { checker, file, exports } = read(process.argv[2] ?? "iot.d.ts");

const KINDS = [
  [ts.SymbolFlags.Class, "class"], [ts.SymbolFlags.Function, "function"], [ts.SymbolFlags.Variable, "const"],
  [ts.SymbolFlags.Interface, "interface"], [ts.SymbolFlags.TypeAlias, "type"],
];

function kindOf(symbol) {
  return KINDS.find(([flag]) => symbol.flags & flag)?.[1];
}

function membersOf(type) {
  const members = {};
  for (const property of checker.getPropertiesOfType(type)) {
    const [, known] = /^__@(\w+)@/.exec(property.escapedName) ?? [];
    if (!known && !isOurs(property)) continue;
    const of = checker.getTypeOfSymbolAtLocation(property, file);
    const optional = Boolean(property.flags & ts.SymbolFlags.Optional) || (of.isUnion() && of.types.some((t) => t.flags & ts.TypeFlags.Undefined));
    const plain = checker.getNonNullableType(of);
    const only = !plain.isUnion();
    const kind = only && plain.getConstructSignatures().length > 0 ? "class" : only && plain.getCallSignatures().length > 0 ? "method" : "property";
    members[known ? `[Symbol.${known}]` : property.name] = { kind, optional: optional || known === "asyncDispose" };
  }
  return members;
}

const out = { exports: {}, types: {} };
for (let symbol of exports) {
  const { name } = symbol;
  if (symbol.flags & ts.SymbolFlags.Alias) symbol = checker.getAliasedSymbol(symbol);
  const kind = kindOf(symbol);
  out.exports[name] = kind;
  if (kind === "const") {
    const type = checker.getTypeOfSymbolAtLocation(symbol, file);
    if (type.flags & ts.TypeFlags.Object && !checker.isArrayLikeType(type)) out.types[name] = membersOf(type);
  } else if (kind === "class" || kind === "interface") {
    out.types[name] = membersOf(checker.getDeclaredTypeOfSymbol(symbol));
  }
}
console.log(JSON.stringify(out, null, 1));
