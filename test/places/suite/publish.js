import { Inbox, equal, ok, rejects } from "../expect.js";
import { test } from "../suite.js";

/** Connects a client and subscribes to all topics of the test. Resolves with { client, inbox, subscription }. */
export async function listening(place, options) {
  const client = await place.connected();
  const inbox = new Inbox();
  const subscription = await client.subscribe(place.topic("#"), inbox.take, { qos: 2, ...options });
  return { client, inbox, subscription };
}

test("publish resolves with a result for every QoS", async (place) => {
  const { client, inbox, subscription } = await listening(place);
  equal(subscription.qos, 2);
  for (const qos of [0, 1, 2]) equal(await client.publish(place.topic(String(qos)), "x", { qos }), { reasonCode: 0 }, `the result of QoS ${qos}`);
  equal((await inbox.first(3)).map((m) => [m.topic, m.qos]), [0, 1, 2].map((qos) => [place.topic(String(qos)), qos]));
});

test("a payload is a string, a buffer, JSON or nothing", async (place) => {
  const { client, inbox } = await listening(place);
  const bytes = Uint8Array.of(1, 2, 3, 4);
  const payloads = ["", "ü😀", "\uFEFFmark", bytes, bytes.buffer, bytes.subarray(1, 3), new Uint16Array([258, 772]), new DataView(bytes.buffer, 2), new Float64Array(1), { json: { a: [1, null] } }, { json: "s" }, { json: null }, null, undefined];
  for (const payload of payloads) await client.publish(place.topic(), payload, { qos: 1 });
  const got = await inbox.first(payloads.length);
  const text = (s) => [...new TextEncoder().encode(s)];
  equal(got.map((m) => [...m.payload]), [
    [], text("ü😀"), text("\uFEFFmark"), [1, 2, 3, 4], [1, 2, 3, 4], [2, 3], [2, 1, 4, 3], [3, 4], [0, 0, 0, 0, 0, 0, 0, 0],
    text('{"a":[1,null]}'), text('"s"'), text("null"), [], [],
  ]);
  equal([got[1].text(), got[9].json(), got[11].json()], ["ü😀", { a: [1, null] }, null]);
});

test("many large messages of one turn are sent before it ends, and arrive in order", async (place) => {
  const { client, inbox } = await listening(place);
  const { send } = WebSocket.prototype;
  let sends = 0, events = 0;
  client.addEventListener("packet", () => events++);
  WebSocket.prototype.send = function (bytes) {
    sends++;
    send.call(this, bytes);
  };
  try {
    const payload = new Uint8Array(100_000);
    const publish = (i) => client.publish(place.topic(), payload.fill(i));
    const results = [publish(0), publish(1)];
    const before = [sends, events];
    for (let i = 2; i < 9; i++) results.push(publish(i));
    equal(await Promise.all(results), Array(9).fill({ reasonCode: 0 }));
    equal(before, [2, 0], "the calls of send() and the events within publish()");
    ok(events >= 9, `${events} events`);
  } finally {
    WebSocket.prototype.send = send;
  }
  const got = await inbox.first(9);
  equal(got.map((m) => [m.payload.length, m.payload[0], m.payload.at(-1)]), got.map((_, i) => [100_000, i, i]));
});

test("the page can change a buffer directly after publish", async (place) => {
  const { client, inbox } = await listening(place);
  const bytes = new Uint8Array(100_000).fill(7);
  const sent = client.publish(place.topic(), bytes, { qos: 1 });
  bytes.fill(0);
  await sent;
  const [{ payload }] = await inbox.first(1);
  ok(payload.length === 100_000 && payload.every((b) => b === 7), "the payload has not changed");
});

test("publish sends every option, and the message has a member for each", async (place) => {
  const { client, inbox } = await listening(place, { retainAsPublished: true });
  await client.publish(place.topic("full"), { json: { a: 1 } }, {
    qos: 1, retain: true, contentType: "application/json", utf8: true, responseTopic: place.topic("reply"), correlationData: Uint8Array.of(0, 255),
    messageExpiry: 60, userProperties: [["k", "1"], ["k", "2"], ["ü", ""]],
  });
  const [m] = await inbox.first(1);
  equal([m.topic, m.qos, m.retain, m.duplicate, m.utf8, m.contentType, m.responseTopic, m.correlationData, m.userProperties],
    [place.topic("full"), 1, true, false, true, "application/json", place.topic("reply"), Uint8Array.of(0, 255), [["k", "1"], ["k", "2"], ["ü", ""]]]);
  ok(m.messageExpiry > 0 && m.messageExpiry <= 60, `the remaining ${m.messageExpiry} s are at most 60`);
  ok(m.payload instanceof Uint8Array && m.payload === m.payload, "every read of payload returns the same Uint8Array");
  equal([m.text(), m.json()], ['{"a":1}', { a: 1 }]);
  m.payload[0] = 0x5b; // the page may change the payload
  equal(m.text(), '["a":1}');
  await client.publish(place.topic("full"), null, { qos: 1, retain: true }); // deletes the retained message
  await client.publish(place.topic("bare"), "x", { userProperties: { a: "b" } });
  const bare = (await inbox.first(3))[2];
  equal([bare.qos, bare.retain, bare.duplicate, bare.utf8, bare.contentType, bare.responseTopic, bare.correlationData, bare.messageExpiry, bare.userProperties],
    [0, false, false, false, undefined, undefined, undefined, undefined, [["a", "b"]]]);
});

test("reply publishes to the response topic", async (place) => {
  const { client, inbox } = await listening(place);
  await client.publish(place.topic("question"), "?", { responseTopic: place.topic("answer"), correlationData: Uint8Array.of(9) });
  const [question] = await inbox.first(1);
  equal(await question.reply("!", { qos: 1, contentType: "text/plain" }), { reasonCode: 0 });
  const answer = (await inbox.first(2))[1];
  equal([answer.topic, answer.text(), answer.correlationData, answer.contentType], [place.topic("answer"), "!", Uint8Array.of(9), "text/plain"]);
  await rejects(answer.reply("?"), { name: "TypeError", includes: "responseTopic" });
});

test("a later subscription receives the retained message until it is deleted", async (place) => {
  const { client, inbox } = await listening(place);
  await client.publish(place.topic("kept"), "still here", { qos: 1, retain: true });
  await inbox.first(1);
  const late = await place.connected();
  const found = new Inbox();
  await late.subscribe(place.topic("kept"), found.take, { qos: 1 });
  const [m] = await found.first(1);
  equal([m.text(), m.retain], ["still here", true]);
  await client.publish(place.topic("kept"), null, { qos: 1, retain: true });
  const later = await place.connected();
  const nothing = new Inbox();
  await later.subscribe(place.topic("#"), nothing.take, { qos: 1 });
  await client.publish(place.topic("end"), "end", { qos: 1 });
  equal(await nothing.texts(1), ["end"]);
});

test("publish rejects invalid arguments", async (place) => {
  const { client } = await listening(place);
  const wrong = (args, name, code, includes) => rejects(client.publish(...args), { name, code, includes });
  await wrong([5], "TypeError", "ERR_OPTION", "topic");
  for (const topic of ["", "a/+", "#"]) await wrong([topic, "x"], "TypeError", "ERR_TOPIC");
  await wrong(["a\0"], "TypeError", "ERR_UNICODE");
  await wrong(["a\ud800"], "TypeError", "ERR_UNICODE");
  await wrong(["a", "\udc00"], "TypeError", "ERR_UNICODE");
  await wrong(["a", 5], "TypeError", "ERR_PAYLOAD", "5");
  await wrong(["a", { a: 1 }], "TypeError", "ERR_PAYLOAD", "json");
  await wrong(["a", { json: undefined }], "TypeError", "ERR_PAYLOAD");
  await wrong(["a", { json: 1n }], "TypeError", "ERR_PAYLOAD");
  await wrong(["a", "x", { qos: 3 }], "RangeError", "ERR_QOS");
  await wrong(["a", "x", { qso: 1 }], "TypeError", "ERR_OPTION", "did you mean qos?");
  await wrong(["a", "x", { messageExpiry: -1 }], "RangeError", "ERR_OPTION", "messageExpiry");
  await wrong(["a", "x", { userProperties: [["a"]] }], "TypeError", "ERR_OPTION", "userProperties");
  await wrong(["a", "x", 5], "TypeError", "ERR_OPTION");
  await wrong(["a", "x", { correlationData: "x" }], "TypeError", "ERR_OPTION", "correlationData");
  await wrong(["a", "x".repeat(150_000), { qos: 1 }], "IotError", "ERR_PACKET_TOO_LARGE");
  equal([client.state, client.stats().connects], ["connected", 1]);
});

test("stats counts messages, bytes and connections", async (place) => {
  const client = place.client();
  equal([client.stats().connects, client.stats().subscriptions, client.stats().messagesOut], [0, 0, 0]);
  const { client: other, inbox } = await listening(place);
  const before = other.stats();
  for (let i = 0; i < 5; i++) await other.publish(place.topic("n"), "12345", { qos: i % 2 });
  await inbox.first(5);
  const after = other.stats();
  equal([after.messagesIn - before.messagesIn, after.messagesOut - before.messagesOut, after.inflight, after.queued, after.subscriptions, after.connects], [5, 5, 0, 0, 1, 1]);
  ok(after.bytesIn > before.bytesIn + 25 && after.bytesOut > before.bytesOut + 25, "the counters of bytes have grown");
  ok(Object.isFrozen(after), "the statistics object is frozen");
});
