import { Inbox, equal, event, ok, rejects } from "../expect.js";
import { test } from "../suite.js";
import { soon } from "./connect.js";

const reason = new RangeError("enough");
const over = AbortSignal.abort(reason);

/** Fails unless the promise rejects with the signal's reason. */
const stopped = async (promise) => ok((await rejects(promise)) === reason, "the error is the signal's reason");

test("an aborted signal rejects every call", async (place) => {
  const fresh = place.client();
  await stopped(fresh.connect({ ...place.options, signal: over }));
  equal(fresh.state, "idle");
  const client = await place.connected();
  const { messagesOut } = client.stats();
  await stopped(client.publish(place.topic(), "x", { signal: over }));
  await stopped(client.publish(place.topic(), "x", { qos: 1, signal: over }));
  await stopped(client.subscribe(place.topic(), { signal: over }));
  equal([client.stats().messagesOut - messagesOut, client.stats().subscriptions], [0, 0]);
});

test("an abort rejects connect(), or closes the connection later", async (place) => {
  const stop = new AbortController();
  const client = place.client();
  const connecting = stopped(client.connect({ ...place.options, signal: stop.signal }));
  stop.abort(reason);
  await connecting;
  const later = new AbortController();
  const other = await place.connected({ signal: later.signal });
  const closed = event(other, "closed");
  later.abort(reason);
  await closed;
  equal(other.state, "closed");
  equal((await other.connect()).sessionPresent, false, "sessionPresent of a new connection without the signal");
});

test("an abort rejects a connect() that waits for credentials", async (place) => {
  const stop = new AbortController();
  const client = place.client();
  let called;
  const waiting = new Promise((resolve) => (called = resolve));
  const attempt = event(client, "connecting"); // the client may call the provider before this event
  const connecting = stopped(client.connect({ ...place.options, credentials: () => (called(), new Promise(() => {})), signal: stop.signal }));
  await waiting;
  await attempt;
  stop.abort(reason);
  await connecting;
  await client.disconnect();
  equal(client.state, "closed");
});

test("an abort drops a queued message", async (place) => {
  const client = await place.connected({ reconnect: soon });
  const inbox = new Inbox();
  await client.subscribe(place.topic(), inbox.take, { qos: 1 });
  client.reconnect();
  const stop = new AbortController();
  const dropped = stopped(client.publish(place.topic(), "no", { qos: 1, signal: stop.signal }));
  const kept = client.publish(place.topic(), "yes", { qos: 1 });
  stop.abort(reason);
  await dropped;
  equal(await kept, { reasonCode: 0 });
  equal(await inbox.texts(1), ["yes"]);
  equal([client.stats().queued, client.stats().inflight], [0, 0]);
});

test("an abort rejects subscribe(), or ends the subscription later", async (place) => {
  const client = await place.connected();
  const early = new AbortController();
  const subscribing = stopped(client.subscribe(place.topic("early"), () => {}, { signal: early.signal }));
  early.abort(reason);
  await subscribing;
  const late = new AbortController();
  const subscription = await client.subscribe(place.topic("late"), { signal: late.signal });
  const waiting = subscription[Symbol.asyncIterator]().next();
  late.abort(reason);
  equal([await subscription.closed, await waiting], [undefined, { value: undefined, done: true }]);
  await client.publish(place.topic(), "", { qos: 1 }); // the broker acknowledges it after both UNSUBSCRIBE packets
  equal(client.stats().subscriptions, 0);
});
