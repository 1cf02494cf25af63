import { Inbox, equal, rejects } from "../expect.js";
import { test } from "../suite.js";

const closed = { name: "IotError", code: "ERR_CLOSED" };

/** Runs `body` for a client that must load the wasm and for a client whose wasm is loaded, each with and without a signal. */
async function always(place, body) {
  for (const signal of [undefined, new AbortController().signal]) {
    const { IotClient } = await place.fresh();
    for (const client of [new IotClient(), new IotClient()]) { // the first one loads the wasm
      await body(place.keep(client), { ...place.options, clientId: place.clientId(), signal }, signal && { signal });
    }
  }
}

test("disconnect() in the same tick cancels connect()", (place) => always(place, async (client, options) => {
  const connecting = rejects(client.connect(options), closed);
  await client.disconnect();
  equal(client.state, "closed");
  await connecting;
  equal(client.state, "closed");
}));

test("the last call of connect() and disconnect() in a tick determines the state", (place) => always(place, async (client, options) => {
  const first = rejects(client.connect(options), closed);
  const disconnecting = client.disconnect();
  const second = client.connect();
  await Promise.all([first, disconnecting, second]);
  equal([client.state, (await second).clientId], ["connected", options.clientId]);
  const ended = client.disconnect();
  const third = rejects(client.connect(), closed);
  const again = client.disconnect();
  await Promise.all([ended, third, again]);
  equal(client.state, "closed");
}));

test("the client performs the calls of a tick in their order", async (place) => {
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

test("unsubscribe() cancels subscribe(), and disconnect() rejects publish(), in the same tick", (place) => always(place, async (client, options, more) => {
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

test("an abort cancels a call that waits for the wasm", async (place) => {
  const { IotClient } = await place.fresh();
  const client = place.keep(new IotClient());
  const stop = new AbortController();
  const { signal } = stop;
  const connecting = client.connect(place.options);
  const aborted = [
    client.publish(place.topic(), "x", { qos: 1, signal }), client.subscribe(place.topic(), { signal }),
    client.request(place.topic(), "x", { signal }), client.connect({ ...place.options, signal }),
  ].map((promise) => rejects(promise, { name: "AbortError" }));
  stop.abort();
  await Promise.all(aborted);
  await connecting;
  const { messagesOut } = client.stats();
  await client.publish(place.topic(), "y", { qos: 1 });
  equal([client.stats().messagesOut - messagesOut, messagesOut, client.state], [1, 0, "connected"]);
});

test("calls that wait for the wasm reject if it cannot be loaded", async (place) => {
  const { IotClient, load } = await place.fresh();
  const client = place.keep(new IotClient());
  const loading = rejects(load({ wasm: `${place.site}/nothing/iot.wasm` }), { name: "IotError", code: "ERR_LOAD" });
  const reason = { name: "IotError", code: "ERR_LOAD" };
  const calls = [client.connect(place.options), client.subscribe("a"), client.publish("a"), client.request("a")].map((promise) => rejects(promise, reason));
  equal(await Promise.all([client.unsubscribe("a").catch((e) => e.code), client.disconnect()]), ["ERR_LOAD", undefined]);
  await Promise.all([loading, ...calls]);
  await client.connect(place.options);
  equal(client.state, "connected");
});
