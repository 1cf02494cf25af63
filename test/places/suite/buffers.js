import { Inbox, equal, event, ok, rejects } from "../expect.js";
import { test } from "../suite.js";

const sevens = () => new Uint8Array(8).fill(7);

/** Detaches the buffer, as postMessage() does with what it transfers. */
function transfer(view) {
  structuredClone(view.buffer, { transfer: [view.buffer] });
  return view;
}

/** A view of a buffer that can shrink, where the engine has such. */
function resizable() {
  const buffer = new ArrayBuffer(8, { maxByteLength: 16 });
  return buffer.resize ? new Uint8Array(buffer).fill(7) : undefined;
}

/** The payload of the will that the broker publishes when the client is cut off. */
async function willOf(place, client, clientId, inbox) {
  const had = inbox.all.length;
  const closed = event(client, "closed");
  await place.control({ cut: clientId });
  await closed;
  return (await inbox.first(had + 1))[had].payload;
}

async function witness(place) {
  const client = await place.connected();
  const inbox = new Inbox();
  await client.subscribe(place.topic("#"), inbox.take, { qos: 1 });
  return inbox;
}

test("connect() copies the buffers of its options, before the wasm is there and later", async (place) => {
  const inbox = await witness(place);
  const { IotClient } = await place.fresh();
  const will = (payload) => ({ topic: place.topic("will"), payload, qos: 1, delay: 0 });
  for (const take of [transfer, (view) => view.fill(0), (view) => view.buffer.resize(0)]) {
    for (const made of ["connect", "new"]) {
      const [payload, password] = [0, 0].map(() => (take.toString().includes("resize") ? resizable() : sevens()));
      if (!payload) continue;
      const clientId = place.clientId();
      const options = { ...place.options, clientId, username: "u", password, will: will(payload), sessionExpiry: 0, reconnect: false };
      const client = place.keep(made === "new" ? new IotClient(options) : new IotClient());
      const connecting = made === "new" ? undefined : client.connect(options);
      take(payload);
      take(password);
      await (connecting ?? client.connect());
      equal(await willOf(place, client, clientId, inbox), sevens(), `the will of ${made}`);
      await client.connect(); // with the options of before
      equal(await willOf(place, client, clientId, inbox), sevens(), `the will of ${made}, connected again`);
    }
  }
});

test("publish() copies its buffers, before the wasm is there and later", async (place) => {
  const inbox = await witness(place);
  const { IotClient } = await place.fresh();
  const client = place.keep(new IotClient());
  for (const when of ["while it loads", "later"]) {
    const connecting = client.connect(place.options);
    if (when === "later") await connecting;
    const [payload, correlationData, question, about] = [sevens(), sevens(), sevens(), sevens()];
    const sent = client.publish(place.topic("a"), payload, { qos: 1, correlationData });
    const asked = client.request(place.topic("b"), question, { qos: 1, correlationData: about });
    for (const view of [payload, correlationData, question, about]) transfer(view);
    const answered = rejects(asked, { name: "IotError", code: "ERR_CLOSED" });
    await sent;
    const got = (await inbox.first(2)).splice(0);
    inbox.all.length = 0;
    equal(got.map((m) => [m.payload, m.correlationData]), [[sevens(), sevens()], [sevens(), sevens()]], when);
    await client.disconnect();
    await answered;
  }
});

test("a view of shared memory is copied", async (place) => {
  const inbox = await witness(place);
  const client = await place.connected();
  const memory = new WebAssembly.Memory({ shared: true, initial: 1, maximum: 1 }); // pages that are not isolated have it, too
  const view = new Uint8Array(memory.buffer, 0, 8).fill(7);
  const sent = client.publish(place.topic(), view, { qos: 1, correlationData: view });
  view.fill(0);
  await sent;
  const [m] = await inbox.first(1);
  equal([m.payload, m.correlationData], [sevens(), sevens()]);
});

test("a buffer that is detached is refused, and harms no client", async (place) => {
  const bystander = await place.connected();
  const { IotClient } = await place.fresh();
  const gone = transfer(sevens());
  const views = [gone, gone.buffer];
  const shrunk = resizable();
  if (shrunk) {
    views.push(new Uint8Array(shrunk.buffer, 4, 4), new DataView(shrunk.buffer, 4, 4));
    shrunk.buffer.resize(2);
  }
  for (const client of [place.keep(new IotClient()), bystander]) {
    for (const view of views) {
      const wrong = (promise, code, says) => rejects(promise, { name: "TypeError", code, says });
      await wrong(client.publish(place.topic(), view), "ERR_PAYLOAD", "payload is detached");
      await wrong(client.publish(place.topic(), "x", { correlationData: view }), "ERR_OPTION", "correlationData is detached");
      await wrong(client.request(place.topic(), view), "ERR_PAYLOAD", "payload is detached");
      await wrong(client.connect({ ...place.options, password: view }), "ERR_OPTION", "password is detached");
      await wrong(client.connect({ ...place.options, will: { topic: "x", payload: view } }), "ERR_PAYLOAD", "will.payload is detached");
      await wrong(new IotClient({ ...place.options, password: view }).connect(), "ERR_OPTION", "password is detached");
    }
    const payload = sevens();
    await rejects(client.publish(place.topic(), payload, { get retain() { transfer(payload); return false; } }), { name: "TypeError", code: "ERR_PAYLOAD" });
    const correlationData = sevens();
    const sent = client.publish(place.topic(), "x", { correlationData, get userProperties() { transfer(correlationData); return {}; } });
    if (client === bystander) equal(await sent, { reasonCode: 0 });
    else await rejects(sent, { name: "IotError", code: "ERR_NOT_CONNECTED" });
  }
  ok(bystander.state === "connected", "the other client is connected");
});

test("what is far too long is refused, and harms no client", async (place) => {
  const client = await place.connected();
  const long = new Uint8Array(64 << 20);
  await rejects(place.client().connect({ ...place.options, username: "u", password: long }), { name: "RangeError", code: "ERR_OPTION", says: "65,535" });
  await rejects(place.client().connect({ ...place.options, will: { topic: "x", payload: long } }), { name: "RangeError", code: "ERR_OPTION", says: "65,535" });
  await rejects(client.publish(place.topic(), "x", { correlationData: long }), { name: "RangeError", code: "ERR_OPTION", says: "65,535" });
  equal(client.state, "connected");
});
