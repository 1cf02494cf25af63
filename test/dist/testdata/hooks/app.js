import { StrictMode, createElement as h, useEffect, useState } from "react";
import { renderToString } from "react-dom/server";
import { useConnection, usePublish, useShadow, useSubscription } from "iot.wasm/react";

/** Shows the state of the connection. Two components connect with equal options. */
function State({ options }) {
  const { state, error } = useConnection({ ...options });
  return h("p", { className: "state" }, error ? `${state}: ${error.code}` : state);
}

/** Shows the messages of a room, and publishes to it. */
function Room({ room }) {
  const last = useSubscription(`room/${room}`, { qos: 1 });
  const list = useSubscription(`room/${room}`, { qos: 1, keep: 2 });
  const none = useSubscription(null);
  const publish = usePublish();
  globalThis.publish = (text) => publish(`room/${room}`, text, { qos: 1 });
  return h("p", { id: "room" }, `${last?.text()} [${list.map((m) => m.text())}] ${none}`);
}

/** Shows a shadow. */
function Lamp() {
  const { reported, desired, delta, version, error, update } = useShadow("lamp");
  globalThis.update = update;
  return h("p", { id: "lamp" }, JSON.stringify({ reported, desired, delta, version, error }));
}

/** Connects with other options, and subscribes to a filter that is not valid. */
function Wrong({ options }) {
  const [problem, setProblem] = useState();
  const { state, error } = useConnection({ ...options, keepAlive: 30 });
  useSubscription("a/#/b", { onError: setProblem });
  return h("p", { id: "wrong" }, `${state} ${error?.code} ${problem?.code}`);
}

/** Contains all components, until the page unmounts them. */
function App({ options }) {
  const [room, setRoom] = useState(1);
  const [mounted, setMounted] = useState(true);
  const [wrong, setWrong] = useState(false);
  Object.assign(globalThis, { setRoom, setMounted, setWrong });
  useEffect(() => {
    globalThis.mounts = (globalThis.mounts ?? 0) + 1;
  }, []);
  if (!mounted) return h("p", { id: "empty" });
  return h("div", null, room && h(Room, { room }), h(Lamp), h(State, { options }), h(State, { options }), wrong && h(Wrong, { options }));
}

export const app = (options) => h(StrictMode, null, h(App, { options }));
export const render = (options) => renderToString(app(options));
