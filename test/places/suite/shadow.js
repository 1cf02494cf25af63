/** Tests of the requests of shadow.js against the stand-in. */
import { equal, ok, rejects } from "../expect.js";
import { test } from "../suite.js";
import "./shadow-codes.js";

/** Resolves with the function shadow, the name of a thing that no other test uses, and a connected client. */
export async function thingOf(place) {
  const { shadow } = await place.module("shadow");
  return { shadow, thing: place.topic("thing").replace(/\W/g, "-"), client: await place.connected({ reconnect: { minDelayMs: 10, maxDelayMs: 50 } }) };
}

test("a shadow is created, fetched, updated and deleted", async (place) => {
  const { shadow, thing, client } = await thingOf(place);
  for (const lamp of [shadow(client, thing), shadow(client, thing, "named")]) {
    await rejects(lamp.get(), { name: "IotError", code: "ERR_SHADOW_NOT_FOUND", includes: "404: No shadow exists" });
    await rejects(lamp.delete(), { code: "ERR_SHADOW_NOT_FOUND" });
    const { state, version, timestamp } = await lamp.update({ desired: { on: true, color: { r: 1, g: 2 } } });
    equal([state, version, timestamp > 1e9], [{ desired: { color: { g: 2, r: 1 }, on: true } }, 1, true]);
    await lamp.update({ reported: { on: true, color: { r: 1 } } }, { version: 1 });
    const document = await lamp.get();
    equal([document.state, document.version], [{ delta: { color: { g: 2 } }, desired: { color: { g: 2, r: 1 }, on: true }, reported: { color: { r: 1 }, on: true } }, 2]);
    equal(Object.keys(document.metadata.desired).sort(), ["color", "on"]);
    await lamp.update({ desired: null });
    equal((await lamp.get()).state, { reported: { color: { r: 1 }, on: true } });
    equal(await lamp.delete(), undefined);
    await rejects(lamp.get(), { code: "ERR_SHADOW_NOT_FOUND" });
  }
  await rejects(shadow(client, thing, "named").get({ timeoutMs: 5000 }), { code: "ERR_SHADOW_NOT_FOUND" });
});

test("the stand-in rejects updates", async (place) => {
  const { shadow, thing, client } = await thingOf(place);
  const lamp = shadow(client, thing);
  await lamp.update({ desired: { on: true } });
  await rejects(lamp.update({ desired: { on: false } }, { version: 5 }), { code: "ERR_SHADOW_VERSION" });
  await rejects(lamp.update({ desired: { a: { b: { c: { d: { e: { f: { g: 1 } } } } } } } }), { code: "ERR_SHADOW_REQUEST" });
  await rejects(lamp.update({ desired: { a: "x".repeat(9000) } }), { code: "ERR_SHADOW_TOO_LARGE" });
  const cyclic = { desired: {} };
  cyclic.desired.cyclic = cyclic;
  await rejects(lamp.update(cyclic), { name: "TypeError" });
  equal((await lamp.get()).version, 1);
});

test("shadows of a client share subscriptions, and the last one releases them", async (place) => {
  const { shadow, thing, client } = await thingOf(place);
  const [one, two] = [shadow(client, thing), shadow(client, thing)];
  const count = () => client.stats().subscriptions;
  await Promise.all([one.update({ reported: { a: 1 } }), two.update({ reported: { b: 1 } })]);
  equal(count(), 2, "the subscriptions of two updates");
  await Promise.all([one.get(), two.get()]);
  equal(count(), 4, "the subscriptions of two updates and two gets");
  for (const lamp of [one, two]) lamp.addEventListener("change", () => {});
  await Promise.all([one.documents(), two.documents()].map((loop) => {
    const next = loop.next();
    return one.update({ reported: { c: 1 } }).then(() => next);
  }));
  equal(count(), 6, "the subscriptions with the event change");
  await one.close();
  equal(count(), 6, "the subscriptions of the other shadow");
  equal((await two.get()).state, { reported: { a: 1, b: 1, c: 1 } });
  await two.close();
  equal(count(), 0, "the subscriptions after close()");
  if (Symbol.asyncDispose) {
    const three = shadow(client, thing);
    await three.get();
    await three[Symbol.asyncDispose]();
    equal(count(), 0, "the subscriptions after Symbol.asyncDispose");
  }
});

test("retry resolves version conflicts", async (place) => {
  const { shadow, thing, client } = await thingOf(place);
  const clients = [client, await place.connected(), await place.connected()];
  let calls = 0;
  const increment = ({ reported }) => (calls++, { reported: { n: (reported?.n ?? 0) + 1 } });
  await Promise.all(clients.flatMap((c) => [1, 2, 3].map(() => shadow(c, thing).update(increment, { retry: 20 }))));
  const lamp = shadow(client, thing);
  equal((await lamp.get()).state.reported.n > 0, true);
  const { version } = await lamp.get();
  // The first updates may have created the shadow at the same time, without a version. From then on each update counts.
  ok(calls >= 9 && version === 9, `the function was called ${calls} times, and the version is ${version}`);
  const before = (await lamp.get()).state.reported.n;
  await Promise.all(clients.map((c) => shadow(c, thing).update(increment, { retry: 20 })));
  equal((await lamp.get()).state.reported.n, before + clients.length);

  await rejects(lamp.update({ desired: { a: 1 } }, { version: 1 }), { code: "ERR_SHADOW_VERSION" });
  equal((await lamp.update({ desired: { a: 1 } }, { version: 1, retry: 1 })).version, 13);
  // A function that changes the shadow itself causes a conflict each time.
  const other = shadow(clients[1], thing);
  const busy = async () => (await other.update({ desired: { b: 1 } }), { desired: { c: 1 } });
  await rejects(lamp.update(busy, { retry: 2 }), { code: "ERR_SHADOW_VERSION" });
  equal((await lamp.get()).version, 16);
  await rejects(lamp.update(() => { throw new RangeError("mine"); }), { name: "RangeError" });
});

test("requests settle when the client closes or is not connected", async (place) => {
  const { shadow, thing, client } = await thingOf(place);
  const lamp = shadow(client, thing);
  await lamp.update({ reported: {} });
  client.reconnect();
  equal((await lamp.get()).version, 1, "the version after a request during a reconnect");
  const late = rejects(lamp.get());
  await client.disconnect();
  ok(["ERR_CLOSED", "ERR_SHADOW_CLOSED"].includes((await late).code), `the code is ${(await late).code}`);
  const idle = place.client();
  await rejects(shadow(idle, thing).get({ timeoutMs: 30 }), { code: "ERR_SHADOW_TIMEOUT" });
  // A call before connect() waits for the connection.
  const waiting = shadow(idle, thing).get();
  await idle.connect({ ...place.options, clientId: place.clientId() });
  equal((await waiting).version, 1);
});
