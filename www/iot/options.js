import { encoder } from "./abi.js";
import { argumentError, plain } from "./errors.js";
import { payloadOf } from "./publish.js";
import { isBuffer, viewOf, wellFormed, wrongType } from "./values.js";

// This module checks the types of options and copies them during the call. A change that
// the page makes later has no effect. This module reads own properties only, so that a polluted
// prototype has no effect. Go checks ranges and rules.

/**
 * Checks one option. Returns the value, or a copy of an object or buffer. Throws a TypeError
 * that contains the name of the option and, if given, the expected type.
 * @typedef {(value: any, name: string, expected?: string) => any} Check
 */

const boolean = checkOf("a boolean", (v) => typeof v === "boolean");
const string = checkOf("a string", (v) => typeof v === "string");
const number = checkOf("a number", Number.isFinite);
const date = checkOf("a Date", (v) => v instanceof Date && !Number.isNaN(v.getTime()));
const integer = checkOf("a whole number", Number.isInteger);
const signal = checkOf("an AbortSignal", (v) => typeof v?.aborted === "boolean" && typeof v.addEventListener === "function");
// A check for bytes. It copies at most 65,536 bytes: Go rejects a value of more than 65,535.
/** @type {Check} */
const binary = (v, name, expected = "bytes") => {
  if (!isBuffer(v)) throw wrongType(name, expected); // the error does not describe the value, because it may be a secret
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
    throw wrongType(name, "[name, value] pairs of strings, or an object of strings", v);
  }
  return pairs.map(([k, value]) => [wellFormed(k, name), wellFormed(value, name)]);
};

/**
 * Returns a check for one of these strings.
 * @param {string[]} values
 */
const oneOf = /* @__NO_SIDE_EFFECTS__ */ (...values) => checkOf(values.map((v) => JSON.stringify(v)).join(" or "), (v) => values.includes(v));

/** @type {Check} */
const credentials = (v, name) => {
  if (typeof v === "function") return v;
  return credentialsObject(v, name);
};

/** @type {Check} */
const url = (v, name) => {
  if (v instanceof URL) return v.href;
  if (typeof v !== "string" && typeof v !== "function") throw wrongType(name, "a string, a URL or a function", v);
  return v;
};

// The checks of the options, by the names of the options. The type of each table requires the names in iot.d.ts.

/** @type {Record<keyof import("../iot.js").CustomAuthorizer, Check>} */
const AUTHORIZER = { name: string, tokenKeyName: string, token: string, tokenSignature: string };
/** The options that a will and a published message have in common. */
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
  authorizer: checkOfObject(AUTHORIZER), will: checkOfObject(WILL), offline: checkOfObject(OFFLINE),
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
  wasm: checkOf("a URL, a Response or a Module", (v) => typeof v === "string" || v instanceof URL || v?.arrayBuffer || v?.then || v instanceof WebAssembly.Module),
  integrity: string,
};

/**
 * Returns a checked copy of an options object. Throws a TypeError if an option is unknown or has the wrong type.
 * @param {any} options
 * @param {Record<string, Check>} schema the checks of the options
 * @param {string} name the name of the object, for error messages
 */
export function check(options, schema, name) {
  const out = plain();
  if (options === undefined) return out;
  if (options === null || typeof options !== "object" || Array.isArray(options)) throw wrongType(name, "an object", options);
  for (const key of Object.keys(options)) {
    if (!Object.hasOwn(schema, key)) throw unknownOption(key, schema, name);
    const value = options[key]; // a getter may throw
    if (value === undefined) continue;
    const path = `${name}.${key}`, clean = schema[key](value, path);
    out[key] = typeof clean === "string" ? wellFormed(clean, path) : clean;
  }
  return out;
}

/**
 * Returns a checked copy of AWS credentials. The names are those of the AWS SDK for JavaScript v3. It ignores other
 * members, because the SDK adds some.
 * @type {Check}
 */
export function credentialsObject(v, name) {
  if (v === null || typeof v !== "object") throw wrongType(name, "an object with accessKeyId and secretAccessKey, or a function", undefined);
  const out = plain();
  for (const key of ["accessKeyId", "secretAccessKey", "sessionToken", "expiration"]) {
    const value = Object.hasOwn(v, key) ? v[key] : null;
    if (value === undefined || value === null) continue;
    if (key === "expiration") out[key] = date(value, `${name}.${key}`).getTime();
    else if (typeof value !== "string") throw wrongType(`${name}.${key}`, "a string");
    else out[key] = wellFormed(value, `${name}.${key}`);
  }
  return out;
}

/**
 * Whether two checked options objects are equal. Functions are equal only if they are identical. All signals are equal.
 * @param {any} a
 * @param {any} b
 * @returns {boolean}
 */
export function equal(a, b) {
  if (typeof a !== "object" || typeof b !== "object" || !a || !b) return Object.is(a, b);
  const keys = Object.keys(a);
  return keys.length === Object.keys(b).length && keys.every((k) => Object.hasOwn(b, k) && equal(a[k], b[k]));
}

/**
 * Returns a check for an object with these options.
 * @param {Record<string, Check>} schema
 * @returns {Check}
 */
/* @__NO_SIDE_EFFECTS__ */ function checkOfObject(schema) {
  return (v, name) => check(v, schema, name);
}

/**
 * Returns a check for the values that pass the test.
 * @param {string} expected
 * @param {(value: any) => boolean} test
 * @returns {Check}
 */
/* @__NO_SIDE_EFFECTS__ */ function checkOf(expected, test) {
  return (v, name) => {
    if (!test(v)) throw wrongType(name, expected, v);
    return v;
  };
}

/**
 * Creates the error for an unknown option. Its message has the most similar name, or all names.
 * @param {string} key
 * @param {object} schema
 * @param {string} name
 */
function unknownOption(key, schema, name) {
  const keys = Object.keys(schema);
  /** @param {string} k */
  const distanceTo = (k) => distance(key.toLowerCase(), k.toLowerCase());
  const nearest = keys.reduce((a, b) => (distanceTo(b) < distanceTo(a) ? b : a));
  const hint = distanceTo(nearest) <= Math.max(2, key.length / 3) ? `; did you mean ${nearest}?` : `; options: ${keys.join(", ")}`;
  return argumentError(TypeError, "ERR_OPTION", `${name} has no option ${JSON.stringify(key.slice(0, 60))}${hint}`);
}

/**
 * Returns how different two names are: the number of characters that only one of them contains.
 * @param {string} a
 * @param {string} b
 */
function distance(a, b) {
  return [...a].filter((c) => !b.includes(c)).length + [...b].filter((c) => !a.includes(c)).length;
}
