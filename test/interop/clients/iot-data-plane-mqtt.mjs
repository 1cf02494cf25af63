// What @aws-sdk/client-iot-data-plane does, as an MQTT 5 client of aws-iot-device-sdk-v2 sees it.
import { DeleteConnectionCommand, IoTDataPlaneClient, PublishCommand, UpdateThingShadowCommand } from '@aws-sdk/client-iot-data-plane';
import sdk from 'aws-iot-device-sdk-v2';
import { once } from 'node:events';
import { expectation, options, report, standIn, stopped, text } from './stand-in.mjs';
import { connect5 } from './sdk2.mjs';

const { mqtt5 } = sdk;
const { thing: thingName } = standIn;
const http = new IoTDataPlaneClient(options);
const client = await connect5();
const waiting = new Map();
client.on('messageReceived', ({ message }) => waiting.get(message.topicName)?.(message));
function next(topic) {
  const [promise, resolve] = expectation();
  waiting.set(topic, resolve);
  return promise;
}

const topic = `${thingName}/news`;
const delta = `$aws/things/${thingName}/shadow/update/delta`;
await client.subscribe({ subscriptions: [topic, delta].map((topicFilter) => ({ topicFilter, qos: mqtt5.QoS.AtLeastOnce })) });

const news = next(topic);
await http.send(new PublishCommand({
  topic,
  qos: 1,
  payload: 'good',
  contentType: 'text/plain',
  responseTopic: `${topic}/answer`,
  correlationData: Buffer.from('7').toString('base64'),
  messageExpiry: 600,
  payloadFormatIndicator: 'UTF8_DATA',
  userProperties: JSON.stringify([{ unit: 'lx' }]),
}));
const m = await news;
report('news', [text(m.payload), m.qos, m.contentType, m.responseTopic, text(m.correlationData), m.payloadFormat, m.userProperties, m.messageExpiryIntervalSeconds > 590]);

const changed = next(delta);
await http.send(new UpdateThingShadowCommand({ thingName, payload: JSON.stringify({ state: { desired: { colour: 'red' } } }) }));
report('delta', JSON.parse(text((await changed).payload)).state);

client.removeAllListeners('disconnection');
const disconnected = once(client, 'disconnection');
await http.send(new DeleteConnectionCommand({ clientId: thingName }));
report('disconnected', (await disconnected)[0].disconnect?.reasonCode);
stopped();
