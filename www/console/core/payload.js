// Texts of payloads.

const strict = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
const decoder = new TextDecoder();

/** Returns bytes as text, or undefined if they are not UTF-8. @param {Uint8Array} bytes */
export function textOf(bytes) {
  try {
    return strict.decode(bytes);
  } catch {
    return undefined;
  }
}

/** Returns bytes in hexadecimal, like "0a ff". @param {Uint8Array} bytes */
export function hexOf(bytes) {
  return Array.from(bytes, (b) => b.toString(16).padStart(2, "0")).join(" ");
}

/** Returns bytes in Base64. @param {Uint8Array} bytes */
export function base64Of(bytes) {
  if (bytes.toBase64) return bytes.toBase64();
  let text = "";
  for (let i = 0; i < bytes.length; i += 0x8000) text += String.fromCharCode(...bytes.subarray(i, i + 0x8000));
  return btoa(text);
}

/** Returns the bytes of a Base64 text. Throws if the text is not valid. @param {string} text */
export function bytesOfBase64(text) {
  return Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
}

/**
 * Returns { value } with the value of a JSON text, or undefined if the text is not JSON. An integer that a number cannot
 * represent becomes a BigInt, if the browser gives access to its digits.
 * @param {string | undefined} text
 */
export function jsonOf(text) {
  if (text === undefined) return undefined;
  try {
    const value = JSON.parse(text);
    return { value: /\d{16}/.test(text) ? exactIntegers(text, value) : value };
  } catch {
    return undefined;
  }
}

function exactIntegers(text, value) {
  try {
    return JSON.parse(text, (_, member, /** @type {any} */ context) => {
      const exact = typeof member === "number" && !Number.isSafeInteger(member) && /^-?\d+$/.test(context?.source ?? "");
      return exact ? BigInt(context.source) : member;
    });
  } catch {
    return value; // the document is too deep for a reviver
  }
}

const MAGIC = [
  ["image/png", [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]],
  ["image/jpeg", [0xff, 0xd8, 0xff]],
  ["image/gif", [0x47, 0x49, 0x46, 0x38]],
];

/** Returns the media type of an image that the browser can show, by its first bytes or the content type; undefined for other payloads. */
export function imageTypeOf(bytes, contentType = "") {
  const starts = (magic, at = 0) => bytes.length >= at + magic.length && magic.every((b, i) => bytes[at + i] === b);
  const known = MAGIC.find(([, magic]) => starts(magic));
  if (known) return known[0];
  if (starts([0x52, 0x49, 0x46, 0x46]) && starts([0x57, 0x45, 0x42, 0x50], 8)) return "image/webp";
  if (/^\s*(?:<\?xml[^>]*>\s*)?(?:<!--[^]*?-->\s*)?(?:<!DOCTYPE[^>]*>\s*)?<svg[\s>]/.test(decoder.decode(bytes.subarray(0, 1024)))) return "image/svg+xml";
  const [type] = contentType.toLowerCase().split(";");
  return /^image\/(?:png|jpeg|gif|webp|avif|bmp|svg\+xml)$/.test(type) && bytes.length ? type : undefined;
}

/** Returns a dump of bytes: in each line the offset, 16 bytes in hexadecimal, and the same bytes as ASCII. @param {Uint8Array} bytes */
export function hexDump(bytes) {
  const lines = [];
  for (let at = 0; at < bytes.length; at += 16) {
    const row = bytes.subarray(at, at + 16);
    const ascii = String.fromCharCode(...row.map((b) => (b < 0x20 || b > 0x7e ? 0x2e : b)));
    lines.push(`${at.toString(16).padStart(8, "0")}  ${hexOf(row.subarray(0, 8)).padEnd(23)}  ${hexOf(row.subarray(8)).padEnd(23)}  ${ascii}`);
  }
  return lines.join("\n");
}

/** Returns the beginning of a payload in one line, for a list. @param {Uint8Array} bytes @param {number} [length] the maximum number of characters */
export function previewOf(bytes, length = 200) {
  const part = bytes.subarray(0, length * 4);
  const text = textOf(bytes.length > part.length ? part.subarray(0, wholeCharacters(part)) : part);
  const line = text === undefined ? hexOf(part.subarray(0, length / 3)) : text.replaceAll(/\s+/g, " ");
  return line.length > length || part.length < bytes.length ? `${line.slice(0, length)}…` : line;
}

/** Returns the length of the part of UTF-8 that ends before an incomplete character. */
function wholeCharacters(bytes) {
  let n = bytes.length;
  while (n > 0 && (bytes[n - 1] & 0xc0) === 0x80) n--;
  return n > 0 && bytes[n - 1] >= 0xc0 ? n - 1 : bytes.length;
}

/** Returns a size as text, like "1.5 KiB". @param {number} bytes */
export function sizeOf(bytes) {
  if (bytes < 1024) return `${bytes} B`;
  const units = ["KiB", "MiB", "GiB"];
  let value = bytes / 1024, unit = 0;
  while (value >= 1024 && unit < units.length - 1) [value, unit] = [value / 1024, unit + 1];
  return `${value < 10 ? value.toFixed(1) : Math.round(value)} ${units[unit]}`;
}
