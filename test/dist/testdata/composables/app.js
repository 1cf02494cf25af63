import { createSSRApp, h, onMounted, ref } from "vue";
import { renderToString } from "vue/server-renderer";
import { useConnection, usePublish, useShadow, useSubscription } from "iot.wasm/vue";

/** Shows the state of the connection. Two components connect with equal options. */
const State = {
  props: ["options"],
  setup(props) {
    const { state, error } = useConnection({ ...props.options });
    return () => h("p", { class: "state" }, error.value ? `${state.value}: ${error.value.code}` : state.value);
  },
};

/** Shows the messages of a room, and publishes to it. */
const Room = {
  props: ["room"],
  setup(props) {
    const last = useSubscription(() => `room/${props.room}`, { qos: 1 });
    const list = useSubscription(() => `room/${props.room}`, { qos: 1, keep: 2 });
    const none = useSubscription(null);
    const publish = usePublish();
    globalThis.publish = (text) => publish(`room/${props.room}`, text, { qos: 1 });
    return () => h("p", { id: "room" }, `${last.value?.text()} [${list.value.map((m) => m.text())}] ${none.value}`);
  },
};

/** Shows a shadow. */
const Lamp = {
  setup() {
    const { update, ...refs } = useShadow("lamp");
    globalThis.update = update;
    const names = ["reported", "desired", "delta", "version", "error"];
    return () => h("p", { id: "lamp" }, JSON.stringify(Object.fromEntries(names.map((name) => [name, refs[name].value]))));
  },
};

/** Connects with other options, and subscribes to a filter that is not valid. */
const Wrong = {
  props: ["options"],
  setup(props) {
    const problem = ref();
    const { state, error } = useConnection({ ...props.options, keepAlive: 30 });
    useSubscription("a/#/b", { onError: (e) => (problem.value = e) });
    return () => h("p", { id: "wrong" }, `${state.value} ${error.value?.code} ${problem.value?.code}`);
  },
};

/** Contains all components, until the page unmounts them. */
const App = {
  props: ["options"],
  setup(props) {
    const room = ref(1), mounted = ref(true), wrong = ref(false);
    Object.assign(globalThis, { setRoom: (v) => (room.value = v), setMounted: (v) => (mounted.value = v), setWrong: (v) => (wrong.value = v) });
    onMounted(() => (globalThis.mounts = (globalThis.mounts ?? 0) + 1));
    return () => mounted.value
      ? h("div", [room.value && h(Room, { room: room.value }), h(Lamp), h(State, { options: props.options }),
        h(State, { options: props.options }), wrong.value && h(Wrong, { options: props.options })])
      : h("p", { id: "empty" });
  },
};

export const app = (options) => createSSRApp(App, { options });
export const render = (options) => renderToString(app(options));
