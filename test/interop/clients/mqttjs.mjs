// MQTT.js, with MQTT 5 or 3.1.1, receives its own message, updates a shadow and runs a job. It has no
// client for shadows and jobs, so it uses their topics. It has no signer either: the test has
// signed the path of the WebSocket.
import mqtt from 'mqtt';
import { expectation, fail, report, standIn, stopped, text } from './stand-in.mjs';

const { thing, job } = standIn;
const version = Number(process.argv[2]);
const client = mqtt.connect(`wss://${standIn.host}:${standIn.port}${standIn.path}`, {
  protocolVersion: version,
  clientId: thing,
  reconnectPeriod: 0,
});
client.on('error', fail);
const connack = await new Promise((resolve) => client.once('connect', resolve));
report('connected', [version, connack.reasonCode ?? connack.returnCode]);

const waiting = new Map();
client.on('message', (topic, payload) => waiting.get(topic)?.(text(payload)));
function next(topic) {
  const [promise, resolve] = expectation();
  waiting.set(topic, resolve);
  return promise;
}
async function request(topic, body) {
  const answer = next(`${topic}/accepted`);
  waiting.set(`${topic}/rejected`, (payload) => fail(`${topic}: ${payload}`));
  await client.publishAsync(topic, JSON.stringify(body), { qos: 1 });
  return JSON.parse(await answer);
}

// It subscribes to the answers only: MQTT.js fails if a message arrives while it disconnects.
const granted = await client.subscribeAsync([
  `${thing}/+`, `$aws/things/${thing}/shadow/update/accepted`, `$aws/things/${thing}/shadow/update/rejected`,
  `$aws/things/${thing}/jobs/start-next/+`, `$aws/things/${thing}/jobs/${job}/update/+`,
], { qos: 1 });
report('subscribed', granted.map((g) => g.qos));
const received = next(`${thing}/hello`);
await client.publishAsync(`${thing}/hello`, JSON.stringify({ hello: thing }), { qos: 1 });
report('received', await received);

const shadow = await request(`$aws/things/${thing}/shadow/update`, { state: { reported: { client: 'mqttjs', colour: 'red' } } });
report('updated', shadow.state);

const { execution } = await request(`$aws/things/${thing}/jobs/start-next`, { clientToken: 't1' });
report('started', [execution.jobId, execution.status]);
await request(`$aws/things/${thing}/jobs/${job}/update`, { status: 'SUCCEEDED', expectedVersion: execution.versionNumber });
await client.endAsync();
stopped();
