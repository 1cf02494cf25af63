import { Inbox, equal, event, ok, rejects } from "../expect.js";
import { test } from "../suite.js";

/** Reconnects at once. */
export const soon = { minDelayMs: 1, maxDelayMs: 50 };

test("connect resolves with what the broker granted", async (place) => {
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

test("events tell of a connection's life", async (place) => {
  const client = place.client();
  const seen = [];
  for (const type of ["connecting", "connected", "disconnected", "closed"]) {
    client.addEventListener(type, (e) => {
      ok(e instanceof CustomEvent && e.target === client, `${type} is a CustomEvent of the client's`);
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
  ok(error instanceof place.api.IotError && retryInMs >= 0, "the error and the delay are told");
  equal(rest.map(([type, at, { attempt, recovered }]) => [type, at, attempt, recovered]), [["connecting", "reconnecting", 1, undefined], ["connected", "connected", 1, true]]);
  await client.disconnect();
  equal(seen, [["closed", "closed", { error: undefined }]]);
});

test("connect twice in one tick makes one connection", async (place) => {
  const client = place.client();
  const options = () => ({ ...place.options, clientId: "once" + place.clientId(), credentials: { ...place.options.credentials } });
  const one = options();
  const [a, b] = await Promise.all([client.connect(one), client.connect({ ...one })]);
  equal([a.clientId, client.stats().connects], [b.clientId, 1]);
  equal((await client.connect({ ...one })).clientId, one.clientId, "the client id, asked for again");
  equal((await client.connect()).clientId, one.clientId, "the client id, without options");
  await rejects(client.connect({ ...one, keepAlive: 60 }), { name: "IotError", code: "ERR_ALREADY_CONNECTED", says: "disconnect() first" });
  equal([client.state, client.stats().connects], ["connected", 1]);
  equal(await place.control({ cut: one.clientId }), 1, "the connections at the stand-in");
});

test("the constructor's options are those of connect()", async (place) => {
  await rejects(place.client().connect(), { name: "TypeError", code: "ERR_OPTION", says: "the first time" });
  const client = place.client({ ...place.options, keepAlive: 60, sessionExpiry: 10, userProperties: [["k", "v"]] });
  const { keepAlive, sessionExpiry, clientId } = await client.connect();
  equal([keepAlive, sessionExpiry, clientId.startsWith("iot-")], [60, 10, true]);
  const other = place.client(place.options);
  ok((await other.connect()).clientId !== clientId, "another client has another id");
  await client.disconnect();
  equal((await client.connect()).clientId, clientId, "the client's id, connected again");
});

test("a session is taken up again", async (place) => {
  const clientId = place.clientId();
  const first = await place.connected({ clientId });
  await first.subscribe(place.topic("kept"), () => {}, { qos: 1 });
  await place.control({ cut: clientId });
  const second = place.client();
  equal((await second.connect({ ...place.options, clientId, cleanStart: false })).sessionPresent, true);
});

test("reconnect drops the connection and makes another", async (place) => {
  const client = await place.connected({ reconnect: soon });
  const inbox = new Inbox();
  await client.subscribe(place.topic(), inbox.take, { qos: 1 });
  const lost = event(client, "disconnected");
  const back = event(client, "connected");
  client.reconnect();
  equal(client.state, "reconnecting");
  equal((await lost).detail.error.code, "ERR_RECONNECT");
  const kept = client.publish(place.topic(), "kept", { qos: 1 });
  await rejects(client.publish(place.topic(), "not kept"), { name: "IotError", code: "ERR_OFFLINE_QOS0" });
  await back;
  equal(await kept, { reasonCode: 0 });
  equal(await inbox.texts(1), ["kept"]);
  equal(client.stats().connects, 2);
});

test("what cannot wait for a connection is said", async (place) => {
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

test("without reconnecting, a lost connection is the end", async (place) => {
  const clientId = place.clientId();
  const client = await place.connected({ clientId, reconnect: false });
  const subscription = await client.subscribe(place.topic());
  const disconnected = event(client, "disconnected");
  const closed = event(client, "closed");
  await place.control({ cut: clientId });
  equal((await disconnected).detail.retryInMs, undefined);
  const { error } = (await closed).detail;
  equal([error.name, error.code, client.state], ["IotError", "ERR_CONNECTION_LOST", "closed"]);
  equal((await subscription.closed)?.code, "ERR_CONNECTION_LOST", "what ended the subscription");
  equal((await client.connect()).clientId, clientId);
});

test("a refusal says why", async (place) => {
  await place.control({ connack: { reason: 135 } });
  const refused = await rejects(place.connected(), { name: "IotError", code: "ERR_NOT_AUTHORIZED", says: "iot:Connect" });
  equal([refused.phase, refused.retryable, refused.reasonCode], ["connect", false, 135]);
  await place.control({ upgrade: { status: 503 } });
  // Why a WebSocket was refused is asked by HTTP, which the policy of that frame forbids, except to WebKit's mind.
  const silent = place.place === "csp" && place.engine !== "webkit";
  const unopened = await rejects(place.connected({ reconnect: false }), { name: "IotError", code: silent ? "ERR_UNREACHABLE" : "ERR_UPGRADE" });
  equal([unopened.phase, unopened.retryable], ["open", true]);
  await place.control({ upgrade: { status: 503, count: 0 } });
});

test("nobody there, or nobody who may be asked", async (place) => {
  const error = await rejects(place.client().connect({ endpoint: place.nobody, reconnect: false }), { name: "IotError", code: place.place === "csp" ? "ERR_CSP" : "ERR_UNREACHABLE" });
  equal([error.phase, error.retryable], ["open", place.place !== "csp"]);
});

test("a second connection of the same id closes the first", async (place) => {
  const clientId = place.clientId();
  const first = await place.connected({ clientId });
  const closed = event(first, "closed");
  const second = await place.connected({ clientId });
  equal([(await closed).detail.error.code, first.state, second.state], ["ERR_SUPERSEDED", "closed", "connected"]);
});

test("disconnect ends a connect() that goes on", async (place) => {
  const client = place.client();
  const connecting = rejects(client.connect(place.options), { name: "IotError", code: "ERR_CLOSED", says: "disconnect()" });
  await client.disconnect();
  await connecting;
  equal(client.state, "closed");
});

test("a will is sent when the connection is cut, and not after disconnect()", async (place) => {
  const witness = await place.connected();
  const inbox = new Inbox();
  await witness.subscribe(place.topic("#"), inbox.take, { qos: 1 });
  const clientId = place.clientId();
  const will = { topic: place.topic("will"), payload: { json: ["gone"] }, qos: 1, delay: 0, userProperties: { k: "v" } };
  const client = await place.connected({ clientId, will, sessionExpiry: 0, reconnect: false });
  await client.disconnect();
  await client.connect();
  const closed = event(client, "closed");
  await place.control({ cut: clientId });
  await closed;
  const [gone] = await inbox.first(1);
  equal([gone.topic, gone.json(), gone.qos, gone.userProperties], [will.topic, ["gone"], 1, [["k", "v"]]]);
  await witness.publish(place.topic("end"), "end", { qos: 1 });
  equal((await inbox.texts(2))[1], "end", "what came after the will");
});

test("credentials and URLs come from functions, for each attempt", async (place) => {
  const { endpoint, region, credentials } = place.options;
  let calls = 0;
  const client = await place.connected({ reconnect: soon, credentials: async () => (calls++, { ...credentials, expiration: new Date(Date.now() + 3600e3) }) });
  const back = event(client, "connected");
  client.reconnect();
  await back;
  equal(calls, 2, "the calls of the provider");
  const url = async () => place.api.presign({ endpoint, region, credentials });
  const byUrl = place.client();
  await byUrl.connect({ url });
  equal(byUrl.state, "connected");
  const once = place.client();
  await once.connect({ url: new URL(await url()) });
  equal(once.state, "connected");
  const error = await rejects(place.client().connect({ endpoint, region, reconnect: false, credentials: () => { throw new Error("no keys today"); } }),
    { name: "IotError", code: "ERR_CREDENTIALS", says: "the cause" });
  equal([error.cause.message, error.message.includes("no keys")], ["no keys today", false]); // the words may hold a secret
});

test("whatever a provider throws or returns, it is asked again", async (place) => {
  const { endpoint, region, credentials } = place.options;
  const gone = () => {
    const { proxy, revoke } = Proxy.revocable({}, {});
    revoke();
    return proxy;
  };
  const poisoned = () => ({ get message() { throw new Error("no message"); }, get retryable() { throw new Error("no word"); }, get accessKeyId() { throw new Error("no key"); } });
  const odd = () => Object.defineProperty(new place.api.IotError("odd", { retryable: true }), "code", { get() { throw new Error("no code"); } });
  const answers = [() => { throw gone(); }, () => { throw poisoned(); }, () => { throw odd(); }, () => { throw undefined; }, () => { throw new place.api.IotError("no code", { retryable: true }); },
    async () => { throw gone(); }, gone, poisoned, async () => poisoned(), () => 5, () => ({ then() { throw gone(); } })];
  let calls = 0;
  const provider = (last) => () => answers[calls++ % (answers.length + 1)]?.() ?? last;
  for (const options of [{ endpoint, region, credentials: provider(credentials) }, { url: provider(await place.api.presign(place.options)) }]) {
    calls = 0;
    const client = place.client();
    const failed = [];
    client.addEventListener("disconnected", (e) => failed.push(e.detail.error.code));
    await client.connect({ ...options, reconnect: soon });
    equal([calls, failed.length], [answers.length + 1, answers.length], "the calls and the failures");
  }
});

test("what needs a connection says so", async (place) => {
  const client = place.client();
  await rejects(client.publish("a", "b"), { name: "IotError", code: "ERR_NOT_CONNECTED", says: "connect()" });
  await rejects(client.request("a", "b"), { name: "IotError", code: "ERR_NOT_CONNECTED", says: "connect()" });
  // A subscription waits for connect(), until it is taken back.
  const unsubscribed = rejects(client.subscribe("a"), { name: "IotError", code: "ERR_UNSUBSCRIBED" });
  equal(await client.unsubscribe("a"), undefined);
  await unsubscribed;
  const closed = rejects(client.subscribe("a"), { name: "IotError", code: "ERR_CLOSED" });
  equal(await client.disconnect(), undefined);
  await closed;
  equal(client.reconnect(), undefined);
  equal(client.state, "idle");
});

test("an asynchronous disposal disconnects", async (place) => {
  const client = await place.connected();
  if (!Symbol.asyncDispose) return equal("asyncDispose" in Symbol, false); // an engine without it has no such member
  await client[Symbol.asyncDispose]();
  equal(client.state, "closed");
});
