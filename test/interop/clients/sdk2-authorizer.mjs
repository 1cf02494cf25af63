// The MQTT 5 client of aws-iot-device-sdk-v2 with a custom authorizer, whose values it sends in the user
// name.
import sdk from 'aws-iot-device-sdk-v2';
import { expectation, report, standIn, stopped, text } from './stand-in.mjs';
import { connected5, stop5 } from './sdk2.mjs';

const { iot, mqtt5 } = sdk;
const { name, tokenKeyName, token, signature } = standIn.authorizer;
const client = await connected5(iot.AwsIotMqtt5ClientConfigBuilder.newWebsocketMqttBuilderWithCustomAuth(standIn.host, {
  authorizerName: name,
  username: 'alice',
  password: Buffer.from('secret'),
  tokenKeyName,
  tokenValue: token,
  tokenSignature: encodeURIComponent(signature),
}));
const [received, receive] = expectation();
client.on('messageReceived', ({ message }) => receive(message));
await client.subscribe({ subscriptions: [{ topicFilter: `${standIn.thing}/+`, qos: mqtt5.QoS.AtLeastOnce }] });
await client.publish({ topicName: `${standIn.thing}/hello`, qos: mqtt5.QoS.AtLeastOnce, payload: 'hello' });
report('received', text((await received).payload));
await stop5(client);
stopped();
