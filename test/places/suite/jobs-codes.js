/** Tests of jobs.js that need no connection: arguments, error codes, and promises that settle. */
import { equal, ok, rejects } from "../expect.js";
import { test } from "../suite.js";
import { fakeClient } from "./shadow-codes.js";

test("every error code of AWS IoT Jobs has a code", async (place) => {
  const { jobs } = await place.module("jobs");
  for (const [code, want, retryable] of [
    ["InvalidTopic", "ERR_JOBS_TOPIC", false], ["InvalidJson", "ERR_JOBS_JSON", false], ["InvalidRequest", "ERR_JOBS_REQUEST", false],
    ["InvalidStateTransition", "ERR_JOBS_TRANSITION", false], ["ResourceNotFound", "ERR_JOBS_NOT_FOUND", false],
    ["VersionMismatch", "ERR_JOBS_VERSION", false], ["InternalError", "ERR_JOBS_INTERNAL", true], ["RequestThrottled", "ERR_JOBS_THROTTLED", true],
    ["TerminalStateReached", "ERR_JOBS_TERMINAL", false], ["Other", "ERR_JOBS_REJECTED", false], ["toString", "ERR_JOBS_REJECTED", false], [undefined, "ERR_JOBS_REJECTED", false],
  ]) {
    // The subscription to the answers about one job has a wildcard.
    const client = fakeClient();
    client.publish = async (topic, { json }) => client.deliver("$aws/things/lamp/jobs/+/update/rejected", { clientToken: json.clientToken, code, message: "x".repeat(1000) });
    const error = await rejects(jobs(client, "lamp").update("j", "SUCCEEDED"), { name: "IotError", code: want });
    equal([error.phase, error.retryable, error.message.length], ["publish", retryable, 300]);
  }
});

test("the requests of jobs are those of AWS IoT", async (place) => {
  const { jobs } = await place.module("jobs");
  const requests = [];
  const client = fakeClient((topic, { clientToken, ...json }) => void requests.push([topic.slice("$aws/things/lamp/jobs/".length), json]));
  const lamp = jobs(client, "lamp");
  const stop = new AbortController();
  const o = { signal: stop.signal };
  const calls = [
    lamp.pending(o), lamp.describe("j", o), lamp.describe("$next", o), lamp.startNext(o), lamp.startNext({ statusDetails: { step: "1" }, ...o }), lamp.update("j", "IN_PROGRESS", o),
    lamp.update("j", "SUCCEEDED", { expectedVersion: 3, statusDetails: { a: "b" }, timeoutMs: 5000, ...o }),
  ].map((p) => rejects(p));
  while (requests.length < calls.length) await new Promise((resolve) => setTimeout(resolve));
  equal(requests, [
    ["get", {}], ["j/get", { includeJobDocument: true }], ["$next/get", { includeJobDocument: true }], ["start-next", {}], ["start-next", { statusDetails: { step: "1" } }],
    ["j/update", { status: "IN_PROGRESS", includeJobExecutionState: true }],
    ["j/update", { status: "SUCCEEDED", statusDetails: { a: "b" }, expectedVersion: 3, includeJobExecutionState: true }],
  ]);
  const reason = new RangeError("enough");
  stop.abort(reason);
  for (const call of calls) ok((await call) === reason, "the error is the signal's reason");
});

test("every call of jobs settles: timeout, abort, close()", async (place) => {
  const { jobs } = await place.module("jobs");
  const client = fakeClient();
  const lamp = jobs(client, "lamp");
  const calls = (o) => [lamp.pending(o), lamp.describe("j", o), lamp.startNext(o), lamp.update("j", "FAILED", o)];
  for (const call of calls({ timeoutMs: 20 })) equal((await rejects(call, { name: "IotError", code: "ERR_JOBS_TIMEOUT", includes: "20 ms" })).retryable, true);
  const reason = new RangeError("enough");
  for (const call of calls({ signal: AbortSignal.abort(reason) })) ok((await rejects(call)) === reason, "the error is the reason of a signal that was aborted before");
  const pending = lamp.next().next();
  const closing = calls().map((p) => rejects(p, { name: "IotError", code: "ERR_JOBS_CLOSED" }));
  await lamp.close();
  await Promise.all(closing);
  equal(await pending, { value: undefined, done: true });
  await rejects(lamp.pending(), { code: "ERR_JOBS_CLOSED" });
  equal(await lamp.next().next(), { value: undefined, done: true });
  equal([...client.handlers.values()].flat().length, 0, "the number of subscriptions");
});

test("arguments of jobs that are not valid", async (place) => {
  const { jobs } = await place.module("jobs");
  const client = fakeClient();
  const wrong = { name: "TypeError", code: "ERR_OPTION" };
  for (const args of [[], [{}, "lamp"], [client], [client, ""], [client, "a/b"], [client, "x".repeat(129)]]) await rejects((async () => jobs(...args))(), wrong);
  const lamp = jobs(client, "lamp");
  for (const id of [undefined, "", "a/b", "+", "#", "$other", "x".repeat(65)]) {
    await rejects(lamp.describe(id), wrong);
    await rejects(lamp.update(id, "FAILED"), wrong);
  }
  for (const options of [{ timeout: 5 }, { timeoutMs: -1 }, { signal: {} }, { statusDetails: "x" }, { expectedVersion: "1" }]) {
    await rejects(lamp.pending(options), wrong);
    await rejects(lamp.update("j", "FAILED", options), wrong);
    await rejects((async () => lamp.next(options))(), wrong);
  }
});
