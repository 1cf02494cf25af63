import iot from "../../../iot.js";
import { fieldsOf, KINDS } from "./fields.js";

// This module makes the options of connect() from the values of a profile.

/**
 * The values of a profile and its secrets.
 * @typedef {Record<string, any> & { kind: string }} Values
 */

/** Creates the error of a field. @param {import("./fields.js").Field} field @param {string} message */
const fieldError = (field, message) => Object.assign(new TypeError(message), { code: "ERR_OPTION", field: field.name });

/** Returns whether the user has filled a field. */
const filled = (value) => value !== undefined && value !== "" && value !== false;

/** Converts the text of a field to the value of its option. Throws the error of the field. @type {Record<string, (text: any, field: import("./fields.js").Field) => unknown>} */
const CONVERT = {
  number(text, field) {
    const [least, most] = field.range ?? [-Infinity, Infinity], value = Number(text);
    if (!/^\s*\d+\s*$/.test(text) || value < least || value > most) {
      throw fieldError(field, `${field.label}: a whole number between ${least.toLocaleString()} and ${most.toLocaleString()} is needed.`);
    }
    return value;
  },
  pairs: (text, field) => text.split("\n").filter((line) => line.trim()).map((line) => {
    const at = line.indexOf("=");
    if (at < 1) throw fieldError(field, `${field.label}: a line has the form name=value.`);
    return [line.slice(0, at).trim(), line.slice(at + 1).trim()];
  }),
  time(text, field) {
    const date = new Date(text);
    if (Number.isNaN(date.getTime())) throw fieldError(field, `${field.label}: this is no date with a time.`);
    return date;
  },
  select(text, field) {
    const choice = field.choices?.find(([value]) => value === text);
    if (!choice) throw fieldError(field, `${field.label}: the choice “${text}” is unknown.`);
    return choice.length > 2 ? choice[2] : choice[0];
  },
};

/** Values that are trimmed, because a space at their end is always a mistake of copying. */
const trimmed = (field, value) => (typeof value === "string" && field.type === "text" && !field.option?.startsWith("will.") && field.name !== "username" ? value.trim() : value);

/**
 * Sets an option by its path, like "will.topic". Does nothing if an object of the path is false, as `reconnect` may be.
 * @param {any} options
 * @param {string} path
 * @param {unknown} value
 */
function setOption(options, path, value) {
  const names = path.split("."), last = /** @type {string} */ (names.pop());
  for (const name of names) {
    if (options[name] === false) return;
    options = options[name] ??= {};
  }
  options[last] = value;
}

/**
 * Returns the errors of a profile, by the names of the fields. An empty map means that a connection can be tried.
 * @param {Values} values
 * @returns {Map<string, Error>}
 */
export function problemsOf(values) {
  const problems = new Map();
  for (const field of fieldsOf(values.kind)) {
    const value = trimmed(field, values[field.name]);
    try {
      if (filled(value)) CONVERT[field.type]?.(value, field);
      else if (field.required) throw fieldError(field, `${field.label} is missing.`);
    } catch (error) {
      problems.set(field.name, error);
    }
  }
  const together = (name, other, message) => filled(values[name]) && !filled(values[other]) && !problems.has(other) && problems.set(other, fieldError({ name: other, label: "", type: "text" }, message));
  if (values.kind === "cognito") {
    together("provider", "login", "The token of the login provider is missing. Without a login provider, the page connects as a guest.");
    together("login", "provider", "The name of the login provider that has issued the token is missing.");
  }
  if (values.kind === "authorizer") together("token", "tokenKeyName", "Without the name of its key, the page does not send the token.");
  if (values.kind === "presigned" && !filled(values.backend) && !filled(values.url)) {
    problems.set("backend", fieldError({ name: "backend", label: "", type: "text" }, "The URL of a backend, or a signed URL, is missing."));
  }
  return problems;
}

/** Returns the content of local.json, which describes the local stand-in. Rejects with ERR_NO_LOCAL if the web server has none. */
async function localSettings() {
  let response;
  try {
    response = await fetch("local.json", { cache: "no-store" });
  } catch {
    throw new Error("The server of this page cannot be reached. Start it with: go run serve.go");
  }
  const settings = response.ok && await response.json().catch(() => undefined); // some servers answer with a page
  if (!settings?.endpoint) throw Object.assign(new Error("This web server contains no local stand-in. Select or add a profile for AWS or another broker, or serve this page with: go run serve.go"), { code: "ERR_NO_LOCAL" });
  return settings;
}

const MAX_ANSWER = 64 << 10; // the largest answer of a backend, in bytes

/**
 * Requests a signed URL from a backend. The errors contain neither the answer nor the query of the address.
 * @param {string} address
 * @param {string} member the JSON member of the answer that is the URL, like "data.url"
 */
async function urlFrom(address, member) {
  const place = new URL(address, location.href);
  const fail = (message, retryable = true, cause = undefined) => {
    throw new iot.IotError(`The backend ${place.origin}${place.pathname} ${message}`, { code: "ERR_BACKEND", phase: "credentials", retryable, cause });
  };
  let text = "";
  try {
    const response = await fetch(place, { cache: "no-store", headers: { accept: "application/json, text/plain" } });
    if (!response.ok) fail(`answers with HTTP ${response.status}.`, response.status >= 500 || response.status === 429);
    text = await response.text();
  } catch (error) {
    if (error instanceof iot.IotError) throw error;
    fail("cannot be reached, or does not allow requests from this page (CORS).");
  }
  if (text.length > MAX_ANSWER) fail(`answers with more than ${MAX_ANSWER} bytes.`, false);
  let url = text.trim();
  try {
    const value = JSON.parse(text);
    url = typeof value === "string" ? value : (member || "url").split(".").reduce((object, name) => object?.[name], value);
  } catch {
    if (member) fail("answers with a text that is not JSON.", false);
  }
  if (typeof url !== "string" || !/^wss?:\/\//.test(url)) fail(member ? `has no wss:// URL in the member ${member} of its answer.` : "does not answer with a wss:// URL.", false);
  return url;
}

/**
 * What the page shows about credentials. It contains no secret.
 * @typedef {{ keyId?: string, expiration?: Date, issued?: Date }} Credential
 */

/** Returns the time of the signature in a signed URL. @param {string} url @returns {Credential} */
function signedAt(url) {
  const { searchParams } = new URL(url);
  const [, ...parts] = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/.exec(searchParams.get("X-Amz-Date") ?? "") ?? [];
  const [year, month, ...rest] = parts.map(Number);
  return parts.length ? { keyId: searchParams.get("X-Amz-Credential")?.split("/")[0], issued: new Date(Date.UTC(year, month - 1, ...rest)) } : {};
}

/**
 * The kinds whose options do not follow from their fields alone. Each function completes the options.
 * @type {Record<string, (options: any, values: Values, note: (credential: Credential) => void) => void | Promise<void>>}
 */
const COMPLETE = {
  async local(options, _, note) {
    const { endpoint, region } = await localSettings();
    // The stand-in creates new keys at each start, so each attempt fetches the current ones.
    const credentials = async () => {
      const keys = (await localSettings()).credentials;
      note({ keyId: keys.accessKeyId });
      return keys;
    };
    Object.assign(options, { endpoint, region, credentials });
  },
  async cognito(options, { pool, provider, login, cognito: endpoint }, note) {
    const { cognito } = await import("../../../cognito.js");
    const fetchCredentials = cognito({
      identityPoolId: pool.trim(), ...(endpoint ? { endpoint: endpoint.trim() } : {}), ...(provider ? { logins: { [provider.trim()]: login } } : {}),
    });
    options.credentials = async (given) => {
      const credentials = await fetchCredentials(given);
      note({ keyId: credentials.accessKeyId, expiration: credentials.expiration });
      return credentials;
    };
  },
  keys({ credentials: { accessKeyId, expiration } }, _, note) {
    note({ keyId: accessKeyId, expiration });
  },
  presigned(options, { backend, member, url }, note) {
    if (url) return note(signedAt(url));
    options.url = async () => {
      const fresh = await urlFrom(backend.trim(), member?.trim());
      note(signedAt(fresh));
      return fresh;
    };
  },
};

/**
 * Returns the options of connect() for a profile. Rejects with the error of the first field that is not valid; its member
 * `field` is the name of the field.
 * @param {Values} values the members of the profile and its secrets
 * @param {(credential: Credential) => void} [note] receives the facts about each credential that an attempt uses
 * @returns {Promise<import("../../../iot.js").ConnectOptions>}
 */
export async function optionsOf(values, note = () => {}) {
  const [problem] = problemsOf(values).values();
  if (problem) throw problem;
  const options = {};
  for (const field of fieldsOf(values.kind)) {
    const value = trimmed(field, values[field.name]);
    if (!field.option || !filled(value)) continue;
    const converted = CONVERT[field.type] ? CONVERT[field.type](value, field) : value;
    setOption(options, field.option, field.name === "willCorrelation" ? new TextEncoder().encode(String(converted)) : converted);
  }
  await COMPLETE[values.kind]?.(options, values, note);
  return options;
}

/** The fields to which an error belongs by its code. The first one that the kind has is chosen. @type {Record<string, string[]>} */
const BY_CODE = {
  ERR_ENDPOINT: ["endpoint"], ERR_UNREACHABLE: ["endpoint"], ERR_UPGRADE: ["endpoint"], ERR_WEBSOCKET: ["endpoint"],
  ERR_REGION: ["region"], ERR_TOPIC: ["willTopic"], ERR_QOS: ["willQos"], ERR_PAYLOAD: ["willPayload"], ERR_CLIENT_ID: ["clientId"], ERR_SUPERSEDED: ["clientId"],
  ERR_ACCESS_KEY: ["accessKeyId"], ERR_SIGNATURE: ["secretAccessKey", "url"], ERR_SIGNATURE_EXPIRED: ["url"], ERR_CREDENTIALS_EXPIRED: ["expiration"],
  ERR_BAD_PASSWORD: ["password"], ERR_NOT_AUTHORIZED: ["password"], ERR_FORBIDDEN: ["token"], ERR_URL: ["url"], ERR_BACKEND: ["backend"],
  ERR_COGNITO_NOT_FOUND: ["pool"], ERR_COGNITO_PARAMETER: ["pool"], ERR_COGNITO_POOL_CONFIGURATION: ["pool"], ERR_COGNITO_NOT_AUTHORIZED: ["login"], ERR_COGNITO_UNREACHABLE: ["cognito"],
};

/**
 * Returns the name of the field to which an error of connect() belongs, or undefined. The message of an ArgumentError
 * contains the path of the option.
 * @param {string} kind
 * @param {any} error
 */
export function fieldOfError(kind, error) {
  if (error?.field) return error.field;
  if (!KINDS[kind] || !error?.code) return undefined;
  const fields = fieldsOf(kind);
  if (error.code === "ERR_OPTION" || error.code === "ERR_UNICODE") {
    if (error.message.includes("identityPoolId")) return "pool";
    if (error.message.includes("will needs a topic")) return "willTopic";
    const named = (path) => new RegExp(`(^|[^\\w])${path.replaceAll(".", "\\.")}([^\\w.]|$)`).test(error.message);
    return (fields.find(({ option }) => option && named(option)) ?? fields.find(({ option }) => option && named(option.split(".").at(-1))))?.name;
  }
  return BY_CODE[error.code]?.find((name) => fields.some((field) => field.name === name));
}
