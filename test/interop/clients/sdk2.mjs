// Connections of aws-iot-device-sdk-v2 to the stand-in, for the scripts sdk2-*.mjs.
import sdk from 'aws-iot-device-sdk-v2';
import { once } from 'node:events';
import { fail, report, standIn } from './stand-in.mjs';

const { auth, io, iot, mqtt, mqtt5 } = sdk;

const keys = auth.AwsCredentialsProvider.newStatic(standIn.accessKeyId, standIn.secretAccessKey);

/** Returns a client for MQTT 5 that has connected with keys. */
export function connect5(settings = {}, credentialsProvider = keys) {
  return connected5(iot.AwsIotMqtt5ClientConfigBuilder.newWebsocketMqttBuilderWithSigv4Auth(standIn.host, {
    region: standIn.region, credentialsProvider,
  }), settings);
}

/** Returns a client for MQTT 5 that has connected with the settings of a builder. */
export async function connected5(builder, settings = {}) {
  const config = builder
    .withPort(standIn.port)
    .withCertificateAuthority(standIn.ca)
    .withConnectProperties({ clientId: standIn.thing, keepAliveIntervalSeconds: 60, ...settings })
    .build();
  const client = new mqtt5.Mqtt5Client(config);
  client.on('connectionFailure', fail);
  client.on('disconnection', (event) => { if (event.disconnect) fail(event.disconnect); });
  const connected = once(client, 'connectionSuccess');
  client.start();
  await connected;
  report('connected', 'MQTT 5');
  return client;
}

/** Stops a client for MQTT 5. */
export async function stop5(client) {
  const stopped = once(client, 'stopped');
  client.stop();
  await stopped;
  client.close();
}

/** Returns a connection for MQTT 3.1.1. */
export async function connect311() {
  const config = iot.AwsIotMqttConnectionConfigBuilder
    .new_with_websockets({ region: standIn.region, credentials_provider: keys })
    .with_endpoint(standIn.host)
    .with_port(standIn.port)
    .with_certificate_authority(standIn.ca)
    .with_client_id(standIn.thing)
    .with_clean_session(true)
    .with_keep_alive_seconds(60)
    .build();
  const connection = new mqtt.MqttClient(new io.ClientBootstrap()).new_connection(config);
  connection.on('error', fail);
  await connection.connect();
  report('connected', 'MQTT 3.1.1');
  return connection;
}
