/**
 * Hooks for React 18 and later. They are correct under StrictMode, in concurrent rendering and on a server: rendering has
 * no side effect, and a hook starts in an effect. On a server the hooks return their first values.
 *
 * The errors that a hook does not return are passed to the option `onError`, or to `reportError()` of the page.
 */
import type { ConnectOptions, IotClient, Message, State, SubscribeOptions } from "./iot.js";
import type { Shadow } from "./shadow.js";

/** The option of every hook. */
export interface ClientOptions {
  /** The client. Default: the default client of iot.js. */
  client?: IotClient | undefined;
}

/** The options of `useConnection()`: those of `connect()`, and `client`. */
export interface ConnectionOptions extends ConnectOptions, ClientOptions {}

/** The result of `useConnection()`. */
export interface ConnectionState {
  /** The state of the client. On a server and during hydration it is "idle". */
  readonly state: State;
  /** The error of the last failed attempt or lost connection, or the error with which `connect()` rejected. Undefined while the client is connected, unless `connect()` rejected, and after `disconnect()`. */
  readonly error: unknown;
}

/** The options of `useSubscription()`: those of `subscribe()` with a handler, and others. */
export interface SubscriptionOptions extends ClientOptions, Omit<SubscribeOptions, "bufferBytes" | "bufferSize" | "signal"> {
  /** How many messages the hook returns, at least 1. Without this option, it returns the last message only. */
  keep?: number | undefined;
  /**
   * A function that receives the error of the subscription, for example `ERR_SUBSCRIBE_REFUSED`. The hook subscribes
   * again after the next connection. The function of the render in which the subscription started is called, so pass a
   * function that stays the same, such as the setter of a state. Default: `reportError()`, which shows the error in the console.
   */
  onError?: ((error: unknown) => void) | undefined;
}

/** The result of `useShadow()`. `T` is the type of the sections. Nothing checks that they have this type. */
export interface ShadowState<T = unknown> {
  /** The section `reported`; undefined if there is none, or if it is not known yet. */
  readonly reported: T | undefined;
  /** The section `desired`; undefined if there is none, or if it is not known yet. */
  readonly desired: T | undefined;
  /** The members of `desired` that differ from `reported`; undefined if there are none. */
  readonly delta: Partial<T> | undefined;
  /** The version of the shadow; undefined if the shadow does not exist, or is not known yet. */
  readonly version: number | undefined;
  /** The error because of which the members do not follow the shadow; undefined if they do. They follow it again after the next connection. */
  readonly error: unknown;
  /** Updates the shadow. It is the same function in every render. It rejects with `ERR_SHADOW_CLOSED` after the component has unmounted. */
  readonly update: Shadow["update"];
}

/**
 * Returns the state of a client. With options of `connect()`, it connects the client when the component mounts. The options
 * of the first render are used. Components with equal options share the connection. The client is disconnected when
 * the last component whose hook connects has unmounted. Without options of `connect()`, the hook only returns the state.
 */
export function useConnection(options?: ConnectionOptions): ConnectionState;

/**
 * Subscribes to a filter while the component is mounted, and returns the last `keep` messages, the newest last. A new
 * message results in a new array. The list becomes empty when the filter or an option changes. Throws a `RangeError` if
 * `keep` is less than 1.
 */
export function useSubscription(filter: string | null | undefined, options: SubscriptionOptions & {
  /** How many messages the hook returns, at least 1. */
  keep: number;
}): readonly Message[];
/**
 * Subscribes to a filter while the component is mounted, and returns the last message; undefined before the first one. With
 * null or undefined as the filter, there is no subscription.
 */
export function useSubscription(filter: string | null | undefined, options?: SubscriptionOptions & {
  /** Not given: the hook returns the last message. */
  keep?: undefined;
}): Message | undefined;

/** Returns `publish()` of the client. It is the same function in every render. */
export function usePublish(options?: ClientOptions): IotClient["publish"];

/**
 * Follows a device shadow while the component is mounted. Without `name`, it is the classic shadow of the thing. Throws a
 * `TypeError` (`ERR_OPTION`) if the name of the thing or of the shadow is not valid.
 */
export function useShadow<T = unknown>(thing: string, name?: string, options?: ClientOptions): ShadowState<T>;
