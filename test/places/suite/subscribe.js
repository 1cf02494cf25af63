import { Inbox, equal, event, ok, rejects } from "../expect.js";
import { test, uncaught } from "../suite.js";

test("a subscription has a filter, a QoS and counters", async (place) => {
  const client = await place.connected();
  const inbox = new Inbox();
  const subscription = await client.subscribe(place.topic("+"), inbox.take, { qos: 1 });
  equal([subscription.filter, subscription.qos, subscription.received, subscription.dropped], [place.topic("+"), 1, 0, 0]);
  await client.publish(place.topic("a"), "1", { qos: 1 });
  await inbox.first(1);
  equal([subscription.received, subscription.dropped, client.stats().subscriptions], [1, 0, 1]);
  equal(await subscription.unsubscribe(), undefined);
  await subscription.unsubscribe();
  equal([await subscription.closed, client.stats().subscriptions], [undefined, 0]);
});

test("subscribe sends its options", async (place) => {
  const client = await place.connected();
  const inbox = new Inbox();
  const own = new Inbox();
  await client.publish(place.topic("a"), "retained", { qos: 1, retain: true });
  await client.subscribe(place.topic("a"), own.take, { qos: 1, noLocal: true, retainHandling: 2, retainAsPublished: true, userProperties: { k: "v" } });
  const other = await place.connected();
  await other.subscribe(place.topic("a"), inbox.take, { qos: 1, retainHandling: 2 });
  await client.publish(place.topic("a"), "local", { qos: 1 });
  await other.publish(place.topic("a"), "", { qos: 1, retain: true });
  const [remote] = await own.first(1);
  equal([remote.text(), remote.retain], ["", true], "the only message of another client");
  equal((await inbox.first(2)).map((m) => [m.text(), m.retain]), [["local", false], ["", false]]);
});

test("the subscriptions to several overlapping filters receive the message", async (place) => {
  const client = await place.connected();
  const boxes = {};
  for (const filter of ["a/b", "a/+", "a/#", "+/b"]) await client.subscribe(place.topic(filter), (boxes[filter] = new Inbox()).take, { qos: 1 });
  const shared = new Inbox();
  await client.subscribe(`$share/g/${place.topic("a/c")}`, shared.take, { qos: 1 });
  await client.publish(place.topic("a/c"), "c", { qos: 1 });
  equal(await shared.texts(1), ["c"]);
  await client.publish(place.topic("a/b"), "b", { qos: 1 });
  for (const [filter, box] of Object.entries(boxes)) ok((await box.first(1)).length === 1, `the subscription to ${filter} has received the message`);
});

test("two subscriptions to one filter share a subscription at the broker", async (place) => {
  const client = await place.connected();
  const [a, b] = [new Inbox(), new Inbox()];
  const first = await client.subscribe(place.topic(), a.take, { qos: 1 });
  const bytes = client.stats().bytesOut;
  const second = await client.subscribe(place.topic(), b.take, { qos: 1 });
  equal([client.stats().subscriptions, client.stats().bytesOut - bytes], [1, 0], "the number of subscriptions, and the bytes that the second one sends");
  await client.publish(place.topic(), "both", { qos: 1 });
  equal([await a.texts(1), await b.texts(1)], [["both"], ["both"]]);
  ok(a.all[0].payload !== b.all[0].payload, "each message has a payload of its own");
  await first.unsubscribe();
  equal(client.stats().subscriptions, 1);
  await client.publish(place.topic(), "one", { qos: 1 });
  equal([await b.texts(2), a.all.length], [["both", "one"], 1]);
  await second.unsubscribe();
  equal(client.stats().subscriptions, 0);
});

test("unsubscribe(filter) ends all subscriptions to the filter", async (place) => {
  const client = await place.connected();
  const subscriptions = [await client.subscribe(place.topic(), () => {}), await client.subscribe(place.topic())];
  await client.unsubscribe(place.topic());
  equal(await Promise.all(subscriptions.map((s) => s.closed)), [undefined, undefined]);
  equal(client.stats().subscriptions, 0);
});

test("a subscription without a handler is an asynchronous iterable", async (place) => {
  const client = await place.connected();
  const subscription = await client.subscribe(place.topic("#"), { qos: 1 });
  for (const n of [1, 2, 3]) await client.publish(place.topic(String(n)), String(n), { qos: 1 });
  const seen = [];
  for await (const message of subscription) if (seen.push(message.text()) === 3) break;
  equal(seen, ["1", "2", "3"]);
  equal([await subscription.closed, subscription.received, client.stats().subscriptions], [undefined, 3, 0]);
  equal(await subscription[Symbol.asyncIterator]().next(), { value: undefined, done: true });
});

test("a pending next() resolves when the subscription ends", async (place) => {
  const client = await place.connected();
  const subscription = await client.subscribe(place.topic());
  const waiting = subscription[Symbol.asyncIterator]().next();
  await client.disconnect();
  equal([await waiting, await subscription.closed], [{ value: undefined, done: true }, undefined]);
  const handled = await client.connect().then(() => client.subscribe(place.topic(), () => {}));
  await rejects(handled[Symbol.asyncIterator]().next(), { name: "TypeError" });
});

test("a subscription drops the oldest unread messages and dispatches slowconsumer", async (place) => {
  const client = await place.connected();
  const details = [];
  client.addEventListener("slowconsumer", (e) => details.push(e.detail));
  const subscription = await client.subscribe(place.topic("slow"), { qos: 1, bufferSize: 2 });
  const inbox = new Inbox();
  await client.subscribe(place.topic("end"), inbox.take, { qos: 1 });
  for (const n of [1, 2, 3, 4, 5]) await client.publish(place.topic("slow"), String(n), { qos: 1 });
  await client.publish(place.topic("end"), "", { qos: 1 });
  await inbox.first(1);
  equal(details, [1, 2, 3].map((dropped) => ({ filter: place.topic("slow"), dropped })));
  equal([subscription.received, subscription.dropped], [5, 3]);
  const rest = [];
  for await (const message of subscription) if (rest.push(message.text()) === 2) break;
  equal(rest, ["4", "5"]);
});

test("unread messages are bounded in bytes", async (place) => {
  const client = await place.connected();
  const dropped = [];
  client.addEventListener("slowconsumer", (e) => dropped.push(e.detail.dropped));
  const subscription = await client.subscribe(place.topic("slow"), { qos: 1, bufferBytes: 10_000 });
  const inbox = new Inbox();
  await client.subscribe(place.topic("end"), inbox.take, { qos: 1 });
  const sizes = [3000, 3001, 3002, 3003, 20_000, 3005, 3006, 20_007];
  for (const [i, size] of sizes.entries()) {
    await client.publish(place.topic("slow"), new Uint8Array(size), { qos: 1 });
    await client.publish(place.topic("end"), "", { qos: 1 });
    await inbox.first(i + 1);
    equal(subscription.dropped, [0, 0, 0, 1, 4, 5, 5, 7][i], `the number of dropped messages after message ${i + 1}`);
  }
  equal(dropped, [1, 4, 5, 7]);
  const messages = subscription[Symbol.asyncIterator]();
  equal((await messages.next()).value.payload.length, 20_007);
  await client.publish(place.topic("slow"), "small", { qos: 1 });
  equal([(await messages.next()).value.text(), subscription.dropped], ["small", 7]);
});

test("asynchronous disposal unsubscribes", async (place) => {
  const client = await place.connected();
  const subscription = await client.subscribe(place.topic());
  if (!Symbol.asyncDispose) return equal("asyncDispose" in Symbol, false); // the engine has no such symbol
  await subscription[Symbol.asyncDispose]();
  equal([await subscription.closed, client.stats().subscriptions], [undefined, 0]);
});

test("an error of a handler is reported, and the client keeps delivering", async (place) => {
  const client = await place.connected();
  const inbox = new Inbox();
  const thrown = new Error("thrown by the handler");
  const logged = [];
  const { error } = console;
  if (place.isNode) console.error = (e) => logged.push(e); // Node has no reportError()
  await client.subscribe(place.topic("+"), () => { throw thrown; }, { qos: 1 });
  await client.subscribe(place.topic("#"), inbox.take, { qos: 1 });
  const dispatched = event(client, "handlererror");
  await client.publish(place.topic("a"), "x", { qos: 1 });
  const { detail } = await dispatched;
  ok(detail.error === thrown && detail.filter === place.topic("+"), "the detail contains the error and the filter");
  await inbox.first(1);
  console.error = error;
  const reported = place.isNode ? logged : uncaught.splice(0);
  const muted = place.engine === "webkit" && place.place === "sandbox"; // WebKit treats every script in a sandbox as one of another origin
  equal(reported.map((e) => (muted ? e : e === thrown)), [muted ? "Script error." : true], "the reported errors");
  equal([client.state, client.stats().connects], ["connected", 1]);
});

test("a message event is dispatched for every message", async (place) => {
  const client = await place.connected();
  const seen = [];
  const listener = (e) => seen.push([e.type, e.detail.topic, e.detail.text()]);
  client.addEventListener("message", listener);
  const inbox = new Inbox();
  await client.subscribe(place.topic("+"), inbox.take, { qos: 1 });
  await client.publish(place.topic("a"), "1", { qos: 1 });
  await inbox.first(1);
  const next = event(client, "message");
  client.removeEventListener("message", listener);
  await client.publish(place.topic("b"), "2", { qos: 1 });
  equal((await next).detail.text(), "2");
  equal(seen, [["message", place.topic("a"), "1"]]);
});

test("subscribe rejects invalid arguments", async (place) => {
  const client = await place.connected();
  const wrong = (args, name, code, includes) => rejects(client.subscribe(...args), { name, code, includes });
  await wrong([5], "TypeError", "ERR_OPTION", "filter");
  await wrong(["a/#/b"], "TypeError", "ERR_FILTER");
  await wrong(["$share/g/"], "TypeError", "ERR_FILTER");
  await wrong(["a", 5, {}], "TypeError", "ERR_OPTION", "handler");
  await wrong(["a", () => {}, { qos: 7 }], "RangeError", "ERR_QOS");
  await wrong(["a", { bufferSize: 0 }], "RangeError", "ERR_OPTION", "bufferSize");
  await wrong(["a", { bufferBytes: 0 }], "RangeError", "ERR_OPTION", "bufferBytes");
  await wrong(["a", { bufferBytes: "1" }], "TypeError", "ERR_OPTION", "bufferBytes");
  await wrong(["a", { buffersize: 3 }], "TypeError", "ERR_OPTION", "did you mean bufferSize?");
  await wrong(["a", { retainHandling: 3 }], "RangeError", "ERR_OPTION", "retainHandling");
  await rejects(client.unsubscribe(5), { name: "TypeError", code: "ERR_OPTION", includes: "filter" });
  equal(client.stats().subscriptions, 0);
});
