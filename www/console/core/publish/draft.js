// The messages that the user writes, as they are kept, exported and published.
import { hexOf, textOf } from "../payload.js";
import { expand, templatesIn } from "./template.js";

/**
 * A message as the form has it. Every member can be written as JSON, except `bytes`.
 * @typedef {object} Draft
 * @property {string} topic
 * @property {"text" | "json" | "hex" | "base64" | "file"} format the form of `payload`; with "file" the payload is `bytes`
 * @property {string} payload
 * @property {boolean} templates whether the templates in topic and payload are replaced
 * @property {0 | 1 | 2} qos
 * @property {boolean} retain
 * @property {string} contentType "" for none, as for the other texts
 * @property {boolean} utf8
 * @property {string} responseTopic
 * @property {string} correlation
 * @property {boolean} correlationHex whether `correlation` is hexadecimal
 * @property {number | null} messageExpiry
 * @property {[string, string][]} userProperties
 * @property {Uint8Array} [bytes] the content of a file
 * @property {string} [fileName]
 */

/** @type {Draft} */
const EMPTY = {
  topic: "", format: "text", payload: "", templates: true, qos: 0, retain: false, contentType: "", utf8: false, responseTopic: "", correlation: "", correlationHex: false,
  messageExpiry: null, userProperties: [],
};
const FORMATS = ["text", "json", "hex", "base64"];
const MAX_PROPERTIES = 100;

/** Returns the bytes of a hexadecimal text. Spaces, commas, colons and the prefix 0x are allowed. @param {string} text */
export function bytesOfHex(text) {
  const digits = text.replace(/0x|[\s,:]/gi, "");
  const wrong = /[^0-9a-f]/i.exec(digits);
  if (wrong) throw new TypeError(`“${wrong[0]}” is no hexadecimal digit`);
  if (digits.length % 2) throw new TypeError("a hexadecimal digit is missing: each byte has two");
  return Uint8Array.from({ length: digits.length / 2 }, (_, i) => parseInt(digits.slice(2 * i, 2 * i + 2), 16));
}

/** Returns the bytes of a base64 text. The alphabet of URLs, white space and missing padding are allowed. @param {string} text */
export function bytesOfBase64(text) {
  const plain = text.replace(/\s/g, "").replaceAll("-", "+").replaceAll("_", "/");
  const wrong = /[^A-Za-z0-9+/=]/.exec(plain);
  if (wrong) throw new TypeError(`“${wrong[0]}” is no character of base64`);
  try {
    return Uint8Array.from(atob(plain), (c) => c.charCodeAt(0));
  } catch {
    throw new TypeError("the base64 text is incomplete");
  }
}

/** Returns bytes as base64. @param {Uint8Array} bytes */
export function base64Of(bytes) {
  let text = "";
  for (let i = 0; i < bytes.length; i += 0x8000) text += String.fromCharCode(...bytes.subarray(i, i + 0x8000));
  return btoa(text);
}

/**
 * Returns the payload of a draft: a text or bytes. Throws a TypeError if the text does not have the format.
 * @param {Draft} draft
 * @param {import("./template.js").TemplateContext} context
 */
export function payloadOf(draft, context) {
  switch (draft.format) {
    case "hex": return bytesOfHex(draft.payload);
    case "base64": return bytesOfBase64(draft.payload);
    case "file":
      if (!draft.bytes) throw new TypeError("choose a file first");
      return draft.bytes;
    default: return draft.templates ? expand(draft.payload, context) : draft.payload;
  }
}

/**
 * Returns the arguments of publish() for a draft. Throws a TypeError if a field is not valid.
 * @param {Draft} draft
 * @param {import("./template.js").TemplateContext} context
 */
export function argumentsOf(draft, context) {
  /** @type {import("../../../iot.js").PublishOptions} */
  const options = { qos: draft.qos, retain: draft.retain };
  if (draft.contentType) options.contentType = draft.contentType;
  if (draft.utf8) options.utf8 = true;
  if (draft.responseTopic) options.responseTopic = draft.responseTopic;
  if (draft.correlation) {
    try {
      options.correlationData = draft.correlationHex ? bytesOfHex(draft.correlation) : new TextEncoder().encode(draft.correlation);
    } catch (error) {
      throw new TypeError(`correlation data: ${error.message}`);
    }
  }
  if (draft.messageExpiry !== null) options.messageExpiry = draft.messageExpiry;
  if (draft.userProperties.length) options.userProperties = draft.userProperties;
  return { topic: draft.templates ? expand(draft.topic, context) : draft.topic, payload: payloadOf(draft, context), options };
}

/** Returns the size of a payload in bytes. @param {string | Uint8Array} payload */
export const bytesIn = (payload) => (typeof payload === "string" ? new TextEncoder().encode(payload).length : payload.length);

/** Returns the number of properties that a draft has. @param {Draft} draft */
export function countProperties(draft) {
  return [draft.contentType, draft.utf8, draft.responseTopic, draft.correlation, draft.messageExpiry !== null].filter(Boolean).length + draft.userProperties.length;
}

/**
 * Returns a draft from an object of another source, like an imported file. Omitted members have their defaults. Throws a
 * TypeError if a member has the wrong type.
 * @param {any} value
 * @returns {Draft}
 */
export function draftOf(value) {
  if (typeof value?.topic !== "string") throw new TypeError("a message has no topic");
  const draft = { ...EMPTY };
  for (const name of Object.keys(EMPTY)) {
    const given = value[name];
    if (given === undefined || name === "messageExpiry" || name === "userProperties") continue;
    if (typeof given !== typeof EMPTY[name]) throw new TypeError(`${name} of the message ${JSON.stringify(value.topic)} has the wrong type`);
    draft[name] = given;
  }
  if (!FORMATS.includes(draft.format)) throw new TypeError(`the format ${JSON.stringify(draft.format)} does not exist`);
  if (![0, 1, 2].includes(draft.qos)) throw new TypeError("qos must be 0, 1 or 2");
  const { messageExpiry = null, userProperties = [] } = value;
  if (messageExpiry !== null && !Number.isInteger(messageExpiry)) throw new TypeError("messageExpiry must be an integer");
  const isPair = (pair) => Array.isArray(pair) && pair.length === 2 && pair.every((part) => typeof part === "string");
  if (!Array.isArray(userProperties) || !userProperties.every(isPair)) throw new TypeError("userProperties must be pairs of texts");
  return { ...draft, messageExpiry, userProperties: userProperties.slice(0, MAX_PROPERTIES).map(([name, text]) => [name, text]) };
}

/** Returns a draft without `bytes`: the content of a file becomes base64. @param {Draft} draft @returns {Draft} */
export function plainDraft({ bytes, fileName, ...draft }) {
  return draft.format === "file" ? { ...draft, format: "base64", payload: bytes ? base64Of(bytes) : "" } : draft;
}

/** Returns whether a text begins like a JSON object or array, and is one. @param {string} text */
function isJson(text) {
  if (!/^\s*[{[]/.test(text)) return false;
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

/**
 * Returns the draft of a message, such as a received one. If its text looks like a template, the draft publishes it as it is.
 * @param {string} topic
 * @param {import("../../../iot.js").Payload} [payload]
 * @param {import("../../../iot.js").PublishOptions} [options]
 * @returns {Draft}
 */
export function draftOfMessage(topic, payload = "", options = {}) {
  const draft = { ...EMPTY, topic, qos: options.qos ?? 0, retain: options.retain ?? false };
  if (typeof payload === "string") draft.payload = payload;
  else if (payload && "json" in payload) draft.payload = JSON.stringify(payload.json, null, 2);
  else if (payload) {
    const bytes = ArrayBuffer.isView(payload) ? new Uint8Array(payload.buffer, payload.byteOffset, payload.byteLength) : new Uint8Array(/** @type {ArrayBuffer} */ (payload));
    const text = textOf(bytes);
    if (text === undefined || text.includes("\0")) [draft.format, draft.payload] = bytes.length > 4096 ? ["base64", base64Of(bytes)] : ["hex", hexOf(bytes)];
    else draft.payload = text;
  }
  if (draft.format === "text" && isJson(draft.payload)) draft.format = "json";
  draft.templates = templatesIn(topic + draft.payload).used.length === 0;
  draft.contentType = options.contentType ?? "";
  draft.utf8 = options.utf8 ?? false;
  draft.responseTopic = options.responseTopic ?? "";
  draft.messageExpiry = options.messageExpiry ?? null;
  const { correlationData: data, userProperties: pairs = [] } = options;
  if (data) {
    const bytes = ArrayBuffer.isView(data) ? new Uint8Array(data.buffer, data.byteOffset, data.byteLength) : new Uint8Array(data);
    const text = textOf(bytes);
    draft.correlationHex = text === undefined || /[\0-\x1f\x7f]/.test(text);
    draft.correlation = draft.correlationHex ? hexOf(bytes) : text ?? "";
  }
  draft.userProperties = (Array.isArray(pairs) ? pairs : Object.entries(pairs)).map(([name, value]) => [name, value]);
  return draft;
}
