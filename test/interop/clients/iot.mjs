// @aws-sdk/client-iot: the operations with which a developer sets up things, jobs and policies.
import {
  AttachPolicyCommand, CancelJobCommand, CreateJobCommand, CreatePolicyCommand, CreateThingCommand,
  DescribeEndpointCommand, DescribeJobCommand, DetachPolicyCommand, IoTClient, ListAttachedPoliciesCommand,
  ListJobsCommand, ListThingsCommand, ListTopicRulesCommand,
} from '@aws-sdk/client-iot';
import { options, report, standIn } from './stand-in.mjs';

const { thing } = standIn;
const thingName = `${thing}-2`;
const client = new IoTClient(options);

const { endpointAddress } = await client.send(new DescribeEndpointCommand({ endpointType: 'iot:Data-ATS' }));
report('endpoint', endpointAddress);

const { thingArn } = await client.send(new CreateThingCommand({ thingName, attributePayload: { attributes: { colour: 'red' } } }));
report('thing', thingArn);
const { things } = await client.send(new ListThingsCommand({ maxResults: 250 }));
report('things', things.find((t) => t.thingName === thingName)?.attributes);

const jobId = `${thing}-job-2`;
const { jobArn } = await client.send(new CreateJobCommand({ jobId, targets: [thingArn], document: '{"operation":"reboot"}', description: 'a test' }));
report('job', jobArn);
const { job } = await client.send(new DescribeJobCommand({ jobId }));
report('described', [job.jobId, job.status, job.targets, job.jobProcessDetails.numberOfQueuedThings, job.createdAt instanceof Date]);
const { jobs } = await client.send(new ListJobsCommand({ status: 'IN_PROGRESS', maxResults: 250 }));
report('jobs', jobs.some((j) => j.jobId === jobId));
await client.send(new CancelJobCommand({ jobId }));
report('canceled', (await client.send(new DescribeJobCommand({ jobId }))).job.status);
const unknown = await client.send(new DescribeJobCommand({ jobId: 'unknown' })).catch((error) => error);
report('unknown', [unknown.name, unknown.$metadata.httpStatusCode]);

const policyName = `${thing}-policy`;
const document = (action) => JSON.stringify({ Version: '2012-10-17', Statement: [{ Effect: 'Allow', Action: action, Resource: '*' }] });
const policy = await client.send(new CreatePolicyCommand({ policyName, policyDocument: document('iot:*') }));
report('policy', [policy.policyName, policy.policyVersionId, JSON.parse(policy.policyDocument).Version]);
const exists = await client.send(new CreatePolicyCommand({ policyName, policyDocument: document('iot:Connect') })).catch((error) => error);
report('policy again', [exists.name, exists.$metadata.httpStatusCode]);
const target = `${standIn.region}:12345678-1234-1234-1234-123456789012`;
await client.send(new AttachPolicyCommand({ policyName, target }));
const attached = async () => (await client.send(new ListAttachedPoliciesCommand({ target }))).policies.map((p) => p.policyName);
report('attached', await attached());
await client.send(new DetachPolicyCommand({ policyName, target }));
report('detached', await attached());

// The stand-in does not implement every operation. The client must get an error that it can read.
const missing = await client.send(new ListTopicRulesCommand({})).catch((error) => error);
report('missing', missing.$metadata?.httpStatusCode);
