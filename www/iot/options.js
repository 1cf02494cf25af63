import { encoder } from "./abi.js";
import { invalid, plain } from "./errors.js";
import { payloadOf } from "./publish.js";

// Options are checked for their types and copied at the moment of the call: own
// properties only, so that no getter, proxy or polluted prototype has a later
// effect. Go checks ranges and rules.

/** @typedef {(value: any, name: string, want?: string) => any} Check  Returns a copy of the value, or throws. */

const boolean = is("a boolean", (v) => typeof v === "boolean");
const string = is("a string", (v) => typeof v === "string");
const number = is("a number", Number.isFinite);
const date = is("a Date", (v) => v instanceof Date && !Number.isNaN(v.getTime()));
const integer = is("a whole number", Number.isInteger);
const signal = is("an AbortSignal", (v) => typeof v?.aborted === "boolean" && typeof v.addEventListener === "function");
// At most 65,536 bytes are copied, which Go finds longer than MQTT's 65,535.
/** @type {Check} */
const binary = (v, name, want = "bytes") => {
  if (!isBuffer(v)) throw wrong(name, want); // without the value, which may be secret
  return viewOf(v, name).slice(0, 65536);
};
/** @type {Check} */
const secret = (v, name) => binary(typeof v === "string" ? encoder.encode(wellFormed(v, name)) : v, name, "a string or bytes");
/** @type {Check} */
const payload = (v, name) => {
  const bytes = payloadOf(v, name);
  return binary(typeof bytes === "string" ? encoder.encode(bytes) : bytes, name);
};

/** @type {Check} */
const userProperties = (v, name) => {
  const pairs = Array.isArray(v) ? v : v && typeof v === "object" ? Object.entries(v) : undefined;
  if (!pairs?.every((p) => Array.isArray(p) && p.length === 2 && typeof p[0] === "string" && typeof p[1] === "string")) {
    throw wrong(name, "[name, value] pairs of strings, or an object of strings", v);
  }
  return pairs.map(([k, w]) => [wellFormed(k, name), wellFormed(w, name)]);
};

/** @param {string[]} values */
const oneOf = /* @__NO_SIDE_EFFECTS__ */ (...values) => is(values.map((v) => JSON.stringify(v)).join(" or "), (v) => values.includes(v));

/** @type {Check} */
const credentials = (v, name) => {
  if (typeof v === "function") return v;
  return credentialsObject(v, name);
};

/** @type {Check} */
const url = (v, name) => {
  if (v instanceof URL) return v.href;
  if (typeof v !== "string" && typeof v !== "function") throw wrong(name, "a string, a URL or a function", v);
  return v;
};

// The members of the options, which the types compare with iot.d.ts.

/** @type {Record<keyof import("../iot.js").CustomAuthorizer, Check>} */
const AUTHORIZER = { name: string, tokenKeyName: string, token: string, tokenSignature: string };
// The members that a will and a published message have in common.
const MESSAGE = {
  qos: integer, retain: boolean, contentType: string, utf8: boolean, responseTopic: string, correlationData: binary,
  messageExpiry: integer, userProperties,
};
/** @type {Record<keyof import("../iot.js").Will, Check>} */
const WILL = { topic: string, payload, delay: integer, ...MESSAGE };
/** @type {Record<keyof import("../iot.js").ReconnectOptions, Check>} */
const RECONNECT = { minDelayMs: number, maxDelayMs: number, stableAfterMs: number, maxAttempts: integer };
/** @type {Record<keyof import("../iot.js").OfflineOptions, Check>} */
const OFFLINE = { maxMessages: integer, maxBytes: integer, overflow: oneOf("reject", "drop-oldest"), qos0: oneOf("reject", "queue", "drop") };

/** @type {Record<keyof import("../iot.js").ConnectOptions, Check>} */
export const CONNECT = {
  endpoint: string, region: string, credentials, url, username: string, password: secret,
  clientId: string, quotas: oneOf("aws", "none"), ackTimeoutMs: number, unclaimedTimeoutMs: number, keepAlive: integer, cleanStart: boolean, sessionExpiry: integer, userProperties, signal,
  authorizer: of(AUTHORIZER), will: of(WILL), offline: of(OFFLINE),
  reconnect: (v, name) => v !== false && check(v, RECONNECT, name),
};
/** @type {Record<keyof import("../iot.js").PublishOptions, Check>} */
export const PUBLISH = { ...MESSAGE, signal };
/** @type {Record<keyof import("../iot.js").RequestOptions, Check>} */
export const REQUEST = { ...PUBLISH, timeoutMs: number };
/** @type {Record<keyof import("../iot.js").SubscribeOptions, Check>} */
export const SUBSCRIBE = {
  qos: integer, noLocal: boolean, retainAsPublished: boolean, retainHandling: integer, userProperties, bufferSize: integer, bufferBytes: integer, signal,
};
/** @type {Record<keyof import("../iot.js").PresignOptions, Check>} */
export const PRESIGN = {
  endpoint: string, region: string, credentials: credentialsObject,
  date, expires: integer,
};
/** @type {Record<keyof import("../iot.js").LoadOptions, Check>} */
export const LOAD = {
  wasm: is("an address, a Response or a Module", (v) => typeof v === "string" || v instanceof URL || v?.arrayBuffer || v?.then || v instanceof WebAssembly.Module),
  integrity: string,
};

/**
 * Returns a checked copy of options, or throws a TypeError.
 * @param {any} options
 * @param {Record<string, Check>} schema
 * @param {string} name
 */
export function check(options, schema, name) {
  const out = plain();
  if (options === undefined) return out;
  if (options === null || typeof options !== "object" || Array.isArray(options)) throw wrong(name, "an object", options);
  for (const key of Object.keys(options)) {
    if (!Object.hasOwn(schema, key)) throw unknown(key, schema, name);
    const value = options[key]; // a getter may throw
    if (value === undefined) continue;
    const path = `${name}.${key}`, clean = schema[key](value, path);
    out[key] = typeof clean === "string" ? wellFormed(clean, path) : clean;
  }
  return out;
}

/**
 * Copies AWS credentials, with the names of the AWS SDK for JavaScript v3. Other members are ignored.
 * @type {Check}
 */
export function credentialsObject(v, name) {
  if (v === null || typeof v !== "object") throw wrong(name, "an object with accessKeyId and secretAccessKey, or a function", undefined);
  const out = plain();
  for (const key of ["accessKeyId", "secretAccessKey", "sessionToken", "expiration"]) {
    const value = Object.hasOwn(v, key) ? v[key] : null;
    if (value === undefined || value === null) continue;
    if (key === "expiration") out[key] = date(value, `${name}.${key}`).getTime();
    else if (typeof value !== "string") throw wrong(`${name}.${key}`, "a string");
    else out[key] = wellFormed(value, `${name}.${key}`);
  }
  return out;
}

/**
 * Returns the text, or throws where it contains a lone surrogate or U+0000 [MQTT-1.5.4-1, MQTT-1.5.4-2].
 * @param {string} text
 * @param {string} name
 */
export function wellFormed(text, name) {
  unicode(text, name);
  if (text.includes("\0")) throw invalid(TypeError, "ERR_UNICODE", `${name} contains U+0000, which MQTT forbids`);
  return text;
}

/**
 * Throws where the text contains a lone surrogate. Older browsers have no String.prototype.isWellFormed.
 * @param {string & { isWellFormed?: () => boolean }} text
 * @param {string} name
 */
export function unicode(text, name) {
  if (text.isWellFormed ? !text.isWellFormed() : /\p{Surrogate}/u.test(text)) {
    throw invalid(TypeError, "ERR_UNICODE", `${name} contains a lone surrogate, which UTF-8 cannot encode`);
  }
}

/** @param {unknown} v @returns {v is ArrayBuffer | ArrayBufferView} */
export function isBuffer(v) {
  return v instanceof ArrayBuffer || ArrayBuffer.isView(v);
}

/**
 * Returns the bytes of a buffer or view, without a copy.
 * @param {any} v
 * @param {string} name
 * @param {import("../iot.js").ArgumentErrorCode} [code] for a buffer that has been transferred, or has shrunk
 */
export function viewOf(v, name, code = "ERR_OPTION") {
  try {
    v.at?.(0); // throws for a view beyond the end of its buffer
    return ArrayBuffer.isView(v) ? new Uint8Array(v.buffer, v.byteOffset, v.byteLength) : new Uint8Array(v);
  } catch {
    throw invalid(TypeError, code, `${name} is detached, or out of bounds`);
  }
}

/**
 * Whether two checked option objects are equal. Functions must be identical.
 * @param {any} a
 * @param {any} b
 * @returns {boolean}
 */
export function same(a, b) {
  if (typeof a !== "object" || typeof b !== "object" || !a || !b) return Object.is(a, b);
  const keys = Object.keys(a);
  return keys.length === Object.keys(b).length && keys.every((k) => Object.hasOwn(b, k) && same(a[k], b[k]));
}

/** @param {Record<string, Check>} schema @returns {Check} */
/* @__NO_SIDE_EFFECTS__ */ function of(schema) {
  return (v, name) => check(v, schema, name);
}

/** @param {string} what @param {(value: any) => boolean} test @returns {Check} */
/* @__NO_SIDE_EFFECTS__ */ function is(what, test) {
  return (v, name) => {
    if (!test(v)) throw wrong(name, what, v);
    return v;
  };
}

/** @param {string} name @param {string} want @param {unknown} [got] @param {import("../iot.js").ArgumentErrorCode} [code] */
export function wrong(name, want, got, code = "ERR_OPTION") {
  const kind = got === null ? "null" : Array.isArray(got) ? "an array" : typeof got === "number" ? got : typeof got;
  return invalid(TypeError, code, `${name} must be ${want}${got === undefined ? "" : `, not ${kind}`}`);
}

/** @param {string} key @param {object} schema @param {string} name */
function unknown(key, schema, name) {
  const keys = Object.keys(schema);
  /** @param {string} k */
  const far = (k) => distance(key.toLowerCase(), k.toLowerCase());
  const near = keys.reduce((a, b) => (far(b) < far(a) ? b : a));
  const hint = far(near) <= Math.max(2, key.length / 3) ? `; did you mean ${near}?` : `; known are ${keys.join(", ")}`;
  return invalid(TypeError, "ERR_OPTION", `${name} has no option ${JSON.stringify(key.slice(0, 60))}${hint}`);
}

/** The distance of two names: the letters that only one of them contains. @param {string} a @param {string} b */
function distance(a, b) {
  return [...a].filter((c) => !b.includes(c)).length + [...b].filter((c) => !a.includes(c)).length;
}
