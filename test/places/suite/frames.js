import { equal } from "../expect.js";
import { test } from "../suite.js";

/** Resolves with the outcome of a promise of a frame. After the frame's removal, only callbacks of this window are sure to run. */
const outcome = (promise) => new Promise((resolve) => promise.then(() => resolve("resolved"), (error) => resolve(error.code)));

test("the removal of a frame settles all promises", async (place) => {
  if (!["window", "classic"].includes(place.place)) return; // other places have no frames, or no access to them
  const frame = document.createElement("iframe");
  document.body.append(frame);
  const { IotClient, load } = await frame.contentWindow.eval(`import("${place.site}/iot.js")`);
  const [client, idle, connecting, closed] = [new IotClient(), new IotClient(), new IotClient(), new IotClient()];
  const clientId = place.clientId();
  await client.connect({ ...place.options, clientId });
  await closed.connect(place.options);
  await closed.disconnect();
  const subscription = await client.subscribe(place.topic("a"));
  const handled = await client.subscribe(place.topic("b"), () => {});
  await place.control({ freeze: clientId });
  const { signal } = new AbortController();
  const pending = {
    publish: client.publish(place.topic(), "x", { qos: 1 }), signalled: client.publish(place.topic(), "x", { qos: 1, signal }),
    subscribe: client.subscribe(place.topic("c")), request: client.request(place.topic(), "x", { qos: 1 }), unsubscribe: handled.unsubscribe(),
    next: subscription[Symbol.asyncIterator]().next(), connect: connecting.connect({ ...place.options, credentials: () => new Promise(() => {}) }),
  };
  await new Promise((resolve) => connecting.addEventListener("connecting", resolve));
  const names = Object.keys(pending);
  const outcomes = Promise.all(Object.values(pending).map(outcome));
  frame.remove();
  equal(await outcomes, names.map(() => "ERR_CLOSED"), `the outcomes of ${names}`);
  equal([(await new Promise((resolve) => subscription.closed.then(resolve))).code, client.state, connecting.state], ["ERR_CLOSED", "closed", "closed"]);
  const later = [];
  for (const one of [client, idle, connecting, closed]) {
    later.push(one.publish(place.topic(), "x"), one.publish(place.topic(), "x", { qos: 1, signal }), one.connect(place.options), one.subscribe(place.topic()),
      one.request(place.topic()), one.unsubscribe(place.topic()), one.disconnect());
  }
  later.push(load());
  equal([...new Set(await Promise.all(later.map(outcome)))], ["ERR_CLOSED"], "the outcomes of later calls");
});

test("the removal of a frame settles all promises while the wasm loads", async (place) => {
  if (!["window", "classic"].includes(place.place)) return;
  const frame = document.createElement("iframe");
  document.body.append(frame);
  const { IotClient, load } = await frame.contentWindow.eval(`import("${place.site}/iot.js")`);
  const client = new IotClient();
  const outcomes = Promise.all([load(), client.connect(place.options), client.publish(place.topic(), "x"), client.subscribe(place.topic()), client.disconnect()].map(outcome));
  frame.remove();
  equal([...new Set(await outcomes)], ["ERR_CLOSED"]);
});
