/**
 * The clients that are connected to AWS IoT Core, by its lifecycle events.
 *
 *   import iot from "./iot.js";
 *   import { presence } from "./presence.js";
 *   const present = presence(iot);
 *   present.addEventListener("change", () => show([...present.clients.keys()]));
 *
 * Source: AWS IoT Core Developer Guide, "Lifecycle events" (life-cycle-events.html).
 */
import { createFeed } from "./iot/feed.js";
import { checkClient, optionsOf, parse } from "./iot/service.js";

/** @typedef {import("./presence.js").PresenceEvent} PresenceEvent */

const MAX_CLIENTS = 10_000; // the bound of the clients whose last event is stored
// AWS IoT begins the version numbers of a client at 0 again when its session has expired, and after about an hour. Its
// timestamps are accurate to two minutes. So a lower number belongs to a later event if its timestamp is this much later.
const RESET_MS = 240_000;
const PREFIX = "$aws/events/presence/";

/**
 * Whether an event is newer than another one of the same client.
 * @param {PresenceEvent} event
 * @param {PresenceEvent | undefined} last
 */
function isNewer(event, last) {
  if (!last || last.stale) return true;
  // A connection and its end have the same version number.
  const order = event.versionNumber - last.versionNumber || Number(last.connected) - Number(event.connected);
  return order > 0 || (event.versionNumber < last.versionNumber && !last.connected && event.timestamp - last.timestamp > RESET_MS);
}

/**
 * Returns the clients that are connected. presence.d.ts documents them.
 * @type {typeof import("./presence.js").presence}
 */
export function presence(client) {
  checkClient(client);
  const stop = new AbortController();
  /** @type {Map<string, PresenceEvent>} the last events by client id, also those of clients that are not connected */
  const last = new Map();
  /** @type {Map<string, PresenceEvent>} */
  const clients = new Map();
  /** @type {Set<ReturnType<typeof createFeed>>} */
  const feeds = new Set();

  class Presence extends EventTarget {
    clients = clients;
    ready = Promise.all([true, false].map(follow)).then(() => {});

    /** @param {any} [options] @returns {any} */
    changes(options) {
      const { signal } = optionsOf(options);
      const own = new AbortController();
      const end = () => {
        own.abort();
        feeds.delete(feed);
        feed.end_();
      };
      const feed = createFeed(end);
      feeds.add(feed);
      for (const s of [signal, stop.signal]) {
        s?.addEventListener("abort", end, { signal: own.signal });
        if (s?.aborted) end();
      }
      return feed.values_;
    }

    async close() {
      stop.abort();
    }

    // Older browsers do not have Symbol.asyncDispose.
    [Symbol.asyncDispose ?? Symbol()]() {
      return this.close();
    }
  }
  const self = new Presence();
  self.ready.catch(() => {});
  client.addEventListener("connected", ({ detail }) => {
    if (detail.recovered) return;
    // Without the session, events may be missing.
    for (const [id, event] of last) last.set(id, { ...event, stale: true });
    for (const [id, event] of clients) update({ ...event, stale: true });
  }, { signal: stop.signal });

  /** Subscribes to one kind of events. @param {boolean} connected */
  async function follow(connected) {
    try {
      const subscription = await client.subscribe(`${PREFIX}${connected ? "" : "dis"}connected/#`, (message) => {
        const event = parse(message);
        if (typeof event.clientId !== "string" || !Number.isFinite(event.versionNumber)) return;
        const { clientId } = event;
        update({ ...event, clientId, connected, stale: false });
      }, { qos: 1, signal: stop.signal });
      subscription.closed.then(end);
    } catch (error) {
      end(error);
      throw error;
    }
  }

  /** Stores an event, if it is newer than the last one of its client. @param {PresenceEvent} event */
  function update(event) {
    const { clientId, connected, stale } = event;
    const previous = last.get(clientId);
    if (!stale && !isNewer(event, previous)) {
      if (previous?.connected && !connected) emit("replaced", event);
      return;
    }
    last.delete(clientId); // so that the map is in the order of the events
    last.set(clientId, event);
    if (connected) clients.set(clientId, event);
    else clients.delete(clientId);
    if (last.size > MAX_CLIENTS) {
      const [oldest] = last.keys();
      last.delete(oldest);
      clients.delete(oldest);
    }
    for (const feed of feeds) feed.add_(event);
    emit("change", event);
  }

  /** @param {string} type @param {any} detail */
  const emit = (type, detail) => self.dispatchEvent(new CustomEvent(type, { detail }));

  /** Ends the subscriptions and loops, and reports an error. @param {any} [error] */
  function end(error) {
    if (stop.signal.aborted) return;
    for (const feed of feeds) feed.end_(error);
    stop.abort();
    if (error) emit("error", { error });
  }

  return /** @type {any} */ (self);
}
