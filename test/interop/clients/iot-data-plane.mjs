// @aws-sdk/client-iot-data-plane: publish, retained messages, shadows.
import {
  DeleteThingShadowCommand, GetRetainedMessageCommand, GetThingShadowCommand, IoTDataPlaneClient,
  ListNamedShadowsForThingCommand, ListRetainedMessagesCommand, PublishCommand, UpdateThingShadowCommand,
} from '@aws-sdk/client-iot-data-plane';
import { options, report, standIn, text } from './stand-in.mjs';

const { thing: thingName } = standIn;
const topic = `${thingName}/news/1`;
const client = new IoTDataPlaneClient(options);

await client.send(new PublishCommand({
  topic, qos: 1, retain: true, payload: 'good', contentType: 'text/plain', messageExpiry: 600,
  payloadFormatIndicator: 'UTF8_DATA', userProperties: JSON.stringify([{ unit: 'lx' }]),
}));
const retained = await client.send(new GetRetainedMessageCommand({ topic }));
report('retained', [retained.topic, text(retained.payload), retained.qos, retained.lastModifiedTime > 0]);
const list = await client.send(new ListRetainedMessagesCommand({ maxResults: 100 }));
report('listed', list.retainedTopics.find((r) => r.topic === topic)?.payloadSize);
await client.send(new PublishCommand({ topic, retain: true, payload: '' }));
const gone = await client.send(new GetRetainedMessageCommand({ topic })).catch((error) => error);
report('no message', [gone.name, gone.$metadata.httpStatusCode]);

const none = await client.send(new GetThingShadowCommand({ thingName })).catch((error) => error);
report('no shadow', [none.name, none.$metadata.httpStatusCode]);
const update = async (state, extra) => {
  const answer = await client.send(new UpdateThingShadowCommand({ thingName, payload: JSON.stringify({ state }), ...extra }));
  return JSON.parse(text(answer.payload));
};
const updated = await update({ reported: { client: 'iot-data-plane', colour: 'red' } });
report('updated', [updated.state, updated.version]);
const { payload } = await client.send(new GetThingShadowCommand({ thingName }));
report('got', JSON.parse(text(payload)).state);
const stale = await client.send(new UpdateThingShadowCommand({ thingName, payload: '{"version":7,"state":{"reported":{"colour":"blue"}}}' }))
  .catch((error) => error);
report('conflict', [stale.name, stale.$metadata.httpStatusCode]);
const bad = await update(7).catch((error) => error);
report('bad', [bad.name, bad.$metadata.httpStatusCode]);

await update({ reported: { on: true } }, { shadowName: 'lamp' });
const named = await client.send(new ListNamedShadowsForThingCommand({ thingName }));
report('named', named.results);
await client.send(new DeleteThingShadowCommand({ thingName, shadowName: 'lamp' }));
report('named', (await client.send(new ListNamedShadowsForThingCommand({ thingName }))).results);
