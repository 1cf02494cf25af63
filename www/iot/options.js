import { invalid } from "./errors.js";

// Options are copied before anything is done with them: own properties only, so
// that no getter, proxy or polluted prototype reaches further than this file.

/** @typedef {(value: any, name: string) => any} Check  Returns a clean copy of the value, or throws. */

const boolean = is("a boolean", (v) => typeof v === "boolean");
const string = is("a string", (v) => typeof v === "string");
const number = is("a number", (v) => typeof v === "number" && !Number.isNaN(v));
const integer = is("a whole number", (v) => Number.isInteger(v));
const signal = is("an AbortSignal", (v) => typeof v?.aborted === "boolean" && typeof v.addEventListener === "function");
/** @type {Check} */
const secret = (v, name) => {
  if (typeof v !== "string" && !isBuffer(v)) throw wrong(name, "a string, an ArrayBuffer or a view of one", undefined); // and not what it was
  return v;
};
const binary = is("an ArrayBuffer or a view of one", isBuffer);

/** @type {Check} */
const userProperties = (v, name) => {
  const pairs = Array.isArray(v) ? v : isPlain(v) ? Object.entries(v) : undefined;
  if (!pairs?.every((p) => Array.isArray(p) && p.length === 2 && typeof p[0] === "string" && typeof p[1] === "string")) {
    throw wrong(name, "an array of [name, value] pairs of strings, or an object of strings", v);
  }
  return pairs.map(([k, w]) => [wellFormed(k, name), wellFormed(w, name)]);
};

/** @param {string[]} values */
const oneOf = (...values) => is(values.map((v) => JSON.stringify(v)).join(" or "), (v) => values.includes(v));

/** @type {Check} */
const credentials = (v, name) => {
  if (typeof v === "function") return v;
  return credentialsObject(v, name);
};

/** @type {Check} */
const url = (v, name) => {
  if (typeof v === "function") return v;
  if (v instanceof URL) return v.href;
  if (typeof v === "string") return v;
  throw wrong(name, "a string, a URL or a function", v);
};

// What it may be is for payloadOf to say.
/** @type {Check} */
const payload = (v) => (v === null || typeof v === "string" || isBuffer(v) ? v : isPlain(v) && Object.hasOwn(v, "json") ? { json: v.json } : v);

// The tables have the names that iot.d.ts has, no more and no less.

/** @type {Record<keyof import("../iot.js").CustomAuthorizer, Check>} */
const AUTHORIZER = { name: string, tokenKeyName: string, token: string, tokenSignature: string };
/** @type {Record<keyof import("../iot.js").Will, Check>} */
const WILL = { topic: string, payload, qos: integer, retain: boolean, delay: integer, contentType: string, userProperties };
/** @type {Record<keyof import("../iot.js").ReconnectOptions, Check>} */
const RECONNECT = { minDelayMs: number, maxDelayMs: number, stableAfterMs: number, maxAttempts: integer };
/** @type {Record<keyof import("../iot.js").OfflineOptions, Check>} */
const OFFLINE = { maxMessages: integer, maxBytes: integer, overflow: oneOf("reject", "drop-oldest"), qos0: oneOf("reject", "queue", "drop") };

/** @type {Record<keyof import("../iot.js").ConnectOptions, Check>} */
export const CONNECT = {
  endpoint: string, region: string, credentials, url, username: string, password: secret,
  clientId: string, quotas: oneOf("aws", "none"), ackTimeoutMs: number, unclaimedTimeoutMs: number, keepAlive: integer, cleanStart: boolean, sessionExpiry: integer, userProperties, signal,
  authorizer: (v, name) => check(v, AUTHORIZER, name),
  will: (v, name) => check(v, WILL, name),
  reconnect: (v, name) => (v === false ? false : check(v, RECONNECT, name)),
  offline: (v, name) => check(v, OFFLINE, name),
};
/** @type {Record<keyof import("../iot.js").PublishOptions, Check>} */
export const PUBLISH = {
  qos: integer, retain: boolean, contentType: string, utf8: boolean, responseTopic: string, correlationData: binary,
  messageExpiry: integer, userProperties, signal,
};
/** @type {Record<keyof import("../iot.js").RequestOptions, Check>} */
export const REQUEST = { ...PUBLISH, timeoutMs: number };
/** @type {Record<keyof import("../iot.js").SubscribeOptions, Check>} */
export const SUBSCRIBE = {
  qos: integer, noLocal: boolean, retainAsPublished: boolean, retainHandling: integer, userProperties, bufferSize: integer, signal,
};
/** @type {Record<keyof import("../iot.js").PresignOptions, Check>} */
export const PRESIGN = {
  endpoint: string, region: string, credentials: credentialsObject,
  date: is("a Date", (v) => v instanceof Date && !Number.isNaN(v.getTime())), expires: integer,
};
/** @type {Record<keyof import("../iot.js").LoadOptions, Check>} */
export const LOAD = {
  wasm: is("an address, a Response or a WebAssembly.Module", (v) => typeof v === "string" || v instanceof URL || v?.arrayBuffer || v?.then || v instanceof WebAssembly.Module),
  integrity: string,
};

/**
 * A copy of `options` with every known key checked, or a TypeError.
 * @param {any} options
 * @param {Record<string, Check>} schema
 * @param {string} name
 */
export function check(options, schema, name) {
  const out = Object.create(null);
  if (options === undefined) return out;
  if (options === null || typeof options !== "object" || Array.isArray(options)) throw wrong(name, "an object", options);
  for (const key of Object.keys(options)) {
    if (!Object.hasOwn(schema, key)) throw unknown(key, schema, name);
    const value = options[key]; // may throw, which is the caller's own error
    if (value === undefined) continue;
    const clean = schema[key](value, `${name}.${key}`);
    out[key] = typeof clean === "string" && key !== "payload" ? wellFormed(clean, `${name}.${key}`) : clean;
  }
  return out;
}

/**
 * AWS credentials, by the names of the AWS SDK for JavaScript v3; what else its providers add is left out.
 * @type {Check}
 */
export function credentialsObject(v, name) {
  if (v === null || typeof v !== "object") throw wrong(name, "an object with accessKeyId and secretAccessKey, or a function", undefined);
  const out = Object.create(null);
  for (const key of ["accessKeyId", "secretAccessKey", "sessionToken"]) {
    const value = v[key];
    if (value === undefined || value === null) continue;
    if (typeof value !== "string") throw wrong(`${name}.${key}`, "a string", undefined);
    out[key] = wellFormed(value, `${name}.${key}`);
  }
  const expiration = v.expiration;
  if (expiration !== undefined && expiration !== null) {
    const at = expiration instanceof Date ? expiration.getTime() : Number.NaN;
    if (Number.isNaN(at)) throw wrong(`${name}.expiration`, "a Date", undefined);
    out.expiration = at;
  }
  return out;
}

/**
 * Refuses text that UTF-8 cannot carry, rather than sending U+FFFD in its place.
 * @param {string} text
 * @param {string} name
 */
export function wellFormed(text, name) {
  if (!isWellFormed(text)) throw invalid(TypeError, "ERR_UNICODE", `${name} holds a lone surrogate, which UTF-8 cannot carry`);
  if (text.includes("\0")) throw invalid(TypeError, "ERR_UNICODE", `${name} holds the character U+0000, which MQTT forbids`);
  return text;
}

/**
 * Whether UTF-8 can carry the text. Older browsers have no String.prototype.isWellFormed.
 * @param {string & { isWellFormed?: () => boolean }} text
 * @returns {boolean}
 */
export function isWellFormed(text) {
  return text.isWellFormed ? text.isWellFormed() : !/\p{Surrogate}/u.test(text);
}

/** @param {unknown} v @returns {v is ArrayBuffer | ArrayBufferView} */
export function isBuffer(v) {
  return v instanceof ArrayBuffer || ArrayBuffer.isView(v);
}

/**
 * The bytes of a buffer or view, not copied.
 * @param {ArrayBuffer | ArrayBufferView} v
 * @returns {Uint8Array}
 */
export function viewOf(v) {
  return v instanceof ArrayBuffer ? new Uint8Array(v) : new Uint8Array(v.buffer, v.byteOffset, v.byteLength);
}

/**
 * Whether two checked option objects say the same; functions must be the same function.
 * @param {any} a
 * @param {any} b
 * @returns {boolean}
 */
export function same(a, b) {
  if (Object.is(a, b)) return true;
  if (typeof a !== "object" || typeof b !== "object" || a === null || b === null) return false;
  if (isBuffer(a) && isBuffer(b)) return same([...viewOf(a)], [...viewOf(b)]);
  const keys = Object.keys(a);
  return keys.length === Object.keys(b).length && keys.every((k) => Object.hasOwn(b, k) && same(a[k], b[k]));
}

/** @param {unknown} v */
function isPlain(v) {
  return typeof v === "object" && v !== null && !Array.isArray(v);
}

/** @param {string} what @param {(value: any) => boolean} test @returns {Check} */
function is(what, test) {
  return (v, name) => {
    if (!test(v)) throw wrong(name, what, v);
    return v;
  };
}

/** @param {string} name @param {string} want @param {unknown} [got] */
export function wrong(name, want, got) {
  const kind = got === null ? "null" : Array.isArray(got) ? "an array" : typeof got === "number" ? String(got) : typeof got;
  return invalid(TypeError, "ERR_OPTION", `${name} must be ${want}${got === undefined ? "" : `, not ${kind}`}`);
}

/** @param {string} key @param {object} schema @param {string} name */
function unknown(key, schema, name) {
  const near = Object.keys(schema).map((k) => /** @type {const} */ ([distance(key.toLowerCase(), k.toLowerCase()), k])).sort((a, b) => a[0] - b[0])[0];
  const hint = near[0] <= Math.max(2, key.length / 3) ? `; did you mean ${near[1]}?` : `; known are ${Object.keys(schema).join(", ")}`;
  return invalid(TypeError, "ERR_OPTION", `${name} has no option ${JSON.stringify(key.slice(0, 60))}${hint}`);
}

/** How unlike two names are: in letters that only one has, and in length. @param {string} a @param {string} b */
function distance(a, b) {
  /** @param {string} x @param {string} y */
  const only = (x, y) => [...x].filter((c) => !y.includes(c)).length;
  return only(a, b) + Math.max(only(b, a), Math.abs(a.length - b.length));
}
