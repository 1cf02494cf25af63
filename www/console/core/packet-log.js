import { decodePacket, packets } from "../../packets.js";
import { BoundedList } from "./bounded-list.js";
import { textOf } from "./payload.js";

// The bounds of the log.
const MAX_BYTES = 32 << 20;
const MAX_RECORDS = 100_000;
// The approximate memory of a record beside its bytes and its text.
const OVERHEAD = 400;

/**
 * A packet in the log.
 * @typedef {object} PacketRecord
 * @property {number} n the number of the record, from 0
 * @property {number} time in milliseconds since 1970
 * @property {import("../../packets.js").TracedPacket} packet
 * @property {string} summary the topic, the filters or the client id
 * @property {string} reason the reason code by its name, or the fault of the packet
 * @property {boolean} failed whether the packet has a fault, or its reason code is a failure
 * @property {string} text the text for the search, in lower case
 * @property {number} bytes the approximate memory of the record
 */

/** The packets on the wire since start(). @extends {BoundedList<PacketRecord>} */
export class PacketLog extends BoundedList {
  /** The time of start(), in milliseconds since 1970; 0 before. */
  since = 0;
  #cleared = 0; // the number of the first record after clear()

  constructor() {
    super(MAX_BYTES, MAX_RECORDS);
  }

  /** The number of records that the bounds have removed. */
  get removed() {
    return this.first - this.#cleared;
  }

  /** Begins to record the packets of a client. @param {import("../../iot.js").IotClient} client */
  start(client) {
    if (this.since) return;
    this.since = Date.now();
    packets(client, (packet) => this.#add(packet));
  }

  #add(packet) {
    const { summary, reason, failed, extra } = describe(decodePacket(packet.bytes));
    const record = {
      n: this.next, time: Date.now() - (performance.now() - packet.time), packet, summary, reason, failed,
      text: `${packet.type} ${packet.packetId || ""} ${summary} ${reason} ${extra}`.toLowerCase(), bytes: 0,
    };
    record.bytes = OVERHEAD + packet.bytes.length + 2 * (record.text.length + summary.length);
    this.append(record);
  }

  /** Removes all records. */
  clear() {
    super.clear();
    this.#cleared = this.first;
  }
}

/** Returns a reason code as text, like "not authorized (0x87)". */
export const reasonText = ({ code, name }) => `${name} (0x${code.toString(16).padStart(2, "0").toUpperCase()})`;

/**
 * Returns the texts of a packet for the list and the search. `extra` has the properties and the beginning of the payload.
 * @param {import("../../packets.js").DecodedPacket} packet
 */
function describe({ type, topic, filters, clientId, reason, reasons, error, properties = [], payload, will }) {
  const all = reasons ?? (reason && (reason.code > 0 || type !== "PUBREL") ? [reason] : []);
  const alias = properties.find(({ id }) => id === 35);
  return {
    summary: topic || (topic === "" && alias ? `topic alias ${alias.value}` : "") || filters?.map(({ filter }) => filter).join(", ") || clientId || "",
    reason: error ?? all.map(reasonText).join(", "),
    failed: error !== undefined || all.some(({ code }) => code >= 128),
    extra: [...properties.map(({ name, value }) => `${name} ${value}`), will?.topic, payload && textOf(payload.subarray(0, 1000))].filter(Boolean).join(" "),
  };
}
