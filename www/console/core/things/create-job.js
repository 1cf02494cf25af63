import { cliOptions, regionOf, shellWord } from "../code/shell.js";

/** What the user has filled in for a new job. @typedef {{ targets: string[], jobId: string, document: unknown }} NewJob */

/** Whether the page can create jobs: only the local stand-in has an operation for it. @param {import("../connection.js").Connection} connection */
export const canCreate = (connection) => connection.profile.kind === "local";

/** Returns a job id that is not in use: it contains the time. */
const newJobId = () => `job-${Date.now().toString(36)}`;

/**
 * Creates a job at the local stand-in, which registers the things. Resolves with the id of the job.
 * @param {NewJob} job
 * @returns {Promise<string>}
 */
export async function createJob({ targets, jobId, document }) {
  const body = JSON.stringify({ targets, document, jobId: jobId || newJobId() });
  const response = await fetch("local/jobs", { method: "POST", headers: { "Content-Type": "application/json" }, body });
  const answer = await response.json().catch(() => ({}));
  if (!response.ok) throw new Error(answer.message ?? `HTTP ${response.status}; serve this page with: go run serve.go`);
  return answer.jobId;
}

/**
 * Returns the command of the AWS CLI that creates a job.
 * @param {NewJob} job
 * @param {string} account the number of the AWS account
 * @param {import("../connection.js").Connection} connection
 */
export function createCommand({ targets, jobId, document }, account, connection) {
  const region = regionOf(connection.host) ?? "us-east-1";
  const arns = targets.map((thing) => `arn:aws:iot:${region}:${account}:thing/${thing}`);
  return [
    `aws iot create-job --job-id ${shellWord(jobId || newJobId())}`,
    cliOptions(connection),
    `--targets ${arns.map(shellWord).join(" ")}`,
    `--document ${shellWord(JSON.stringify(document))}`,
  ].filter(Boolean).join(" \\\n  ");
}
