// The options with which the clients of aws-iot-device-sdk connect to the stand-in. Node takes the
// certificate from NODE_EXTRA_CA_CERTS.
import { standIn } from './stand-in.mjs';

export const options = {
  protocol: 'wss',
  host: standIn.host,
  port: standIn.port,
  region: standIn.region,
  accessKeyId: standIn.accessKeyId,
  secretKey: standIn.secretAccessKey,
  clientId: standIn.thing,
};
