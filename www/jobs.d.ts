/**
 * The jobs of a thing: operations that AWS IoT Jobs sends to devices, such as an update of their software. A job creates
 * an execution for each of its things.
 *
 * Source: AWS IoT Core Developer Guide, "AWS IoT Jobs".
 */
import type { AsyncDisposableWhereKnown, IotClient } from "./iot.js";

/** The status of an execution. The last six do not change any more. */
export type JobStatus = "QUEUED" | "IN_PROGRESS" | "SUCCEEDED" | "FAILED" | "TIMED_OUT" | "REJECTED" | "REMOVED" | "CANCELED";

/** The status that a device can set. */
export type JobUpdateStatus = "IN_PROGRESS" | "SUCCEEDED" | "FAILED" | "REJECTED";

/** An execution in the lists of `pending()`. */
export interface JobExecutionSummary {
  /** The id of the job. */
  jobId: string;
  /** The status. */
  status: JobStatus;
  /** The number of the execution. A further execution of the same job has another number. */
  executionNumber: number;
  /** The version of the execution. Each update increases it by 1. */
  versionNumber: number;
  /** The time at which the execution was created, in seconds since 1970. */
  queuedAt: number;
  /** The time at which the device started the execution, in seconds since 1970. */
  startedAt?: number;
  /** The time of the last update, in seconds since 1970. */
  lastUpdatedAt: number;
}

/** An execution of a job on one thing. */
export interface JobExecution extends JobExecutionSummary {
  /** The document of the job. It describes the operation. */
  jobDocument?: unknown;
  /** The details that the device has stored with `startNext()` or `update()`. */
  statusDetails?: Record<string, string>;
}

/** The state of an execution after an update. */
export interface JobExecutionState {
  /** The id of the job. */
  jobId: string;
  /** The status. */
  status: JobStatus;
  /** The version of the execution. */
  versionNumber: number;
  /** The stored details. */
  statusDetails?: Record<string, string>;
}

/** The options of a request. */
export interface JobsRequestOptions {
  /** The time in milliseconds to wait for the answer, including the time without a connection; 0 to 2,147,483,647. Default 10000. */
  timeoutMs?: number | undefined;
  /** An abort rejects the promise. A request that was sent may still be carried out. */
  signal?: AbortSignal | undefined;
}

/** The options of `startNext()`. */
export interface JobsStartOptions extends JobsRequestOptions {
  /** Details to store with the execution, such as its progress. They replace the stored ones. Default: the stored details do not change. */
  statusDetails?: Record<string, string> | undefined;
}

/** The options of `update()`. */
export interface JobsUpdateOptions extends JobsStartOptions {
  /** The version that the execution must have. The update rejects with `ERR_JOBS_VERSION` if the execution has another version. */
  expectedVersion?: number | undefined;
}

/** The options of `next()`. */
export interface JobsNextOptions {
  /** An abort ends the loop, without an error. */
  signal?: AbortSignal | undefined;
}

/** The codes of an `IotError` of jobs. docs/errors.md describes the codes. */
export type JobsErrorCode =
  // AWS IoT rejected the request with one of its codes
  | "ERR_JOBS_TOPIC"
  | "ERR_JOBS_JSON"
  | "ERR_JOBS_REQUEST"
  | "ERR_JOBS_TRANSITION"
  | "ERR_JOBS_NOT_FOUND"
  | "ERR_JOBS_VERSION"
  | "ERR_JOBS_INTERNAL"
  | "ERR_JOBS_THROTTLED"
  | "ERR_JOBS_TERMINAL"
  // AWS IoT rejected the request with another code
  | "ERR_JOBS_REJECTED"
  // AWS IoT did not answer
  | "ERR_JOBS_TIMEOUT"
  // close() was called, or the client has closed
  | "ERR_JOBS_CLOSED";

/**
 * The jobs of a thing. The methods reject with an `IotError` that has a code of {@link JobsErrorCode} and the phase
 * "publish", or as `subscribe()` and `publish()` of the client do. They reject with a `TypeError` (`ERR_OPTION`) if an
 * argument is not valid. Every promise settles.
 *
 * Each of `pending()`, `describe()`, `startNext()` and `update()` needs two subscriptions, and `next()` needs one, and those
 * of `describe()`. `close()` ends them. AWS IoT Core allows 50 subscriptions in a connection.
 */
export interface Jobs extends AsyncDisposableWhereKnown {
  /** Returns the executions that are not finished. */
  pending(options?: JobsRequestOptions): Promise<{
    /** The executions that the device has started. */
    inProgress: JobExecutionSummary[];
    /** The executions that the device has not started yet. */
    queued: JobExecutionSummary[];
  }>;

  /**
   * Returns the execution of a job. Rejects with `ERR_JOBS_NOT_FOUND` if there is none, and with `ERR_JOBS_TERMINAL` if its
   * status does not change any more. With "$next", returns the next execution: one in progress, or else the oldest queued
   * one, or undefined if there is none.
   */
  describe(jobId: string, options?: JobsRequestOptions): Promise<JobExecution | undefined>;

  /** Starts the next execution, if it is queued, and returns it. Returns undefined if there is none. */
  startNext(options?: JobsStartOptions): Promise<JobExecution | undefined>;

  /** Updates an execution. Rejects with `ERR_JOBS_TRANSITION` if its status cannot change to the new one. */
  update(jobId: string, status: JobUpdateStatus, options?: JobsUpdateOptions): Promise<JobExecutionState>;

  /**
   * Returns the next executions: first the current one, if there is one, and then each one that becomes the next. A device
   * that was interrupted gets an execution with the status "IN_PROGRESS" first. The loop lasts through reconnects. It
   * never gets an execution twice; it remembers the last 1000. The loop throws the first error that is not retryable. It
   * ends without an error when the signal aborts, or when the jobs or the client are closed.
   *
   * At most one execution waits for the loop. A later one replaces it. The loop gets the replaced execution when that
   * becomes the next one again. If an execution was canceled while it waited, `update()` rejects.
   */
  next(options?: JobsNextOptions): AsyncIterableIterator<JobExecution>;

  /** Ends the subscriptions and loops. Pending calls reject with `ERR_JOBS_CLOSED`. */
  close(): Promise<void>;
}

/** Returns the jobs of a thing. Throws a `TypeError` (`ERR_OPTION`) if an argument is not valid. */
export function jobs(client: IotClient, thing: string): Jobs;
