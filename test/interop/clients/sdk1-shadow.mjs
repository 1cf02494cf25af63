// thingShadow of aws-iot-device-sdk: desired, delta, reported, get.
import sdk from 'aws-iot-device-sdk';
import { once } from 'node:events';
import { fail, report, standIn, stopped } from './stand-in.mjs';
import { options } from './sdk1.mjs';

const { thing } = standIn;
const shadows = sdk.thingShadow(options);
shadows.on('error', fail);
shadows.on('timeout', () => fail('timeout'));
await once(shadows, 'connect');
report('connected');
await new Promise((resolve, reject) => {
  shadows.register(thing, { qos: 1 }, (error, failed) => (error ? reject(new Error(`${error} ${JSON.stringify(failed)}`)) : resolve()));
});
report('registered');

let status = once(shadows, 'status');
const delta = once(shadows, 'delta');
shadows.update(thing, { state: { desired: { colour: 'red' } } });
report('desired', (await status)[1]);
report('delta', (await delta)[1].state);

status = once(shadows, 'status');
shadows.update(thing, { state: { reported: { colour: 'red', client: 'sdk1-shadow' } } });
report('reported', (await status)[1]);

status = once(shadows, 'status');
shadows.get(thing);
const [, answer, , document] = await status;
report('got', [answer, document.state]);
shadows.end(true, stopped);
