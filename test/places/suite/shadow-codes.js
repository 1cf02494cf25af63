/** Tests of shadow.js that need no connection: arguments, error codes, and promises that settle. */
import { equal, ok, rejects } from "../expect.js";
import { test } from "../suite.js";

/**
 * Returns a client without a network. `answer` returns the answer to a request as [suffix of the topic, body], or nothing.
 * The function `deliver` of the client delivers a message. The stand-in cannot send every error code, and sends messages in order.
 */
export function fakeClient(answer = () => undefined) {
  const handlers = new Map();
  const client = Object.assign(new EventTarget(), {
    state: "connected",
    handlers,
    deliver(topic, body) {
      const bytes = new TextEncoder().encode(typeof body === "string" ? body : JSON.stringify(body));
      for (const handler of [...(handlers.get(topic) ?? [])]) handler({ topic, payload: bytes, json: () => JSON.parse(new TextDecoder().decode(bytes)) });
    },
    async subscribe(filter, handler, { signal }) {
      signal.throwIfAborted();
      handlers.set(filter, [...(handlers.get(filter) ?? []), handler]);
      let end;
      const closed = new Promise((resolve) => (end = resolve));
      signal.addEventListener("abort", () => {
        handlers.set(filter, handlers.get(filter).filter((h) => h !== handler));
        end();
      });
      return { closed };
    },
    async publish(topic, { json }) {
      const [suffix, body] = answer(topic, JSON.parse(JSON.stringify(json))) ?? [];
      if (suffix) client.deliver(topic + suffix, { clientToken: json.clientToken, ...body });
      return { reasonCode: 0 };
    },
  });
  return client;
}

test("every error code of AWS IoT has a code", async (place) => {
  const { shadow } = await place.module("shadow");
  for (const [code, want, retryable] of [
    [400, "ERR_SHADOW_REQUEST", false], [401, "ERR_SHADOW_UNAUTHORIZED", false], [403, "ERR_SHADOW_FORBIDDEN", false],
    [404, "ERR_SHADOW_NOT_FOUND", false], [409, "ERR_SHADOW_VERSION", false], [413, "ERR_SHADOW_TOO_LARGE", false],
    [415, "ERR_SHADOW_ENCODING", false], [429, "ERR_SHADOW_THROTTLED", true], [500, "ERR_SHADOW_INTERNAL", true],
    [503, "ERR_SHADOW_REJECTED", true], [418, "ERR_SHADOW_REJECTED", false], ["toString", "ERR_SHADOW_REJECTED", false], [undefined, "ERR_SHADOW_REJECTED", false],
  ]) {
    const lamp = shadow(fakeClient(() => ["/rejected", { code, message: "x".repeat(1000) }]), "lamp");
    const error = await rejects(lamp.update({ desired: {} }), { name: "IotError", code: want });
    equal([error.phase, error.retryable, error.message.length], ["publish", retryable, 300]);
  }
});

test("an answer belongs to the request with its token", async (place) => {
  const { shadow } = await place.module("shadow");
  const requests = [];
  const client = fakeClient((topic, json) => void requests.push([topic, json]));
  const lamp = shadow(client, "lamp", "n");
  const both = [lamp.update({ reported: { a: 1 } }), lamp.update({ reported: { a: 2 } }, { version: 7 })];
  while (requests.length < 2) await new Promise((resolve) => setTimeout(resolve));
  const topic = "$aws/things/lamp/shadow/name/n/update";
  equal(requests.map(([to, { clientToken, ...body }]) => [to, body]), [[topic, { state: { reported: { a: 1 } } }], [topic, { state: { reported: { a: 2 } }, version: 7 }]]);
  const [first, second] = requests.map(([, { clientToken }]) => clientToken);
  ok(first !== second && first.length <= 64, `${first} and ${second} are different tokens`);
  for (const foreign of ["no JSON", "null", "[]", "5", {}, { clientToken: "other" }, { clientToken: null }]) client.deliver(`${topic}/accepted`, foreign);
  client.deliver(`${topic}/accepted`, { clientToken: second, version: 2 });
  client.deliver(`${topic}/rejected`, { clientToken: first, code: 409, message: "Version conflict" });
  client.deliver(`${topic}/accepted`, { clientToken: first, version: 9 });
  equal((await both[1]).version, 2);
  await rejects(both[0], { code: "ERR_SHADOW_VERSION", includes: "409: Version conflict" });
});

test("every call settles: timeout, abort, close()", async (place) => {
  const { shadow } = await place.module("shadow");
  const client = fakeClient();
  const lamp = shadow(client, "lamp");
  const error = await rejects(lamp.get({ timeoutMs: 20 }), { name: "IotError", code: "ERR_SHADOW_TIMEOUT", includes: "20 ms" });
  equal(error.retryable, true);
  const reason = new RangeError("enough");
  const stop = new AbortController();
  const waiting = [lamp.get({ signal: stop.signal }), lamp.update({ desired: {} }, { signal: stop.signal }), lamp.delete({ signal: stop.signal })].map((p) => rejects(p));
  stop.abort(reason);
  for (const one of waiting) ok((await one) === reason, "the error is the signal's reason");
  ok((await rejects(lamp.get({ signal: AbortSignal.abort(reason) }))) === reason, "the error is the reason of a signal that was aborted before");
  const during = shadow(fakeClient(() => ["/accepted", { state: {}, version: 1 }]), "lamp");
  const stopLater = new AbortController();
  ok((await rejects(during.update(() => (stopLater.abort(reason), {}), { signal: stopLater.signal }))) === reason, "the signal aborts during the function of update()");
  await rejects(during.update(() => (during.close(), {})), { code: "ERR_SHADOW_CLOSED" });
  const closing = [lamp.get(), lamp.delete()].map((p) => rejects(p, { name: "IotError", code: "ERR_SHADOW_CLOSED" }));
  const deltas = lamp.deltas()[Symbol.asyncIterator]();
  const pending = deltas.next();
  await lamp.close();
  await Promise.all(closing);
  equal(await pending, { value: undefined, done: true });
  await rejects(lamp.get(), { code: "ERR_SHADOW_CLOSED" });
  equal(await lamp.documents().next(), { value: undefined, done: true });
  lamp.addEventListener("change", () => {});
  await lamp.close();
  equal([...client.handlers.values()].flat().length, 0, "the number of subscriptions");
});

test("arguments that are not valid", async (place) => {
  const { shadow } = await place.module("shadow");
  const client = fakeClient();
  const wrong = { name: "TypeError", code: "ERR_OPTION" };
  for (const args of [[], [{}, "lamp"], [client], [client, ""], [client, "a/b"], [client, "#"], [client, "x".repeat(129)], [client, 5], [client, "lamp", ""], [client, "lamp", "a/b"], [client, "lamp", "x".repeat(65)], [client, "lamp", null]]) {
    await rejects((async () => shadow(...args))(), wrong);
  }
  const lamp = shadow(client, "lamp", "$package-1:x");
  for (const options of [{ timeout: 5 }, { timeoutMs: -1 }, { timeoutMs: 2 ** 31 }, { timeoutMs: "5" }, { signal: {} }, { toString: 5 }]) {
    await rejects(lamp.get(options), wrong);
    await rejects(lamp.update({}, options), wrong);
    await rejects((async () => lamp.deltas(options))(), wrong);
  }
  for (const state of [undefined, null, "on", 5, () => undefined]) await rejects(shadow(fakeClient(() => ["/rejected", { code: 404 }]), "lamp").update(state), wrong);
});
