// This script prints every declaration of the typings without a doc comment, and every number whose comment does
// not contain its unit.
import { read, ts } from "./declared.mjs";

// The unit in the comment of a number, by the name of the number.
const UNITS = [
  [/Ms$/, /\bmilliseconds\b/i],
  [/(expiry|expires|keepAlive|delay|timeout|interval|duration)$/i, /\bseconds\b/i],
  [/(bytes\w*|size)$/i, /\bbytes\b|\bhow many\b/i],
  [/^(timestamp|time|.*At)$/, /\b(milli)?seconds\b/i],
  [/(version|number)$/i, /\bversion\b|\bnumber\b/i],
  [/^(flags|packetId|retainHandling|id|code|start|end)$/, /\bnumber\b|\bcode\b/i],
  [/Code$/, /\bcode\b|\b16\b/i],
  [/./, /\b(how many|messages|filters|connections|which attempt|attempts)\b/i],
];

/** The text of a doc comment. */
function commentOf(node) {
  const text = node.getFullText().slice(0, node.getLeadingTriviaWidth());
  return /\/\*\*([^]*?)\*\/\s*$/.exec(text)?.[1].replace(/^\s*\* ?/gm, "").trim() ?? "";
}

for (const name of process.argv.slice(2)) {
  const { checker, file } = read(name);
  const complain = (node, problem) => {
    const { line } = file.getLineAndCharacterOfPosition(node.getStart());
    console.log(`${name}:${line + 1}: ${node.name?.getText() ?? ts.SyntaxKind[node.kind]} ${problem}`);
  };
  const visit = (node) => {
    const statement = node.parent === file ? ts.isTypeAliasDeclaration(node) || ts.isInterfaceDeclaration(node) || ts.isClassDeclaration(node)
      || ts.isFunctionDeclaration(node) || ts.isVariableStatement(node) : node.parent?.kind === ts.SyntaxKind.ModuleBlock;
    if (statement || ts.isTypeElement(node) || ts.isClassElement(node)) {
      const comment = commentOf(node);
      if (!/\w/.test(comment)) complain(node, "has no doc comment");
      if (ts.isPropertySignature(node) || ts.isPropertyDeclaration(node)) {
        const type = checker.getNonNullableType(checker.getTypeAtLocation(node));
        const [, unit] = UNITS.find(([of]) => of.test(node.name.getText()));
        if (type.flags & ts.TypeFlags.Number && !unit.test(comment)) complain(node, `is a number, and its comment has no unit: it must match ${unit}`);
      }
    }
    ts.forEachChild(node, visit);
  };
  ts.forEachChild(file, visit);
}
