// Messages as JSON lines and CSV.
import { base64Of, bytesOfBase64, textOf } from "../payload.js";

// The size of a part of a Blob, in characters, and the duration of a slice in milliseconds.
const PART = 1 << 20;
const SLICE_MS = 12;
// The longest line of an imported file, in characters: more than the largest packet of MQTT in Base64.
const MAX_LINE = 400 << 20;

const encoder = new TextEncoder();

/** Lets the page draw frames and handle events. */
const pause = () => new Promise((resolve) => setTimeout(resolve));

/**
 * Returns a record as a line of JSON. A payload that is not UTF-8 is the member payloadBase64 instead of payload.
 * @param {import("./messages.js").MessageRecord} record
 * @param {(id: number) => string | undefined} filterOf returns the filter of a subscription
 */
export function lineOf(record, filterOf) {
  const text = textOf(record.payload);
  return JSON.stringify({
    time: new Date(record.time).toISOString(),
    topic: record.topic,
    [text === undefined ? "payloadBase64" : "payload"]: text ?? base64Of(record.payload),
    qos: record.qos,
    retain: record.retain,
    duplicate: record.duplicate || undefined,
    utf8: record.utf8 || undefined,
    contentType: record.contentType,
    responseTopic: record.responseTopic,
    correlationDataBase64: record.correlationData && base64Of(record.correlationData),
    messageExpiry: record.messageExpiry,
    userProperties: record.userProperties.length ? record.userProperties : undefined,
    filters: record.subscriptions.map(filterOf).filter(Boolean),
  });
}

const COLUMNS = ["time", "topic", "payload", "encoding", "qos", "retain", "duplicate", "utf8", "contentType", "responseTopic", "correlationData", "messageExpiry", "userProperties", "filters"];

/** Returns a record as a line of CSV (RFC 4180). The column encoding states whether the payload is text or Base64. */
function csvOf(record, filterOf) {
  const text = textOf(record.payload);
  return [
    new Date(record.time).toISOString(), record.topic, text ?? base64Of(record.payload), text === undefined ? "base64" : "utf-8", record.qos, record.retain, record.duplicate, record.utf8,
    record.contentType, record.responseTopic, record.correlationData && base64Of(record.correlationData), record.messageExpiry,
    record.userProperties.length ? JSON.stringify(record.userProperties) : "", record.subscriptions.map(filterOf).filter(Boolean).join(" "),
  ].map(cell).join(",");
}

/**
 * Returns a value as a cell. A text that a spreadsheet would evaluate as a formula gets an apostrophe, because anybody who
 * may publish could write the formula. Numbers stay as they are.
 */
export function cell(value) {
  let text = value === undefined ? "" : String(value);
  if (/^[=+\-@\t\r]/.test(text) && !/^[+-]?[\d.]+(?:e[+-]?\d+)?$/i.test(text)) text = `'${text}`;
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

/**
 * Returns a Blob with records. It works in slices, so that the page stays responsive.
 * @param {"jsonl" | "csv"} format
 * @param {import("./messages.js").MessageRecord[]} records
 * @param {(id: number) => string | undefined} filterOf
 * @param {(done: number) => void} [progress] receives the part that is done, from 0 to 1
 */
export async function exportRecords(format, records, filterOf, progress = () => {}) {
  const type = format === "csv" ? "text/csv" : "application/jsonl";
  const write = format === "csv" ? csvOf : lineOf, end = format === "csv" ? "\r\n" : "\n";
  /** @type {BlobPart[]} */
  const parts = format === "csv" ? [COLUMNS.join(",") + end] : [];
  let part = "", start = performance.now();
  for (let i = 0; i < records.length; i++) {
    part += write(records[i], filterOf) + end;
    // The browser may store a Blob outside of the memory of the page.
    if (part.length > PART) parts.push(new Blob([part])), (part = "");
    if (performance.now() - start > SLICE_MS) {
      progress(i / records.length);
      await pause();
      start = performance.now();
    }
  }
  return new Blob([...parts, part], { type });
}

/** The error of a file that is not valid. */
export class ImportError extends Error {
  code = "";
}

/**
 * Reads a file of JSON lines, and calls add for each message. Empty lines are ignored. Rejects with an ImportError at the
 * first line that is not valid; the messages before it have been added.
 * @param {Blob} file
 * @param {(message: any, time: number) => void} add
 * @param {(done: number) => void} [progress]
 * @returns {Promise<number>} the number of messages
 */
export async function importLines(file, add, progress = () => {}) {
  const reader = file.stream().pipeThrough(new TextDecoderStream("utf-8", { fatal: true })).getReader();
  let rest = "", line = 0, count = 0, read = 0, start = performance.now();
  const take = (text) => {
    line++;
    if (!text.trim()) return;
    const { message, time } = messageOf(text, line);
    add(message, time);
    count++;
  };
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) break;
      const lines = (rest + value).split("\n");
      rest = /** @type {string} */ (lines.pop());
      if (rest.length > MAX_LINE) throw new ImportError(`line ${line + 1} is too long`);
      for (const text of lines) {
        take(text);
        if (performance.now() - start < SLICE_MS) continue;
        progress(Math.min(1, read / file.size));
        await pause();
        start = performance.now();
      }
      read += value.length;
    }
    take(rest);
  } catch (error) {
    reader.cancel().catch(() => {});
    throw error instanceof TypeError ? new ImportError(`after line ${line}: the file is not UTF-8`) : error;
  }
  return count;
}

/** Returns the message in a line. */
function messageOf(text, line) {
  const fail = (reason) => {
    throw new ImportError(`line ${line}: ${reason}`);
  };
  let value;
  try {
    value = JSON.parse(text);
  } catch {
    fail("this is not JSON; expected one message in each line, as the export writes it");
  }
  if (value === null || typeof value !== "object" || Array.isArray(value)) fail("this is not an object");
  const { topic, payload, payloadBase64, qos = 0, retain = false, duplicate = false, utf8 = false, contentType, responseTopic, correlationDataBase64, messageExpiry, userProperties = [] } = value;
  const bytes = (base64, name) => {
    try {
      return bytesOfBase64(base64);
    } catch {
      return fail(`${name} is not Base64`);
    }
  };
  const time = typeof value.time === "number" ? value.time : Date.parse(value.time ?? "");
  if (typeof topic !== "string" || !topic || /[+#\0]/.test(topic)) fail("topic is missing or is not a topic");
  if (Number.isNaN(time)) fail("time is missing or is not a time, like 2026-01-31T12:00:00.000Z");
  if (![0, 1, 2].includes(qos)) fail("qos is not 0, 1 or 2");
  for (const [name, text] of Object.entries({ contentType, responseTopic })) if (text !== undefined && typeof text !== "string") fail(`${name} is not a text`);
  for (const [name, flag] of Object.entries({ retain, duplicate, utf8 })) if (typeof flag !== "boolean") fail(`${name} is not true or false`);
  if (messageExpiry !== undefined && !(Number.isInteger(messageExpiry) && messageExpiry >= 0)) fail("messageExpiry is not a number of seconds");
  if (!Array.isArray(userProperties) || !userProperties.every((pair) => Array.isArray(pair) && pair.length === 2 && pair.every((part) => typeof part === "string"))) fail("userProperties is not a list of pairs of texts");
  if (payloadBase64 === undefined && payload !== undefined && typeof payload !== "string") fail("payload is not a text; a JSON payload is the text of the JSON");
  return {
    time,
    message: {
      topic, qos, retain, duplicate, utf8, contentType, responseTopic, messageExpiry, userProperties,
      payload: payloadBase64 === undefined ? encoder.encode(payload ?? "") : bytes(payloadBase64, "payloadBase64"),
      correlationData: correlationDataBase64 === undefined ? undefined : bytes(correlationDataBase64, "correlationDataBase64"),
    },
  };
}
