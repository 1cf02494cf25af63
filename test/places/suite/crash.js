import { equal, event, rejects } from "../expect.js";
import { instances, test } from "../suite.js";
import { moduleOf } from "./load.js";

test("a crash of the wasm rejects pending promises, and connect() works again", async (place) => {
  const { load, IotClient } = await place.fresh();
  await load({ wasm: await moduleOf(place) });
  const { iot_publish } = instances.at(-1).exports;
  const clients = [new IotClient(), new IotClient()].map((client) => place.keep(client));
  for (const client of clients) await client.connect({ ...place.options, clientId: place.clientId() });
  const [one, two] = clients;
  const subscription = await one.subscribe(place.topic());
  const crashed = { name: "IotError", code: "ERR_CRASHED" };
  const closed = clients.map((client) => event(client, "closed"));
  const waiting = rejects(subscription[Symbol.asyncIterator]().next(), crashed);
  const pending = rejects(two.publish(place.topic(), "x", { qos: 1 }), crashed);
  const made = instances.length;
  iot_publish(1, 1, 4e9, 4e9, 4e9, 0, 0); // lengths that the module never passes
  const found = rejects(one.publish(place.topic(), "x", { qos: 1 }), crashed);
  await Promise.all([found, pending, waiting]);
  equal((await Promise.all(closed)).map((e) => e.detail.error.code), ["ERR_CRASHED", "ERR_CRASHED"]);
  equal([(await subscription.closed).code, one.state, two.state], ["ERR_CRASHED", "closed", "closed"]);
  await rejects(two.publish(place.topic(), "x", { qos: 1 }), { name: "IotError", code: "ERR_NOT_CONNECTED" });
  await one.connect();
  equal([await one.publish(place.topic(), "x", { qos: 1 }), instances.length - made], [{ reasonCode: 0 }, 1]);
});
