// Functions of the state of a shadow, without a connection.

/** The largest size of the sections desired and reported together, in bytes. Source: AWS IoT Core quotas, "Maximum size of a JSON state document". */
export const MAX_STATE = 8 << 10;

/** A key or an index on the way to a value. @typedef {(string | number)[]} Path */
/** A difference of two states. @typedef {{ path: Path, kind: "added" | "removed" | "changed", before: unknown, after: unknown }} Change */

/** Whether a value is a JSON object. @param {unknown} value @returns {value is Record<string, any>} */
export const isObject = (value) => typeof value === "object" && value !== null && !Array.isArray(value);

/** Whether two JSON values are equal. @param {any} a @param {any} b @returns {boolean} */
export function equal(a, b) {
  if (Array.isArray(a) && Array.isArray(b)) return a.length === b.length && a.every((value, i) => equal(value, b[i]));
  if (!isObject(a) || !isObject(b)) return a === b;
  const keys = Object.keys(a);
  return keys.length === Object.keys(b).length && keys.every((key) => Object.hasOwn(b, key) && equal(a[key], b[key]));
}

/** Returns an object without inherited members, so that the key "__proto__" is a key like any other. */
const plain = (entries) => entries.reduce((object, [key, value]) => Object.defineProperty(object, key, { value, enumerable: true, configurable: true, writable: true }), {});

/**
 * Returns the update that changes a section into another one. A member that is null removes the key. An array is replaced as
 * a whole. Returns undefined if the sections are equal.
 * @param {any} before
 * @param {any} after
 */
export function patchOf(before, after) {
  const from = before ?? {}, to = after ?? {};
  const entries = [];
  for (const key of Object.keys(from)) if (!Object.hasOwn(to, key)) entries.push([key, null]);
  for (const [key, value] of Object.entries(to)) {
    const old = Object.hasOwn(from, key) ? from[key] : undefined;
    if (equal(old, value)) continue;
    entries.push([key, isObject(old) && isObject(value) ? patchOf(old, value) : value]);
  }
  return entries.length ? plain(entries) : undefined;
}

/**
 * Returns the update that sets one value of a section, or removes it if the value is undefined. A value in an array needs
 * the whole array.
 * @param {any} section
 * @param {Path} path
 * @param {unknown} value
 */
export function patchAt(section, path, value) {
  const [key, ...rest] = path;
  const child = section?.[key];
  if (rest.length === 0) return plain([[key, value === undefined ? null : value]]);
  return plain([[key, Array.isArray(child) ? replaceIn(child, rest, value) : patchAt(child, rest, value)]]);
}

/** Returns a copy of a value in which one part is replaced or removed. @param {any} value @param {Path} path @param {unknown} part */
function replaceIn(value, path, part) {
  if (path.length === 0) return part;
  const copy = structuredClone(value), [key, ...rest] = path;
  if (rest.length || part !== undefined) copy[key] = replaceIn(copy[key], rest, part);
  else if (Array.isArray(copy)) copy.splice(Number(key), 1);
  else delete copy[key];
  return copy;
}

/**
 * Returns the differences of two states. Arrays are compared as a whole.
 * @param {any} before
 * @param {any} after
 * @param {Path} [path]
 * @returns {Change[]}
 */
export function changesOf(before, after, path = []) {
  if (equal(before, after)) return [];
  if (path.length === 0 || (isObject(before) && isObject(after))) {
    const keys = new Set([...Object.keys(before ?? {}), ...Object.keys(after ?? {})]);
    const own = (object, key) => (isObject(object) && Object.hasOwn(object, key) ? object[key] : undefined);
    return [...keys].flatMap((key) => changesOf(own(before, key), own(after, key), [...path, key]));
  }
  return [{ path, kind: before === undefined ? "added" : after === undefined ? "removed" : "changed", before, after }];
}

/** Returns a path as text, like desired.colour or desired["my key"][0]. @param {Path} path */
export function pathText(path) {
  return path.map((key, i) => (typeof key === "number" ? `[${key}]` : /^[\w$-]+$/.test(key) ? `${i ? "." : ""}${key}` : `[${JSON.stringify(key)}]`)).join("");
}

/** Returns a value as JSON in one line of at most some characters. @param {unknown} value */
export function valueText(value, length = 60) {
  const text = JSON.stringify(value) ?? "nothing";
  return text.length > length ? `${text.slice(0, length)}…` : text;
}

/** Returns a difference as text. @param {Change} change */
export function changeText({ path, kind, before, after }) {
  const name = pathText(path);
  if (kind === "added") return `${name}: ${valueText(after)} added`;
  if (kind === "removed") return `${name} removed`;
  return `${name}: ${valueText(before)} → ${valueText(after)}`;
}

/** Returns the size that AWS IoT limits: the two sections as JSON without white space, in bytes. */
export function stateSize({ desired, reported }) {
  return [desired, reported].reduce((sum, section) => sum + (section === undefined ? 0 : new TextEncoder().encode(JSON.stringify(section)).length), 0);
}

/**
 * Returns the time of the last change at a path, in seconds since 1970, or undefined if the metadata has none.
 * @param {any} metadata the metadata of a section
 * @param {Path} path
 */
export function timeAt(metadata, path) {
  let node = metadata;
  for (const key of path) node = Object(node)[key];
  return newest(node);
}

/** @param {any} node @returns {number | undefined} */
function newest(node) {
  if (Object(node) !== node) return undefined;
  if (!Array.isArray(node) && typeof node.timestamp === "number") return node.timestamp;
  const times = Object.values(node).map(newest).filter((time) => time !== undefined);
  return times.length ? times.reduce((a, b) => Math.max(a, b)) : undefined;
}

/**
 * Parses the text of a section. Throws an error with the reason if AWS IoT would not accept it.
 * @param {string} text
 */
export function parseSection(text) {
  let value;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new Error(`This is not JSON: ${error.message}`);
  }
  if (!isObject(value)) throw new Error("A section must be a JSON object, like {\"on\": true}.");
  checkValue(value);
  return value;
}

/** Throws an error if a value cannot be a part of a shadow. @param {any} value @param {boolean} [inArray] */
export function checkValue(value, inArray = false) {
  if (value === null && inArray) throw new Error("AWS IoT accepts no null in an array.");
  if (typeof value === "object" && value !== null) for (const child of Object.values(value)) checkValue(child, inArray || Array.isArray(value));
}

/**
 * Returns the value that a user has typed: JSON, or else a text.
 * @param {string} text
 */
export function typedValue(text) {
  let value;
  try {
    value = JSON.parse(text);
  } catch (error) {
    if (/^\s*["[{]/.test(text)) throw new Error(`This is not JSON: ${error.message}`);
    return text;
  }
  checkValue(value);
  return value;
}
