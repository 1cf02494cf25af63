/**
 * Temporary credentials from an Amazon Cognito identity pool, so that no key is in the page.
 */
import type { Credentials, ProviderOptions } from "./iot.js";

/** Which identity pool, and as whom. */
export interface CognitoOptions {
  /** The pool's id, like `us-east-1:xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx`. (A user pool's, `us-east-1_xxxx`, is another thing.) */
  identityPoolId: string;
  /** The pool's AWS region. Default: read from its id. */
  region?: string | undefined;
  /**
   * A login provider's name and its token, or a function that returns them, which is called before
   * each refresh. Default: none, for a guest, whom the pool has to allow.
   */
  logins?: CognitoLogins | (() => CognitoLogins | PromiseLike<CognitoLogins>) | undefined;
  /** Where the identity's id is kept between visits. Default: `localStorage`, where there is one. null: nowhere. */
  storage?: CognitoStorage | null | undefined;
  /** Where Cognito answers, as an http(s) URL. Default: the public one of the region. */
  endpoint?: string | URL | undefined;
}

/** For each login provider's name, like `accounts.google.com`, the token it gave. Not empty. */
export type CognitoLogins = Readonly<Record<string, string>>;

/** The part of `Storage` that is used: `localStorage` and `sessionStorage` fit, and so does an object of your own. */
export interface CognitoStorage {
  /** What is kept under the key, or null. */
  getItem(key: string): string | null;
  /** Keeps it. May throw when it is full. */
  setItem(key: string, value: string): void;
  /** Forgets it. */
  removeItem(key: string): void;
}

/** Credentials as Cognito gives them: always with a token and an end. */
export interface CognitoCredentials extends Credentials {
  /** Comes with every request that they sign. */
  sessionToken: string;
  /** Until when they are good, by the service's clock. */
  expiration: Date;
}

/** Returns the credentials at hand, or fetches others shortly before these expire, or at once with `forceRefresh`. */
export type CognitoProvider = (options?: ProviderOptions) => Promise<CognitoCredentials>;

/** The codes that an `IotError` of the provider has, in the phase "credentials". */
export type CognitoErrorCode =
  // what the service refuses, by its own names of the reasons
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
  // the function `logins` failed, or returned none
  | "ERR_COGNITO_LOGINS"
  // the service cannot be reached, is slower than 10 seconds, or something else answers in its place
  | "ERR_COGNITO_OFFLINE"
  | "ERR_COGNITO_UNREACHABLE"
  | "ERR_COGNITO_TIMEOUT"
  | "ERR_COGNITO_RESPONSE";

/**
 * Makes a credentials provider for `connect()`. It asks the service once, however many ask it, and
 * gives each caller a copy. Throws a `TypeError` with the code `ERR_OPTION` for options that are not right.
 */
export function cognito(options: CognitoOptions): CognitoProvider;
