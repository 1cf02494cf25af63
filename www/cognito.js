/**
 * A credentials provider for connect(). It gets temporary credentials from an Amazon Cognito
 * identity pool, so that the page contains no key.
 *
 *   import iot from "./iot.js";
 *   import { cognito } from "./cognito.js";
 *   await iot.connect({ endpoint, credentials: cognito({ identityPoolId: "eu-west-1:…" }) });
 *
 * Source: Amazon Cognito Federated Identities, API Reference (GetId, GetCredentialsForIdentity).
 */
import { IotError } from "./iot.js";
import { textOf } from "./iot/http.js";
import { check } from "./iot/options.js";
import { wrongType } from "./iot/values.js";

const TIMEOUT_MS = 10_000; // the limit of one request to the service
const REFRESH_MARGIN_MS = 5 * 60_000; // credentials are refreshed at most this long before they expire
const SKEW_MS = 5_000; // a smaller difference between the clocks is ignored; the Date header has a resolution of one second

/** @type {(v: any) => boolean} */
const isText = (v) => typeof v === "string" && v !== "";
/** @type {(v: any) => boolean} */
const isLogins = (v) => typeof v === "object" && v !== null && Object.keys(v).length > 0 && Object.values(v).every(isText);
/** @type {(v: any) => boolean} */
const isStorage = (v) => v === null || ["getItem", "setItem", "removeItem"].every((f) => typeof v[f] === "function");
/** Returns a check for iot/options.js. Its error does not describe the value, which may be a token. @type {(test: (v: any) => boolean, expected: string) => (v: any, name: string) => any} */
const mustBe = (test, expected) => (v, name) => {
  if (!test(v)) throw wrongType(name, expected);
  return v;
};
/** @type {Record<keyof import("./cognito.js").CognitoOptions, (v: any, name: string) => any>} */
const OPTIONS = {
  identityPoolId: mustBe((v) => isText(v) && /^[a-z0-9-]+:[0-9a-f-]{1,46}$/i.test(v),
    "the id of an identity pool, like us-east-1:xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx (the id of a user pool, like us-east-1_xxxx, cannot be used)"),
  region: mustBe((v) => isText(v) && /^[a-z0-9-]+$/.test(v), "an AWS region, like us-east-1"),
  logins: mustBe((v) => typeof v === "function" || isLogins(v), "an object that maps provider names to tokens, or a function that returns one"),
  storage: mustBe(isStorage, "a Storage, or null"),
  endpoint: mustBe((v) => URL.canParse(v, globalThis.location?.href) && /^https?:$/.test(new URL(v, globalThis.location?.href).protocol), "an http(s) URL"),
};

/** @typedef {import("./cognito.js").CognitoErrorCode} Code */

/**
 * The exceptions of the service. The values are the code, whether another attempt may succeed, and advice for the message.
 * @type {Record<string, [code: Code, retryable: boolean, advice: string]>}
 */
const ERRORS = {
  NotAuthorizedException: ["ERR_COGNITO_NOT_AUTHORIZED", false, "without logins, the pool must allow unauthenticated (guest) access; with logins, the token must not have expired and the pool must list its provider"],
  ResourceNotFoundException: ["ERR_COGNITO_NOT_FOUND", false, "check identityPoolId and region"],
  InvalidParameterException: ["ERR_COGNITO_PARAMETER", false, "check identityPoolId and the names of the providers in logins"],
  InvalidIdentityPoolConfigurationException: ["ERR_COGNITO_POOL_CONFIGURATION", false, "the pool needs an IAM role for these identities, with a trust policy that names the pool"],
  ResourceConflictException: ["ERR_COGNITO_CONFLICT", false, "the login already belongs to another identity"],
  TooManyRequestsException: ["ERR_COGNITO_THROTTLED", true, "too many requests in a short time"],
  LimitExceededException: ["ERR_COGNITO_LIMIT", true, "the account has reached a quota"],
  ExternalServiceException: ["ERR_COGNITO_EXTERNAL", true, "the login provider, or a Lambda function of the pool, failed"],
  InternalErrorException: ["ERR_COGNITO_INTERNAL", true, "Cognito had an internal failure"],
};
ERRORS.ValidationException = ERRORS.InvalidParameterException;

/**
 * Returns a credentials provider. cognito.d.ts documents the options and the provider.
 * @type {typeof import("./cognito.js").cognito}
 */
export function cognito(options) {
  const o = check(options ?? {}, OPTIONS, "cognito options");
  if (!o.identityPoolId) throw wrongType("cognito options.identityPoolId", "given");
  const region = o.region ?? o.identityPoolId.split(":")[0];
  const endpoint = new URL(o.endpoint ?? `https://cognito-identity.${region}.amazonaws.com${region.startsWith("cn-") ? ".cn" : ""}/`, globalThis.location?.href);
  const identities = identityStore(o.storage, `iot.cognito.${o.identityPoolId}`);
  /**
   * The last credentials. Times are in milliseconds, by the clock of the page.
   * @type {{ credentials: import("./cognito.js").CognitoCredentials, refreshAt: number, expiresAt: number } | undefined}
   */
  let cached;
  /** The refresh in progress. @type {ReturnType<typeof refresh> | undefined} */
  let pending;

  /** Fetches and caches new credentials. @returns {Promise<import("./cognito.js").CognitoCredentials>} */
  async function refresh(ignoreStored = false) {
    const logins = await loginsOf(o.logins);
    /** @param {string} action @param {object} body */
    const send = (action, body) => call(endpoint, action, logins ? { ...body, Logins: logins } : body, typeof o.logins === "function");
    const stored = ignoreStored ? undefined : identities.get(Boolean(logins));
    const id = stored ?? (await send("GetId", { IdentityPoolId: o.identityPoolId })).IdentityId;
    let answer;
    try {
      answer = await send("GetCredentialsForIdentity", { IdentityId: id });
    } catch (/** @type {any} */ error) {
      // The stored identity may have been deleted, or may belong to another user, who was logged in before.
      const rejected = error.code === "ERR_COGNITO_NOT_FOUND" || (logins && error.code === "ERR_COGNITO_NOT_AUTHORIZED");
      if (rejected) identities.remove();
      if (!stored || !rejected) throw error;
      return refresh(true);
    }
    const { Credentials: c } = answer;
    const expiration = new Date(c?.Expiration * 1000);
    if (![c?.AccessKeyId, c?.SecretKey, c?.SessionToken].every(isText) || Number.isNaN(expiration.getTime())) throw invalidResponse(answer.status);
    identities.set(answer.IdentityId, Boolean(logins));
    const lifetime = expiration.getTime() - answer.now;
    const expiresAt = Date.now() + lifetime;
    const credentials = { accessKeyId: c.AccessKeyId, secretAccessKey: c.SecretKey, sessionToken: c.SessionToken, expiration };
    cached = { credentials, expiresAt, refreshAt: expiresAt - Math.min(REFRESH_MARGIN_MS, lifetime / 10) };
    return credentials;
  }

  return async function credentials({ forceRefresh = false } = {}) {
    if (cached && !forceRefresh && Date.now() < cached.refreshAt) return { ...cached.credentials };
    pending ??= refresh().finally(() => (pending = undefined));
    try {
      return { ...(await pending) };
    } catch (/** @type {any} */ error) {
      // After a retryable error, credentials that have not expired are still used.
      if (cached && !forceRefresh && error.retryable && Date.now() < cached.expiresAt) return { ...cached.credentials };
      throw error;
    }
  };
}

/**
 * Returns functions that read, write and remove the identity id. Memory and storage contain the id and whether the
 * identity was logged in (authenticated).
 * @param {import("./cognito.js").CognitoStorage | null | undefined} storage
 * @param {string} key
 */
function identityStore(storage, key) {
  /** @type {{ id: string, authenticated: boolean } | null} */
  let memory = null;
  /** Calls f with the storage. Returns null if there is no storage, or if f throws. @param {(storage: import("./cognito.js").CognitoStorage) => any} f */
  const withStorage = (f) => {
    try {
      const s = storage === undefined ? globalThis.localStorage : storage;
      return s ? f(s) : null;
    } catch {
      return null; // the browser forbids storage, or the storage is full
    }
  };
  return {
    /** Returns the identity id if the store has one with this value of authenticated. @param {boolean} authenticated @returns {string | undefined} */
    get(authenticated) {
      const { id, authenticated: stored } = memory ?? withStorage((s) => JSON.parse(s.getItem(key) ?? "null")) ?? {};
      return typeof id === "string" && stored === authenticated ? id : undefined;
    },
    /** Stores the identity id. @param {string} id @param {boolean} authenticated */
    set(id, authenticated) {
      memory = { id, authenticated };
      withStorage((s) => s.setItem(key, JSON.stringify(memory)));
    },
    /** Removes the identity id. */
    remove() {
      memory = null;
      withStorage((s) => s.removeItem(key));
    },
  };
}

/** Returns the logins. Calls the function of the option, if it is one. @param {import("./cognito.js").CognitoOptions["logins"]} given */
async function loginsOf(given) {
  if (typeof given !== "function") return given;
  let logins;
  try {
    logins = await given();
  } catch (/** @type {any} */ cause) {
    throw failure("ERR_COGNITO_LOGINS", cause?.retryable !== false, "the function logins failed; its error is the cause of this one", cause);
  }
  if (!isLogins(logins)) throw failure("ERR_COGNITO_LOGINS", true, "the function logins must return an object that maps provider names to tokens");
  return { ...logins };
}

/**
 * Sends one unsigned request and returns the reply of the service with two more members: `status` is the HTTP status,
 * and `now` is the current time in milliseconds. `now` is the service's time (header Date) if the two clocks differ by
 * more than SKEW_MS, otherwise the page's time. Throws an IotError.
 * @param {URL} endpoint
 * @param {string} action
 * @param {{ Logins?: import("./cognito.js").CognitoLogins }} body
 * @param {boolean} canRenew whether another attempt can have new logins
 */
async function call(endpoint, action, body, canRenew) {
  let response, reply;
  try {
    response = await fetch(endpoint, {
      method: "POST",
      headers: { "Content-Type": "application/x-amz-json-1.1", "X-Amz-Target": `AWSCognitoIdentityService.${action}` },
      body: JSON.stringify(body),
      cache: "no-store",
      credentials: "omit",
      signal: AbortSignal.timeout(TIMEOUT_MS),
    });
    reply = JSON.parse(await textOf(response));
  } catch (/** @type {any} */ cause) {
    throw response && cause?.name === "SyntaxError" ? invalidResponse(response.status) : unreachable(endpoint, cause);
  }
  if (response.ok) {
    if (!isText(reply?.IdentityId)) throw invalidResponse(response.status);
    const date = Date.parse(response.headers.get("Date") ?? "");
    return { ...reply, status: response.status, now: Math.abs(date - Date.now()) > SKEW_MS ? date : Date.now() };
  }
  const type = String(reply?.__type ?? "").split("#").at(-1) ?? "";
  if (!Object.hasOwn(ERRORS, type)) {
    throw failure("ERR_COGNITO_REFUSED", response.status >= 500 || response.status === 429, `Cognito refused ${action} (HTTP ${response.status}${/^\w{1,60}$/.test(type) ? `, ${type}` : ""})`);
  }
  const [code, retryable, advice] = ERRORS[type];
  let message = String(reply.message ?? reply.Message ?? "");
  for (const token of Object.values(body.Logins ?? {})) message = message.replaceAll(token, "[redacted]");
  throw failure(code, retryable || (canRenew && code === "ERR_COGNITO_NOT_AUTHORIZED"), `Cognito refused ${action}, ${type}: ${message.slice(0, 300).replace(/\.$/, "")}; ${advice}`);
}

/** Creates the error of a request without a reply. @param {URL} endpoint @param {any} cause the error of fetch() */
function unreachable({ origin }, cause) {
  if (cause?.name === "TimeoutError") return failure("ERR_COGNITO_TIMEOUT", true, `${origin} did not answer within ${TIMEOUT_MS / 1000} s`, cause);
  if (globalThis.navigator?.onLine === false) return failure("ERR_COGNITO_OFFLINE", true, "the browser has no network connection", cause);
  return failure("ERR_COGNITO_UNREACHABLE", true, `${origin} cannot be reached: check the region, the network, and the page's Content-Security-Policy (connect-src must name ${origin})`, cause);
}

/** Creates the error of a reply that does not come from the service. @param {number} status */
function invalidResponse(status) {
  return failure("ERR_COGNITO_RESPONSE", true, `the response (HTTP ${status}) is not from Cognito: check endpoint and region, and any proxy in between`);
}

/** Creates an IotError. @param {Code} code @param {boolean} retryable @param {string} message @param {unknown} [cause] */
function failure(code, retryable, message, cause) {
  return new IotError(message, { code, phase: "credentials", retryable, cause });
}
