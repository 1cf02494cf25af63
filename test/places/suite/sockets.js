import { Inbox, equal, event, ok, rejects } from "../expect.js";
import { test } from "../suite.js";
import { soon } from "./connect.js";

/** Runs `body` with a WebSocket class that wraps the real one. `changes` replace members of the class; a constructor in `changes` replaces the class itself. */
async function wrapped(changes, body) {
  const Real = globalThis.WebSocket;
  class Wrapped {
    constructor(url, protocols) {
      this.real = new Real(url, protocols);
      this.real.binaryType = "arraybuffer";
      this.count = 0;
      this.real.onopen = (e) => this.onopen?.(e);
      this.real.onmessage = (e) => this.onmessage?.({ data: this.received(e.data, this.count++) });
      this.real.onerror = (e) => this.onerror?.(e);
      this.real.onclose = (e) => this.onclose?.(this.closed(e));
    }
    get readyState() { return this.real.readyState; }
    get bufferedAmount() { return this.real.bufferedAmount; }
    received(data) { return data; }
    closed(e) { return e; }
    send(bytes) { this.real.send(bytes); }
    close(code) { this.real.close(code); }
  }
  Object.assign(Wrapped.prototype, changes);
  globalThis.WebSocket = changes.constructor === Object ? Wrapped : changes.constructor;
  try {
    await body();
  } finally {
    globalThis.WebSocket = Real;
  }
}

for (const [form, closed] of Object.entries({ "without a code": () => ({}), "that is undefined": () => undefined, "whose code is a string": () => ({ code: "gone" }) })) {
  test(`a close event ${form} counts as 1006`, (place) => wrapped({ closed }, async () => {
    const clientId = place.clientId();
    const client = await place.connected({ clientId, reconnect: soon });
    const lost = event(client, "disconnected");
    const back = event(client, "connected");
    await place.control({ cut: clientId });
    equal([(await lost).detail.error.code, (await lost).detail.error.closeCode], ["ERR_CONNECTION_LOST", 1006]);
    await back;
    await client.disconnect();
  }));
}

test("Blobs and buffers are read in the order of their arrival", (place) => wrapped({
  received: (data, n) => (n % 3 === 1 ? new Blob([data]) : n % 3 === 2 ? new Uint8Array(data) : data),
}, async () => {
  const clientId = place.clientId();
  const client = await place.connected({ clientId, reconnect: false });
  const inbox = new Inbox();
  await client.subscribe(place.topic(), inbox.take, { qos: 1 });
  const texts = Array.from({ length: 40 }, (_, i) => String(i));
  for (const text of texts) await client.publish(place.topic(), text, { qos: 1 });
  equal(await inbox.texts(40), texts);
  const closed = event(client, "closed");
  await place.control({ cut: clientId });
  equal((await closed).detail.error.code, "ERR_CONNECTION_LOST");
}));

test("an unreadable Blob counts as a lost connection", (place) => {
  let bad = false;
  return wrapped({ received: (data) => (bad ? /* like an unreadable Blob */ { toString() { throw new Error("unreadable"); } } : data) }, async () => {
    const client = await place.connected({ reconnect: false });
    bad = true;
    await rejects(client.publish(place.topic(), "x", { qos: 1 }), { name: "IotError", code: "ERR_CONNECTION_LOST" });
    equal(client.state, "closed");
  });
});

test("an exception of send or close counts as a lost connection", (place) => {
  let bad = false;
  const fail = () => { if (bad) throw new Error("broken"); };
  return wrapped({
    send(bytes) { fail(); this.real.send(bytes); },
    close(code) { this.real.close(code); fail(); },
  }, async () => {
    const bystander = await place.connected();
    const client = await place.connected({ reconnect: soon });
    const lost = event(client, "disconnected");
    bad = true;
    const sent = client.publish(place.topic(), "x", { qos: 1 });
    await rejects(client.publish(place.topic(), "x"), { name: "IotError", code: "ERR_CONNECTION_LOST" });
    equal((await lost).detail.error.code, "ERR_CONNECTION_LOST");
    bad = false;
    equal(await sent, { reasonCode: 0 });
    bad = true;
    await client.disconnect();
    equal([client.state, bystander.state], ["closed", "connected"]);
    bad = false;
  });
});

test("send() of the page's own class can publish", async (place) => {
  let nested = 0, client;
  const payload = (i) => new Uint8Array(50_000).fill(i);
  await wrapped({
    send(bytes) {
      this.real.send(bytes);
      if (nested > 0 && nested <= 3) client.publish(place.topic(), payload(100 + nested++));
    },
  }, async () => {
    client = await place.connected();
    const inbox = new Inbox();
    await client.subscribe(place.topic(), inbox.take, { qos: 1 });
    nested = 1;
    for (let i = 0; i < 6; i++) client.publish(place.topic(), payload(i));
    const got = await inbox.first(9);
    await client.publish(place.topic(), payload(255), { qos: 1 });
    await inbox.first(10);
    equal([inbox.all.length, got.map((m) => m.payload[0]).sort((a, b) => a - b)], [10, [0, 1, 2, 3, 4, 5, 101, 102, 103]]);
    ok(got.every((m) => m.payload.length === 50_000 && m.payload[0] === m.payload.at(-1)), "the payloads have not changed");
  });
});

test("publish with QoS 0 rejects if the connection is lost before the socket has accepted the message", async (place) => {
  let socket;
  await wrapped({
    send(bytes) {
      socket = this;
      this.real.send(bytes);
    },
  }, async () => {
    const client = await place.connected({ reconnect: false });
    // The client passes only the first messages to a socket that sends nothing.
    const publish = () => Array.from({ length: 9 }, () => client.publish(place.topic(), new Uint8Array(100_000)).catch((error) => error))[0];
    let first = publish();
    socket.onclose({ code: 1006 });
    equal((await first).code, "ERR_CONNECTION_LOST");
    // The same in the handler of an event.
    await client.connect();
    const published = event(client, "packet", () => {
      queueMicrotask(() => socket.onclose({ code: 1006 }));
      first = publish();
      return true;
    });
    await client.publish(place.topic(), "x");
    await published;
    equal((await first).code, "ERR_CONNECTION_LOST");
  });
});

const shared = []; // sizes of the buffers passed to send() that are larger than the message

test("a socket can send a message later", (place) => wrapped({
  send(bytes) {
    if (bytes.buffer.byteLength > bytes.byteLength) shared.push(bytes.buffer.byteLength);
    setTimeout(() => this.real.send(bytes));
  },
}, async () => {
  const client = await place.connected();
  const inbox = new Inbox();
  await client.subscribe(place.topic(), inbox.take, { qos: 1 });
  const text = "x".repeat(1000);
  for (let i = 0; i < 5; i++) client.publish(place.topic(), text + i, { qos: 1 });
  await new Promise((resolve) => queueMicrotask(resolve));
  client.publish(place.topic(), "y".repeat(3000), { qos: 1 }); // overwrites the output of the wasm
  equal((await inbox.texts(6)).slice(0, 5), [0, 1, 2, 3, 4].map((i) => text + i));
  await client.disconnect();
  equal(shared, [], "the sizes of the buffers that the socket shares with the wasm");
}));

test("an invalid WebSocket class is reported and affects no other client", async (place) => {
  const bystander = await place.connected();
  for (const [make, code] of [[() => Object.freeze({}), "ERR_WEBSOCKET"], [() => { throw new Error("none"); }, "ERR_WEBSOCKET"], [() => ({}), "ERR_CLOSED"]]) {
    await wrapped({ constructor: function () { return make(); } }, async () => {
      const client = place.client();
      const connecting = rejects(client.connect(place.options), { name: "IotError", code });
      const attempt = code === "ERR_CLOSED" && event(client, "connecting");
      if (attempt) {
        await attempt;
        await client.disconnect();
      }
      await connecting;
      equal(client.state, "closed");
    });
  }
  equal(bystander.state, "connected");
});
