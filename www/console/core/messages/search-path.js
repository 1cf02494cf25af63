// Paths into JSON values, like: status.values[0].t, ["a key"].x, items[*].id

/** A key that stands for every element of an array and every member of an object. */
export const ANY = Symbol("any");

/**
 * Reads a path at the beginning of a text. The path ends at the first character that cannot belong to it.
 * @param {string} text
 * @returns {{ keys: (string | number | symbol)[], length: number }} length is the number of characters of the path
 */
export function readPath(text) {
  const keys = [];
  let at = 0;
  for (;;) {
    const rest = text.slice(at);
    const name = /^\.?([^\s.[\]"=<>!~]+)/.exec(rest), index = /^\[(\d+|\*)\]/.exec(rest), quoted = /^\[("(?:[^"\\]|\\.)*")\]/.exec(rest);
    const found = index ?? quoted ?? (name && (at > 0) === rest.startsWith(".") ? name : null);
    if (!found) return { keys, length: at };
    if (index) keys.push(index[1] === "*" ? ANY : Number(index[1]));
    else if (quoted) keys.push(unquote(quoted[1]));
    else keys.push(found[1] === "*" ? ANY : found[1]);
    at += found[0].length;
  }
}

/** Returns the text in a quoted string. A backslash stands before a quote or a backslash. */
export function unquote(text) {
  return text.slice(1, -1).replaceAll(/\\(.)/gs, "$1");
}

/** Returns the keys of a path, or undefined if the text is not a path. @param {string} text */
export function parsePath(text) {
  const { keys, length } = readPath(text);
  return length === text.length && length > 0 ? keys : undefined;
}

/** Returns the text of a path. @param {readonly (string | number | symbol)[]} keys */
export function pathText(keys) {
  return keys.map((key, i) => {
    if (key === ANY) return "[*]";
    if (typeof key === "number") return `[${key}]`;
    const name = String(key);
    if (/^[^\s.[\]"=<>!~*]+$/.test(name)) return i ? `.${name}` : name;
    return `["${name.replaceAll(/["\\]/g, "\\$&")}"]`;
  }).join("");
}

/**
 * Returns whether a test is true for a value at a path of a JSON value.
 * @param {any} value
 * @param {readonly (string | number | symbol)[]} keys
 * @param {(value: any) => boolean} test
 * @param {number} [from] the index of the first key
 */
export function someAt(value, keys, test, from = 0) {
  for (let i = from; i < keys.length; i++) {
    if (value === null || typeof value !== "object") return false;
    const key = keys[i];
    if (key === ANY) return Object.values(value).some((member) => someAt(member, keys, test, i + 1));
    if (!Object.hasOwn(value, key)) return false;
    value = value[key];
  }
  return test(value);
}
