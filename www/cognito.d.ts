/**
 * A credentials provider for `connect()`. It gets temporary credentials from an Amazon Cognito identity
 * pool, so that the page contains no key.
 *
 * Source: Amazon Cognito Federated Identities, API Reference (GetId, GetCredentialsForIdentity).
 */
import type { Credentials, ProviderOptions } from "./iot.js";

/** The options of {@link cognito}. */
export interface CognitoOptions {
  /** The id of the identity pool, like `us-east-1:xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx`. It is not the id of a user pool, like `us-east-1_xxxx`. */
  identityPoolId: string;
  /** The AWS region of the pool. Default: the part of `identityPoolId` before the colon. */
  region?: string | undefined;
  /**
   * The tokens of a signed-in user, or a function that returns them. The credentials provider calls the
   * function before each refresh. Default: none. The user is then a guest, and the pool must allow guest
   * access.
   */
  logins?: CognitoLogins | (() => CognitoLogins | PromiseLike<CognitoLogins>) | undefined;
  /** The storage for the identity id between visits. Default: `localStorage`, if it exists. With null, the provider keeps the id only in memory. */
  storage?: CognitoStorage | null | undefined;
  /** The URL of the Cognito service, http or https. Default: the public endpoint of the region. */
  endpoint?: string | URL | undefined;
}

/** An object that maps the name of each login provider, like `accounts.google.com`, to the token that it issued. The object must not be empty. */
export type CognitoLogins = Readonly<Record<string, string>>;

/** The part of `Storage` that the provider uses. It can be `localStorage`, `sessionStorage` or your own object. */
export interface CognitoStorage {
  /** Returns the value that is stored under the key, or null. */
  getItem(key: string): string | null;
  /** Stores a value under the key. The method may throw, for example when the storage is full. */
  setItem(key: string, value: string): void;
  /** Removes the value that is stored under the key. */
  removeItem(key: string): void;
}

/** Credentials from Cognito. They are temporary: they always have a session token and an expiration. */
export interface CognitoCredentials extends Credentials {
  /** The session token of the temporary key. */
  sessionToken: string;
  /** The time at which the credentials expire, by the clock of the service. */
  expiration: Date;
}

/**
 * A function that returns a copy of the cached credentials. It fetches new credentials when a tenth of the
 * lifetime (at most five minutes) is left, or in any case with `forceRefresh`. If the refresh fails with a
 * retryable error, the function returns the cached credentials until they expire, except with `forceRefresh`.
 * Concurrent calls share one refresh. Rejects with an `IotError` that has one of the codes
 * {@link CognitoErrorCode} and the phase "credentials".
 */
export type CognitoProvider = (options?: ProviderOptions) => Promise<CognitoCredentials>;

/** The codes of an `IotError` from the provider. docs/errors.md describes the codes. */
export type CognitoErrorCode =
  // Cognito refused the request; ERR_COGNITO_REFUSED is for an exception that has no other code
  | "ERR_COGNITO_NOT_AUTHORIZED"
  | "ERR_COGNITO_NOT_FOUND"
  | "ERR_COGNITO_PARAMETER"
  | "ERR_COGNITO_POOL_CONFIGURATION"
  | "ERR_COGNITO_CONFLICT"
  | "ERR_COGNITO_THROTTLED"
  | "ERR_COGNITO_LIMIT"
  | "ERR_COGNITO_EXTERNAL"
  | "ERR_COGNITO_INTERNAL"
  | "ERR_COGNITO_REFUSED"
  // the function `logins` failed, or its result is not valid
  | "ERR_COGNITO_LOGINS"
  // Cognito cannot be reached, does not answer within 10 seconds, or the answer is not from Cognito
  | "ERR_COGNITO_OFFLINE"
  | "ERR_COGNITO_UNREACHABLE"
  | "ERR_COGNITO_TIMEOUT"
  | "ERR_COGNITO_RESPONSE";

/**
 * Returns a credentials provider for the option `credentials` of `connect()`. Throws a `TypeError` with the
 * code `ERR_OPTION` or `ERR_UNICODE` if an option is not valid.
 */
export function cognito(options: CognitoOptions): CognitoProvider;
