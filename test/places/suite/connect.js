import { Inbox, equal, event, ok, rejects } from "../expect.js";
import { test } from "../suite.js";

/** Reconnect options with a short back-off. */
export const soon = { minDelayMs: 1, maxDelayMs: 50 };

test("connect resolves with the properties of CONNACK", async (place) => {
  const client = place.client();
  equal([client.state, client.connection], ["idle", undefined]);
  const clientId = place.clientId();
  const connecting = client.connect({ ...place.options, clientId });
  const granted = await connecting;
  equal(client.state, "connected");
  equal(client.connection, granted);
  equal({ ...granted }, {
    clientId, sessionPresent: false, keepAlive: 120, sessionExpiry: 300, receiveMaximum: 100, maximumQoS: 2, maximumPacketSize: 149504, topicAliasMaximum: 8,
    retainAvailable: true, wildcardSubscriptionAvailable: true, sharedSubscriptionAvailable: true, subscriptionIdentifierAvailable: false, userProperties: [],
  });
  await client.disconnect();
  await client.disconnect();
  equal([client.state, client.connection], ["closed", undefined]);
});

test("each change of the state dispatches an event", async (place) => {
  const client = place.client();
  const seen = [];
  for (const type of ["connecting", "connected", "disconnected", "closed"]) {
    client.addEventListener(type, (e) => {
      ok(e instanceof CustomEvent && e.target === client, `${type} is a CustomEvent of the client`);
      seen.push([type, client.state, e.detail]);
    });
  }
  const clientId = place.clientId();
  const { userProperties, ...granted } = await client.connect({ ...place.options, clientId, reconnect: soon });
  equal(seen.splice(0), [["connecting", "connecting", { attempt: 1 }], ["connected", "connected", { ...granted, userProperties, attempt: 1, recovered: false }]]);
  const again = event(client, "connected");
  equal(await place.control({ cut: clientId }), 1);
  await again;
  const [[lost, state, { error, retryInMs }], ...rest] = seen.splice(0);
  equal([lost, state, error.name, error.code, error.closeCode, error.retryable], ["disconnected", "reconnecting", "IotError", "ERR_CONNECTION_LOST", 1006, true]);
  ok(error instanceof place.api.IotError && retryInMs >= 0, "the detail contains the error and the delay");
  equal(rest.map(([type, at, { attempt, recovered }]) => [type, at, attempt, recovered]), [["connecting", "reconnecting", 1, undefined], ["connected", "connected", 1, true]]);
  await client.disconnect();
  equal(seen, [["closed", "closed", { error: undefined }]]);
});

test("two calls of connect in one tick make one connection", async (place) => {
  const client = place.client();
  const options = () => ({ ...place.options, clientId: "once" + place.clientId(), credentials: { ...place.options.credentials } });
  const one = options();
  const [a, b] = await Promise.all([client.connect(one), client.connect({ ...one })]);
  equal([a.clientId, client.stats().connects], [b.clientId, 1]);
  equal((await client.connect({ ...one })).clientId, one.clientId, "the client id after a third call");
  equal((await client.connect()).clientId, one.clientId, "the client id after a call without options");
  await rejects(client.connect({ ...one, keepAlive: 60 }), { name: "IotError", code: "ERR_ALREADY_CONNECTED" });
  equal([client.state, client.stats().connects], ["connected", 1]);
  equal(await place.control({ cut: one.clientId }), 1, "the number of connections at the stand-in");
});

test("connect() uses the options of the constructor", async (place) => {
  await rejects(place.client().connect(), { name: "TypeError", code: "ERR_OPTION" });
  const client = place.client({ ...place.options, keepAlive: 60, sessionExpiry: 10, userProperties: [["k", "v"]] });
  const { keepAlive, sessionExpiry, clientId } = await client.connect();
  equal([keepAlive, sessionExpiry, clientId.startsWith("iot-")], [60, 10, true]);
  const other = place.client(place.options);
  ok((await other.connect()).clientId !== clientId, "another client has another client id");
  await client.disconnect();
  equal((await client.connect()).clientId, clientId, "the client id after a second connect()");
});

test("connect with cleanStart false resumes the session", async (place) => {
  const clientId = place.clientId();
  const first = await place.connected({ clientId });
  await first.subscribe(place.topic("kept"), () => {}, { qos: 1 });
  await place.control({ cut: clientId });
  const second = place.client();
  equal((await second.connect({ ...place.options, clientId, cleanStart: false })).sessionPresent, true);
});

test("reconnect drops the connection and opens another", async (place) => {
  const client = await place.connected({ reconnect: soon });
  const inbox = new Inbox();
  await client.subscribe(place.topic(), inbox.take, { qos: 1 });
  const lost = event(client, "disconnected");
  const back = event(client, "connected");
  client.reconnect();
  equal(client.state, "reconnecting");
  equal((await lost).detail.error.code, "ERR_RECONNECT");
  const queued = client.publish(place.topic(), "queued", { qos: 1 });
  await rejects(client.publish(place.topic(), "not queued"), { name: "IotError", code: "ERR_OFFLINE_QOS0" });
  await back;
  equal(await queued, { reasonCode: 0 });
  equal(await inbox.texts(1), ["queued"]);
  equal(client.stats().connects, 2);
});

test("the offline options determine which messages are queued", async (place) => {
  const offline = async (options) => {
    const client = await place.connected({ reconnect: soon, offline: options });
    const back = event(client, "connected");
    client.reconnect();
    const publish = (qos) => client.publish(place.topic(), "x", { qos });
    return { publish, back };
  };
  let { publish, back } = await offline({ maxMessages: 1 });
  let first = publish(1);
  await rejects(publish(1), { name: "IotError", code: "ERR_QUEUE_FULL" });
  await back;
  await first;
  ({ publish, back } = await offline({ maxMessages: 1, overflow: "drop-oldest", qos0: "queue" }));
  first = rejects(publish(0), { name: "IotError", code: "ERR_DROPPED" });
  const second = publish(1);
  await first;
  await back;
  await second;
  ({ publish, back } = await offline({ qos0: "drop" }));
  equal(await publish(0), { reasonCode: 0 });
  await back;
});

test("with reconnect false, a lost connection closes the client", async (place) => {
  const clientId = place.clientId();
  const client = await place.connected({ clientId, reconnect: false });
  const subscription = await client.subscribe(place.topic());
  const disconnected = event(client, "disconnected");
  const closed = event(client, "closed");
  await place.control({ cut: clientId });
  equal((await disconnected).detail.retryInMs, undefined);
  const { error } = (await closed).detail;
  equal([error.name, error.code, client.state], ["IotError", "ERR_CONNECTION_LOST", "closed"]);
  equal((await subscription.closed)?.code, "ERR_CONNECTION_LOST", "the error of the subscription");
  equal((await client.connect()).clientId, clientId);
});

test("the error of a refusal contains the reason", async (place) => {
  await place.control({ connack: { reason: 135 } });
  const refused = await rejects(place.connected(), { name: "IotError", code: "ERR_NOT_AUTHORIZED" });
  equal([refused.phase, refused.retryable, refused.reasonCode], ["connect", false, 135]);
  await place.control({ upgrade: { status: 503 } });
  // The client requests the reason by HTTP. The policy of the frame csp forbids the request, except in WebKit.
  const forbidden = place.place === "csp" && place.engine !== "webkit";
  const unopened = await rejects(place.connected({ reconnect: false }), { name: "IotError", code: forbidden ? "ERR_UNREACHABLE" : "ERR_UPGRADE" });
  equal([unopened.phase, unopened.retryable], ["open", true]);
  await place.control({ upgrade: { status: 503, count: 0 } });
});

test("a connection to an unreachable or forbidden server is rejected", async (place) => {
  const error = await rejects(place.client().connect({ endpoint: place.unreachable, reconnect: false }), { name: "IotError", code: place.place === "csp" ? "ERR_CSP" : "ERR_UNREACHABLE" });
  equal([error.phase, error.retryable], ["open", place.place !== "csp"]);
});

test("a second connection with the same client id closes the first", async (place) => {
  const clientId = place.clientId();
  const first = await place.connected({ clientId });
  const closed = event(first, "closed");
  const second = await place.connected({ clientId });
  equal([(await closed).detail.error.code, first.state, second.state], ["ERR_SUPERSEDED", "closed", "connected"]);
});

test("disconnect rejects a pending connect()", async (place) => {
  const client = place.client();
  const connecting = rejects(client.connect(place.options), { name: "IotError", code: "ERR_CLOSED" });
  await client.disconnect();
  await connecting;
  equal(client.state, "closed");
});

test("the broker publishes the will when the connection is cut, but not after disconnect()", async (place) => {
  const witness = await place.connected();
  const inbox = new Inbox();
  await witness.subscribe(place.topic("#"), inbox.take, { qos: 1 });
  const clientId = place.clientId();
  const will = { topic: place.topic("will"), payload: { json: ["gone"] }, qos: 1, delay: 0, userProperties: { k: "v" } }; // the stand-in ignores the other properties
  const client = await place.connected({ clientId, will, sessionExpiry: 0, reconnect: false });
  await place.disconnected(client);
  await client.connect();
  const closed = event(client, "closed");
  await place.control({ cut: clientId });
  await closed;
  const [gone] = await inbox.first(1);
  equal([gone.topic, gone.json(), gone.qos, gone.userProperties], [will.topic, ["gone"], 1, [["k", "v"]]]);
  await witness.publish(place.topic("end"), "end", { qos: 1 });
  equal((await inbox.texts(2))[1], "end", "the message after the will");
});

test("the client calls the provider of credentials or URLs for each attempt", async (place) => {
  const { endpoint, region, credentials } = place.options;
  let calls = 0;
  const client = await place.connected({ reconnect: soon, credentials: async () => (calls++, { ...credentials, expiration: new Date(Date.now() + 3600e3) }) });
  const back = event(client, "connected");
  client.reconnect();
  await back;
  equal(calls, 2, "the number of calls of the provider");
  const url = async () => place.api.presign({ endpoint, region, credentials });
  const byUrl = place.client();
  await byUrl.connect({ url });
  equal(byUrl.state, "connected");
  const once = place.client();
  await once.connect({ url: new URL(await url()) });
  equal(once.state, "connected");
  const error = await rejects(place.client().connect({ endpoint, region, reconnect: false, credentials: () => { throw new Error("no credentials today"); } }),
    { name: "IotError", code: "ERR_CREDENTIALS" });
  equal([error.cause.message, error.message.includes("today")], ["no credentials today", false]); // the provider's message may contain a secret
});

test("the client calls a provider again after any error or invalid value", async (place) => {
  const { endpoint, region, credentials } = place.options;
  const revoked = () => {
    const { proxy, revoke } = Proxy.revocable({}, {});
    revoke();
    return proxy;
  };
  const throwing = () => ({ get message() { throw new Error("no message"); }, get retryable() { throw new Error("no retryable"); }, get accessKeyId() { throw new Error("no accessKeyId"); } });
  const withoutCode = () => Object.defineProperty(new place.api.IotError("without a code", { retryable: true }), "code", { get() { throw new Error("no code"); } });
  const answers = [() => { throw revoked(); }, () => { throw throwing(); }, () => { throw withoutCode(); }, () => { throw undefined; }, () => { throw new place.api.IotError("no code", { retryable: true }); },
    async () => { throw revoked(); }, revoked, throwing, async () => throwing(), () => 5, () => ({ then() { throw revoked(); } })];
  let calls = 0;
  const provider = (last) => () => answers[calls++ % (answers.length + 1)]?.() ?? last;
  for (const options of [{ endpoint, region, credentials: provider(credentials) }, { url: provider(await place.api.presign(place.options)) }]) {
    calls = 0;
    const client = place.client();
    const failed = [];
    client.addEventListener("disconnected", (e) => failed.push(e.detail.error.code));
    await client.connect({ ...options, reconnect: soon });
    equal([calls, failed.length], [answers.length + 1, answers.length], "the numbers of calls and failures");
  }
});

test("publish and request need a connection, and subscribe waits for one", async (place) => {
  const client = place.client();
  await rejects(client.publish("a", "b"), { name: "IotError", code: "ERR_NOT_CONNECTED" });
  await rejects(client.request("a", "b"), { name: "IotError", code: "ERR_NOT_CONNECTED" });
  const unsubscribed = rejects(client.subscribe("a"), { name: "IotError", code: "ERR_UNSUBSCRIBED" });
  equal(await client.unsubscribe("a"), undefined);
  await unsubscribed;
  const closed = rejects(client.subscribe("a"), { name: "IotError", code: "ERR_CLOSED" });
  equal(await client.disconnect(), undefined);
  await closed;
  equal(client.reconnect(), undefined);
  equal(client.state, "idle");
});

test("asynchronous disposal disconnects", async (place) => {
  const client = await place.connected();
  if (!Symbol.asyncDispose) return equal("asyncDispose" in Symbol, false); // the engine has no such symbol
  await client[Symbol.asyncDispose]();
  equal(client.state, "closed");
});
