// The second shadow client of aws-iot-device-sdk-v2 (request and response, MQTT 5).
import sdk from 'aws-iot-device-sdk-v2';
import { once } from 'node:events';
import { report, standIn, stopped } from './stand-in.mjs';
import { connect5, stop5 } from './sdk2.mjs';

const thingName = standIn.thing;
const client = await connect5();
const shadows = sdk.iotshadow.IotShadowClientv2.newFromMqtt5(client, {
  maxRequestResponseSubscriptions: 6,
  maxStreamingSubscriptions: 2,
  operationTimeoutInSeconds: 10,
});

const refused = await shadows.getShadow({ thingName }).catch((error) => error.modeledError);
report('no shadow', refused.code);

const deltas = shadows.createShadowDeltaUpdatedStream({ thingName });
const established = once(deltas, 'subscriptionStatus');
const delta = once(deltas, 'incomingPublish');
deltas.open();
await established;
await shadows.updateShadow({ thingName, state: { desired: { colour: 'red' } } });
const [{ message }] = await delta;
report('delta', [message.state, message.version]);

const updated = await shadows.updateShadow({ thingName, state: { reported: { colour: 'red', client: 'sdk2-shadow-v2' } } });
report('updated', [updated.state, updated.version]);
const { state } = await shadows.getShadow({ thingName });
report('got', state);

const conflict = await shadows.updateShadow({ thingName, version: 1, state: { reported: { colour: 'blue' } } }).catch((error) => error.modeledError);
report('conflict', conflict.code);

const named = await shadows.updateNamedShadow({ thingName, shadowName: 'lamp', state: { reported: { on: true } } });
report('named', named.state);
await shadows.deleteNamedShadow({ thingName, shadowName: 'lamp' });

deltas.close();
shadows.close();
await stop5(client);
stopped();
