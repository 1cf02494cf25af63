// Values as the source code of JavaScript.

/** A part of the source code that literal() inserts as it is. */
export class Source {
  /** @param {string} text */
  constructor(text) {
    this.text = text;
  }
}

const MAX_WIDTH = 64; // the width of an object in one line, in characters

/**
 * Returns a value as the source code of JavaScript. Members that are undefined are omitted. The code may be a part of an
 * inline script in HTML.
 * @param {unknown} value null, a boolean, a number, a text, bytes, a Date, a Source, or an array or a plain object of them
 * @returns {string}
 */
export function literal(value) {
  if (value instanceof Source) return value.text;
  if (value instanceof Date) return `new Date(${literal(value.toISOString())})`;
  if (value instanceof Uint8Array) return value.length === 0 ? "new Uint8Array()" : `Uint8Array.of(${value.join(", ")})`;
  if (Array.isArray(value)) return enclose("[", value.map(literal), "]", "");
  if (typeof value === "object" && value !== null) {
    const members = Object.entries(value).filter(([, member]) => member !== undefined).map(([name, member]) => {
      const code = literal(member);
      if (code === name) return name;
      return `${/^[A-Za-z_$][\w$]*$/.test(name) ? name : literal(name)}: ${code}`;
    });
    return enclose("{", members, "}", " ");
  }
  // An inline script ends at the first "</script", and "<!--" changes how it is parsed.
  return String(JSON.stringify(value)).replaceAll("</", "<\\/").replaceAll("<!--", "<\\!--").replaceAll("\u2028", "\\u2028").replaceAll("\u2029", "\\u2029");
}

/** Returns the parts in one line, or each in a line of its own if they are long. */
function enclose(open, parts, close, space) {
  if (parts.length === 0) return open + close;
  const line = `${open}${space}${parts.join(", ")}${space}${close}`;
  if (line.length <= MAX_WIDTH && !line.includes("\n")) return line;
  return `${open}\n${parts.map((part) => `${indent(part)},\n`).join("")}${close}`;
}

/** Returns code with more space before each line that is not empty. @param {string} code @param {string} [space] */
export const indent = (code, space = "  ") => code.replaceAll(/^(?=.)/gm, space);
