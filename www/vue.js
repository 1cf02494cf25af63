/**
 * Composables for Vue 3.
 *
 *   import { useConnection, useSubscription } from "iot.wasm/vue";
 *   const { state } = useConnection(options);
 *   const message = useSubscription("room/1/temperature");
 *
 * Each composable follows a source of iot/follow.js until its effect scope, for example that of a component, is disposed.
 * On a server, it only returns the first value, because Vue runs no post effects there.
 */
import { computed, shallowRef, toValue, watchPostEffect } from "vue";
import iot from "./iot.js";
import { connectionOf, shadowOf, subscriptionOf } from "./iot/follow.js";
import { shadow } from "./shadow.js";

/**
 * Follows a source, which is created again if a reactive value that create() has read changes.
 * @param {() => import("./iot/follow.js").Source<any>} create
 */
function useSource(create) {
  const source = computed(create);
  const value = shallowRef(source.value[2]());
  watchPostEffect((onCleanup) => {
    const [follow, get] = source.value;
    const show = () => (value.value = get());
    show();
    onCleanup(follow(show));
  });
  return value;
}

/** Returns a ref for each of the members of a ref's value. @param {import("vue").ShallowRef} value */
const refsOf = (value) => Object.fromEntries(Object.keys(value.value).map((name) => [name, computed(() => value.value[name])]));

/** @param {import("./vue.js").ConnectionOptions} [options] */
export function useConnection({ client = iot, ...options } = {}) {
  return refsOf(useSource(() => connectionOf(client, options)));
}

/** @param {import("vue").MaybeRefOrGetter<string | null | undefined>} filter @param {any} [options] */
export function useSubscription(filter, { client = iot, ...options } = {}) {
  return useSource(() => subscriptionOf(client, toValue(filter), options));
}

/** @param {import("./vue.js").ClientOptions} [options] */
export function usePublish({ client = iot } = {}) {
  return (/** @type {Parameters<typeof client.publish>} */ ...args) => client.publish(...args);
}

/**
 * @param {import("vue").MaybeRefOrGetter<string>} thing
 * @param {import("vue").MaybeRefOrGetter<string | undefined>} [name]
 * @param {import("./vue.js").ClientOptions} [options]
 */
export function useShadow(thing, name, { client = iot } = {}) {
  const value = useSource(() => shadowOf(() => shadow(client, toValue(thing), toValue(name))));
  return { ...refsOf(value), update: (/** @type {any[]} */ ...args) => value.value.update(...args) };
}
