import { Inbox, equal, ok, rejects } from "../expect.js";
import { test } from "../suite.js";

// What every object of the language or the platform has is nobody's member. Node keeps its listeners in members of their target.
const common = new Set([Object.prototype, EventTarget.prototype, Error.prototype]);
const own = new Set([...Reflect.ownKeys(new EventTarget()), ...Reflect.ownKeys(EventTarget.prototype), "constructor"]);
const symbols = new Map(Object.getOwnPropertyNames(Symbol).map((name) => [Symbol[name], `[Symbol.${name}]`]));

/** The names that an object shows: its own, and those of its prototypes. */
function shown(object) {
  const names = new Set();
  for (let o = object; o && !common.has(o); o = Object.getPrototypeOf(o)) {
    for (const key of Reflect.ownKeys(o)) if (!own.has(key)) names.add(typeof key === "symbol" ? (symbols.get(key) ?? String(key)) : key);
  }
  return names;
}

const read = (object, name) => (name.startsWith("[") ? object[Symbol[name.slice("[Symbol.".length, -1)]] : object[name]);

/** Checks an object against what is declared of its type: a class, a method or a property, which may be optional. */
function check(object, type, declared, platform = []) {
  const names = shown(object);
  for (const [name, { kind, optional }] of Object.entries(declared)) {
    const value = read(object, name);
    if (value !== undefined || !optional) equal(typeof value === "function", kind !== "property" && value !== undefined, `whether ${type}.${name}, a ${kind}, is a function`);
    if (!optional) ok(value !== undefined, `${type} has the ${kind} ${name}`);
    names.delete(name);
  }
  for (const name of platform) names.delete(name);
  if (!Symbol.asyncDispose) names.delete("Symbol()"); // what stands for it where there is none
  equal([...names], [], `what ${type} shows and does not declare`);
}

test("the module exports what is declared", async (place) => {
  const { exports } = await place.json("/members.json");
  const values = Object.entries(exports).filter(([, kind]) => kind !== "interface" && kind !== "type");
  equal(Object.keys(place.api).sort(), values.map(([name]) => name).sort());
  for (const [name, kind] of values) equal(typeof place.api[name] === "function", kind !== "const", `whether ${name} is a function`);
});

test("what there is has the members that are declared, and no others", async (place) => {
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
  // What an engine puts on every error is no member of ours.
  check(await rejects(place.connected()), "IotError", types.IotError, [...Reflect.ownKeys(new Error("x")), "name", "message", "stack"]);
});
