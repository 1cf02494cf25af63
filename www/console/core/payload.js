// Texts of payloads.

const strict = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

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
