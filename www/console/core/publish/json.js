// JSON while the user types it: the position of the first error, and indentation that keeps every literal as it is
// written. JSON.parse() has no position in some browsers, and changes large numbers.
import { mask } from "./template.js";

/**
 * The first error of a text.
 * @typedef {{ message: string, at: number, line: number, column: number }} JsonProblem
 */

class Problem extends Error {
  constructor(message, at) {
    super(message);
    this.at = at;
  }
}

const SCALAR = /-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?|true|false|null/y;
const WORD = /[^\s,:{}[\]"]+/y;
const ESCAPE = /\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4})/y;

const EXPECTED = {
  value: "a value is expected",
  first: "a value or “]” is expected",
  key: "a name in double quotes is expected",
  firstKey: "a name in double quotes or “}” is expected",
  colon: "“:” is expected after the name",
  inArray: "“,” or “]” is expected",
  inObject: "“,” or “}” is expected",
  end: "the JSON value ends before this character",
};

/** Returns the position after a string that begins at a position. */
function endOfString(text, start) {
  for (let at = start + 1; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code === 0x22) return at + 1;
    if (code === 0x0a || code === 0x0d) throw new Problem("the string has no closing quote in its line", start);
    if (code < 0x20) throw new Problem("a control character in a string must be escaped, like \\t", at);
    if (code !== 0x5c) continue;
    ESCAPE.lastIndex = at;
    if (!ESCAPE.test(text)) throw new Problem("an escape sequence in the string is not valid", at);
    at = ESCAPE.lastIndex - 1;
  }
  throw new Problem("the string has no closing quote", start);
}

/** Returns the position after a number, true, false or null that begins at a position. */
function endOfScalar(text, start, expected) {
  WORD.lastIndex = start;
  const word = WORD.exec(text)?.[0] ?? "";
  SCALAR.lastIndex = start;
  if (word && SCALAR.exec(text)?.[0] === word) return start + word.length;
  if (word.startsWith("'")) throw new Problem("JSON has double quotes, not single quotes", start);
  throw new Problem(word && expected !== "end" ? `“${word.slice(0, 20)}” is no JSON value; a text needs double quotes` : EXPECTED[expected], start);
}

/**
 * Returns the positions of the tokens, as pairs of start and end. Throws a Problem.
 * @param {string} text
 */
function tokensOf(text) {
  const tokens = [], open = [];
  let expected = "value", comma = -1;
  const after = () => (open.length === 0 ? "end" : open.at(-1) === "[" ? "inArray" : "inObject");
  for (let at = 0; ; ) {
    while (at < text.length && " \t\n\r".includes(text[at])) at++;
    if (at === text.length) break;
    const c = text[at];
    let end = at + 1;
    const wantsValue = expected === "value" || expected === "first", wantsKey = expected === "key" || expected === "firstKey";
    if (wantsValue && (c === "{" || c === "[")) {
      open.push(c);
      expected = c === "{" ? "firstKey" : "first";
    } else if ((c === "]" && (expected === "first" || expected === "inArray")) || (c === "}" && (expected === "firstKey" || expected === "inObject"))) {
      open.pop();
      expected = after();
    } else if (c === "," && (expected === "inArray" || expected === "inObject")) {
      expected = expected === "inArray" ? "value" : "key";
      comma = at;
    } else if (c === ":" && expected === "colon") {
      expected = "value";
    } else if (c === '"' && (wantsValue || wantsKey)) {
      end = endOfString(text, at);
      expected = wantsKey ? "colon" : after();
    } else if ((c === "]" && expected === "value" && open.at(-1) === "[") || (c === "}" && expected === "key")) {
      throw new Problem(`remove the comma before “${c}”`, comma);
    } else if (wantsValue) {
      end = endOfScalar(text, at, expected);
      expected = after();
    } else {
      throw new Problem(EXPECTED[expected], at);
    }
    tokens.push([at, end]);
    at = end;
  }
  if (expected !== "end") throw new Problem(tokens.length ? `${EXPECTED[expected]}, but the text ends` : "the text is empty", text.length);
  return tokens;
}

/**
 * Returns the first error of a text that should be JSON, or undefined.
 * @param {string} text
 * @param {boolean} [templates] whether the text has templates
 * @returns {JsonProblem | undefined}
 */
export function jsonProblem(text, templates = false) {
  try {
    tokensOf(templates ? mask(text) : text);
    return undefined;
  } catch (error) {
    if (!(error instanceof Problem)) throw error;
    const before = text.slice(0, error.at).split("\n");
    return { message: error.message, at: error.at, line: before.length, column: before.at(-1).length + 1 };
  }
}

/**
 * Indents JSON by two spaces. Keeps numbers, strings and templates as they are written. The text must have no error.
 * @param {string} text
 * @param {boolean} [templates] whether the text has templates
 */
export function formatJson(text, templates = false) {
  let out = "", depth = 0, previous = "";
  for (const [start, end] of tokensOf(templates ? mask(text) : text)) {
    const token = text.slice(start, end);
    const closes = token === "}" || token === "]", opened = previous === "{" || previous === "[";
    if (closes) depth--;
    if ((opened && !closes) || (closes && !opened) || previous === ",") out += `\n${"  ".repeat(depth)}`;
    else if (previous === ":") out += " ";
    out += token;
    if (token === "{" || token === "[") depth++;
    previous = token;
  }
  return out;
}
