// Signs the URL of the WebSocket, as AWS documents it for clients without a signer. No session token is
// signed.
// https://docs.aws.amazon.com/iot/latest/developerguide/protocols.html#mqtt-ws
import { createHash, createHmac } from 'node:crypto';
import { standIn } from './stand-in.mjs';

const hmac = (key, data) => createHmac('sha256', key).update(data).digest();
const hash = (data) => createHash('sha256').update(data).digest('hex');

/** Returns the wss URL of the stand-in, signed now. */
export async function presigned() {
  const date = new Date().toISOString().replace(/[-:]|\.\d+/g, '');
  const day = date.slice(0, 8);
  const scope = `${day}/${standIn.region}/iotdevicegateway/aws4_request`;
  const host = `${standIn.host}:${standIn.port}`;
  const query = 'X-Amz-Algorithm=AWS4-HMAC-SHA256'
    + `&X-Amz-Credential=${encodeURIComponent(`${standIn.accessKeyId}/${scope}`)}`
    + `&X-Amz-Date=${date}&X-Amz-SignedHeaders=host`;
  const request = `GET\n/mqtt\n${query}\nhost:${host}\n\nhost\n${hash('')}`;
  let key = `AWS4${standIn.secretAccessKey}`;
  for (const part of scope.split('/')) key = hmac(key, part);
  const signature = hmac(key, `AWS4-HMAC-SHA256\n${date}\n${scope}\n${hash(request)}`).toString('hex');
  return `wss://${host}/mqtt?${query}&X-Amz-Signature=${signature}`;
}
