import { Inbox, equal, rejects } from "../expect.js";
import { test } from "../suite.js";

const closed = { name: "IotError", code: "ERR_CLOSED" };

/** Runs it with a client whose wasm is still to come, and with one whose wasm is there; with and without a signal. */
async function always(place, body) {
  for (const signal of [undefined, new AbortController().signal]) {
    const { IotClient } = await place.fresh();
    for (const client of [new IotClient(), new IotClient()]) { // the first loads the wasm
      await body(place.keep(client), { ...place.options, clientId: place.clientId(), signal }, signal && { signal });
    }
  }
}

test("disconnect() at once ends what connect() has begun", (place) => always(place, async (client, options) => {
  const connecting = rejects(client.connect(options), closed);
  await client.disconnect();
  equal(client.state, "closed");
  await connecting;
  equal(client.state, "closed");
}));

test("the last of connect() and disconnect() holds", (place) => always(place, async (client, options) => {
  const first = rejects(client.connect(options), closed);
  const left = client.disconnect();
  const second = client.connect();
  await Promise.all([first, left, second]);
  equal([client.state, (await second).clientId], ["connected", options.clientId]);
  const ended = client.disconnect();
  const third = rejects(client.connect(), closed);
  const again = client.disconnect();
  await Promise.all([ended, third, again]);
  equal(client.state, "closed");
}));

test("calls of one tick are done in their order", async (place) => {
  const witness = await place.connected();
  await always(place, async (client, options, more) => {
    const inbox = new Inbox();
    const topic = place.topic(options.clientId);
    await witness.subscribe(topic, inbox.take, { qos: 1 });
    const connecting = client.connect(options);
    const subscribing = client.subscribe(place.topic("a"), () => {}, more);
    const sent = [1, 2, 3].map((n) => client.publish(topic, String(n), { qos: 1, ...(n === 2 ? more : undefined) }));
    await Promise.all([connecting, subscribing, ...sent]);
    equal(await inbox.texts(3), ["1", "2", "3"]);
  });
});

test("unsubscribe() at once ends what subscribe() has begun, and publish() before disconnect() is told", (place) => always(place, async (client, options, more) => {
  const connecting = client.connect(options);
  const subscribing = rejects(client.subscribe(place.topic("b"), () => {}, more), { name: "IotError", code: "ERR_UNSUBSCRIBED" });
  const kept = client.subscribe(place.topic("c"), () => {}, more);
  await client.unsubscribe(place.topic("b"));
  await Promise.all([connecting, subscribing, kept]);
  equal(client.stats().subscriptions, 1);
  await client.disconnect();
  const again = rejects(client.connect(), closed);
  const sent = rejects(client.publish(place.topic("b"), "x", { qos: 1, ...more }), closed);
  await Promise.all([again, sent, client.disconnect()]);
}));

test("an abort takes back a call that waits for the wasm", async (place) => {
  const { IotClient } = await place.fresh();
  const client = place.keep(new IotClient());
  const stop = new AbortController();
  const { signal } = stop;
  const connecting = client.connect(place.options);
  const taken = [
    client.publish(place.topic(), "x", { qos: 1, signal }), client.subscribe(place.topic(), { signal }),
    client.request(place.topic(), "x", { signal }), client.connect({ ...place.options, signal }),
  ].map((promise) => rejects(promise, { name: "AbortError" }));
  stop.abort();
  await Promise.all(taken);
  await connecting;
  const { messagesOut } = client.stats();
  await client.publish(place.topic(), "y", { qos: 1 });
  equal([client.stats().messagesOut - messagesOut, messagesOut, client.state], [1, 0, "connected"]);
});

test("calls that wait for a wasm that does not come are told why", async (place) => {
  const { IotClient, load } = await place.fresh();
  const client = place.keep(new IotClient());
  const loading = rejects(load({ wasm: `${place.site}/nothing/iot.wasm` }), { name: "IotError", code: "ERR_LOAD" });
  const why = { name: "IotError", code: "ERR_LOAD" };
  const calls = [client.connect(place.options), client.subscribe("a"), client.publish("a"), client.request("a")].map((promise) => rejects(promise, why));
  equal(await Promise.all([client.unsubscribe("a").catch((e) => e.code), client.disconnect()]), ["ERR_LOAD", undefined]);
  await Promise.all([loading, ...calls]);
  await client.connect(place.options);
  equal(client.state, "connected");
});
