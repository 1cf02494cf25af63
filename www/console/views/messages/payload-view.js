import { diffLines, foldEqual } from "../../core/messages/diff.js";
import { base64Of, hexDump, imageTypeOf, jsonOf, sizeOf, textOf } from "../../core/payload.js";
import { button, clock, h } from "../../ui/dom.js";
import { Tagged, prettyJson, valueTree } from "./value-tree.js";

// The largest payload that is parsed as JSON or CBOR without a choice of the user, and the part of a long text that is
// shown at first, in bytes.
const MAX_PARSED = 4 << 20;
const PART = 64 << 10;
// The largest payloads that are compared.
const MAX_COMPARED = 1 << 20;

/** The names of the formats, in the order in which the page offers them. */
export const FORMATS = { json: "JSON", cbor: "CBOR", image: "Image", text: "Text", hex: "Hex", base64: "Base64", difference: "Difference" };

const lossy = new TextDecoder();

/**
 * Determines the formats of a payload.
 * @param {import("../../core/messages/messages.js").MessageRecord} record
 * @returns {Promise<{ automatic: string, available: string[], values: any }>} values contains the parsed values, by format
 */
export async function formatsOf({ payload, contentType }) {
  const values = { text: textOf(payload) };
  const available = ["text", "hex", "base64", "difference"];
  const image = imageTypeOf(payload, contentType);
  if (image) {
    values.image = image;
    available.push("image");
  }
  if (payload.length <= MAX_PARSED) {
    const json = jsonOf(values.text);
    if (json) {
      values.json = json.value;
      available.push("json");
    }
    // The first byte of an array, a map or a tag. Such bytes are no UTF-8.
    const cborType = /\bcbor\b/.test(contentType ?? "");
    if (payload.length && (cborType || (values.text === undefined && payload[0] >> 5 >= 4 && payload[0] >> 5 <= 6))) {
      const cbor = await decodeCbor(payload);
      if (cbor) {
        values.cbor = cbor.value;
        available.push("cbor");
      }
    }
  }
  const automatic = ["image", "json", "cbor"].find((format) => available.includes(format)) ?? (values.text === undefined ? "hex" : "text");
  return { automatic, available, values };
}

/** Returns { value }, or undefined if the bytes are not one value of CBOR. */
async function decodeCbor(payload) {
  const { decode } = await import("../../vendor/cbor.js");
  const tags = new Proxy({}, { get: (_, tag) => (content) => new Tagged(Number(tag), content()) });
  try {
    return { value: decode(payload, { useMaps: true, tags }) };
  } catch {
    return undefined;
  }
}

/**
 * Returns an element that shows a payload in a format.
 * @param {string} format
 * @param {import("../../core/messages/messages.js").MessageRecord} record
 * @param {any} values the result of formatsOf
 * @param {import("../../core/messages/messages.js").MessageRecord | undefined} previous the previous message of the topic
 * @param {(term: string) => void} find searches for messages with a term of the search
 * @returns {{ element: HTMLElement, release?(): void }} release frees the resources
 */
export function payloadView(format, record, values, previous, find) {
  const { payload } = record;
  switch (format) {
    case "json":
      return { element: valueTree(values.json, find) };
    case "cbor":
      return { element: valueTree(values.cbor) };
    case "image":
      return imageView(payload, values.image);
    case "hex":
      return { element: longText(payload, hexDump, "hex") };
    case "base64":
      return { element: longText(payload, base64Of) };
    case "difference":
      return { element: differenceView(record, values, previous) };
  }
  const note = values.text === undefined && h("p", { class: "small" }, "The payload is not UTF-8. Bytes that are no characters are shown as �.");
  if (payload.length === 0) return { element: h("p", { class: "dim" }, "The payload is empty.") };
  return { element: h("div", {}, note, longText(payload, (bytes) => lossy.decode(bytes))) };
}

/** Shows bytes as text: the first part, and the others after a click. */
function longText(payload, textFrom, kind = "") {
  const pre = h("pre", { class: `plain ${kind}`, tabIndex: 0, role: "region", "aria-label": "Payload" });
  const parts = h("div", {}, pre);
  // A part ends between two characters of UTF-8, and at a multiple of 3 for Base64 and of 16 for the dump.
  let end = Math.min(payload.length, PART - (PART % 48));
  if (payload.length > end && kind === "" && textFrom !== base64Of) while (end > 0 && (payload[end] & 0xc0) === 0x80) end--;
  pre.textContent = textFrom(payload.subarray(0, end));
  if (end < payload.length) {
    parts.append(h("p", { class: "row small" }, `The first ${sizeOf(end)} of ${sizeOf(payload.length)}.`, button("Show all", ({ currentTarget }) => {
      pre.textContent = textFrom(payload);
      currentTarget.parentElement.remove();
      pre.focus();
    })));
  }
  return parts;
}

function imageView(payload, type) {
  const url = URL.createObjectURL(new Blob([payload], { type }));
  const caption = h("p", { class: "small" }, type);
  const image = h("img", {
    src: url, alt: "The payload of the message",
    onload: () => (caption.textContent = `${type}, ${image.naturalWidth} × ${image.naturalHeight} pixels`),
    onerror: () => {
      image.hidden = true;
      caption.textContent = `The browser cannot show this ${type}.`;
    },
  });
  return { element: h("div", { class: "image" }, image, caption), release: () => URL.revokeObjectURL(url) };
}

/** Shows the difference to the previous message: of indented JSON, of lines of text, or of the hexadecimal dumps. */
function differenceView(record, values, previous) {
  if (!previous) return h("p", { class: "dim" }, "The history has no previous message of this topic.");
  if (record.payload.length + previous.payload.length > MAX_COMPARED) return h("p", { class: "dim" }, `Together, the payloads are larger than ${sizeOf(MAX_COMPARED)}. They are not compared.`);
  const since = h("p", { class: "small" }, `Compared with the message of ${clock(previous.time)}.`);
  const textBefore = textOf(previous.payload), jsonBefore = "json" in values ? jsonOf(textBefore) : undefined;
  const pretty = jsonBefore && [prettyJson(jsonBefore.value), prettyJson(values.json)];
  const [before, after] = pretty && !pretty.includes(undefined) ? pretty
    : textBefore !== undefined && values.text !== undefined ? [textBefore, values.text]
    : [hexDump(previous.payload), hexDump(record.payload)];
  const lines = foldEqual(diffLines(before.split("\n"), after.split("\n")));
  if (before === after) return h("div", {}, since, h("p", {}, "The payloads are equal."));
  const names = { "-": "removed", "+": "added", "=": "", "…": "fold" };
  return h("div", {}, since, h("pre", { class: "plain difference", tabIndex: 0, role: "region", "aria-label": "Difference to the previous message" }, lines.map(({ kind, text }) => {
    const line = h(kind === "-" ? "del" : kind === "+" ? "ins" : "span", { class: names[kind] });
    line.textContent = `${kind === "=" ? " " : kind} ${text}\n`;
    return line;
  })));
}
