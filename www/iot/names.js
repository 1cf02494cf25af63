// The names of MQTT 5 for packets.js. A test in wasm/mqtt compares the tables with those of the engine.

/** The names of the packet types (section 2.1.2), by their numbers. Type 0 is forbidden. */
export const TYPES = [
  "reserved", "CONNECT", "CONNACK", "PUBLISH", "PUBACK", "PUBREC", "PUBREL", "PUBCOMP",
  "SUBSCRIBE", "SUBACK", "UNSUBSCRIBE", "UNSUBACK", "PINGREQ", "PINGRESP", "DISCONNECT", "AUTH",
];

/**
 * The names of the reason codes (section 2.4), by their numbers.
 * @type {Record<number, string | undefined>}
 */
export const REASONS = {
  0x00: "success",
  0x01: "granted QoS 1",
  0x02: "granted QoS 2",
  0x04: "disconnect with will message",
  0x10: "no matching subscribers",
  0x11: "no subscription existed",
  0x18: "continue authentication",
  0x19: "re-authenticate",
  0x80: "unspecified error",
  0x81: "malformed packet",
  0x82: "protocol error",
  0x83: "implementation specific error",
  0x84: "unsupported protocol version",
  0x85: "client identifier not valid",
  0x86: "bad user name or password",
  0x87: "not authorized",
  0x88: "server unavailable",
  0x89: "server busy",
  0x8A: "banned",
  0x8B: "server shutting down",
  0x8C: "bad authentication method",
  0x8D: "keep alive timeout",
  0x8E: "session taken over",
  0x8F: "topic filter invalid",
  0x90: "topic name invalid",
  0x91: "packet identifier in use",
  0x92: "packet identifier not found",
  0x93: "receive maximum exceeded",
  0x94: "topic alias invalid",
  0x95: "packet too large",
  0x96: "message rate too high",
  0x97: "quota exceeded",
  0x98: "administrative action",
  0x99: "payload format invalid",
  0x9A: "retain not supported",
  0x9B: "QoS not supported",
  0x9C: "use another server",
  0x9D: "server moved",
  0x9E: "shared subscriptions not supported",
  0x9F: "connection rate exceeded",
  0xA0: "maximum connect time",
  0xA1: "subscription identifiers not supported",
  0xA2: "wildcard subscriptions not supported",
};

/**
 * The names and the types of the properties (section 2.2.2.2), by their identifiers.
 * @type {Record<number, [name: string, type: "byte" | "uint16" | "uint32" | "varint" | "string" | "binary" | "pair"] | undefined>}
 */
export const PROPERTIES = {
  1: ["Payload Format Indicator", "byte"],
  2: ["Message Expiry Interval", "uint32"],
  3: ["Content Type", "string"],
  8: ["Response Topic", "string"],
  9: ["Correlation Data", "binary"],
  11: ["Subscription Identifier", "varint"],
  17: ["Session Expiry Interval", "uint32"],
  18: ["Assigned Client Identifier", "string"],
  19: ["Server Keep Alive", "uint16"],
  21: ["Authentication Method", "string"],
  22: ["Authentication Data", "binary"],
  23: ["Request Problem Information", "byte"],
  24: ["Will Delay Interval", "uint32"],
  25: ["Request Response Information", "byte"],
  26: ["Response Information", "string"],
  28: ["Server Reference", "string"],
  31: ["Reason String", "string"],
  33: ["Receive Maximum", "uint16"],
  34: ["Topic Alias Maximum", "uint16"],
  35: ["Topic Alias", "uint16"],
  36: ["Maximum QoS", "byte"],
  37: ["Retain Available", "byte"],
  38: ["User Property", "pair"],
  39: ["Maximum Packet Size", "uint32"],
  40: ["Wildcard Subscription Available", "byte"],
  41: ["Subscription Identifier Available", "byte"],
  42: ["Shared Subscription Available", "byte"],
};
