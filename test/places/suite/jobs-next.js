/** Tests of the loop next() of jobs. */
import { collect, equal, rejects } from "../expect.js";
import { test } from "../suite.js";
import { jobsOf } from "./jobs.js";
import { fakeClient } from "./shadow-codes.js";

const ids = (list) => list.map((execution) => execution.jobId);
const turn = () => new Promise((resolve) => setTimeout(resolve));

test("next() runs the jobs of a thing, one after another", async (place) => {
  const { jobs, thing, client, create } = await jobsOf(place);
  const lamp = jobs(client, thing);
  const created = [await create({ n: 1 }), await create({ n: 2 })];
  const done = [];
  for await (const { jobId, jobDocument, status } of lamp.next()) {
    done.push([jobId, jobDocument.n, status]);
    await lamp.update(jobId, "IN_PROGRESS");
    if (done.length === 1) created.push(await create({ n: 3 }));
    if (done.length === 3) break;
    await lamp.update(jobId, "SUCCEEDED");
  }
  equal(done, created.map((id, i) => [id, i + 1, "QUEUED"]));
  equal(client.stats().subscriptions, 4, "the subscriptions after break: those of describe() and update()");
  // A device that was interrupted begins with the execution in progress.
  await lamp.update(created[2], "IN_PROGRESS", { statusDetails: { step: "half" } });
  const again = lamp.next();
  const { value } = await again.next();
  equal([value.jobId, value.status, value.statusDetails, value.jobDocument], [created[2], "IN_PROGRESS", { step: "half" }, { n: 3 }]);
  await again.return();
});

test("next() survives reconnects, and gets each execution once", async (place) => {
  const { jobs, thing, client, create } = await jobsOf(place);
  const lamp = jobs(client, thing);
  const other = jobs(await place.connected({ reconnect: { minDelayMs: 10, maxDelayMs: 50 } }), thing);
  const loop = collect(lamp.next());
  const created = [];
  const id = client.connection.clientId;
  const faults = [undefined, { cut: id }, { restart: "lose-sessions" }, { cut: id }, { restart: "keep-sessions" }, { upgrade: { status: 503, count: 2 }, cut: id }];
  for (const [i, fault] of faults.entries()) {
    if (fault) await place.control(fault);
    created.push(await create({ i }));
    equal(ids(await loop.first(i + 1)), created);
    // The answer may be lost with the connection, and an update that is sent twice is rejected.
    for (;;) {
      const error = await other.update(created[i], "SUCCEEDED", { timeoutMs: 2000 }).then(() => undefined, (e) => e);
      if (!error || error.code === "ERR_JOBS_TRANSITION") break;
      if (!error.retryable) throw error;
    }
    client.reconnect();
  }
  await create();
  equal(ids(await loop.first(7)).slice(0, 6), created);
  await client.disconnect();
  await loop.ended;
});

test("next() drops repeated executions, and the last one replaces those that wait", async (place) => {
  const { jobs } = await place.module("jobs");
  let next = { jobId: "a", executionNumber: 1 };
  let during = () => {}; // is called before the answer to describe("$next")
  const client = fakeClient();
  client.publish = async (topic, { json }) => {
    const execution = next;
    during();
    client.deliver("$aws/things/lamp/jobs/+/get/accepted", { clientToken: json.clientToken, execution });
  };
  const notify = (jobId, executionNumber = 1) => client.deliver("$aws/things/lamp/jobs/notify-next", { timestamp: 1, execution: jobId && { jobId, executionNumber } });
  const loop = jobs(client, "lamp").next();
  equal((await loop.next()).value.jobId, "a");
  for (const body of ["no JSON", "null", "[]", {}, { execution: null }, { execution: {} }]) client.deliver("$aws/things/lamp/jobs/notify-next", body);
  for (const jobId of ["a", "b", "c", "a", undefined]) notify(jobId); // b is no longer the next one
  equal((await loop.next()).value.jobId, "c");
  notify("a", 2);
  equal((await loop.next()).value.executionNumber, 2);
  notify("b");
  equal((await loop.next()).value.jobId, "b");
  // A reconnect. The answer to describe("$next") is older than a notification.
  next = { jobId: "d", executionNumber: 1 };
  during = () => {
    during = () => {};
    next = { jobId: "e", executionNumber: 1 };
    notify("e");
  };
  client.dispatchEvent(new Event("connected"));
  await turn();
  equal((await loop.next()).value.jobId, "e");
  client.dispatchEvent(new Event("connected"));
  await turn();
  notify("f");
  equal((await loop.next()).value.jobId, "f");
  await loop.return();
  equal([...client.handlers.values()].flat().length, 2, "the subscriptions after the loop: those of describe()");
});

test("next() ends by signal, return() and an error", async (place) => {
  const { jobs, thing, client } = await jobsOf(place);
  const lamp = jobs(client, thing);
  const stop = new AbortController();
  const stopped = collect(lamp.next({ signal: stop.signal }));
  await lamp.pending();
  stop.abort();
  await stopped.ended;
  await collect(lamp.next({ signal: stop.signal })).ended;
  const returned = lamp.next();
  const pending = returned.next();
  equal(await returned.return("x"), { value: "x", done: true });
  equal(await pending, { value: undefined, done: true });
  const refused = fakeClient();
  refused.publish = async (topic, { json }) => refused.deliver("$aws/things/lamp/jobs/+/get/rejected", { clientToken: json.clientToken, code: "InvalidRequest", message: "no" });
  await rejects(collect(jobs(refused, "lamp").next()).ended, { code: "ERR_JOBS_REQUEST" });
});
