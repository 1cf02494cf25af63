import { Inbox, equal, event, rejects } from "../expect.js";
import { test } from "../suite.js";

test("connect rejects invalid options", async (place) => {
  const client = place.client();
  const { endpoint, region } = place.options;
  const wrong = (options, name, code, includes) => rejects(client.connect(options), { name, code, includes });
  await wrong({ endpiont: "x" }, "TypeError", "ERR_OPTION", "did you mean endpoint?");
  await wrong({ endpoint, credentails: {} }, "TypeError", "ERR_OPTION", "did you mean credentials?");
  await wrong({ endpoint, reconnect: { maxDelay: 1 } }, "TypeError", "ERR_OPTION", "did you mean maxDelayMs?");
  await wrong({ endpoint, offline: { maxMessage: 1 } }, "TypeError", "ERR_OPTION", "did you mean maxMessages?");
  await wrong({ endpoint, will: { topik: "x" } }, "TypeError", "ERR_OPTION", "did you mean topic?");
  await wrong({ endpoint, authorizer: { tokenkeyname: "x" } }, "TypeError", "ERR_OPTION", "did you mean tokenKeyName?");
  await wrong({ endpoint, wholly: 1 }, "TypeError", "ERR_OPTION", "wholly");
  await wrong({}, "TypeError", "ERR_OPTION", "endpoint");
  await wrong(5, "TypeError", "ERR_OPTION");
  await wrong({ endpoint: "ftp://x" }, "TypeError", "ERR_ENDPOINT");
  await wrong({ endpoint, url: "ws://x" }, "TypeError", "ERR_OPTION", "url");
  await wrong({ endpoint, region, credentials: { accessKeyId: 5 } }, "TypeError", "ERR_OPTION", "accessKeyId");
  await wrong({ endpoint, keepAlive: 70000 }, "RangeError", "ERR_OPTION", "keepAlive");
  await wrong({ endpoint, keepAlive: "60" }, "TypeError", "ERR_OPTION", "keepAlive");
  await wrong({ endpoint, ackTimeoutMs: -1 }, "RangeError", "ERR_OPTION", "ackTimeoutMs");
  await wrong({ endpoint, unclaimedTimeoutMs: 1e300 }, "RangeError", "ERR_OPTION", "unclaimedTimeoutMs");
  await wrong({ endpoint, ackTimeoutMs: "60" }, "TypeError", "ERR_OPTION", "ackTimeoutMs");
  const authorizer = { name: "a", tokenKeyName: "k", token: "t" };
  await wrong({ ...place.options, authorizer }, "TypeError", "ERR_OPTION", "authorizer");
  await wrong({ url: "ws://x", authorizer }, "TypeError", "ERR_OPTION", "authorizer");
  await wrong({ endpoint, quotas: "gcp" }, "TypeError", "ERR_OPTION", "quotas");
  await wrong({ endpoint, reconnect: true }, "TypeError", "ERR_OPTION", "reconnect");
  await wrong({ endpoint, signal: {} }, "TypeError", "ERR_OPTION", "signal");
  await wrong({ endpoint, will: { topic: "a/#" } }, "TypeError", "ERR_TOPIC");
  await wrong({ get endpoint() { throw new RangeError("from the getter"); } }, "RangeError", undefined, "from the getter");
  equal(client.state, "idle");
});

test("members of Object.prototype are not options", async (place) => {
  Object.assign(Object.prototype, { qos: 2, will: { topic: "x" }, clientId: 5, retain: true });
  try {
    const client = await place.connected();
    await client.publish(place.topic(), "x", {});
    equal(client.stats().messagesOut, 1);
  } finally {
    for (const name of ["qos", "will", "clientId", "retain"]) delete Object.prototype[name];
  }
});

test("members of Object.prototype do not change calls, results or errors", async (place) => {
  const witness = await place.connected();
  const inbox = new Inbox();
  await witness.subscribe(place.topic("#"), inbox.take, { qos: 1 });
  const clientId = place.clientId();
  const client = await place.connected({ clientId, reconnect: false });
  await client.disconnect();
  const { IotError, presign } = place.api;
  // polluted contains no members that functions of the platform read.
  const polluted = {
    will: { topic: place.topic("will"), payload: "polluted", qos: 1, delay: 0 }, password: "polluted", username: "polluted", url: "ws://polluted.invalid/", cause: "polluted",
    error: { class: 0, code: "ERR_POLLUTED", message: "polluted" }, closeCode: 5, reasonCode: 5, responseTopic: "polluted", correlationData: Uint8Array.of(1), userProperties: { a: "b" },
    sessionToken: "polluted", accessKeyId: "polluted", retryInMs: 5, authorizer: { token: "polluted" }, offline: { maxMessages: 1 }, recovered: true, next: {}, once: true, timeoutMs: 1,
  };
  if (place.isNode) for (const name of ["url", "error", "next", "once"]) delete polluted[name]; // Node's WebSocket is written in JavaScript and reads these members
  Object.assign(Object.prototype, polluted);
  let error, connection, url, reply, missing;
  const events = [];
  const listener = (e) => events.push([e.type, Object.keys(e.detail).includes("error") ? String(e.detail.error) : undefined]);
  try {
    for (const type of ["connected", "closed"]) client.addEventListener(type, listener);
    connection = await client.connect();
    error = new IotError("the message", { code: "ERR_X", phase: "load" });
    url = await presign({ ...place.options, endpoint: "x.iot.eu-west-1.amazonaws.com" });
    missing = await client.connect({ ...place.options, credentials: {} }).catch((e) => e);
    reply = rejects(client.request(place.topic("ask"), "?", { qos: 1 }), { name: "IotError", code: "ERR_CONNECTION_LOST" });
    await inbox.first(1);
    await client.publish(place.topic("x"), "x", { qos: 1, retain: false });
    await inbox.first(2);
  } finally {
    for (const name of Object.keys(polluted)) delete Object.prototype[name];
  }
  equal([connection.clientId, missing.code], [clientId, "ERR_ALREADY_CONNECTED"]);
  equal(["cause", "reasonCode", "closeCode"].filter((name) => Object.hasOwn(error, name)), []);
  equal(url.includes("polluted"), false);
  equal(inbox.all.map((m) => [String(m.responseTopic), m.userProperties]), [[`iot/replies/${clientId}`, []], ["undefined", []]]);
  const closed = event(client, "closed");
  await place.control({ cut: clientId });
  await Promise.all([closed, reply]);
  equal(events, [["connected", undefined], ["closed", "IotError: " + (await closed).detail.error.message]]);
  await witness.publish(place.topic("end"), "end", { qos: 1 });
  equal((await inbox.texts(3))[2], "end", "the message after the cut");
});
