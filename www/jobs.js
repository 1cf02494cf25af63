/**
 * The jobs of a thing: operations that AWS IoT Jobs sends to devices, such as an update of their software.
 *
 *   import iot from "./iot.js";
 *   import { jobs } from "./jobs.js";
 *   const lamp = jobs(iot, "lamp");
 *   for await (const { jobId, jobDocument } of lamp.next()) {
 *     await lamp.update(jobId, "IN_PROGRESS");
 *     await run(jobDocument);
 *     await lamp.update(jobId, "SUCCEEDED");
 *   }
 *
 * Source: AWS IoT Core Developer Guide, "AWS IoT Jobs" (jobs-mqtt-api.html, jobs-comm-notifications.html).
 */
import { IotError } from "./iot.js";
import { checkName, createService, invalid, optionsOf } from "./iot/service.js";

/** @typedef {import("./jobs.js").JobsErrorCode} Code */

const MAX_SEEN = 1000; // how many executions a loop remembers
const NUMBERS = ["timeoutMs", "expectedVersion"]; // the options that are numbers
/**
 * The codes of errors, by the codes of AWS IoT and of iot/service.js.
 * @type {Record<string, Code>}
 */
const CODES = {
  // @ts-ignore The code comes from the network, so an inherited member must not match it.
  __proto__: null,
  InvalidTopic: "ERR_JOBS_TOPIC",
  InvalidJson: "ERR_JOBS_JSON",
  InvalidRequest: "ERR_JOBS_REQUEST",
  InvalidStateTransition: "ERR_JOBS_TRANSITION",
  ResourceNotFound: "ERR_JOBS_NOT_FOUND",
  VersionMismatch: "ERR_JOBS_VERSION",
  InternalError: "ERR_JOBS_INTERNAL",
  RequestThrottled: "ERR_JOBS_THROTTLED",
  TerminalStateReached: "ERR_JOBS_TERMINAL",
  closed: "ERR_JOBS_CLOSED",
  timeout: "ERR_JOBS_TIMEOUT",
};

/** @type {Parameters<typeof createService>[2]} */
const errorOf = ({ code, message }) =>
  new IotError(`${code}: ${message}`.slice(0, 300), {
    code: CODES[code] ?? "ERR_JOBS_REJECTED", phase: "publish", retryable: ["timeout", "RequestThrottled", "InternalError"].includes(code),
  });

/**
 * Returns the checked options, and the option statusDetails.
 * @param {any} options
 */
function detailsOf(options) {
  const { statusDetails, ...rest } = options ?? {};
  if (statusDetails !== undefined && Object(statusDetails) !== statusDetails) throw invalid("invalid option statusDetails");
  return { statusDetails, o: optionsOf(rest, NUMBERS) };
}

/** Returns an execution, or undefined if there is none. @param {any} answer */
const executionOf = (answer) => (answer.execution?.jobId ? answer.execution : undefined);

/** Adds the status to the executions of a list. @param {any} list @param {string} status */
const withStatus = (list, status) => (list ?? []).map((/** @type {any} */ execution) => ({ ...execution, status }));

/**
 * Returns the jobs of a thing. jobs.d.ts documents them.
 * @type {typeof import("./jobs.js").jobs}
 */
export function jobs(client, thing) {
  const { request_, follow_, close_ } = createService(client, `$aws/things/${checkName(thing, /^[\w:-]{1,128}$/)}/jobs/`, errorOf);
  /**
   * Sends a request about one job. The subscriptions to the answers have a wildcard in place of the job id, because AWS
   * IoT allows 50 subscriptions in a connection.
   * @param {string} jobId
   * @param {string} operation
   * @param {object} body
   * @param {any} o
   */
  const requestFor = (jobId, operation, body, o) => request_(`${checkName(jobId, /^([\w-]{1,64}|\$next)$/)}/${operation}`, body, o, `+/${operation}`);
  /** @param {string} jobId @param {any} [o] */
  const describe = async (jobId, o = {}) => executionOf(await requestFor(jobId, "get", { includeJobDocument: true }, o));

  return {
    async pending(options) {
      const { inProgressJobs, queuedJobs } = await request_("get", {}, optionsOf(options, NUMBERS));
      return { inProgress: withStatus(inProgressJobs, "IN_PROGRESS"), queued: withStatus(queuedJobs, "QUEUED") };
    },

    async describe(jobId, options) {
      return describe(jobId, optionsOf(options, NUMBERS));
    },

    async startNext(options) {
      const { statusDetails, o } = detailsOf(options);
      return executionOf(await request_("start-next", { statusDetails }, o));
    },

    async update(jobId, status, options) {
      const { statusDetails, o: { expectedVersion, ...o } } = detailsOf(options);
      const answer = await requestFor(jobId, "update", { status, statusDetails, expectedVersion, includeJobExecutionState: true }, o);
      return { jobId, ...answer.executionState };
    },

    next(options) {
      const seen = new Set(); // the keys of the executions that the loop has got
      let notified = 0; // how many notifications have arrived
      /** @param {any} execution */
      const keyOf = (execution) => `${execution.jobId}/${execution.executionNumber}`;
      /** Returns an execution if it is new to the loop. @param {any} execution */
      const unseen = (execution) => (execution && !seen.has(keyOf(execution)) ? execution : undefined);
      return follow_(["notify-next"], optionsOf(options).signal, (message) => {
        notified++;
        return unseen(executionOf(message));
      }, async () => {
        for (;;) {
          const before = notified, execution = await describe("$next");
          if (notified === before) return unseen(execution); // otherwise the answer may be older than a notification
        }
      }, (execution) => {
        seen.add(keyOf(execution));
        if (seen.size > MAX_SEEN) seen.delete(seen.values().next().value);
      });
    },

    async close() {
      close_();
    },

    // Older browsers do not have Symbol.asyncDispose.
    async [Symbol.asyncDispose ?? Symbol()]() {
      close_();
    },
  };
}
