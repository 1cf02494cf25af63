/**
 * A diagnosis of a connection: steps that show why a page cannot connect, publish or subscribe, and what to change.
 *
 * Source: AWS IoT Core Developer Guide, "AWS IoT Core policies" and "MQTT".
 */
import type { ArgumentErrorCode, ConnectOptions, IotErrorCode } from "./iot.js";

/**
 * A step of a diagnosis.
 * - "load": iot.wasm loads.
 * - "endpoint": the name of the endpoint resolves, and the endpoint answers by HTTPS.
 * - "clock": the clocks of the machine and of the endpoint agree.
 * - "credentials": the credentials, or the provider of credentials or a URL, are valid and have not expired.
 * - "signature": the endpoint accepts the signature or the custom authorizer, and opens the WebSocket.
 * - "connect": the broker accepts the client id (`iot:Connect`).
 * - "subscribe": the broker grants a subscription (`iot:Subscribe`).
 * - "publish": the broker accepts a message of QoS 1 (`iot:Publish`).
 * - "receive": the broker delivers this message (`iot:Receive`).
 * - "retain": the broker accepts a retained message (`iot:RetainPublish`) and sends it to a new subscription.
 * - "roundtrip": the time of a message to the broker and back.
 */
export type DiagnoseStep =
  | "load"
  | "endpoint"
  | "clock"
  | "credentials"
  | "signature"
  | "connect"
  | "subscribe"
  | "publish"
  | "receive"
  | "retain"
  | "roundtrip";

/**
 * The status of a step.
 * - "ok": the step succeeded.
 * - "warning": the step succeeded, or its result is not known, and there is something to change.
 * - "failed": the step failed.
 * - "skipped": the step does not apply, or a step that it needs has failed.
 */
export type DiagnoseStatus = "ok" | "warning" | "failed" | "skipped";

/** The code of a step that failed, or of a warning: a code of {@link IotErrorCode}, of an optional module such as cognito.js, or of the diagnosis. */
export type DiagnoseCode =
  | IotErrorCode
  | ArgumentErrorCode
  // there was no answer within timeoutMs
  | "ERR_DIAGNOSE_TIMEOUT"
  // the policy allows the client id, but no session or will
  | "ERR_DIAGNOSE_CONNECT_ATTRIBUTES"
  // the message of the diagnosis did not arrive
  | "ERR_DIAGNOSE_NOT_RECEIVED"
  // the retained message did not arrive at a new subscription
  | "ERR_DIAGNOSE_NOT_RETAINED"
  // the round trip is longer than a second
  | "ERR_DIAGNOSE_SLOW"
  | (string & {});

/** The result of a step. It contains no key, token or signed URL. */
export interface DiagnoseResult {
  /** The step. */
  readonly step: DiagnoseStep;
  /** The status. */
  readonly status: DiagnoseStatus;
  /** One sentence: what was found. */
  readonly text: string;
  /** The stable code. Only with the status "failed" or "warning". docs/errors.md describes the codes. */
  readonly code?: DiagnoseCode;
  /** What to change. Only with the status "failed" or "warning". */
  readonly advice?: string;
  /**
   * The statement that the AWS policy lacks, as JSON: one object, or two with a comma. It fits into the array `Statement` of a policy.
   * Its ARN contains `REGION` or `ACCOUNT_ID` where the diagnosis does not know them. Only if a policy is the likely reason.
   */
  readonly policy?: string;
  /** MQTT's reason code, 128 to 255, if the broker sent one. */
  readonly reasonCode?: number;
  /** The duration of the step in milliseconds. */
  readonly durationMs: number;
  /** The clock of the endpoint minus the clock of this machine, in milliseconds. Only in the step "clock", if the page can read it. */
  readonly skewMs?: number;
  /** The time of a message to the broker and back, in milliseconds: the median of three messages. Only in the step "roundtrip". */
  readonly roundTripMs?: number;
}

/** The options of `diagnose()`. */
export interface DiagnoseOptions {
  /**
   * The topic of the test messages. With a slash at the end: the name of a group of topics, below which the diagnosis uses a topic of its
   * own. Without one: exactly this topic, on which others see the test messages. Default: a topic of its own below `iot/diagnose/`.
   */
  topic?: string | undefined;
  /**
   * The client id. If another client is connected with this id, it loses its connection. Default: the option `clientId` of `connect()`, or
   * `iot`, followed by `-diagnose-` and random digits.
   */
  clientId?: string | undefined;
  /** The id of the AWS account in the ARNs of the policy statements. Default `ACCOUNT_ID`. */
  account?: string | undefined;
  /** The time in milliseconds that a step waits for each answer, 0 to 2,147,483,647. Default 10000. The steps "load", "signature" and "connect" end within 90 seconds. */
  timeoutMs?: number | undefined;
  /** An abort ends the diagnosis: the loop rejects with the signal's reason. So does an abort of the signal in the options of `connect()`. */
  signal?: AbortSignal | undefined;
}

/** The names of the steps, in the order of their results. */
export const diagnoseSteps: readonly DiagnoseStep[];

/**
 * Runs a diagnosis of the options of `connect()`, with a client of its own. It begins with the first `next()` of the loop, and has one
 * result for each step, as soon as the step has ended: while a page waits for a result, the next step of {@link diagnoseSteps} runs.
 *
 * The diagnosis leaves nothing behind. Its client disconnects when the loop ends, also by `break`, by an error and by an abort. The session
 * ends one second later. The retained message is removed, and expires in any case after a minute. The will is not published, unless the page
 * ends during the diagnosis; then it has no payload.
 *
 * Throws a `TypeError` (`ERR_OPTION`) if an option of `diagnose()` is not valid. An option of `connect()` that is not valid is a result.
 */
export function diagnose(options: ConnectOptions, given?: DiagnoseOptions): AsyncIterableIterator<DiagnoseResult>;
