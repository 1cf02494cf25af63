import { Emitter } from "../emitter.js";
import { progressOf, stepsOf } from "./job-document.js";

const TICK = 500; // milliseconds between two reports of the progress
const RETRY = 1000; // milliseconds before a report is sent again

/** A device that does the jobs of a thing: it goes through the steps of each job document, and reports the progress. */
export class SimulatedDevice {
  #model;
  #stop = undefined;
  #looping = false;
  /** What the device does, for the user. */
  text = "";
  changed = new Emitter();

  /** @param {import("./jobs-model.js").JobsModel} model */
  constructor(model) {
    this.#model = model;
    model.client.addEventListener("connected", this.#start);
  }

  get running() {
    return this.#stop !== undefined;
  }

  start() {
    if (this.#stop) return;
    this.#stop = new AbortController();
    this.#say("The device waits for a job.");
    this.#start();
  }

  /** Switches the device off. An execution stays in progress, and continues when the device is switched on again. */
  stop() {
    this.#stop?.abort();
    this.#stop = undefined;
    this.#say("");
  }

  close() {
    this.stop();
    this.#model.client.removeEventListener("connected", this.#start);
  }

  #say(text) {
    this.text = text;
    this.changed.emit();
  }

  // The loop ends when the client closes, so each connection starts it again.
  #start = async () => {
    const signal = this.#stop?.signal;
    if (!signal || this.#looping) return;
    this.#looping = true;
    try {
      for await (const execution of this.#model.jobs.next({ signal })) {
        await this.#do(execution, signal);
        if (signal.aborted) break;
      }
    } catch (error) {
      if (!signal.aborted) this.#say(`${error.code}: ${error.message}`);
    }
    this.#looping = false;
    if (signal.aborted) this.#start(); // if it was switched on again meanwhile
  };

  async #do({ jobId, jobDocument, statusDetails, versionNumber }, signal) {
    let expectedVersion = versionNumber;
    const report = async (status, statusDetails) => {
      // A request without an answer may have been carried out, so the next attempt expects no version.
      for (let attempt = 0; !signal.aborted; attempt++) {
        try {
          const state = await this.#model.update(jobId, status, { statusDetails, expectedVersion: attempt ? undefined : expectedVersion, signal });
          expectedVersion = state.versionNumber;
          return;
        } catch (error) {
          if (!error.retryable || signal.aborted) throw error;
          await delay(RETRY, signal);
        }
      }
    };
    try {
      let steps;
      try {
        steps = stepsOf(jobDocument);
      } catch (error) {
        await report("REJECTED", { reason: error.message });
        return this.#say(`Rejected ${jobId}: ${error.message}`);
      }
      await this.#run(jobId, steps, progressOf(statusDetails) ?? 0, report, signal);
    } catch (error) {
      if (!signal.aborted) this.#say(`Stopped ${jobId}. ${error.code}: ${error.message}`);
    }
  }

  /** Goes through the steps from a progress in percent on. */
  async #run(jobId, steps, from, report, signal) {
    const total = steps.reduce((sum, { seconds }) => sum + seconds, 0) || 1;
    let done = 0; // the seconds of the steps before
    for (const { name, seconds, fail } of steps) {
      const percent = (part) => Math.floor((100 * (done + part)) / total);
      for (let part = 0; part < seconds || part === 0; part += TICK / 1000) {
        if (percent(part) < from) continue; // it was done before an interruption
        this.#say(`${jobId}: ${name}`);
        await report("IN_PROGRESS", { progress: String(percent(part)), step: name });
        await delay(Math.min(TICK, 1000 * seconds), signal);
        if (signal.aborted) return;
      }
      if (fail) {
        await report("FAILED", { progress: String(percent(seconds)), step: name, reason: fail });
        return this.#say(`Failed ${jobId}: ${fail}`);
      }
      done += seconds;
    }
    await report("SUCCEEDED", { progress: "100" });
    this.#say(`Finished ${jobId}. The device waits for a job.`);
  }
}

/** Resolves after a time, or when the signal aborts. */
function delay(ms, signal) {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, ms);
    signal.addEventListener("abort", () => (clearTimeout(timer), resolve(undefined)), { once: true });
  });
}
