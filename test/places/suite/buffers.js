import { Inbox, equal, event, ok, rejects } from "../expect.js";
import { test } from "../suite.js";

const sevens = () => new Uint8Array(8).fill(7);

/** Detaches the buffer of a view, as postMessage() with a transfer list does. */
function transfer(view) {
  structuredClone(view.buffer, { transfer: [view.buffer] });
  return view;
}

/** A view of a buffer that can shrink, or undefined if the engine has no such buffers. */
function resizable() {
  const buffer = new ArrayBuffer(8, { maxByteLength: 16 });
  return buffer.resize ? new Uint8Array(buffer).fill(7) : undefined;
}

/** Cuts the connection of a client and resolves with the payload of its will. */
async function willOf(place, client, clientId, inbox) {
  const count = inbox.all.length;
  const closed = event(client, "closed");
  await place.control({ cut: clientId });
  await closed;
  return (await inbox.first(count + 1))[count].payload;
}

/** An inbox of a client that subscribes to all topics of the test. */
async function witness(place) {
  const client = await place.connected();
  const inbox = new Inbox();
  await client.subscribe(place.topic("#"), inbox.take, { qos: 1 });
  return inbox;
}

test("connect() copies the buffers of its options", async (place) => {
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
      await client.connect(); // with the same options
      equal(await willOf(place, client, clientId, inbox), sevens(), `the will of ${made}, connected again`);
    }
  }
});

test("publish() and request() copy buffers, while the wasm loads and later", async (place) => {
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

test("publish() copies a view of shared memory", async (place) => {
  const inbox = await witness(place);
  const client = await place.connected();
  const memory = new WebAssembly.Memory({ shared: true, initial: 1, maximum: 1 }); // unlike SharedArrayBuffer, it needs no isolated page
  const view = new Uint8Array(memory.buffer, 0, 8).fill(7);
  const sent = client.publish(place.topic(), view, { qos: 1, correlationData: view });
  view.fill(0);
  await sent;
  const [m] = await inbox.first(1);
  equal([m.payload, m.correlationData], [sevens(), sevens()]);
});

test("a detached or shrunk buffer is rejected and affects no client", async (place) => {
  const bystander = await place.connected();
  const { IotClient } = await place.fresh();
  const detached = transfer(sevens());
  const views = [detached, detached.buffer];
  const shrunk = resizable();
  if (shrunk) {
    views.push(new Uint8Array(shrunk.buffer, 4, 4), new DataView(shrunk.buffer, 4, 4));
    shrunk.buffer.resize(2);
  }
  for (const client of [place.keep(new IotClient()), bystander]) {
    for (const view of views) {
      const wrong = (promise, code, includes) => rejects(promise, { name: "TypeError", code, includes });
      await wrong(client.publish(place.topic(), view), "ERR_PAYLOAD", "payload");
      await wrong(client.publish(place.topic(), "x", { correlationData: view }), "ERR_OPTION", "correlationData");
      await wrong(client.request(place.topic(), view), "ERR_PAYLOAD", "payload");
      await wrong(client.connect({ ...place.options, password: view }), "ERR_OPTION", "password");
      await wrong(client.connect({ ...place.options, will: { topic: "x", payload: view } }), "ERR_PAYLOAD", "will.payload");
      await wrong(new IotClient({ ...place.options, password: view }).connect(), "ERR_OPTION", "password");
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

test("a value that is much too long is rejected and affects no client", async (place) => {
  const client = await place.connected();
  const long = new Uint8Array(64 << 20);
  await rejects(place.client().connect({ ...place.options, username: "u", password: long }), { name: "RangeError", code: "ERR_OPTION" });
  await rejects(place.client().connect({ ...place.options, will: { topic: "x", payload: long } }), { name: "RangeError", code: "ERR_OPTION" });
  await rejects(client.publish(place.topic(), "x", { correlationData: long }), { name: "RangeError", code: "ERR_OPTION" });
  equal(client.state, "connected");
});
