/**
 * Composables for Vue 3.3 and later. Each of them stops when its effect scope, for example that of the component, is
 * disposed. On a server, or before the component is mounted, they return their first values.
 *
 * The errors that a composable does not return are passed to the option `onError`, or to `reportError()` of the page.
 */
import type { MaybeRefOrGetter, Ref } from "vue";
import type { ConnectOptions, IotClient, Message, State, SubscribeOptions } from "./iot.js";
import type { Shadow } from "./shadow.js";

/** The option of every composable. */
export interface ClientOptions {
  /** The client. Default: the default client of iot.js. */
  client?: IotClient | undefined;
}

/** The options of `useConnection()`: those of `connect()`, and `client`. */
export interface ConnectionOptions extends ConnectOptions, ClientOptions {}

/** The result of `useConnection()`. */
export interface ConnectionRefs {
  /** The state of the client. On a server and during hydration it is "idle". */
  readonly state: Readonly<Ref<State>>;
  /** The error of the last failed attempt or lost connection, or the error with which `connect()` rejected. Undefined while the client is connected, unless `connect()` rejected, and after `disconnect()`. */
  readonly error: Readonly<Ref<unknown>>;
}

/** The options of `useSubscription()`: those of `subscribe()` with a handler, and others. */
export interface SubscriptionOptions extends ClientOptions, Omit<SubscribeOptions, "bufferBytes" | "bufferSize" | "signal"> {
  /** How many messages the ref contains, at least 1. Without this option, it contains the last message only. */
  keep?: number | undefined;
  /**
   * A function that receives the error of the subscription, for example `ERR_SUBSCRIBE_REFUSED`. The composable
   * subscribes again after the next connection. Default: `reportError()`, which shows the error in the console.
   */
  onError?: ((error: unknown) => void) | undefined;
}

/** The result of `useShadow()`. `T` is the type of the sections. Nothing checks that they have this type. */
export interface ShadowRefs<T = unknown> {
  /** The section `reported`; undefined if there is none, or if it is not known yet. */
  readonly reported: Readonly<Ref<T | undefined>>;
  /** The section `desired`; undefined if there is none, or if it is not known yet. */
  readonly desired: Readonly<Ref<T | undefined>>;
  /** The members of `desired` that differ from `reported`; undefined if there are none. */
  readonly delta: Readonly<Ref<Partial<T> | undefined>>;
  /** The version of the shadow; undefined if the shadow does not exist, or is not known yet. */
  readonly version: Readonly<Ref<number | undefined>>;
  /** The error because of which the refs do not follow the shadow; undefined if they do. They follow it again after the next connection. */
  readonly error: Readonly<Ref<unknown>>;
  /** Updates the shadow. It rejects with `ERR_SHADOW_CLOSED` after the effect scope was disposed. */
  readonly update: Shadow["update"];
}

/**
 * Returns the state of a client. With options of `connect()`, it connects the client when the component is mounted.
 * Components with equal options share the connection. The client is disconnected when the last effect scope that
 * connects it was disposed. Without options of `connect()`, the composable only returns the state.
 */
export function useConnection(options?: ConnectionOptions): ConnectionRefs;

/**
 * Subscribes to a filter, and returns the last `keep` messages, the newest last. A new message results in a new
 * array. The list becomes empty when the filter changes.
 */
export function useSubscription(filter: MaybeRefOrGetter<string | null | undefined>, options: SubscriptionOptions & {
  /** How many messages the ref contains, at least 1. */
  keep: number;
}): Readonly<Ref<readonly Message[]>>;
/**
 * Subscribes to a filter, and returns the last message; undefined before the first one. With null or undefined as
 * the filter, there is no subscription.
 */
export function useSubscription(filter: MaybeRefOrGetter<string | null | undefined>, options?: SubscriptionOptions & {
  /** Not given: the ref contains the last message. */
  keep?: undefined;
}): Readonly<Ref<Message | undefined>>;

/** Returns `publish()` of the client. */
export function usePublish(options?: ClientOptions): IotClient["publish"];

/**
 * Follows a device shadow. Without `name`, it is the classic shadow of the thing. Throws a `TypeError` (`ERR_OPTION`) if
 * the name of the thing or of the shadow is not valid.
 */
export function useShadow<T = unknown>(thing: MaybeRefOrGetter<string>, name?: MaybeRefOrGetter<string | undefined>, options?: ClientOptions): ShadowRefs<T>;
