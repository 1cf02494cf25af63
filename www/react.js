/**
 * Hooks for React.
 *
 *   import { useConnection, useSubscription } from "iot.wasm/react";
 *   const { state } = useConnection(options);
 *   const message = useSubscription("room/1/temperature");
 *
 * Each hook follows a source of iot/follow.js from an effect on. Rendering has no side effect, so it may be repeated,
 * interrupted, or run on a server.
 */
import { useCallback, useMemo, useSyncExternalStore } from "react";
import iot from "./iot.js";
import { connectionOf, shadowOf, subscriptionOf } from "./iot/follow.js";
import { shadow } from "./shadow.js";

/**
 * Follows a source, which is created again if one of the keys changes.
 * @param {() => import("./iot/follow.js").Source<any>} create
 * @param {unknown[]} keys
 */
const useSource = (create, keys) => useSyncExternalStore(...useMemo(create, keys));

/** @param {import("./react.js").ConnectionOptions} [options] */
export function useConnection({ client = iot, ...options } = {}) {
  return useSource(() => connectionOf(client, options), [client]);
}

/** @param {string | null | undefined} filter @param {any} [options] */
export function useSubscription(filter, { client = iot, ...options } = {}) {
  return useSource(() => subscriptionOf(client, filter, options), [client, filter, JSON.stringify(options)]);
}

/** @param {import("./react.js").ClientOptions} [options] */
export function usePublish({ client = iot } = {}) {
  return useCallback((/** @type {Parameters<typeof client.publish>} */ ...args) => client.publish(...args), [client]);
}

/** @param {string} thing @param {string} [name] @param {import("./react.js").ClientOptions} [options] */
export function useShadow(thing, name, { client = iot } = {}) {
  return useSource(() => shadowOf(() => shadow(client, thing, name)), [client, thing, name]);
}
