// The first shadow client of aws-iot-device-sdk-v2, over MQTT 3.1.1.
import sdk from 'aws-iot-device-sdk-v2';
import { expectation, fail, report, standIn, stopped } from './stand-in.mjs';
import { connect311 } from './sdk2.mjs';

const { iotshadow, mqtt } = sdk;
const thingName = standIn.thing;
const connection = await connect311();
const shadows = new iotshadow.IotShadowClient(connection);
const qos = mqtt.QoS.AtLeastOnce;

const [delta, onDelta] = expectation();
const [accepted, onAccepted] = expectation();
const [document, onDocument] = expectation();
await shadows.subscribeToShadowDeltaUpdatedEvents({ thingName }, qos, (error, event) => (error ? fail(error) : onDelta(event)));
await shadows.subscribeToUpdateShadowAccepted({ thingName }, qos, (error, answer) => {
  if (error) fail(error);
  if (answer.state.reported) onAccepted(answer);
});
await shadows.subscribeToUpdateShadowRejected({ thingName }, qos, (error, answer) => fail(error ?? answer));
await shadows.subscribeToGetShadowAccepted({ thingName }, qos, (error, answer) => (error ? fail(error) : onDocument(answer)));

await shadows.publishUpdateShadow({ thingName, clientToken: 't1', state: { desired: { colour: 'red' } } }, qos);
report('delta', (await delta).state);
await shadows.publishUpdateShadow({ thingName, clientToken: 't2', state: { reported: { colour: 'red', client: 'sdk2-shadow-v1' } } }, qos);
const { state, clientToken } = await accepted;
report('updated', [state, clientToken]);
await shadows.publishGetShadow({ thingName }, qos);
report('got', (await document).state);
await connection.disconnect();
stopped();
