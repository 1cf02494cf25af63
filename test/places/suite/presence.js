/** Tests of presence.js. */
import { Inbox, collect, equal, event, ok, rejects } from "../expect.js";
import { test } from "../suite.js";
import { fakeClient } from "./shadow-codes.js";

const PREFIX = "$aws/events/presence/";

/** Resolves when the map contains the client, or, with false, does not contain it. */
async function until(present, id, connected = true) {
  while (present.clients.has(id) !== connected) await event(present, "change");
  return present.clients.get(id);
}

test("presence() follows the clients that connect and disconnect", async (place) => {
  const { presence } = await place.module("presence");
  const present = presence(await place.connected());
  await present.ready;
  const id = place.clientId();
  const own = new Inbox(); // the other events are those of other clients
  const loop = (async () => {
    for await (const e of present.changes()) if (e.clientId === id) own.take(e);
  })();
  const one = await place.connected({ clientId: id });
  const { versionNumber, timestamp, connected, stale, principalIdentifier, sessionIdentifier, ipAddress } = await until(present, id);
  equal([connected, stale, timestamp > 1e12, typeof versionNumber, [principalIdentifier, sessionIdentifier, ipAddress].every((s) => typeof s === "string")], [true, false, true, "number", true]);
  await one.disconnect();
  await until(present, id, false);
  const [, last] = await own.first(2);
  equal([last.connected, last.versionNumber, last.clientInitiatedDisconnect, last.disconnectReason], [false, versionNumber, true, "CLIENT_INITIATED_DISCONNECT"]);
  await one.connect();
  ok((await until(present, id)).versionNumber > versionNumber, "the next connection has a higher version");
  // When another connection replaces that of the client, the end of the first one may arrive before or after the event of the other one.
  const two = place.client();
  const end = Promise.race(["change", "replaced"].map((type) => event(present, type, ({ detail }) => detail.clientId === id && !detail.connected)));
  await two.connect({ ...place.options, clientId: id });
  const ended = (await end).detail;
  equal(ended.disconnectReason, "DUPLICATE_CLIENTID");
  while ((await until(present, id)).versionNumber <= ended.versionNumber) await event(present, "change");
  const slashes = await place.connected({ clientId: `${place.clientId()}/a/b` });
  await until(present, slashes.connection.clientId);
  await two.publish(place.topic(), "x", { qos: 1 });
  equal(present.clients.has(id), true, "the client with two connections is connected");
  await two.disconnect();
  await until(present, id, false);
  await present.close();
  await loop;
  const order = own.all.map((e) => e.connected).join();
  ok(["true,false,true,true,false", "true,false,true,false,true,false"].includes(order), order);
});

test("presence() lasts through reconnects, and entries are stale after a lost session", async (place) => {
  const { presence } = await place.module("presence");
  const fast = { reconnect: { minDelayMs: 10, maxDelayMs: 50 } };
  const client = await place.connected(fast);
  const present = presence(client);
  await present.ready;
  const other = await place.connected(fast);
  const id = other.connection.clientId;
  const { versionNumber } = await until(present, id);
  await place.control({ upgrade: { status: 503, count: 2 }, cut: client.connection.clientId });
  await other.disconnect(); // while the client is offline
  await until(present, id, false);
  await other.connect();
  equal((await until(present, id)).stale, false);
  // The session of this client ends with the connection.
  const forgetful = await place.connected({ ...fast, sessionExpiry: 0 });
  const second = presence(forgetful);
  await second.ready;
  await other.disconnect();
  await other.connect();
  await until(second, id);
  const stale = event(second, "change", ({ detail }) => detail.clientId === id && detail.stale);
  await place.control({ cut: forgetful.connection.clientId });
  equal((await stale).detail.connected, true);
  await forgetful.publish(place.topic(), "", { qos: 1 }); // the broker has the subscriptions again
  await other.disconnect();
  await until(second, id, false);
  await other.connect();
  const last = await until(second, id);
  equal([last.stale, last.versionNumber > versionNumber], [false, true]);
  const changes = collect(present.changes());
  await client.disconnect();
  await changes.ended;
});

test("older and repeated events do not change the map", async (place) => {
  const { presence } = await place.module("presence");
  const client = fakeClient();
  const present = presence(client);
  await present.ready;
  const changes = collect(present.changes());
  const replaced = [];
  present.addEventListener("replaced", ({ detail }) => replaced.push([detail.clientId, detail.connected, detail.versionNumber]));
  const send = (connected, versionNumber, timestamp = 1000, clientId = "a") =>
    client.deliver(`${PREFIX}${connected ? "" : "dis"}connected/#`, { clientId, versionNumber, timestamp });
  const kept = () => [...present.clients.values()].map((e) => [e.clientId, e.versionNumber]);
  send(true, 2);
  for (const version of [1, 0]) send(false, version); // the ends of older connections
  send(true, 2);
  send(true, 1);
  equal(kept(), [["a", 2]]);
  equal(replaced, [["a", false, 1], ["a", false, 0]]);
  send(false, 2);
  send(false, 1); // the client is not connected
  send(true, 2); // arrives late
  send(false, 2);
  equal(kept(), []);
  send(false, 4); // before the event of its beginning
  send(true, 4);
  send(true, 3);
  equal(kept(), []);
  send(true, 0, 2000);
  equal(kept(), [], "a lower version soon after the last event");
  send(true, 0, 1000 + 3_600_000); // after an hour, AWS IoT begins again with 0
  equal(kept(), [["a", 0]]);
  for (const body of ["no JSON", "null", "[]", {}, { clientId: 5, versionNumber: 9 }, { clientId: "a" }, { clientId: "a", versionNumber: "9" }]) client.deliver(`${PREFIX}connected/#`, body);
  send(true, 1, 5, "__proto__");
  equal(kept(), [["a", 0], ["__proto__", 1]]);
  client.dispatchEvent(new CustomEvent("connected", { detail: { recovered: true } }));
  equal([...present.clients.values()].map((e) => e.stale), [false, false]);
  client.dispatchEvent(new CustomEvent("connected", { detail: { recovered: false } }));
  equal([...present.clients.values()].map((e) => e.stale), [true, true]);
  send(true, 0, 6, "__proto__"); // the first event after the gap is valid
  send(false, 0, 9);
  equal(kept(), [["__proto__", 0]]);
  await present.close();
  await changes.ended;
  equal(replaced.length, 2);
  equal(changes.all.map((e) => [e.clientId, e.connected, e.versionNumber, e.stale]), [
    ["a", true, 2, false], ["a", false, 2, false], ["a", false, 4, false], ["a", true, 0, false], ["__proto__", true, 1, false],
    ["a", true, 0, true], ["__proto__", true, 1, true], ["__proto__", true, 0, false], ["a", false, 0, false],
  ]);
});

test("presence() keeps at most 10,000 clients and 1 MiB of events", async (place) => {
  const { presence } = await place.module("presence");
  const client = fakeClient();
  const present = presence(client);
  await present.ready;
  const loop = present.changes();
  for (let i = 0; i <= 10_000; i++) client.deliver(`${PREFIX}connected/#`, { clientId: `c${i}`, versionNumber: 1, timestamp: 1, more: "x".repeat(200) });
  equal([present.clients.size, present.clients.has("c0"), present.clients.has("c1")], [10_000, false, true]);
  const { clientId } = (await loop.next()).value;
  ok(Number(clientId.slice(1)) > 5000, `the oldest waiting event is that of ${clientId}`);
  await loop.return();
});

test("presence() ends by signal, close() and an error", async (place) => {
  const { presence } = await place.module("presence");
  const client = fakeClient();
  const present = presence(client);
  const stop = new AbortController();
  const stopped = collect(present.changes({ signal: stop.signal }));
  stop.abort();
  await stopped.ended;
  await collect(present.changes({ signal: stop.signal })).ended;
  const returned = present.changes();
  const pending = returned.next();
  equal(await returned.return("x"), { value: "x", done: true });
  equal(await pending, { value: undefined, done: true });
  await present.ready;
  await present.close();
  await collect(present.changes()).ended;
  equal([...client.handlers.values()].flat().length, 0, "the number of subscriptions");
  for (const argument of [undefined, {}, "x"]) await rejects((async () => presence(argument))(), { name: "TypeError", code: "ERR_OPTION" });
  for (const options of [{ timeoutMs: 5 }, { signal: {} }]) await rejects((async () => presence(client).changes(options))(), { name: "TypeError", code: "ERR_OPTION" });
  // The broker refuses one of the subscriptions.
  const { subscribe } = client;
  client.subscribe = async (filter, ...rest) => {
    if (filter.includes("disconnected")) throw Object.assign(new Error("no"), { code: "ERR_SUBSCRIBE_REFUSED" });
    return subscribe(filter, ...rest);
  };
  const before = [...client.handlers.values()].flat().length;
  const refused = presence(client);
  const failed = event(refused, "error");
  const loop = new Inbox();
  const ended = rejects((async () => {
    for await (const value of refused.changes()) loop.take(value);
  })(), { code: "ERR_SUBSCRIBE_REFUSED" });
  equal((await failed).detail.error.code, "ERR_SUBSCRIBE_REFUSED");
  await rejects(refused.ready, { code: "ERR_SUBSCRIBE_REFUSED" });
  await ended;
  equal([...client.handlers.values()].flat().length, before, "the other subscription has ended");
});
