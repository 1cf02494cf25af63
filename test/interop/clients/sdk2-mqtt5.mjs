// The MQTT 5 client of aws-iot-device-sdk-v2 receives its own message.
import sdk from 'aws-iot-device-sdk-v2';
import { expectation, report, standIn, stopped, text } from './stand-in.mjs';
import { connect5, stop5 } from './sdk2.mjs';

const { mqtt5 } = sdk;
const client = await connect5({ sessionExpiryIntervalSeconds: 600, will: { topicName: `${standIn.thing}/will`, qos: 1, payload: 'gone' } });

const [received, receive] = expectation();
client.on('messageReceived', ({ message }) => receive(message));
const suback = await client.subscribe({ subscriptions: [{ topicFilter: `${standIn.thing}/+`, qos: mqtt5.QoS.AtLeastOnce }] });
report('subscribed', suback.reasonCodes);

const puback = await client.publish({
  topicName: `${standIn.thing}/hello`,
  qos: mqtt5.QoS.AtLeastOnce,
  payload: JSON.stringify({ hello: standIn.thing }),
  contentType: 'application/json',
  responseTopic: `${standIn.thing}/answer`,
  correlationData: Buffer.from('7'),
  userProperties: [{ name: 'unit', value: 'lx' }],
});
report('published', puback.reasonCode);
const m = await received;
report('received', [m.topicName, text(m.payload), m.contentType, m.responseTopic, text(m.correlationData), m.userProperties]);

const unsuback = await client.unsubscribe({ topicFilters: [`${standIn.thing}/+`] });
report('unsubscribed', unsuback.reasonCodes);
await stop5(client);
stopped();
