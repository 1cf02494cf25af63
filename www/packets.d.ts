/**
 * Decodes MQTT packets, for a log of everything on the wire. This module is optional and imports no wasm.
 *
 * @example
 * import iot from "./iot.js";
 * import { packets } from "./packets.js";
 *
 * const stop = packets(iot, ({ direction, type, size, decoded, roundTripMs }) => {
 *   console.log(direction, type, size, decoded.topic ?? decoded.reason?.name, roundTripMs);
 * });
 */
import type { IotClient, OwnBytes, QoS } from "./iot.js";

/** The type of a control packet (section 2.1.2). `reserved` is the type 0, which is forbidden. */
export type PacketType =
  | "reserved" | "CONNECT" | "CONNACK" | "PUBLISH" | "PUBACK" | "PUBREC" | "PUBREL" | "PUBCOMP"
  | "SUBSCRIBE" | "SUBACK" | "UNSUBSCRIBE" | "UNSUBACK" | "PINGREQ" | "PINGRESP" | "DISCONNECT" | "AUTH";

/** A reason code. */
export interface Reason {
  /** The code, 0 to 255. Codes from 128 on are failures. */
  readonly code: number;
  /** Its name in the specification, like "not authorized", or "unknown reason code". */
  readonly name: string;
  /** The section of the specification that lists the reason codes of the packet, like "3.4.2.1". */
  readonly section: string;
}

/** A property (section 2.2.2.2). */
export interface Property {
  /** The number that identifies the property, like 38. */
  readonly id: number;
  /** Its name in the specification, like "User Property". */
  readonly name: string;
  /** The value. Binary data is a view of the packet. A user property is a pair. */
  readonly value: number | string | OwnBytes | [name: string, value: string];
}

/** The position of a field in the bytes of a packet. */
export interface Field {
  /** Its name in the specification, like "Topic Name". */
  readonly name: string;
  /** The number of bytes before the field. */
  readonly start: number;
  /** The number of bytes before the end of the field. */
  readonly end: number;
  /** The decoded value. */
  readonly value: unknown;
}

/** A topic filter of SUBSCRIBE or UNSUBSCRIBE. UNSUBSCRIBE has no options. */
export interface FilterOptions {
  /** The topic filter. */
  readonly filter: string;
  /** The maximum QoS. */
  readonly qos?: QoS;
  /** The option No Local. */
  readonly noLocal?: boolean;
  /** The option Retain As Published. */
  readonly retainAsPublished?: boolean;
  /** The option Retain Handling, a number from 0 to 2; 3 is a fault. */
  readonly retainHandling?: number;
}

/** The will of a CONNECT. */
export interface DecodedWill {
  /** The QoS of the will. */
  readonly qos: QoS;
  /** Whether the broker retains the will. */
  readonly retain: boolean;
  /** The properties of the will. */
  readonly properties?: readonly Property[];
  /** The topic. */
  readonly topic?: string;
  /** The payload, a view of the packet. */
  readonly payload?: OwnBytes;
}

/** A decoded packet. It has the members that its type has, as far as the bytes contain them. */
export interface DecodedPacket {
  /** The type of the packet. */
  readonly type: PacketType;
  /** The section of the specification about the type, like "3.3". */
  readonly section: string;
  /** The lower four bits of the first byte, as a number. */
  readonly flags: number;
  /** The size of the packet in bytes, according to its Remaining Length. */
  readonly size: number;
  /** Whether the bytes are only a part of the packet. */
  readonly truncated: boolean;
  /** The fields, in the order of the bytes. A property is one field. */
  readonly fields: readonly Field[];
  /** What is wrong, with the clause of the specification; undefined if the packet is well-formed. */
  readonly error?: string;
  /** The packet identifier, a number of 16 bits. */
  readonly packetId?: number;
  /** The properties, in order. */
  readonly properties?: readonly Property[];
  /** The reason code. Some packets omit it if it is 0. */
  readonly reason?: Reason;
  /** The reason codes of SUBACK or UNSUBACK, one for each filter. */
  readonly reasons?: readonly Reason[];
  /** The filters of SUBSCRIBE or UNSUBSCRIBE. */
  readonly filters?: readonly FilterOptions[];
  /** The topic of PUBLISH. It is empty if an alias replaces it. */
  readonly topic?: string;
  /** The QoS of PUBLISH. 3 is a fault. */
  readonly qos?: QoS | 3;
  /** The flag RETAIN of PUBLISH. */
  readonly retain?: boolean;
  /** The flag DUP of PUBLISH. */
  readonly duplicate?: boolean;
  /** The payload of PUBLISH, a view of the packet. */
  readonly payload?: OwnBytes;
  /** The flag Session Present of CONNACK. */
  readonly sessionPresent?: boolean;
  /** The protocol name of CONNECT, "MQTT". */
  readonly protocolName?: string;
  /** The version number of the protocol of CONNECT: 5. */
  readonly protocolVersion?: number;
  /** The flag Clean Start of CONNECT. */
  readonly cleanStart?: boolean;
  /** The keep-alive interval of CONNECT, in seconds. */
  readonly keepAlive?: number;
  /** The client identifier of CONNECT. */
  readonly clientId?: string;
  /** The will of CONNECT. */
  readonly will?: DecodedWill;
  /** The user name of CONNECT. The event `packet` may have replaced it by `*`. */
  readonly username?: string;
  /** The password of CONNECT. The event `packet` has replaced it by `*`. */
  readonly password?: OwnBytes;
}

/**
 * Decodes an MQTT 5 packet, also an incomplete or a faulty one. The result of faulty bytes has the member `error`, and the
 * fields before the fault. Decodes the first packet if several follow. Throws a `TypeError` with the code `ERR_OPTION` if
 * `bytes` is no buffer.
 */
export function decodePacket(bytes: ArrayBuffer | ArrayBufferView): DecodedPacket;

/** A packet on the wire, for the callback of `packets()`. */
export interface TracedPacket {
  /** `"in"`: received; `"out"`: sent. */
  readonly direction: "in" | "out";
  /** The size of the packet in bytes. */
  readonly size: number;
  /** A copy of the packet: at most its first 65,536 bytes, without secrets. See the event `packet`. */
  readonly bytes: OwnBytes;
  /** The time at which the client processed or sent the packet, in milliseconds of `performance.now()`. */
  readonly time: number;
  /** The type of the packet. */
  readonly type: PacketType;
  /** The packet identifier, a number of 16 bits; 0 if the packet has none. */
  readonly packetId: number;
  /**
   * The time between a packet and its answer, in milliseconds. Both packets have it, the first one after the answer.
   * A packet that is an answer, and has one, has the time since the packet that it answers. The pairs are
   * CONNECT and CONNACK, PUBLISH and PUBACK or PUBREC, PUBREC and PUBREL, PUBREL and PUBCOMP, SUBSCRIBE and SUBACK,
   * UNSUBSCRIBE and UNSUBACK, PINGREQ and PINGRESP. undefined: no answer yet, or none is expected.
   */
  readonly roundTripMs: number | undefined;
  /** The decoded packet. It is decoded when the page reads it for the first time. */
  readonly decoded: DecodedPacket;
}

/**
 * Calls a function for each packet that a client receives or sends, until the returned function is called. It uses the
 * event `packet`, which the client continues to fire afterwards. A callback that throws reports an uncaught error.
 */
export function packets(client: IotClient, callback: (packet: TracedPacket) => void): () => void;
