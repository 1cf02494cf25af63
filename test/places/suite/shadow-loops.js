/** Tests of the loops of a shadow: deltas() and documents(). */
import { collect, equal, ok, rejects } from "../expect.js";
import { test } from "../suite.js";
import { fakeClient } from "./shadow-codes.js";
import { thingOf } from "./shadow.js";

const versions = (list) => list.map((d) => d.version ?? d.current.version);

test("deltas() begins with the current difference, and follows it", async (place) => {
  const { shadow, thing, client } = await thingOf(place);
  const lamp = shadow(client, thing);
  await lamp.update({ desired: { on: true } });
  const [bulb, documents] = [collect(lamp.deltas()), collect(lamp.documents())];
  equal(versions(await bulb.first(1)), [1]);
  await lamp.update({ reported: { on: true } }); // leaves no difference
  await lamp.update({ desired: { on: false, level: 3 } });
  await lamp.update({ desired: { level: 4 } });
  const deltas = await bulb.first(3);
  equal(deltas.map(({ state, version }) => [state, version]), [[{ on: true }, 1], [{ level: 3, on: false }, 3], [{ level: 4, on: false }, 4]]);
  ok(deltas.every(({ metadata, timestamp }) => metadata && timestamp > 1e9), "each delta has metadata and a timestamp");
  const changes = await documents.first(3);
  equal(changes.map(({ previous, current }) => [previous.version, current.version, current.state.desired]), [[1, 2, { on: true }], [2, 3, { level: 3, on: false }], [3, 4, { level: 4, on: false }]]);
  await lamp.close();
  await Promise.all([bulb.ended, documents.ended]);
});

test("loops survive reconnects, and get each change once, in order", async (place) => {
  const { shadow, thing, client } = await thingOf(place);
  const other = shadow(await place.connected({ reconnect: { minDelayMs: 10, maxDelayMs: 50 } }), thing);
  await other.update({ desired: { n: 1 } });
  const lamp = shadow(client, thing);
  const [deltas, documents] = [collect(lamp.deltas()), collect(lamp.documents())];
  await deltas.first(1);
  const id = client.connection.clientId;
  const faults = [{ cut: id }, { restart: "lose-sessions" }, { cut: id }, { restart: "keep-sessions" }, { restart: "lose-sessions" }];
  for (let n = 2; n <= 21; n++) {
    if (n % 4 === 0) await place.control(faults[n / 4 - 1]);
    await other.update({ desired: { n } }, { timeoutMs: 2000 }).catch((e) => {
      if (e.code !== "ERR_SHADOW_TIMEOUT") throw e; // the broker was restarted after the update
    });
  }
  const { version, state } = await other.get();
  for (const inbox of [deltas, documents]) {
    while (versions(inbox.all).at(-1) !== version) await inbox.first(inbox.all.length + 1);
    const got = versions(inbox.all);
    equal(got, [...new Set(got)].sort((a, b) => a - b), "the versions");
  }
  equal(deltas.all.at(-1).state, { n: state.desired.n });
  equal(documents.all.at(-1).current.state.desired, state.desired);
  // Without a lost connection, no change is missing between two neighbours.
  for (const { previous, current } of documents.all) ok(previous && previous.version < current.version, `${previous?.version} is before ${current.version}`);
});

test("a change while the client is offline arrives after the reconnect", async (place) => {
  const { shadow, thing, client } = await thingOf(place);
  const other = shadow(await place.connected(), thing);
  await other.update({ desired: { n: 1 } });
  const lamp = shadow(client, thing);
  const [deltas, documents] = [collect(lamp.deltas()), collect(lamp.documents())];
  await deltas.first(1);
  await lamp.update({ reported: { n: 0 } });
  await documents.first(1);
  await place.control({ upgrade: { status: 503, count: 2 }, cut: client.connection.clientId });
  await other.update({ desired: { n: 2 } });
  equal((await deltas.first(3)).map((d) => [d.version, d.state]), [[1, { n: 1 }], [2, { n: 1 }], [3, { n: 2 }]]);
  equal((await documents.first(2)).map((d) => [d.previous.version, d.current.version]), [[1, 2], [2, 3]]);
});

test("loops drop older and repeated messages", async (place) => {
  const { shadow } = await place.module("shadow");
  let state = { version: 5, timestamp: 100, state: { desired: { n: 5 }, delta: { n: 5 } } };
  const client = fakeClient((topic) => (topic.endsWith("/get") ? ["/accepted", state] : undefined));
  const lamp = shadow(client, "lamp");
  const [deltas, documents] = [collect(lamp.deltas()), collect(lamp.documents())];
  await deltas.first(1);
  const update = (version) => {
    client.deliver("$aws/things/lamp/shadow/update/delta", { version, timestamp: 100, state: { n: version } });
    client.deliver("$aws/things/lamp/shadow/update/documents", { current: { version, state: { desired: { n: version } } }, timestamp: 100 });
  };
  for (const version of [4, 5, 7, 6, 7]) update(version);
  // The shadow is fetched after a reconnect. The messages of its changes arrive late.
  state = { version: 9, timestamp: 100, state: { desired: { n: 9 }, delta: { n: 9 } } };
  client.dispatchEvent(new Event("connected"));
  equal(versions(await deltas.first(3)), [5, 7, 9]);
  equal(versions(await documents.first(3)), [5, 7, 9]); // 5: a message about the first fetched document is a change since the start
  for (const version of [8, 9, 10]) update(version);
  equal(versions(await deltas.first(4)), [5, 7, 9, 10]);
  equal(versions(await documents.first(4)), [5, 7, 9, 10]);
  equal(documents.all[2].previous.version, 7);
  // A lower version after a reconnect is that of another shadow.
  state = { version: 2, timestamp: 500, state: { desired: { n: 2 }, delta: { n: 2 } } };
  client.dispatchEvent(new Event("connected"));
  equal(versions(await deltas.first(5)).at(-1), 2);
  update(3);
  equal(versions(await deltas.first(6)).at(-1), 3);
});

test("a loop ends by break, signal, close() and an error", async (place) => {
  const { shadow, thing, client } = await thingOf(place);
  const lamp = shadow(client, thing);
  await lamp.update({ desired: { on: true } });
  const before = client.stats().subscriptions;
  for await (const { version } of lamp.deltas()) {
    equal(version, 1);
    break;
  }
  equal(client.stats().subscriptions - before, 2, "the subscriptions after break: those of get()");
  const stop = new AbortController();
  const stopped = collect(lamp.deltas({ signal: stop.signal }));
  await stopped.first(1);
  stop.abort();
  await stopped.ended;
  await collect(lamp.deltas({ signal: stop.signal })).ended;
  const returned = lamp.documents();
  const pending = returned.next();
  equal(await returned.return("x"), { value: "x", done: true });
  equal(await pending, { value: undefined, done: true });
  equal(client.stats().subscriptions - before, 2, "the subscriptions after the loops");
  const disconnected = collect(lamp.documents());
  await client.disconnect();
  await disconnected.ended;
  const refused = fakeClient((topic) => (topic.endsWith("/get") ? ["/rejected", { code: 403, message: "no" }] : undefined));
  await rejects(collect(shadow(refused, "lamp").deltas()).ended, { code: "ERR_SHADOW_FORBIDDEN" });
});

test("a loop keeps at most 1 MiB of values", async (place) => {
  const { shadow } = await place.module("shadow");
  const client = fakeClient((topic) => (topic.endsWith("/get") ? ["/rejected", { code: 404, message: "no" }] : undefined));
  const loop = shadow(client, "lamp").deltas();
  const first = loop.next();
  await new Promise((resolve) => setTimeout(resolve));
  for (let version = 1; version <= 100; version++) client.deliver("$aws/things/lamp/shadow/update/delta", { version, state: "x".repeat(100_000) });
  equal((await first).value.version, 91);
  equal((await loop.next()).value.version, 92);
  await loop.return();
  // The values that are fetched after reconnects count too.
  let version = 0;
  const fetching = fakeClient(() => ["/accepted", { version: ++version, timestamp: version, state: { delta: "x".repeat(100_000) } }]);
  const fetched = shadow(fetching, "lamp").deltas();
  while (version < 20) {
    await new Promise((resolve) => setTimeout(resolve));
    fetching.dispatchEvent(new Event("connected"));
  }
  await new Promise((resolve) => setTimeout(resolve));
  equal((await fetched.next()).value.version, version - 9);
  await fetched.return();
});

test("a loop fetches the state again after a retryable error", async (place) => {
  const { shadow } = await place.module("shadow");
  const answers = [["/rejected", { code: 500, message: "busy" }], ["/rejected", { code: 429, message: "slow" }], ["/accepted", { version: 3, state: { delta: 1 } }]];
  const real = globalThis.setTimeout, own = Object.hasOwn(globalThis, "setTimeout"); // a worker inherits it
  const delays = [];
  globalThis.setTimeout = (f, ms) => (ms === 5000 ? (delays.push(ms), real(f)) : real(f, ms));
  try {
    const loop = shadow(fakeClient(() => answers.shift()), "lamp").deltas();
    equal((await loop.next()).value.version, 3);
    await loop.return();
  } finally {
    if (own) globalThis.setTimeout = real;
    else delete globalThis.setTimeout;
  }
  equal(delays, [5000, 5000]);
});
