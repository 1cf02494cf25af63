// @aws-sdk/client-iot-jobs-data-plane runs a job.
import {
  DescribeJobExecutionCommand, GetPendingJobExecutionsCommand, IoTJobsDataPlaneClient,
  StartNextPendingJobExecutionCommand, UpdateJobExecutionCommand,
} from '@aws-sdk/client-iot-jobs-data-plane';
import { options, report, standIn } from './stand-in.mjs';

const { thing: thingName, job: jobId } = standIn;
const client = new IoTJobsDataPlaneClient(options);

const pending = await client.send(new GetPendingJobExecutionsCommand({ thingName }));
report('pending', [pending.queuedJobs.map((j) => j.jobId), pending.inProgressJobs.length]);
const { execution: next } = await client.send(new DescribeJobExecutionCommand({ thingName, jobId: '$next', includeJobDocument: true }));
report('next', [next.jobId, next.status, JSON.parse(next.jobDocument)]);
const { execution } = await client.send(new StartNextPendingJobExecutionCommand({ thingName, statusDetails: { step: 'download' } }));
report('started', [execution.jobId, execution.status, execution.statusDetails]);
const unknown = await client.send(new DescribeJobExecutionCommand({ thingName, jobId: 'unknown' })).catch((error) => error);
report('unknown', [unknown.name, unknown.$metadata.httpStatusCode]);
const { executionState } = await client.send(new UpdateJobExecutionCommand({
  thingName, jobId, status: 'SUCCEEDED', expectedVersion: execution.versionNumber, includeJobExecutionState: true,
}));
report('updated', executionState.status);
const again = await client.send(new UpdateJobExecutionCommand({ thingName, jobId, status: 'IN_PROGRESS' })).catch((error) => error);
report('ended', [again.name, again.$metadata.httpStatusCode]);
