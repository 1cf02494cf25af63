// The device of aws-iot-device-sdk (MQTT 3.1.1, subprotocol mqttv3.1) receives its own message.
import sdk from 'aws-iot-device-sdk';
import { once } from 'node:events';
import { promisify } from 'node:util';
import { fail, report, standIn, stopped, text } from './stand-in.mjs';
import { options } from './sdk1.mjs';

const device = sdk.device(options);
device.on('error', fail);
device.on('offline', fail);
await once(device, 'connect');
report('connected');

const received = once(device, 'message');
const granted = await promisify(device.subscribe)(`${standIn.thing}/+`, { qos: 1 });
report('subscribed', granted);
device.publish(`${standIn.thing}/hello`, JSON.stringify({ hello: standIn.thing }), { qos: 1 });
const [topic, payload] = await received;
report('received', [topic, text(payload)]);
device.off('offline', fail);
device.end(false, stopped);
