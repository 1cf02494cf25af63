import { jobs } from "../../../jobs.js";
import { Emitter } from "../emitter.js";

// The bound of the list of executions that have ended.
export const MAX_ENDED = 50;
// The largest number of executions of which the list shows the details.
const MAX_DESCRIBED = 10;

/** An execution that the page shows. After its end, status is the last one that the page knows. @typedef {import("../../../jobs.js").JobExecution & { ended?: number, elsewhere?: boolean }} Execution */

/** The jobs of a thing that the page shows. It follows them until close(). */
export class JobsModel {
  #client;
  #closing = new AbortController();
  #known = new Map(); // job id → the last known execution with its document and details
  #refreshing = false;
  #again = false;
  #following = false;
  #notify = undefined; // the subscription to the notifications
  /** @type {import("../../../jobs.js").Jobs} */
  jobs;
  loaded = false;
  /** The executions that are not finished, those in progress first. @type {Execution[]} */
  pending = [];
  /** The executions that have ended while the page showed the thing, newest first. @type {Execution[]} */
  ended = [];
  /** The id of the execution that the loop of next() got last. */
  next = undefined;
  /** Why the page cannot read or follow the jobs. */
  error = undefined;
  changed = new Emitter();

  /**
   * Throws a TypeError if the name is not valid.
   * @param {import("../../../iot.js").IotClient} client
   * @param {string} thing
   */
  constructor(client, thing) {
    this.#client = client;
    this.thing = thing;
    this.jobs = jobs(client, thing);
    client.addEventListener("connected", () => this.#start(), { signal: this.#closing.signal });
    this.#start();
  }

  get client() {
    return this.#client;
  }

  get closed() {
    return this.#closing.signal.aborted;
  }

  /** Returns an execution by its job id, with what is known of it. @returns {Execution | undefined} */
  get(jobId) {
    return this.pending.find((execution) => execution.jobId === jobId) ?? this.ended.find((execution) => execution.jobId === jobId);
  }

  /** Reads the list of executions again. A call during another one makes that one read the list once more. */
  async refresh() {
    if (this.#refreshing) {
      this.#again = true;
      return;
    }
    this.#refreshing = true;
    try {
      do {
        this.#again = false;
        await this.#read();
      } while (this.#again && !this.closed);
    } catch (error) {
      this.#fail(error);
    } finally {
      this.#refreshing = false;
    }
  }

  /** Reads the document and the details of an execution. */
  async describe(jobId) {
    const execution = await this.jobs.describe(jobId);
    if (execution) this.#learn(execution);
    return execution;
  }

  /** Starts the next execution, if it is queued. */
  async startNext() {
    const execution = await this.jobs.startNext();
    if (execution) this.#learn(execution);
    await this.refresh();
    return execution;
  }

  /**
   * Updates an execution.
   * @param {string} jobId
   * @param {import("../../../jobs.js").JobUpdateStatus} status
   * @param {import("../../../jobs.js").JobsUpdateOptions} options
   */
  async update(jobId, status, options) {
    const state = await this.jobs.update(jobId, status, options);
    const execution = { ...this.#known.get(jobId), ...this.get(jobId), ...state, elsewhere: false, statusDetails: state.statusDetails ?? options.statusDetails };
    if (status === "IN_PROGRESS") {
      const started = this.get(jobId)?.status === status;
      this.#learn(execution);
      if (!started) this.refresh(); // for the time of the start
    } else {
      this.#end({ ...execution, status });
      this.refresh();
    }
    return state;
  }

  close() {
    this.#closing.abort();
    this.jobs.close();
    this.#notify?.then((subscription) => subscription.unsubscribe()).catch(() => {});
  }

  #start() {
    if (this.closed || this.#client.state !== "connected") return;
    this.error = undefined;
    this.refresh();
    this.#follow();
    // The notification lists the executions by their status, but without details. It is sent after a list has changed.
    this.#notify ??= this.#client.subscribe(`$aws/things/${this.thing}/jobs/notify`, () => this.refresh(), { qos: 1, signal: this.#closing.signal });
    this.#notify.then(({ closed }) => closed).then(() => (this.#notify = undefined), (error) => {
      this.#notify = undefined;
      this.#fail(error);
    });
  }

  async #follow() {
    if (this.#following) return;
    this.#following = true;
    try {
      for await (const execution of this.jobs.next({ signal: this.#closing.signal })) {
        this.next = execution.jobId;
        this.#learn(execution);
        this.refresh();
      }
    } catch (error) {
      this.#fail(error);
    }
    this.#following = false;
  }

  #fail(error) {
    if (this.closed || error.code === "ERR_JOBS_CLOSED" || error.code === "ERR_CLOSED") return;
    this.error = error;
    this.changed.emit();
  }

  async #read() {
    if (this.#client.state !== "connected") return;
    const { inProgress, queued } = await this.jobs.pending();
    const list = [...inProgress, ...queued];
    // Only describe() returns the document and the details. Those of the first executions are enough for the list.
    await Promise.all(list.slice(0, MAX_DESCRIBED).map((execution) => {
      const known = this.#known.get(execution.jobId);
      if (known?.jobDocument !== undefined && known.versionNumber === execution.versionNumber && known.executionNumber === execution.executionNumber) return undefined;
      return this.describe(execution.jobId).catch((error) => {
        if (error.code !== "ERR_JOBS_NOT_FOUND" && error.code !== "ERR_JOBS_TERMINAL") throw error;
      });
    }));
    if (this.closed) return;
    const keys = new Set(list.map(({ jobId }) => jobId));
    for (const before of this.pending) if (!keys.has(before.jobId) && !this.#hasEnded(before)) this.#end({ ...before, elsewhere: true });
    this.pending = list.filter((execution) => !this.#hasEnded(execution)).map((execution) => this.#merged(execution));
    for (const jobId of this.#known.keys()) if (!keys.has(jobId)) this.#known.delete(jobId);
    this.loaded = true;
    this.error = undefined;
    this.changed.emit();
  }

  /** Returns an execution of a list with what describe() and update() have returned of it. */
  #merged(execution) {
    const known = this.#known.get(execution.jobId);
    if (!known || known.executionNumber !== execution.executionNumber) return execution;
    return known.versionNumber >= execution.versionNumber ? { ...execution, ...known } : { ...known, ...execution };
  }

  #hasEnded({ jobId, executionNumber }) {
    return this.ended.some((other) => other.jobId === jobId && other.executionNumber === executionNumber);
  }

  #learn(execution) {
    const known = { ...this.#known.get(execution.jobId), ...execution };
    this.#known.set(execution.jobId, known);
    this.pending = this.pending.map((other) => (other.jobId === known.jobId ? { ...other, ...known } : other));
    // A policy may allow the next execution, but not the list.
    if (!this.loaded && !this.get(known.jobId)) this.pending = [known];
    this.changed.emit();
  }

  #end(execution) {
    this.pending = this.pending.filter(({ jobId }) => jobId !== execution.jobId);
    // The answer to an update can arrive after the notification that the list has changed.
    const others = this.ended.filter((other) => other.jobId !== execution.jobId || other.executionNumber !== execution.executionNumber);
    this.ended = [{ ...execution, ended: Date.now() }, ...others].slice(0, MAX_ENDED);
    this.changed.emit();
  }
}
