/**
 * The device shadow of a thing: its state in AWS IoT Core, which devices and applications share. A shadow has two
 * sections: `desired`, the state that applications request, and `reported`, the state that the device has.
 *
 * Source: AWS IoT Core Developer Guide, "AWS IoT Device Shadow service".
 */
import type { AsyncDisposableWhereKnown, IotClient, IotError } from "./iot.js";

/** The sections of an update. An update changes only the members that it contains. A member that is null is removed. */
export interface ShadowState {
  /** The state that the device has. With null, the whole section is removed. */
  reported?: unknown;
  /** The state that applications request. With null, the whole section is removed. */
  desired?: unknown;
}

/** A shadow document, or the answer to an update, which contains only the members of the update. */
export interface ShadowDocument {
  /** The sections. The answer to `get()` also contains `delta`: the members of `desired` that differ from `reported`. */
  state: ShadowState & {
    /** The members of `desired` that differ from `reported`. */
    delta?: unknown;
  };
  /** The times at which the members of `state` changed. */
  metadata?: unknown;
  /** The version of the shadow. Each update increases it by 1. */
  version: number;
  /** The time of the answer, in seconds since 1970. */
  timestamp: number;
}

/** A change of the difference between `desired` and `reported`. */
export interface ShadowDelta {
  /** The members of `desired` that differ from `reported`, also those that differed before. */
  state: unknown;
  /** The times at which the members of `state` changed. */
  metadata?: unknown;
  /** The version of the shadow. */
  version: number;
  /** The time of the change, in seconds since 1970. */
  timestamp: number;
}

/** A change of a shadow. */
export interface ShadowChange {
  /** The document before the change; undefined or null if there was no shadow. */
  previous?: Omit<ShadowDocument, "timestamp"> | null;
  /** The document after the change. */
  current: Omit<ShadowDocument, "timestamp">;
  /** The time of the change, in seconds since 1970. */
  timestamp: number;
}

/** The options of `deltas()` and `documents()`. */
export interface ShadowFollowOptions {
  /** An abort ends the loop, without an error. */
  signal?: AbortSignal | undefined;
}

/** The options of a request. */
export interface ShadowRequestOptions {
  /** The time in milliseconds that the shadow waits for the answer, including the time without a connection; 0 to 2,147,483,647. Default 10000. */
  timeoutMs?: number | undefined;
  /** An abort rejects the promise. A request that was sent may still be carried out. */
  signal?: AbortSignal | undefined;
}

/** The options of `update()`. */
export interface ShadowUpdateOptions extends ShadowRequestOptions {
  /** The version that the shadow must have. The update rejects with `ERR_SHADOW_VERSION` if the shadow has another version. Ignored if the argument is a function. */
  version?: number | undefined;
  /**
   * How many times the update is sent again after a version conflict. Before each of these attempts, the shadow is
   * fetched, and the update gets its version. Default 0.
   */
  retry?: number | undefined;
}

/** The codes of an `IotError` of a shadow. docs/errors.md describes the codes. */
export type ShadowErrorCode =
  // AWS IoT rejected the request with the code 400, 401, 403, 404, 409, 413, 415, 429 or 500
  | "ERR_SHADOW_REQUEST"
  | "ERR_SHADOW_UNAUTHORIZED"
  | "ERR_SHADOW_FORBIDDEN"
  | "ERR_SHADOW_NOT_FOUND"
  | "ERR_SHADOW_VERSION"
  | "ERR_SHADOW_TOO_LARGE"
  | "ERR_SHADOW_ENCODING"
  | "ERR_SHADOW_THROTTLED"
  | "ERR_SHADOW_INTERNAL"
  // AWS IoT rejected the request with another code
  | "ERR_SHADOW_REJECTED"
  // AWS IoT did not answer
  | "ERR_SHADOW_TIMEOUT"
  // close() was called, or the client has closed
  | "ERR_SHADOW_CLOSED";

/** The events of a shadow. */
export interface ShadowEvents {
  /** The members `reported`, `desired`, `delta` and `version` have changed. */
  change: Event;
  /** The members do not follow the shadow any more, because of an error, for example a refused subscription. They follow it again after the next connection. */
  error: CustomEvent<ShadowErrorDetail>;
}

/** A listener for the event `K`: a function, or an object with the method `handleEvent`. */
export type ShadowEventListener<K extends keyof ShadowEvents> =
  | ((this: Shadow, event: ShadowEvents[K]) => void)
  | {
      /** The method that is called for each event. */
      handleEvent(event: ShadowEvents[K]): void;
    };

/** The detail of the event `error`. */
export interface ShadowErrorDetail {
  /** The error that ended a subscription or a request. */
  readonly error: IotError;
}

/**
 * A device shadow. Its methods reject with an `IotError` that has a code of {@link ShadowErrorCode} and the phase
 * "publish", or as `subscribe()` and `publish()` of the client do. They reject with a `TypeError` (`ERR_OPTION`) if an
 * argument is not valid. Every promise settles.
 *
 * A shadow subscribes to topics when it needs them: two for each of `get()`, `update()` and `delete()`, one for `deltas()`
 * and one for `documents()`, and four for the event `change` (those of `get()`, and two more). Shadows of a client share
 * the subscriptions. A subscription ends when the last shadow that uses it is closed. AWS IoT Core allows 50
 * subscriptions in a connection.
 */
export interface Shadow extends EventTarget, AsyncDisposableWhereKnown {
  /**
   * The last known section `reported`; undefined if there is none. From the first listener for the event `change` on, the
   * four members follow the shadow. Without such a listener, only `get()` and `delete()` change them.
   */
  readonly reported: unknown;
  /** The last known section `desired`; undefined if there is none. */
  readonly desired: unknown;
  /** The members of `desired` that differ from `reported`; undefined if there are none. */
  readonly delta: unknown;
  /** The last known version; undefined if the shadow does not exist, or is not known yet. */
  readonly version: number | undefined;

  /** Fetches the shadow. Rejects with `ERR_SHADOW_NOT_FOUND` if it does not exist. */
  get(options?: ShadowRequestOptions): Promise<ShadowDocument>;

  /**
   * Updates the shadow, or creates it. Resolves with the accepted members. With a function, the shadow is fetched first.
   * The function gets the sections of the shadow (none if it does not exist) and returns the update, which is valid for
   * the fetched version only. After a version conflict, the function is called again, as often as the option `retry` allows.
   */
  update(state: ShadowState | ((current: ShadowDocument["state"]) => ShadowState | PromiseLike<ShadowState>), options?: ShadowUpdateOptions): Promise<ShadowDocument>;

  /** Deletes the shadow. Rejects with `ERR_SHADOW_NOT_FOUND` if it does not exist. */
  delete(options?: ShadowRequestOptions): Promise<void>;

  /**
   * Returns the differences between `desired` and `reported`: first the current one, if there is one, and then one for each
   * update that leaves a difference. The loop lasts through reconnects. It gets each difference once, in the order of the
   * versions. After a reconnect the shadow is fetched, so that the loop gets the latest difference, but possibly not
   * those before it. The loop throws the first error that is not retryable. It ends without an error when the signal
   * aborts, or when the shadow or the client is closed.
   *
   * Up to 1 MiB of differences wait for the loop. Above this bound, the oldest ones are dropped.
   */
  deltas(options?: ShadowFollowOptions): AsyncIterableIterator<ShadowDelta>;

  /** Returns the changes of the shadow from now on. The rules of `deltas()` apply: several changes during a lost connection may become one. A deletion is no change. */
  documents(options?: ShadowFollowOptions): AsyncIterableIterator<ShadowChange>;

  /** Ends the subscriptions and loops of the shadow. Pending calls reject with `ERR_SHADOW_CLOSED`. */
  close(): Promise<void>;

  /** Adds a listener for an event of {@link ShadowEvents}. The first listener for `change` makes the members follow the shadow. */
  addEventListener<K extends keyof ShadowEvents>(type: K, listener: ShadowEventListener<K> | null, options?: AddEventListenerOptions | boolean): void;

  /** Removes a listener. */
  removeEventListener<K extends keyof ShadowEvents>(type: K, listener: ShadowEventListener<K> | null, options?: EventListenerOptions | boolean): void;
}

/**
 * Returns a device shadow. Without `name`, it is the classic shadow of the thing. Throws a `TypeError` (`ERR_OPTION`) if an
 * argument is not valid. A thing name has 1 to 128 letters, digits, `:`, `_` and `-`; the name of a shadow has 1 to 64 of
 * them, or `$`.
 */
export function shadow(client: IotClient, thing: string, name?: string): Shadow;
