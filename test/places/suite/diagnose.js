/** Tests of diagnose.js. test/e2e injects faults into each of its steps. */
import { equal, event, ok, rejects } from "../expect.js";
import { test } from "../suite.js";

/** Resolves with the results, and with one line for each. */
async function run(loop) {
  const results = [];
  for await (const result of loop) results.push(result);
  return { results, lines: results.map(({ step, status, code = "" }) => `${step} ${status} ${code}`.trim()) };
}

/** Whether the policy of the frame csp forbids HTTP requests to the stand-in. WebKit allows them where the policy allows ws:. */
const isHidden = (place) => place.place === "csp" && place.engine !== "webkit";

/** The results of the first steps. */
const begin = (place) => (isHidden(place) ? ["load ok", "endpoint warning ERR_CSP", "clock skipped"] : ["load ok", "endpoint ok", "clock ok"]);

test("diagnose() succeeds in every step, and leaves nothing behind", async (place) => {
  const { diagnose, diagnoseSteps } = await place.module("diagnose");
  const { presence } = await place.module("presence");
  const watcher = await place.connected();
  const present = presence(watcher);
  await present.ready;
  const parent = place.topic("diagnose/");
  const topics = new Set();
  await watcher.subscribe(`${parent}#`, (m) => topics.add(m.topic), { qos: 1 });
  const clientId = place.clientId();
  const gone = event(present, "change", ({ detail }) => detail.clientId.startsWith(`${clientId}-diagnose-`) && !detail.connected);
  const { results, lines } = await run(diagnose({ ...place.options, clientId }, { topic: parent }));
  equal(lines, [...begin(place), ...diagnoseSteps.slice(3).map((step) => `${step} ok`)]);
  equal(results.at(-1).roundTripMs >= 0, true);
  for (const { text, durationMs } of results) ok(/.\.$/.test(text) && durationMs >= 0, `"${text}" is a sentence`);
  ok(!JSON.stringify(results).includes(place.options.credentials.secretAccessKey), "the results contain no secret");
  equal((await gone).detail.clientInitiatedDisconnect, true);
  equal(topics.size, 1, "the number of topics");
  // The first message on the topic is the marker, so the broker has no retained message.
  const [topic] = topics;
  const first = new Promise((resolve) => watcher.subscribe(topic, (m) => m.text() !== "" && resolve(m.text())).then(() => watcher.publish(topic, "marker", { qos: 1 })));
  equal(await first, "marker");
});

test("diagnose() reports the step that fails, and skips those that need it", async (place) => {
  const { diagnose } = await place.module("diagnose");
  const wrong = { ...place.options.credentials, secretAccessKey: "SECRET" };
  const { results, lines } = await run(diagnose({ ...place.options, credentials: () => wrong }));
  const refused = isHidden(place) ? "signature failed ERR_UNREACHABLE" : "signature failed ERR_SIGNATURE";
  equal(lines, [...begin(place), "credentials ok", refused, ...["connect", "subscribe", "publish", "receive", "retain", "roundtrip"].map((step) => `${step} skipped`)]);
  ok(results[4].advice, "advice");
  ok(!JSON.stringify(results).includes("SECRET"), "the results contain no secret");
  const closed = await run(diagnose({ ...place.options, endpoint: place.unreachable }));
  equal(closed.lines.slice(0, 2), ["load ok", place.place === "csp" ? "endpoint failed ERR_CSP" : "endpoint failed ERR_UNREACHABLE"]);
});

test("diagnose() does not replace a retained message", async (place) => {
  const { diagnose } = await place.module("diagnose");
  const client = await place.connected();
  const topic = place.topic("occupied");
  await client.publish(topic, "mine", { qos: 1, retain: true });
  const { lines } = await run(diagnose(place.options, { topic }));
  equal(lines.slice(-3), ["receive ok", "retain skipped", "roundtrip ok"]);
  equal(await new Promise((resolve) => client.subscribe(topic, (m) => resolve(m.text()))), "mine");
  await client.publish(topic, null, { qos: 1, retain: true });
});

test("diagnose() ends by break and by a signal", async (place) => {
  const { diagnose } = await place.module("diagnose");
  const { presence } = await place.module("presence");
  const watcher = await place.connected();
  const present = presence(watcher);
  await present.ready;
  const parent = place.topic("end/");
  /** Resolves when the client of a diagnosis has disconnected. */
  const gone = (id) => event(present, "change", ({ detail }) => detail.clientId === id && !detail.connected);
  let id = place.clientId();
  let left = gone(id);
  for await (const { step } of diagnose(place.options, { topic: parent, clientId: id })) if (step === "publish") break;
  equal((await left).detail.clientInitiatedDisconnect, true);
  // An abort between two steps disconnects at once. An abort in the step retain removes the message.
  for (const at of ["receive", "retain"]) {
    id = place.clientId();
    left = gone(id);
    const stop = new AbortController();
    if (at === "retain") {
      await watcher.subscribe(`${parent}#`, (m) => m.text().endsWith("retained") && stop.abort(new RangeError("enough")), { qos: 1 });
    }
    const { signal } = stop;
    const loop = diagnose(at === "retain" ? { ...place.options, signal } : place.options, { topic: parent, clientId: id, ...(at === "receive" && { signal }) });
    await rejects((async () => {
      for await (const { step } of loop) {
        if (step !== at) continue;
        stop.abort(new RangeError("enough"));
        await left;
      }
    })(), { name: "RangeError", includes: "enough" });
    equal((await left).detail.clientInitiatedDisconnect, true);
  }
  equal(await loopOf(diagnose(place.options, { signal: AbortSignal.abort(new RangeError("before")) })), "before");
});

/** Resolves with the message of the error with which a loop ends. */
async function loopOf(loop) {
  try {
    for await (const { step } of loop) return step;
  } catch (error) {
    return error.message;
  }
  return "no result";
}

test("diagnose() checks its options", async (place) => {
  const { diagnose } = await place.module("diagnose");
  for (const [options, given] of [[undefined], [5], [{}, { topic: 5 }], [{}, { topic: "" }], [{}, { clientId: {} }], [{}, { account: 1 }], [{}, { timeoutMs: -1 }], [{}, { signal: {} }], [{}, { more: 1 }]]) {
    await rejects((async () => diagnose(options, given))(), { name: "TypeError", code: "ERR_OPTION" });
  }
});
