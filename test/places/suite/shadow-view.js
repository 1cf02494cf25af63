/** Tests of the event change and the members of a shadow. */
import { equal, event, ok } from "../expect.js";
import { test } from "../suite.js";
import { fakeClient } from "./shadow-codes.js";
import { thingOf } from "./shadow.js";

const view = ({ reported, desired, delta, version }) => [reported, desired, delta, version];
/** Resolves when the shadow has the version. */
const until = async (lamp, version) => {
  while (lamp.version !== version) await event(lamp, "change");
};

test("the members of a shadow follow it", async (place) => {
  const { shadow, thing, client } = await thingOf(place);
  const [lamp, other] = [shadow(client, thing), shadow(await place.connected(), thing)];
  equal(view(lamp), [undefined, undefined, undefined, undefined]);
  const seen = [];
  lamp.addEventListener("change", () => seen.push(view(lamp)));
  await other.update({ desired: { on: true, list: [1, { a: 1, b: 2 }], deep: { x: 1, y: 2 } } });
  await until(lamp, 1);
  await other.update({ reported: { on: true, list: [1, { b: 2, a: 1 }], deep: { x: 1 }, more: 5 } });
  await until(lamp, 2);
  await other.update({ reported: { list: [1], deep: { y: 2 } } });
  await until(lamp, 3);
  // AWS IoT computes the same delta.
  equal(lamp.delta, (await other.get()).state.delta);
  await other.delete();
  await until(lamp, undefined);
  await other.update({ reported: { back: true } });
  await until(lamp, 4);
  equal(seen, [
    [undefined, { deep: { x: 1, y: 2 }, list: [1, { a: 1, b: 2 }], on: true }, { deep: { x: 1, y: 2 }, list: [1, { a: 1, b: 2 }], on: true }, 1],
    [{ deep: { x: 1 }, list: [1, { a: 1, b: 2 }], more: 5, on: true }, { deep: { x: 1, y: 2 }, list: [1, { a: 1, b: 2 }], on: true }, { deep: { y: 2 } }, 2],
    [{ deep: { x: 1, y: 2 }, list: [1], more: 5, on: true }, { deep: { x: 1, y: 2 }, list: [1, { a: 1, b: 2 }], on: true }, { list: [1, { a: 1, b: 2 }] }, 3],
    [undefined, undefined, undefined, undefined],
    [{ back: true }, undefined, undefined, 4],
  ]);
});

test("the members begin with the current state, also without a listener after get()", async (place) => {
  const { shadow, thing, client } = await thingOf(place);
  await shadow(client, thing).update({ reported: { on: true } });
  const fetched = shadow(client, thing);
  await fetched.get();
  equal(view(fetched), [{ on: true }, undefined, undefined, 1]);
  const lamp = shadow(client, thing);
  const changed = event(lamp, "change");
  equal((await changed).constructor, Event);
  equal(view(lamp), [{ on: true }, undefined, undefined, 1]);
  await lamp.delete();
  equal(lamp.version, undefined);
});

test("the members follow the shadow across reconnects, a lost session and disconnect()", async (place) => {
  const { shadow, thing, client } = await thingOf(place);
  const writer = await place.connected({ reconnect: { minDelayMs: 10, maxDelayMs: 50 } });
  const other = shadow(writer, thing);
  const lamp = shadow(client, thing);
  lamp.addEventListener("change", () => {});
  await other.update({ reported: { n: 1 } });
  await until(lamp, 1);
  for (const [version, faults] of [[2, { cut: client.connection.clientId }], [3, { restart: "lose-sessions" }], [4, { restart: "keep-sessions" }]]) {
    await place.control(faults);
    await other.update({ reported: { n: version } });
    await until(lamp, version);
    equal(lamp.reported, { n: version });
  }
  await client.disconnect();
  await other.update({ reported: { n: 5 } });
  await client.connect();
  await until(lamp, 5);
  await other.update({ reported: { n: 6 } });
  await until(lamp, 6);
});

test("older and repeated messages do not change the members", async (place) => {
  const { shadow } = await place.module("shadow");
  const client = fakeClient((topic) => (topic.endsWith("/get") ? ["/accepted", { version: 5, timestamp: 100, state: { reported: { n: 5 } } }] : undefined));
  const lamp = shadow(client, "lamp");
  const seen = [];
  lamp.addEventListener("change", () => seen.push(lamp.version));
  await until(lamp, 5);
  const documents = (version, timestamp = 100) => client.deliver("$aws/things/lamp/shadow/update/documents", { current: { version, state: { reported: { n: version } } }, timestamp });
  const deleted = (version, timestamp = 100) => client.deliver("$aws/things/lamp/shadow/delete/accepted", { version, timestamp });
  for (const version of [4, 5, 7, 6, 7, 8]) documents(version);
  for (const body of ["no JSON", "null", "[]", {}, { current: null }, { current: {} }, { current: { version: "9", state: 5 }, timestamp: 5 }]) client.deliver("$aws/things/lamp/shadow/update/documents", body);
  deleted(7);
  equal(lamp.version, "9"); // a number in a string is not AWS IoT's, but does no harm
  deleted(9, 200);
  deleted(9, 200);
  documents(8, 150); // before the deletion
  equal(lamp.version, undefined);
  documents(1, 300); // more than 48 hours after a deletion, the versions begin again
  documents(2, 300);
  equal(seen, [5, 7, 8, "9", undefined, 1, 2]);
});

test("an error ends the members' updates, and fires the event error", async (place) => {
  const { shadow } = await place.module("shadow");
  let code = 403;
  const client = fakeClient((topic) => (topic.endsWith("/get") ? (code ? ["/rejected", { code, message: "no" }] : ["/accepted", { version: 1, state: {} }]) : undefined));
  const lamp = shadow(client, "lamp");
  const failed = event(lamp, "error");
  lamp.addEventListener("change", () => {});
  equal((await failed).detail.error.code, "ERR_SHADOW_FORBIDDEN");
  code = 0;
  client.dispatchEvent(new Event("connected"));
  await until(lamp, 1);
  ok(lamp.version === 1, "the members follow the shadow again");
});
