/** A device that runs jobs of two steps. It waits for a click after each step. */
import iot from "/iot.js";
import { jobs } from "/jobs.js";
import { connect, show } from "./connect.js";

const clicked = () => new Promise((resolve) => document.querySelector("button").addEventListener("click", resolve, { once: true }));

const device = jobs(iot, "device");
globalThis.executions = [];
connect();
for await (const { jobId, jobDocument, status, statusDetails } of device.next()) {
  executions.push([jobId, status, statusDetails ?? null]);
  for (let step = Number(statusDetails?.step ?? 0) + 1; step <= jobDocument.steps; step++) {
    await device.update(jobId, "IN_PROGRESS", { statusDetails: { step: String(step) } });
    show(`${jobId}: step ${step}`);
    await clicked();
  }
  await device.update(jobId, "SUCCEEDED");
  show(`${jobId}: done`);
}
