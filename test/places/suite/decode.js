import { equal, ok, rejects } from "../expect.js";
import { test } from "../suite.js";

const bytesOf = (hex) => Uint8Array.from(hex.match(/../g) ?? [], (digits) => Number.parseInt(digits, 16));
const valuesOf = (properties = []) => Object.fromEntries(properties.map(({ name, value }) => [name, value]));

test("decodePacket decodes the packets of another encoder", async (place) => {
  const { decodePacket } = await place.module("packets");
  for (const { hex, want } of await place.json("/packets.json")) {
    const packet = decodePacket(bytesOf(hex)), properties = valuesOf(packet.properties);
    equal([packet.error, packet.truncated], [undefined, false], `the fault of ${hex}`);
    for (const [name, value] of Object.entries(want)) {
      if (name !== "properties") equal(packet[name], value, `${want.type}.${name}`);
      else for (const [property, of] of Object.entries(value)) equal(properties[property], of, `${property} of ${want.type}`);
    }
    let end = 0;
    for (const field of packet.fields) {
      equal(field.start, end, `the start of ${field.name} of ${want.type}`);
      end = field.end;
    }
    equal(end, packet.size, `the fields of ${want.type} cover the packet`);
  }
});

test("decodePacket decodes a will, a payload and short packets", async (place) => {
  const { decodePacket } = await place.module("packets");
  const text = (bytes) => new TextDecoder().decode(bytes);
  const [{ hex: connect }, , { hex: publish }] = await place.json("/packets.json");
  const { will, password } = decodePacket(bytesOf(connect));
  equal([will.topic, text(will.payload), will.qos, will.retain, text(password)], ["will", "gone", 1, true, "password"]);
  equal(text(decodePacket(bytesOf(publish)).payload), "payload");
  for (const [hex, name, packetId] of [["40020001", "success", 1], ["e000", "normal disconnection"], ["f000", "success"], ["50021234", "success", 0x1234]]) {
    const packet = decodePacket(bytesOf(hex));
    equal([packet.reason.name, packet.packetId, packet.error], [name, packetId, undefined], hex);
  }
  const old = decodePacket(bytesOf("100d00044d51545404020000000161")); // MQTT 3.1.1
  equal([old.protocolVersion, old.clientId, old.error], [4, "a", undefined]);
  equal(decodePacket(bytesOf("20020005")).reason.code, 5, "a CONNACK of MQTT 3.1.1");
});

test("decodePacket reports what is wrong with a packet", async (place) => {
  const { decodePacket } = await place.module("packets");
  for (const [hex, error] of [
    ["", "the packet ends within Packet Type and Flags"],
    ["30", "the packet ends within Remaining Length"],
    ["30ffffffff7f", "Remaining Length is not a valid Variable Byte Integer [MQTT-1.5.5-1]"],
    ["308000", "Remaining Length is not a valid Variable Byte Integer [MQTT-1.5.5-1]"],
    ["0000", "the packet type 0 is forbidden (section 2.1.2)"],
    ["3600", "the packet ends within Topic Name"],
    ["320400017400", "the packet ends within Packet Identifier"],
    ["3606000174000100", "the QoS is 3 [MQTT-3.3.1-4]"],
    ["30050001740107", "the property 7 is unknown (section 2.2.2.2)"],
    ["30040001ff00", "Topic Name is not valid UTF-8 [MQTT-1.5.4-1]"],
    ["d00100", "1 bytes follow the last field"],
    ["d00000", "1 bytes follow the packet"],
    ["d500", "the flags of PINGRESP are 5 [MQTT-2.1.3-1]"],
    ["400400010001", "the packet ends within a property"],
  ]) {
    const packet = decodePacket(bytesOf(hex));
    equal(packet.error, error, hex);
  }
  await rejects((async () => decodePacket("text"))(), { name: "TypeError", code: "ERR_OPTION" });
});

test("decodePacket decodes parts of packets and random bytes", async (place) => {
  const { decodePacket } = await place.module("packets");
  let seed = 1;
  const random = (n) => (seed = (seed * 48271) % 0x7fffffff) % n; // the same bytes in each run
  for (const { hex, want } of await place.json("/packets.json")) {
    const bytes = bytesOf(hex);
    for (let n = bytes[1] > 127 ? 3 : 2; n < bytes.length; n++) {
      const packet = decodePacket(bytes.subarray(0, n));
      equal([packet.truncated, packet.error, packet.size, packet.type], [true, undefined, bytes.length, want.type], `${n} bytes of ${hex}`);
    }
    for (let i = 0; i < 300; i++) {
      const copy = bytes.slice();
      for (let k = 0; k <= random(3); k++) copy[random(copy.length)] = random(256);
      const packet = decodePacket(copy);
      ok(packet.fields.every(({ start, end }) => start <= end && end <= copy.length), "the fields are in the packet");
    }
  }
  for (let i = 0; i < 3000; i++) decodePacket(Uint8Array.from({ length: random(60) }, () => random(256)));
});

test("packets pairs requests and answers", async (place) => {
  const { packets } = await place.module("packets");
  const client = place.client(), list = [];
  const stop = packets(client, (packet) => list.push(packet));
  await client.connect({ ...place.options, clientId: place.clientId() });
  const subscription = await client.subscribe(place.topic(), () => {}, { qos: 2 });
  await client.publish(place.topic(), "once", { qos: 2 });
  await client.publish(place.topic(), "at least once", { qos: 1 });
  await client.publish(place.topic(), "at most once");
  await subscription.unsubscribe();
  const find = (direction, type, qos) => list.find((packet) => packet.direction === direction && packet.type === type && (qos === undefined || packet.decoded.qos === qos));
  for (const [request, answer, out, qos] of [
    ["CONNECT", "CONNACK", "out"], ["SUBSCRIBE", "SUBACK", "out"], ["UNSUBSCRIBE", "UNSUBACK", "out"], ["PUBLISH", "PUBACK", "out", 1],
    ["PUBLISH", "PUBREC", "out", 2], ["PUBREC", "PUBREL", "in"], ["PUBREL", "PUBCOMP", "out"],
  ]) {
    const first = find(out, request, qos), second = find(out === "out" ? "in" : "out", answer);
    ok(first.roundTripMs >= 0 && second, `${request} has an answer`);
    equal(first.packetId, second.packetId, `the identifiers of ${request} and ${answer}`);
    if (request !== "PUBREC" && request !== "PUBREL") equal(second.roundTripMs, first.roundTripMs, `the round trip of ${answer}`);
  }
  ok(list.every(({ type, decoded, roundTripMs }) => type !== "PUBLISH" || decoded.qos > 0 || roundTripMs === undefined), "QoS 0 has no answer");
  ok(list.every(({ decoded }) => decoded.error === undefined), "each packet is well-formed");
  const before = list.length;
  stop();
  await client.disconnect();
  equal(list.length, before, "the number of packets after stop()");
});
