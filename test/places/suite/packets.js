import { equal, ok } from "../expect.js";
import { test } from "../suite.js";

/** Collects the details of the event packet. */
function packetsOf(client) {
  const list = [];
  client.addEventListener("packet", ({ detail }) => list.push(detail));
  return list;
}

const TYPES = ["", "CONNECT", "CONNACK", "PUBLISH", "PUBACK", "PUBREC", "PUBREL", "PUBCOMP", "SUBSCRIBE", "SUBACK", "UNSUBSCRIBE", "UNSUBACK", "PINGREQ", "PINGRESP", "DISCONNECT"];
const names = (list) => list.map(({ direction, bytes }) => `${direction} ${TYPES[bytes[0] >> 4]}`);

test("the event packet reports each packet on the wire", async (place) => {
  const client = place.client();
  const list = packetsOf(client);
  const start = performance.now();
  await client.connect({ ...place.options, clientId: place.clientId() });
  const subscription = await client.subscribe(place.topic(), () => {}, { qos: 1 });
  await client.publish(place.topic(), "hello", { qos: 1 });
  await subscription.unsubscribe();
  await client.disconnect();
  const all = names(list);
  equal(all.filter((name) => name.startsWith("out")), ["out CONNECT", "out SUBSCRIBE", "out PUBLISH", "out PUBACK", "out UNSUBSCRIBE", "out DISCONNECT"]);
  equal(all.filter((name) => name.startsWith("in")).sort(), ["in CONNACK", "in PUBACK", "in PUBLISH", "in SUBACK", "in UNSUBACK"]);
  equal(all.slice(0, 4), ["out CONNECT", "in CONNACK", "out SUBSCRIBE", "in SUBACK"]);
  const stats = client.stats();
  for (const direction of ["in", "out"]) {
    const bytes = list.filter((p) => p.direction === direction).reduce((sum, { size }) => sum + size, 0);
    equal(bytes, direction === "in" ? stats.bytesIn : stats.bytesOut, `the bytes ${direction}`);
  }
  ok(list.every(({ bytes, size }) => bytes instanceof Uint8Array && bytes.length === size && bytes.byteLength === bytes.buffer.byteLength), "each packet has a buffer of its own");
  ok(list.every(({ time }, i) => time >= (list[i - 1]?.time ?? start) && time <= performance.now()), "the times are those of performance.now(), in order");
});

test("a packet precedes the events that it causes, and a large one is cut", async (place) => {
  const client = await place.connected();
  const order = [];
  client.addEventListener("packet", ({ detail }) => order.push(detail));
  await client.subscribe(place.topic(), (message) => order.push(message.payload.length));
  order.length = 0;
  const payload = new Uint8Array(100_000).fill(120);
  await client.publish(place.topic(), payload, { qos: 0 });
  while (typeof order.at(-1) !== "number") await new Promise((resolve) => setTimeout(resolve, 5));
  equal(order.length, 3);
  for (const { bytes, size } of order.slice(0, 2)) ok(size > 100_000 && bytes.length === 65_536, `${bytes.length} bytes of ${size}`);
  equal(order[2], 100_000);
});

test("a listener for packet has a copy of CONNECT without the password", async (place) => {
  const client = place.client();
  const list = packetsOf(client);
  await client.connect({ ...place.options, clientId: place.clientId(), username: "alice?token=hidden", password: "pass/word" });
  await client.publish(place.topic(), "the password is pass/word");
  await client.disconnect();
  const text = list.map(({ bytes }) => new TextDecoder().decode(bytes)).join("\n");
  ok(!/pass\/word|hidden|alice/.test(text), "a packet contains no password and no user name with a query");
  ok(text.includes("the password is *********"), "the password is replaced by asterisks");
});

test("the client also reports the packets of a second connection", async (place) => {
  const client = place.client();
  const list = packetsOf(client);
  for (let i = 0; i < 2; i++) {
    await client.connect({ ...place.options, clientId: place.clientId() });
    await client.disconnect();
  }
  equal(names(list), ["out CONNECT", "in CONNACK", "out DISCONNECT", "out CONNECT", "in CONNACK", "out DISCONNECT"]);
});
