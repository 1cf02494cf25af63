import { base64Of, textOf } from "../payload.js";
import { publishOptions } from "../messages/replay.js";

/**
 * Returns JavaScript that publishes a record again. It runs in the browser's console of a page with the global iot.
 * @param {import("../messages/messages.js").MessageRecord} record
 */
export function codeOf(record) {
  const text = textOf(record.payload);
  const options = Object.entries(publishOptions(record)).map(([name, value]) => `${name}: ${value instanceof Uint8Array ? bytesCode(value) : JSON.stringify(value)}`);
  return `await iot.publish(${JSON.stringify(record.topic)}, ${text === undefined ? bytesCode(record.payload) : JSON.stringify(text)}, { ${options.join(", ")} });`;
}

/** Returns an expression for bytes. */
function bytesCode(bytes) {
  return `Uint8Array.from(atob(${JSON.stringify(base64Of(bytes))}), (c) => c.charCodeAt(0))`;
}
