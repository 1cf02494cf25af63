/** Tests of the requests of jobs.js against the stand-in. */
import { equal, ok, rejects } from "../expect.js";
import { test } from "../suite.js";
import "./jobs-codes.js";

/** Creates a thing that no other test uses. `create` creates a job for it, and resolves with the id of the job. */
export async function jobsOf(place) {
  const { jobs } = await place.module("jobs");
  const thing = place.topic("thing").replace(/\W/g, "-");
  const client = await place.connected({ reconnect: { minDelayMs: 10, maxDelayMs: 50 } });
  await place.call("POST", `/things/${thing}`);
  let count = 0;
  const create = async (document = {}) => {
    const id = `${thing}-${++count}`;
    await place.call("PUT", `/jobs/${id}`, { targets: [`arn:aws:iot:us-east-1:123456789012:thing/${thing}`], document: JSON.stringify(document) });
    return id;
  };
  return { jobs, thing, client, create };
}

test("a job runs from QUEUED to SUCCEEDED", async (place) => {
  const { jobs, thing, client, create } = await jobsOf(place);
  const lamp = jobs(client, thing);
  equal(await lamp.pending(), { inProgress: [], queued: [] });
  equal([await lamp.describe("$next"), await lamp.startNext()], [undefined, undefined]);
  await rejects(lamp.describe("none"), { name: "IotError", code: "ERR_JOBS_NOT_FOUND" });
  const [first, second] = [await create({ operation: "blink", times: [1, 2] }), await create()];
  const { inProgress, queued } = await lamp.pending();
  equal([inProgress, queued.map((e) => [e.jobId, e.status, e.versionNumber, e.executionNumber])], [[], [[first, "QUEUED", 1, 1], [second, "QUEUED", 1, 1]]]);
  const next = await lamp.describe("$next");
  equal([next.jobId, next.status, next.jobDocument, next.queuedAt > 1e9], [first, "QUEUED", { operation: "blink", times: [1, 2] }, true]);
  const started = await lamp.startNext({ statusDetails: { step: "one" } });
  equal([started.jobId, started.status, started.statusDetails, started.versionNumber, started.jobDocument.operation], [first, "IN_PROGRESS", { step: "one" }, 2, "blink"]);
  equal((await lamp.startNext()).jobId, first);
  equal((await lamp.pending()).inProgress.map((e) => [e.jobId, e.status, e.startedAt > 1e9]), [[first, "IN_PROGRESS", true]]);
  equal(await lamp.update(first, "IN_PROGRESS", { statusDetails: { step: "two" } }), { jobId: first, status: "IN_PROGRESS", statusDetails: { step: "two" }, versionNumber: 3 });
  await rejects(lamp.update(first, "SUCCEEDED", { expectedVersion: 2 }), { code: "ERR_JOBS_VERSION" });
  equal((await lamp.describe(first)).statusDetails, { step: "two" });
  equal((await lamp.update(first, "SUCCEEDED", { expectedVersion: 3 })).status, "SUCCEEDED");
  await rejects(lamp.update(first, "FAILED"), { code: "ERR_JOBS_TRANSITION" });
  await rejects(lamp.describe(first), { code: "ERR_JOBS_TERMINAL" });
  equal((await lamp.describe("$next")).jobId, second);
  await rejects(lamp.update(second, "SLEEPING"), { code: "ERR_JOBS_REQUEST" });
  await rejects(lamp.update(second, "IN_PROGRESS", { statusDetails: { progress: 5 } }), { code: "ERR_JOBS_REQUEST" });
  equal((await lamp.update(second, "REJECTED")).status, "REJECTED");
  equal(await lamp.pending(), { inProgress: [], queued: [] });
});

test("jobs of a client share subscriptions, and the last ones release them", async (place) => {
  const { jobs, thing, client, create } = await jobsOf(place);
  const [one, two] = [jobs(client, thing), jobs(client, thing)];
  const count = () => client.stats().subscriptions;
  const ids = [await create(), await create(), await create()];
  await Promise.all(ids.map((id, i) => [one, two][i % 2].describe(id)));
  equal(count(), 2, "the subscriptions of describe()");
  await Promise.all([one.pending(), two.startNext(), one.update(ids[2], "FAILED")]);
  equal(count(), 8, "the subscriptions of all requests");
  const loop = one.next();
  equal((await loop.next()).value.jobId, ids[0]);
  equal(count(), 9, "the subscriptions with next()");
  await one.close();
  ok(count() <= 4, `the other object has used describe() and startNext(), and there are ${count()} subscriptions`);
  equal((await two.describe(ids[0])).status, "IN_PROGRESS");
  await two.close();
  equal(count(), 0, "the subscriptions after close()");
  if (Symbol.asyncDispose) {
    const three = jobs(client, thing);
    await three.pending();
    await three[Symbol.asyncDispose]();
    equal(count(), 0, "the subscriptions after Symbol.asyncDispose");
  }
});

test("requests of jobs settle when the client closes or is not connected", async (place) => {
  const { jobs, thing, client, create } = await jobsOf(place);
  const id = await create();
  const lamp = jobs(client, thing);
  await lamp.pending();
  client.reconnect();
  equal((await lamp.describe("$next")).jobId, id, "the job after a request during a reconnect");
  const late = rejects(lamp.pending());
  await client.disconnect();
  ok(["ERR_CLOSED", "ERR_JOBS_CLOSED"].includes((await late).code), `the code is ${(await late).code}`);
  const idle = place.client();
  await rejects(jobs(idle, thing).pending({ timeoutMs: 30 }), { code: "ERR_JOBS_TIMEOUT" });
  const waiting = jobs(idle, thing).startNext();
  await idle.connect({ ...place.options, clientId: place.clientId() });
  equal((await waiting).jobId, id);
});
