// The numbers in payloads.

// A payload with more members offers the first ones only.
const MAX_PATHS = 100;
const MAX_DEPTH = 8;
// A text that is longer is no number.
const MAX_TEXT = 40;

const decoder = new TextDecoder();

/** Returns the value of a payload: that of its JSON, or the number that its text is, or undefined. @param {Uint8Array} payload */
export function valueOf(payload) {
  const text = decoder.decode(payload);
  try {
    return JSON.parse(text);
  } catch {
    const number = text.length <= MAX_TEXT && text.trim() !== "" ? Number(text) : NaN;
    return Number.isFinite(number) ? number : undefined;
  }
}

/** Returns a value as a finite number to show in a chart: true is 1 and false is 0. Returns NaN for other values. */
function asNumber(value) {
  return typeof value === "boolean" ? Number(value) : Number.isFinite(value) ? value : NaN;
}

/**
 * Returns the number at a path of a value, or NaN.
 * @param {any} value
 * @param {readonly (string | number)[]} keys
 */
export function numberAt(value, keys) {
  for (const key of keys) {
    if (value === null || typeof value !== "object" || !Object.hasOwn(value, key)) return NaN;
    value = value[key];
  }
  return asNumber(value);
}

/**
 * Returns the numbers in a payload with their paths. A payload that is a number has one with an empty path.
 * @param {Uint8Array} payload
 * @returns {{ keys: (string | number)[], number: number }[]}
 */
export function numbersOf(payload) {
  const found = [];
  const visit = (value, keys) => {
    if (found.length >= MAX_PATHS || keys.length > MAX_DEPTH) return;
    if (Array.isArray(value)) value.forEach((member, i) => i < MAX_PATHS && visit(member, [...keys, i]));
    else if (value !== null && typeof value === "object") for (const key of Object.keys(value)) visit(value[key], [...keys, key]);
    else if (!Number.isNaN(asNumber(value))) found.push({ keys, number: asNumber(value) });
  };
  visit(valueOf(payload), []);
  return found;
}
