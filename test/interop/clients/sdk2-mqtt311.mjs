// The MQTT 3.1.1 client of aws-iot-device-sdk-v2 receives its own message.
import sdk from 'aws-iot-device-sdk-v2';
import { expectation, report, standIn, stopped, text } from './stand-in.mjs';
import { connect311 } from './sdk2.mjs';

const { mqtt } = sdk;
const connection = await connect311();

const [received, receive] = expectation();
const suback = await connection.subscribe(`${standIn.thing}/+`, mqtt.QoS.AtLeastOnce, (topic, payload) => receive([topic, text(payload)]));
report('subscribed', suback.qos);
await connection.publish(`${standIn.thing}/hello`, JSON.stringify({ hello: standIn.thing }), mqtt.QoS.AtLeastOnce);
report('received', await received);
await connection.unsubscribe(`${standIn.thing}/+`);
await connection.disconnect();
stopped();
