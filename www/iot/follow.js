/**
 * The sources of values that react.js and vue.js show: the state of a connection, the messages of a subscription, and a
 * shadow. In dist/, each of the two modules contains a copy of this module. A page that uses both modules must give each of
 * them a client of its own, because each copy counts the components that keep a client connected.
 */

/** @typedef {import("../iot.js").IotClient} IotClient */

/** @template T @typedef {[follow: (notify: () => void) => () => void, get: () => T, server: () => T]} Source */

/** The state of a client on a server. @type {{ state: import("../iot.js").State, error: unknown }} */
const IDLE = { state: "idle", error: undefined };

/**
 * Creates a source: a value that is updated while a component follows it. A source is the arguments of React's
 * useSyncExternalStore(): follow(notify) starts to update the value and returns a function that stops it, get() returns
 * the value, which changes only when notify() is called, and the last function returns the value for rendering on a server.
 *
 * start() runs in a microtask, because StrictMode mounts, unmounts and mounts a component in one task. Only the last mount
 * then starts.
 * @template T
 * @param {T} value
 * @param {(signal: AbortSignal, set: (value: T) => void) => void} start starts to update the value, until the signal aborts
 * @param {T} [server]
 * @returns {Source<T>}
 */
function createSource(value, start, server = value) {
  return [
    (notify) => {
      const stop = new AbortController(), { signal } = stop;
      queueMicrotask(() => signal.aborted || start(signal, (next) => {
        if (signal.aborted) return;
        value = next;
        notify();
      }));
      return () => stop.abort();
    },
    () => value,
    () => server,
  ];
}

/** For each client, the number of components that keep it connected, and its last error. @type {WeakMap<IotClient, { users_: number, error_?: unknown }>} */
const clients = new WeakMap();

/**
 * Returns the source of a client's state and last error. With options, it connects the client. It disconnects the client
 * when the last component that connects it stops.
 * @param {IotClient} client
 * @param {object} options
 */
export function connectionOf(client, options) {
  const shared = clients.get(client) ?? { users_: 0 };
  clients.set(client, shared);
  const read = () => ({ state: client.state, error: shared.error_ });
  return createSource(read(), (signal, set) => {
    /** @param {unknown} [error] */
    const show = (error) => {
      shared.error_ = error;
      set(read());
    };
    for (const type of ["connecting", "connected", "disconnected", "closed"]) {
      // The error of a lost connection is shown until the client is connected again.
      client.addEventListener(/** @type {any} */ (type), (/** @type {any} */ { detail }) => show(type === "connecting" ? shared.error_ : detail.error), { signal });
    }
    if (Object.keys(options)[0]) {
      shared.users_++;
      // Another component of the application may mount now.
      signal.addEventListener("abort", () => (shared.users_--, setTimeout(() => shared.users_ || client.disconnect())));
      client.connect(options).catch((error) => signal.aborted || show(error));
    }
    show(client.state === "connected" ? undefined : shared.error_);
  }, IDLE);
}

/**
 * Returns the source of the last message, or of the last messages, of a subscription. After the client was closed, the
 * next connection subscribes again.
 * @param {IotClient} client
 * @param {string | null | undefined} filter
 * @param {any} options
 */
export function subscriptionOf(client, filter, { keep, onError, ...options }) {
  if (keep !== undefined && !(keep >= 1)) throw new RangeError("keep must be at least 1");
  /** @type {any} */
  let value = keep && [];
  return createSource(value, (signal, set) => {
    let subscribed = false;
    const subscribe = async () => {
      if (subscribed) return;
      subscribed = true;
      try {
        const { closed } = await client.subscribe(/** @type {string} */ (filter), (message) => set((value = keep ? [...value, message].slice(-keep) : message)), { ...options, signal });
        const error = await closed;
        if (error) throw error;
      } catch (error) {
        // useConnection shows the error that closed a client.
        if (!signal.aborted && client.state !== "closed") (onError ?? reportError)(error);
      }
      subscribed = false;
    };
    if (filter == null) return;
    client.addEventListener("connected", subscribe, { signal });
    subscribe();
  });
}

/**
 * Returns the source of a shadow's members, with its method update().
 * @param {() => import("../shadow.js").Shadow} open creates the shadow
 */
export function shadowOf(open) {
  let shadow = open(), used = false;
  /** @param {Parameters<typeof shadow.update>} args */
  const update = (...args) => shadow.update(...args);
  /** Returns the own members of the shadow (reported, desired, delta, version) and two more. @param {unknown} [error] */
  const read = (error) => ({ ...shadow, error, update });
  return createSource(read(), (signal, set) => {
    if (used) shadow = open(); // the earlier one is closed
    used = true;
    signal.addEventListener("abort", shadow.close);
    shadow.addEventListener("error", ({ detail }) => set(read(detail.error)));
    shadow.addEventListener("change", () => set(read()));
  });
}
