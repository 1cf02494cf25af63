// The MQTT 5 client of aws-iot-device-sdk-v2 with the temporary keys of a guest. The policy of guests
// allows the topics below public/.
import { fromCognitoIdentityPool } from '@aws-sdk/credential-providers';
import sdk from 'aws-iot-device-sdk-v2';
import { expectation, report, standIn, stopped, text } from './stand-in.mjs';
import { connect5, stop5 } from './sdk2.mjs';

const { auth, mqtt5 } = sdk;
const clientConfig = { region: standIn.region, endpoint: standIn.cognito, maxAttempts: 1 };
const keys = await fromCognitoIdentityPool({ identityPoolId: standIn.pool, clientConfig })();
const client = await connect5({}, auth.AwsCredentialsProvider.newStatic(keys.accessKeyId, keys.secretAccessKey, keys.sessionToken));
const [received, receive] = expectation();
client.on('messageReceived', ({ message }) => receive(message));
const subscriptions = ['public/+', 'private'].map((topicFilter) => ({ topicFilter, qos: mqtt5.QoS.AtLeastOnce }));
report('subscribed', (await client.subscribe({ subscriptions })).reasonCodes);
await client.publish({ topicName: 'public/hello', qos: mqtt5.QoS.AtLeastOnce, payload: 'hello' });
report('received', text((await received).payload));
report('private', (await client.publish({ topicName: 'private', qos: mqtt5.QoS.AtLeastOnce, payload: 'hello' })).reasonCode);
await stop5(client);
stopped();
