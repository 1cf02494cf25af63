// PubSub of AWS Amplify (MQTT 3.1, subprotocol mqttv3.1) receives its own message. Amplify uses the
// WebSocket of Node.
import { Amplify, Hub } from '@aws-amplify/core';
import { CONNECTION_STATE_CHANGE, ConnectionState, PubSub } from '@aws-amplify/pubsub';
import { credentials, expectation, fail, report, standIn, stopped } from './stand-in.mjs';

const topic = `${standIn.thing}/hello`;
Amplify.configure({}, {
  Auth: {
    credentialsProvider: {
      getCredentialsAndIdentityId: async () => ({ credentials }),
      clearCredentialsAndIdentityId: () => {},
    },
  },
});
const [connected, connect] = expectation();
Hub.listen('pubsub', ({ payload }) => {
  if (payload.event !== CONNECTION_STATE_CHANGE) return;
  if (payload.data.connectionState === ConnectionState.Connected) connect();
  if (payload.data.connectionState === ConnectionState.ConnectionDisrupted) fail('disconnected');
});

const pubsub = new PubSub({ region: standIn.region, endpoint: `wss://${standIn.host}:${standIn.port}/mqtt`, clientId: standIn.thing });
const [received, receive] = expectation();
pubsub.subscribe({ topics: topic }).subscribe({ next: receive, error: fail });
await connected;
report('connected');
// Amplify does not report that a subscription is granted. It sends the message after the SUBSCRIBE on
// the same connection, and the broker handles the packets of a connection in order.
await pubsub.publish({ topics: topic, message: { hello: standIn.thing } });
report('received', await received);
stopped();
