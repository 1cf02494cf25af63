// The device of aws-iot-device-sdk with a custom authorizer, whose values it sends in the query.
import sdk from 'aws-iot-device-sdk';
import { once } from 'node:events';
import { promisify } from 'node:util';
import { fail, report, standIn, stopped, text } from './stand-in.mjs';
import { options } from './sdk1.mjs';

const { name, tokenKeyName, token, signature } = standIn.authorizer;
const device = sdk.device({
  ...options,
  protocol: 'wss-custom-auth',
  customAuthQueryString: `?x-amz-customauthorizer-name=${name}&${tokenKeyName}=${token}&x-amz-customauthorizer-signature=${encodeURIComponent(signature)}`,
});
device.on('error', fail);
device.on('offline', fail);
await once(device, 'connect');
report('connected');
const received = once(device, 'message');
await promisify(device.subscribe)(`${standIn.thing}/+`, { qos: 1 });
device.publish(`${standIn.thing}/hello`, 'hello', { qos: 1 });
report('received', text((await received)[1]));
device.off('offline', fail);
device.end(false, stopped);
