/**
 * Temporary credentials from an Amazon Cognito identity pool. The page contains no key.
 */
import type { Credentials, ProviderOptions } from "./iot.js";

/** The options of {@link cognito}. */
export interface CognitoOptions {
  /** The id of the identity pool, like `us-east-1:xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx`. The id of a user pool, like `us-east-1_xxxx`, cannot be used. */
  identityPoolId: string;
  /** The AWS region of the pool. Default: the part of `identityPoolId` before the colon. */
  region?: string | undefined;
  /**
   * Maps the name of each login provider to the user's token, or is a function that returns such an
   * object. The provider calls the function before each refresh. Default: none. The user is then a
   * guest, and the pool must allow guest access.
   */
  logins?: CognitoLogins | (() => CognitoLogins | PromiseLike<CognitoLogins>) | undefined;
  /** Where the provider stores the identity id between visits. Default: `localStorage`, if there is one. null: only in memory. */
  storage?: CognitoStorage | null | undefined;
  /** The URL of the Cognito service, http or https. Default: the public endpoint of the region. */
  endpoint?: string | URL | undefined;
}

/** Maps the name of each login provider, like `accounts.google.com`, to the token that it issued. Must not be empty. */
export type CognitoLogins = Readonly<Record<string, string>>;

/** The part of `Storage` that the provider uses. `localStorage`, `sessionStorage` and your own objects fit. */
export interface CognitoStorage {
  /** Returns the value that is stored under the key, or null. */
  getItem(key: string): string | null;
  /** Stores a value under the key. It may throw, for example when the storage is full. */
  setItem(key: string, value: string): void;
  /** Removes the value that is stored under the key. */
  removeItem(key: string): void;
}

/** Credentials from Cognito. They are temporary: they always have a session token and an expiration. */
export interface CognitoCredentials extends Credentials {
  /** The session token of the temporary key. */
  sessionToken: string;
  /** When the credentials expire, by the service's clock. */
  expiration: Date;
}

/**
 * Returns a copy of the cached credentials. It fetches new ones when a tenth of their lifetime (at most
 * five minutes) is left, and at once with `forceRefresh`. Rejects with an `IotError` that has one of the
 * codes {@link CognitoErrorCode} and the phase "credentials".
 */
export type CognitoProvider = (options?: ProviderOptions) => Promise<CognitoCredentials>;

/** The codes of an `IotError` from the provider. Its phase is "credentials". */
export type CognitoErrorCode =
  // Cognito refused the request; each code stands for one exception of the service
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
  // the function `logins` failed, or returned something else than logins
  | "ERR_COGNITO_LOGINS"
  // the service cannot be reached, does not answer within 10 seconds, or the answer is not Cognito's
  | "ERR_COGNITO_OFFLINE"
  | "ERR_COGNITO_UNREACHABLE"
  | "ERR_COGNITO_TIMEOUT"
  | "ERR_COGNITO_RESPONSE";

/**
 * Makes a credentials provider for `connect()`. Concurrent calls of the provider share one request, and
 * each caller gets a copy. Throws a `TypeError` with the code `ERR_OPTION` if an option is not valid.
 */
export function cognito(options: CognitoOptions): CognitoProvider;
