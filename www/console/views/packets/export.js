import { decodePacket } from "../../../packets.js";

/** Converts a value of a decoded packet to JSON: binary data becomes base64. */
const plain = (_, value) => (ArrayBuffer.isView(value) ? base64(value) : value);

function base64(bytes) {
  let text = "";
  for (let i = 0; i < bytes.length; i += 8192) text += String.fromCharCode(...bytes.subarray(i, i + 8192));
  return btoa(text);
}

/**
 * Returns packets as JSON lines, oldest first. `bytes` and other binary data are base64.
 * @param {import("../../core/packet-log.js").PacketRecord[]} records
 */
export function lines(records) {
  return records.map(({ time, packet: { direction, size, packetId, roundTripMs, bytes } }) => {
    const { fields, flags, truncated, error, ...decoded } = decodePacket(bytes);
    return `${JSON.stringify({ time: new Date(time).toISOString(), direction, ...decoded, size, packetId: packetId || undefined, roundTripMs, truncated: truncated || undefined, error, bytes }, plain)}\n`;
  });
}

/** Saves a text as a file. @param {string} name @param {string[]} parts */
export function download(name, parts) {
  const url = URL.createObjectURL(new Blob(parts, { type: "application/jsonl" }));
  const link = document.createElement("a");
  Object.assign(link, { href: url, download: name });
  link.click();
  setTimeout(() => URL.revokeObjectURL(url), 60_000);
}
