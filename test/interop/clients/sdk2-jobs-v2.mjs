// The second jobs client of aws-iot-device-sdk-v2 (request and response, MQTT 5) runs a job.
import sdk from 'aws-iot-device-sdk-v2';
import { once } from 'node:events';
import { report, standIn, stopped } from './stand-in.mjs';
import { connect5, stop5 } from './sdk2.mjs';

const { thing: thingName, job: jobId } = standIn;
const client = await connect5();
const jobs = sdk.iotjobs.IotJobsClientv2.newFromMqtt5(client, {
  maxRequestResponseSubscriptions: 8,
  maxStreamingSubscriptions: 2,
  operationTimeoutInSeconds: 10,
});

const stream = jobs.createNextJobExecutionChangedStream({ thingName });
const established = once(stream, 'subscriptionStatus');
stream.open();
await established;

const pending = await jobs.getPendingJobExecutions({ thingName });
report('pending', [pending.queuedJobs.map((j) => j.jobId), pending.inProgressJobs.length]);
const { execution: described } = await jobs.describeJobExecution({ thingName, jobId, includeJobDocument: true });
report('described', [described.status, described.jobDocument]);
const { execution } = await jobs.startNextPendingJobExecution({ thingName, statusDetails: { step: 'download' } });
report('started', [execution.jobId, execution.status, execution.statusDetails]);

const stale = await jobs.updateJobExecution({ thingName, jobId, status: 'FAILED', expectedVersion: 99 }).catch((error) => error.modeledError);
report('stale', stale.code);

const changed = once(stream, 'incomingPublish');
const { executionState } = await jobs.updateJobExecution({ thingName, jobId, status: 'SUCCEEDED', expectedVersion: execution.versionNumber, includeJobExecutionState: true });
report('updated', executionState.status);
const [{ message }] = await changed;
report('next', message.execution ?? null);

stream.close();
jobs.close();
await stop5(client);
stopped();
