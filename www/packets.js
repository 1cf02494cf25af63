import { PROPERTIES, REASONS, TYPES } from "./iot/names.js";
import { isBuffer, viewOf, wrongType } from "./iot/values.js";

/** @typedef {import("./packets.js").DecodedPacket} DecodedPacket */
/** @typedef {import("./packets.js").Reason} Reason */

const CONNECT = 1, CONNACK = 2, PUBLISH = 3, PUBACK = 4, PUBREC = 5, PUBREL = 6, PUBCOMP = 7, SUBSCRIBE = 8, SUBACK = 9;
const UNSUBSCRIBE = 10, UNSUBACK = 11, PINGREQ = 12, PINGRESP = 13, DISCONNECT = 14, AUTH = 15;

// The section of the specification that lists the reason codes of a packet type.
const SECTIONS = { [CONNACK]: "3.2.2.2", [PUBACK]: "3.4.2.1", [PUBREC]: "3.5.2.1", [PUBREL]: "3.6.2.1", [PUBCOMP]: "3.7.2.1", [SUBACK]: "3.9.3", [UNSUBACK]: "3.11.3", [DISCONNECT]: "3.14.2.1", [AUTH]: "3.15.2.1" };

const text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** A fault of a packet. decodePacket catches it. */
class Fault {
  /** @param {string} message @param {boolean} [missing] whether bytes are missing */
  constructor(message, missing = false) {
    this.message = message;
    this.missing = missing;
  }
}

/** Reads the fields of a packet, and notes their positions. */
class Reader {
  at = 0;
  #bytes;
  #fields;

  /** @param {Uint8Array} bytes @param {import("./packets.js").Field[]} fields */
  constructor(bytes, fields) {
    this.#bytes = bytes;
    this.#fields = fields;
  }

  get left() {
    return this.#bytes.length - this.at;
  }

  /**
   * Notes a field that began at start.
   * @template T
   * @param {string} name
   * @param {number} start
   * @param {T} value
   */
  note(name, start, value) {
    this.#fields.push({ name, start, end: this.at, value });
    return value;
  }

  /** Returns a view of the next n bytes. @param {number} n @param {string} name */
  take(n, name) {
    if (n > this.left) throw new Fault(`the packet ends within ${name}`, true);
    this.at += n;
    return this.#bytes.subarray(this.at - n, this.at);
  }

  /** Returns an unsigned integer of n bytes. @param {number} n @param {string} name */
  integer(n, name) {
    return this.note(name, this.at, this.take(n, name).reduce((value, byte) => value * 256 + byte, 0));
  }

  /** Returns a Variable Byte Integer (section 1.5.5). @param {string} name */
  varint(name) {
    const start = this.at;
    let value = 0;
    for (let shift = 0; shift < 28; shift += 7) {
      const [byte] = this.take(1, name);
      value |= (byte & 127) << shift;
      if (byte < 128) {
        if (byte === 0 && shift > 0) break;
        return this.note(name, start, value);
      }
    }
    throw new Fault(`${name} is not a valid Variable Byte Integer [MQTT-1.5.5-1]`);
  }

  /** Returns binary data with its length (section 1.5.6). @param {string} name */
  binary(name) {
    const start = this.at, [high, low] = this.take(2, name);
    return this.note(name, start, this.take(high * 256 + low, name));
  }

  /** Returns a string (section 1.5.4). @param {string} name */
  string(name) {
    const start = this.at, [high, low] = this.take(2, name), bytes = this.take(high * 256 + low, name);
    try {
      return this.note(name, start, text.decode(bytes));
    } catch {
      throw new Fault(`${name} is not valid UTF-8 [MQTT-1.5.4-1]`);
    }
  }

  /** Returns the properties (section 2.2.2). @param {string} [of] a part of the names of the fields */
  properties(of = "") {
    const length = this.varint(`${of}Property Length`), end = this.at + length;
    /** @type {import("./packets.js").Property[]} */
    const list = [];
    while (this.at < end) {
      const start = this.at, [id] = this.take(1, "a property"), known = PROPERTIES[id];
      if (!known) throw new Fault(`the property ${id} is unknown (section 2.2.2.2)`);
      const [name, type] = known, fields = this.#fields;
      this.#fields = []; // the field of a property includes its identifier
      /** @type {any} */
      let value;
      try {
        if (type === "pair") value = [this.string(name), this.string(name)];
        else if (type === "string" || type === "binary" || type === "varint") value = this[type](name);
        else value = this.integer({ byte: 1, uint16: 2, uint32: 4 }[type], name);
      } finally {
        this.#fields = fields;
      }
      if (this.at > end) throw new Fault(`${name} is longer than the properties`);
      this.note(name, start, value);
      list.push({ id, name, value });
    }
    return list;
  }
}

/**
 * Returns a reason code with its name.
 * @param {number} code
 * @param {number} type the packet type
 * @returns {Reason}
 */
function reasonOf(code, type) {
  const name = code > 0 ? REASONS[code] : { [SUBACK]: "granted QoS 0", [DISCONNECT]: "normal disconnection" }[type] ?? REASONS[0];
  return { code, name: name ?? "unknown reason code", section: /** @type {Record<number, string>} */ (SECTIONS)[type] };
}

/** @param {ArrayBuffer | ArrayBufferView} bytes @returns {DecodedPacket} */
export function decodePacket(bytes) {
  if (!isBuffer(bytes)) throw wrongType("bytes", "a buffer or a view of one", bytes);
  const view = viewOf(bytes, "bytes");
  /** @type {any} */
  const packet = { type: TYPES[view[0] >> 4], section: `3.${view[0] >> 4}`, flags: view[0] & 15, size: view.length, truncated: false, fields: [] };
  let complete = true;
  try {
    const header = new Reader(view, packet.fields);
    const type = header.integer(1, "Packet Type and Flags") >> 4;
    const length = header.varint("Remaining Length");
    packet.size = header.at + length;
    complete = view.length >= packet.size;
    packet.truncated = !complete;
    const reader = new Reader(view.subarray(0, packet.size), packet.fields);
    reader.at = header.at;
    decodeBody(reader, type, packet);
    if (reader.left > 0) throw new Fault(`${reader.left} bytes follow the last field`);
    if (view.length > packet.size) throw new Fault(`${view.length - packet.size} bytes follow the packet`);
    if (type !== PUBLISH && packet.flags !== (type === PUBREL || type === SUBSCRIBE || type === UNSUBSCRIBE ? 2 : 0)) throw new Fault(`the flags of ${packet.type} are ${packet.flags} [MQTT-2.1.3-1]`);
  } catch (error) {
    if (!(error instanceof Fault)) throw error;
    if (complete || !error.missing) packet.error = error.message;
  }
  return packet;
}

/**
 * Decodes the packet after its fixed header.
 * @param {Reader} reader
 * @param {number} type
 * @param {any} packet
 */
function decodeBody(reader, type, packet) {
  const readId = () => (packet.packetId = reader.integer(2, "Packet Identifier"));
  const readProperties = () => (packet.properties = reader.properties());
  const readReason = () => (packet.reason = reasonOf(reader.integer(1, "Reason Code"), type));
  switch (type) {
    case CONNECT:
      return decodeConnect(reader, packet);
    case CONNACK:
      packet.sessionPresent = (reader.integer(1, "Connect Acknowledge Flags") & 1) === 1;
      readReason();
      if (reader.left > 0) readProperties(); // a CONNACK of MQTT 3.1.1 has none
      return;
    case PUBLISH: {
      const { flags } = packet;
      packet.qos = (flags >> 1) & 3;
      packet.duplicate = (flags & 8) !== 0;
      packet.retain = (flags & 1) !== 0;
      packet.topic = reader.string("Topic Name");
      if (packet.qos === 3) throw new Fault("the QoS is 3 [MQTT-3.3.1-4]");
      if (packet.qos > 0) readId();
      readProperties();
      const start = reader.at;
      packet.payload = reader.note("Payload", start, reader.take(reader.left, "Payload"));
      return;
    }
    case PUBACK: case PUBREC: case PUBREL: case PUBCOMP:
      readId();
      if (reader.left > 0) readReason();
      else packet.reason = reasonOf(0, type);
      if (reader.left > 0) readProperties();
      return;
    case SUBSCRIBE: case UNSUBSCRIBE:
      readId();
      readProperties();
      packet.filters = [];
      while (reader.left > 0) {
        const filter = reader.string("Topic Filter");
        if (type === UNSUBSCRIBE) packet.filters.push({ filter });
        else {
          const options = reader.integer(1, "Subscription Options");
          packet.filters.push({ filter, noLocal: (options & 4) !== 0, qos: options & 3, retainAsPublished: (options & 8) !== 0, retainHandling: (options >> 4) & 3 });
        }
      }
      return;
    case SUBACK: case UNSUBACK:
      readId();
      readProperties();
      packet.reasons = [];
      while (reader.left > 0) packet.reasons.push(reasonOf(reader.integer(1, "Reason Code"), type));
      return;
    case DISCONNECT: case AUTH:
      if (reader.left > 0) readReason();
      else packet.reason = reasonOf(0, type);
      if (reader.left > 0) readProperties();
      return;
    case PINGREQ: case PINGRESP:
      return;
    default:
      throw new Fault(`the packet type ${type} is forbidden (section 2.1.2)`);
  }
}

/** @param {Reader} reader @param {any} packet */
function decodeConnect(reader, packet) {
  packet.protocolName = reader.string("Protocol Name");
  packet.protocolVersion = reader.integer(1, "Protocol Version");
  const flags = reader.integer(1, "Connect Flags"), five = packet.protocolVersion === 5;
  packet.cleanStart = (flags & 2) !== 0;
  packet.keepAlive = reader.integer(2, "Keep Alive");
  if (five) packet.properties = reader.properties();
  packet.clientId = reader.string("Client Identifier");
  if (flags & 4) {
    /** @type {any} */
    const will = (packet.will = { qos: (flags >> 3) & 3, retain: (flags & 32) !== 0 });
    if (five) will.properties = reader.properties("Will ");
    will.topic = reader.string("Will Topic");
    will.payload = reader.binary("Will Payload");
  }
  if (flags & 128) packet.username = reader.string("User Name");
  if (flags & 64) packet.password = reader.binary("Password");
}

/**
 * Returns the type of the packet that answers a packet.
 * @param {number} first the first byte of the packet
 */
function answerOf(first) {
  const type = first >> 4;
  if (type === PUBLISH) return [undefined, PUBACK, PUBREC][(first >> 1) & 3];
  return { [CONNECT]: CONNACK, [PUBREC]: PUBREL, [PUBREL]: PUBCOMP, [SUBSCRIBE]: SUBACK, [UNSUBSCRIBE]: UNSUBACK, [PINGREQ]: PINGRESP }[type];
}

/**
 * Returns the packet identifier, or 0 if there is none.
 * @param {Uint8Array} bytes
 */
function identifierOf(bytes) {
  const type = bytes[0] >> 4;
  if (type < PUBLISH || type > UNSUBACK || (type === PUBLISH && !(bytes[0] & 6))) return 0;
  let at = 1;
  while (bytes[at++] > 127);
  if (type === PUBLISH) at += 2 + bytes[at] * 256 + bytes[at + 1];
  return bytes[at] * 256 + bytes[at + 1] || 0; // NaN beyond the end of the bytes
}

/** A packet with its answer. packets.d.ts documents the members. */
class TracedPacket {
  /** @type {number | undefined} */
  roundTripMs;
  /** @type {DecodedPacket | undefined} */
  #decoded;

  /** @param {import("./iot.js").PacketDetail} detail */
  constructor({ direction, size, bytes, time }) {
    this.direction = direction;
    this.size = size;
    this.bytes = bytes;
    this.time = time;
    this.type = /** @type {import("./packets.js").PacketType} */ (TYPES[bytes[0] >> 4]);
    this.packetId = identifierOf(bytes);
  }

  get decoded() {
    return (this.#decoded ??= decodePacket(this.bytes));
  }
}

/**
 * @param {import("./iot.js").IotClient} client
 * @param {(packet: import("./packets.js").TracedPacket) => void} callback
 * @returns {() => void}
 */
export function packets(client, callback) {
  if (typeof callback !== "function") throw wrongType("callback", "a function", callback);
  /** @type {Map<string, TracedPacket>} the packets that wait for an answer, by direction, type and identifier of the answer */
  const waiting = new Map();
  /** @param {import("./iot.js").IotEvent<"packet">} event */
  const listener = ({ detail }) => {
    const packet = new TracedPacket(detail), [first] = packet.bytes, { direction, packetId, time } = packet;
    if (first >> 4 === CONNECT) waiting.clear(); // a new connection
    const key = `${direction} ${first >> 4} ${packetId}`, request = waiting.get(key), answer = answerOf(first);
    if (request) {
      waiting.delete(key);
      packet.roundTripMs = time - request.time;
      request.roundTripMs ??= packet.roundTripMs; // the request may be an answer, too
    }
    if (answer) waiting.set(`${direction === "in" ? "out" : "in"} ${answer} ${packetId}`, packet);
    callback(packet);
  };
  client.addEventListener("packet", listener);
  return () => client.removeEventListener("packet", listener);
}
