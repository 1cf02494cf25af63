// The browser build of aws-iot-device-sdk-v2: MQTT 5, then MQTT 3.1.1 (subprotocol mqttv3.1) with the
// shadow client. The SDK connects to port 443 of the host only; the test makes Chromium resolve the host.
import process from 'process';
import { auth, iot, iotshadow, mqtt, mqtt5 } from 'aws-iot-device-sdk-v2';

// The SDK expects these globals of Node.
globalThis.process = process;
globalThis.setImmediate ??= (f, ...values) => setTimeout(f, 0, ...values);

const text = (payload) => new TextDecoder().decode(payload);

class Keys extends auth.CredentialsProvider {
  constructor(keys) {
    super();
    this.keys = keys;
  }

  getCredentials() {
    return { aws_region: this.keys.region, aws_access_id: this.keys.accessKeyId, aws_secret_key: this.keys.secretAccessKey };
  }
}

/** Returns the steps that the MQTT 5 client has done. */
globalThis.runMQTT5 = (standIn) => new Promise((resolve, reject) => {
  const steps = [];
  const topic = `${standIn.thing}/hello`;
  const config = iot.AwsIotMqtt5ClientConfigBuilder
    .newWebsocketMqttBuilderWithSigv4Auth(standIn.host, { region: standIn.region, credentialsProvider: new Keys(standIn) })
    .withConnectProperties({ clientId: standIn.thing, keepAliveIntervalSeconds: 60 })
    .build();
  const client = new mqtt5.Mqtt5Client(config);
  client.on('error', reject);
  client.on('connectionFailure', (event) => reject(event.error));
  client.on('connectionSuccess', async () => {
    try {
      steps.push('connected');
      const suback = await client.subscribe({ subscriptions: [{ topicFilter: topic, qos: mqtt5.QoS.AtLeastOnce }] });
      steps.push(suback.reasonCodes);
      const puback = await client.publish({ topicName: topic, qos: mqtt5.QoS.AtLeastOnce, payload: 'hello' });
      steps.push(puback.reasonCode);
    } catch (error) {
      reject(error);
    }
  });
  client.on('messageReceived', ({ message }) => {
    steps.push([message.topicName, text(message.payload)]);
    client.stop();
  });
  client.on('stopped', () => resolve(steps));
  client.start();
});

/** Returns the steps that the MQTT 3.1.1 client and the shadow client have done. */
globalThis.runShadow = async (standIn) => {
  const steps = [];
  const thingName = standIn.thing;
  const config = iot.AwsIotMqttConnectionConfigBuilder
    .new_builder_for_websocket()
    .with_endpoint(standIn.host)
    .with_client_id(standIn.thing)
    .with_credential_provider(new Keys(standIn))
    .build();
  const connection = new mqtt.MqttClient().new_connection(config);
  const failed = new Promise((_, reject) => {
    connection.on('error', reject);
    connection.on('connection_failure', (event) => reject(event.error));
  });
  const run = async () => {
    await connection.connect();
    steps.push('connected');
    const shadows = new iotshadow.IotShadowClient(connection);
    const accepted = new Promise((resolve, reject) => {
      shadows.subscribeToUpdateShadowAccepted({ thingName }, mqtt.QoS.AtLeastOnce, (error, answer) => (error ? reject(error) : resolve(answer)))
        .then(() => shadows.publishUpdateShadow({ thingName, state: { reported: { client: 'chromium', colour: 'red' } } }, mqtt.QoS.AtLeastOnce))
        .catch(reject);
    });
    steps.push((await accepted).state);
    await connection.disconnect();
    return steps;
  };
  return Promise.race([run(), failed]);
};
