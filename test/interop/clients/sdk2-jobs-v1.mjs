// The first jobs client of aws-iot-device-sdk-v2, over MQTT 3.1.1, runs a job.
import sdk from 'aws-iot-device-sdk-v2';
import { expectation, fail, report, standIn, stopped } from './stand-in.mjs';
import { connect311 } from './sdk2.mjs';

const { iotjobs, mqtt } = sdk;
const { thing: thingName, job: jobId } = standIn;
const connection = await connect311();
const jobs = new iotjobs.IotJobsClient(connection);
const qos = mqtt.QoS.AtLeastOnce;

const [started, onStarted] = expectation();
const [updated, onUpdated] = expectation();
const [next, onNext] = expectation();
await jobs.subscribeToStartNextPendingJobExecutionAccepted({ thingName }, qos, (error, answer) => (error ? fail(error) : onStarted(answer)));
await jobs.subscribeToStartNextPendingJobExecutionRejected({ thingName }, qos, (error, answer) => fail(error ?? answer));
await jobs.subscribeToUpdateJobExecutionAccepted({ thingName, jobId }, qos, (error, answer) => (error ? fail(error) : onUpdated(answer)));
await jobs.subscribeToUpdateJobExecutionRejected({ thingName, jobId }, qos, (error, answer) => fail(error ?? answer));
await jobs.subscribeToNextJobExecutionChangedEvents({ thingName }, qos, (error, event) => (error ? fail(error) : onNext(event)));

await jobs.publishStartNextPendingJobExecution({ thingName, clientToken: 't1' }, qos);
const { execution, clientToken } = await started;
report('started', [execution.jobId, execution.status, execution.jobDocument, clientToken]);
await jobs.publishUpdateJobExecution({ thingName, jobId, status: 'SUCCEEDED', expectedVersion: execution.versionNumber, clientToken: 't2' }, qos);
report('updated', (await updated).clientToken);
report('next', (await next).execution ?? null);
await connection.disconnect();
stopped();
