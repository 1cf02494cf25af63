// jobs of aws-iot-device-sdk runs a job.
import sdk from 'aws-iot-device-sdk';
import { once } from 'node:events';
import { promisify } from 'node:util';
import { expectation, fail, report, standIn, stopped } from './stand-in.mjs';
import { options } from './sdk1.mjs';

const jobs = sdk.jobs(options);
jobs.on('error', fail);
await once(jobs, 'connect');
report('connected');

const [queued, onJob] = expectation();
jobs.subscribeToJobs(standIn.thing, (error, job) => (error ? fail(error) : onJob(job)));
jobs.startJobNotifications(standIn.thing);
const job = await queued;
report('job', [job.id, job.document, job.status.status]);
await promisify(job.inProgress)({ step: 'download' });
await promisify(job.succeeded)({ step: 'done' });
// The client does not wait for the answer to the update. The broker handles the packets of a client in
// order, so it has handled the update when it acknowledges a later message.
await promisify(jobs.publish)(`${standIn.thing}/done`, 'done', { qos: 1 });
jobs.end(false, stopped);
