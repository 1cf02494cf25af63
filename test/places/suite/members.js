import { Inbox, equal, ok, rejects } from "../expect.js";
import { test } from "../suite.js";

// The test ignores the members of every object, every Error and every EventTarget. Node stores listeners in own members of an EventTarget.
const common = new Set([Object.prototype, EventTarget.prototype, Error.prototype]);
const own = new Set([...Reflect.ownKeys(new EventTarget()), ...Reflect.ownKeys(EventTarget.prototype), "constructor"]);
const symbols = new Map(Object.getOwnPropertyNames(Symbol).map((name) => [Symbol[name], `[Symbol.${name}]`]));

/** The names of an object's members, own and inherited. */
function membersOf(object) {
  const names = new Set();
  for (let o = object; o && !common.has(o); o = Object.getPrototypeOf(o)) {
    for (const key of Reflect.ownKeys(o)) if (!own.has(key)) names.add(typeof key === "symbol" ? (symbols.get(key) ?? String(key)) : key);
  }
  return names;
}

const read = (object, name) => (name.startsWith("[") ? object[Symbol[name.slice("[Symbol.".length, -1)]] : object[name]);

/** Compares the members of an object with the declared ones. `platform` are members that need no declaration. */
function check(object, type, declared, platform = []) {
  const names = membersOf(object);
  for (const [name, { kind, optional }] of Object.entries(declared)) {
    const value = read(object, name);
    if (value !== undefined || !optional) equal(typeof value === "function", kind !== "property" && value !== undefined, `whether ${type}.${name}, a ${kind}, is a function`);
    if (!optional) ok(value !== undefined, `${type} has the ${kind} ${name}`);
    names.delete(name);
  }
  for (const name of platform) names.delete(name);
  if (!Symbol.asyncDispose) names.delete("Symbol()"); // replaces Symbol.asyncDispose in older engines
  equal([...names], [], `the undeclared members of ${type}`);
}

test("the module has the declared exports", async (place) => {
  const { exports } = await place.json("/members.json");
  const values = Object.entries(exports).filter(([, kind]) => kind !== "interface" && kind !== "type");
  equal(Object.keys(place.api).sort(), values.map(([name]) => name).sort());
  for (const [name, kind] of values) equal(typeof place.api[name] === "function", kind !== "const", `whether ${name} is a function`);
});

test("every object has the declared members and no others", async (place) => {
  const { types } = await place.json("/members.json");
  const client = await place.connected({ reconnect: false });
  check(client, "IotClient", types.IotClient);
  check(place.api.iot, "iot", types.iot);
  check(client.connection, "Connection", types.Connection);
  const inbox = new Inbox();
  const subscription = await client.subscribe(place.topic(), inbox.take, { qos: 1 });
  check(subscription, "Subscription", types.Subscription);
  const options = { qos: 1, contentType: "a", responseTopic: "b", correlationData: Uint8Array.of(1), messageExpiry: 60, userProperties: { c: "d" } };
  check(await client.publish(place.topic(), "x", options), "PublishResult", types.PublishResult);
  check((await inbox.first(1))[0], "Message", types.Message);
  check(client.stats(), "Stats", types.Stats);
  await place.control({ connack: { reason: 135 } });
  // Some engines add members to every error.
  check(await rejects(place.connected()), "IotError", types.IotError, [...Reflect.ownKeys(new Error("x")), "name", "message", "stack"]);
});
