/** Tests with messages that a session has stored while its client was offline. */
import { Inbox, equal, event } from "../expect.js";
import { test } from "../suite.js";

const texts = ["one", "two", "three"];

/** Makes a session with three stored messages of QoS 1. Resolves with the options for it. */
async function stored(place) {
  const options = { clientId: place.clientId(), cleanStart: false };
  const before = await place.connected(options);
  await before.subscribe(place.topic(), () => {}, { qos: 1 });
  // After disconnect() of this client, the next connect() would unsubscribe. A takeover by another client has no such effect.
  const closed = event(before, "closed");
  const other = await place.connected(options);
  await closed;
  await other.disconnect();
  const publisher = await place.connected();
  for (const text of texts) await publisher.publish(place.topic(), text, { qos: 1 });
  return options;
}

const sorted = (list) => [...list].sort();

test("stored messages wait for a subscription after connect()", async (place) => {
  const options = await stored(place);
  const client = place.client();
  const reported = [];
  client.addEventListener("unclaimed", (e) => reported.push(e.detail.text()));
  equal((await client.connect({ ...place.options, ...options })).sessionPresent, true);
  const marker = new Inbox();
  await client.subscribe(place.topic("marker"), marker.take, { qos: 1 });
  await client.publish(place.topic("marker"), "", { qos: 1 });
  await marker.first(1); // it arrives after the stored messages
  const inbox = new Inbox();
  await client.subscribe(place.topic(), inbox.take, { qos: 1 });
  equal(sorted(await inbox.texts(3)), sorted(texts));
  equal(reported, []);
});

test("subscribe() before connect() waits for the connection", async (place) => {
  const options = await stored(place);
  const client = place.client();
  const inbox = new Inbox();
  const subscribed = client.subscribe(place.topic(), inbox.take, { qos: 1 });
  await client.connect({ ...place.options, ...options });
  equal((await subscribed).qos, 1);
  equal(sorted(await inbox.texts(3)), sorted(texts));
});

test("stored messages without a subscription are reported", async (place) => {
  const options = await stored(place);
  const client = place.client();
  const inbox = new Inbox();
  client.addEventListener("unclaimed", (e) => inbox.take(e.detail));
  await client.connect({ ...place.options, ...options, unclaimedTimeoutMs: 20 });
  equal(sorted(await inbox.texts(3)), sorted(texts));
  const message = inbox.all[0];
  equal([message.topic, message.qos, message.retain], [place.topic(), 1, false]);
  await place.disconnected(client);
  // The client has acknowledged the messages, so the broker does not send them again.
  const again = [];
  client.addEventListener("message", (e) => again.push(e.detail.topic));
  await client.connect();
  const marker = new Inbox();
  await client.subscribe(place.topic("marker"), marker.take, { qos: 1 });
  await client.publish(place.topic("marker"), "", { qos: 1 });
  await marker.first(1);
  equal(again, [place.topic("marker")]);
});
