import { Inbox, equal, ok, rejects } from "../expect.js";
import { test } from "../suite.js";
import { listening } from "./publish.js";

/** A client that calls `answer` for each request. It ignores a rejection of the promise that `answer` returns, because the test may end before the reply is acknowledged. */
async function responder(place, answer) {
  const client = await place.connected();
  await client.subscribe(place.topic("ask/+"), (m) => answer(m)?.catch(() => {}), { qos: 1 });
  return client;
}

test("a request resolves with its reply", async (place) => {
  await responder(place, (m) => m.reply({ json: { echo: m.text() } }, { qos: 1, contentType: "application/json" }));
  const client = await place.connected();
  const before = client.stats().subscriptions;
  const reply = await client.request(place.topic("ask/one"), "hello", { qos: 1 });
  equal([reply.json(), reply.contentType, reply.qos], [{ echo: "hello" }, "application/json", 1]);
  equal((await client.request(place.topic("ask/two"), { json: 2 })).json(), { echo: "2" });
  equal(client.stats().subscriptions - before, 1, "the number of subscriptions for replies");
});

test("each of twenty concurrent requests receives its own reply", async (place) => {
  await responder(place, (m) => m.reply(`${m.topic} ${m.text()}`, { qos: 1 }));
  const client = await place.connected();
  const before = client.stats().subscriptions;
  const numbers = Array.from({ length: 20 }, (_, i) => i);
  const replies = await Promise.all(numbers.map((i) => client.request(place.topic(`ask/${i}`), String(i), { qos: i % 2 })));
  equal(replies.map((m) => m.text()), numbers.map((i) => `${place.topic(`ask/${i}`)} ${i}`));
  equal(client.stats().subscriptions - before, 1, "the number of subscriptions for replies");
});

test("a request without a reply ends by its timeout or signal", async (place) => {
  await responder(place, () => {});
  const client = await place.connected();
  await rejects(client.request(place.topic("ask/silence"), "", { timeoutMs: 50 }), { name: "IotError", code: "ERR_REQUEST_TIMEOUT" });
  const reason = new RangeError("enough");
  const stop = new AbortController();
  const waiting = rejects(client.request(place.topic("ask/silence"), "", { signal: stop.signal }));
  stop.abort(reason);
  ok((await waiting) === reason, "the error is the signal's reason");
  ok((await rejects(client.request(place.topic("ask/silence"), "", { signal: AbortSignal.abort(reason) }))) === reason, "the error is the reason of the signal, which was aborted before the call");
  await rejects(client.request(place.topic("ask/x"), "", { timeoutMS: 5 }), { name: "TypeError", code: "ERR_OPTION", includes: "did you mean timeoutMs?" });
});

test("the second subscription to a filter receives the retained message, and the first does not receive it again", async (place) => {
  const client = await place.connected();
  await client.publish(place.topic("kept"), "still here", { qos: 1, retain: true });
  const [first, second] = [new Inbox(), new Inbox()];
  await client.subscribe(place.topic("kept"), first.take, { qos: 1 });
  equal((await first.first(1)).map((m) => [m.text(), m.retain]), [["still here", true]]);
  await client.subscribe(place.topic("kept"), second.take, { qos: 1 });
  equal((await second.first(1)).map((m) => [m.text(), m.retain]), [["still here", true]]);
  await client.publish(place.topic("kept"), null, { qos: 1, retain: true }); // deletes the retained message, and arrives after all earlier messages
  equal(await first.texts(2), ["still here", ""]);
  equal(await second.texts(2), ["still here", ""]);
});

test("stats contains the round trip time", async (place) => {
  const { client } = await listening(place);
  await client.publish(place.topic("x"), "x", { qos: 1 });
  const { roundTripMs } = client.stats();
  ok(typeof roundTripMs === "number" && roundTripMs >= 0 && roundTripMs < 10_000, `${roundTripMs} is a duration`);
});
