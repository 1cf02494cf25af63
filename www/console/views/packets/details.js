import { reasonText } from "../../core/packet-log.js";
import { hexOf, previewOf, sizeOf, textOf } from "../../core/payload.js";
import { clock, h } from "../../ui/dom.js";
import { decodePacket } from "../../../packets.js";

// The most bytes that the hex dump shows.
const MAX_DUMP = 2048;
const WIDTH = 16;

/**
 * The pane with the details of one packet: all members, the properties, and a hex dump with the fields.
 * @param {HTMLElement} root
 */
export function mountDetails(root) {
  let record, shownRoundTrip;
  const title = h("h2", { id: "packet-title", tabIndex: -1 }, "Details");
  const body = h("div", { class: "packet-body" }, h("p", { class: "dim" }, "Select a packet to see its fields."));
  root.append(title, body);

  const draw = () => {
    const { packet } = record, decoded = decodePacket(packet.bytes);
    shownRoundTrip = packet.roundTripMs;
    title.textContent = `${packet.type}, ${packet.direction === "in" ? "received" : "sent"}`;
    body.replaceChildren(facts(record, decoded), ...propertiesOf("Properties", decoded.properties), ...propertiesOf("Will properties", decoded.will?.properties), ...payloadOf(decoded), ...dump(packet.bytes, decoded));
    body.scrollTop = 0;
  };
  return {
    /** Shows a record; undefined: none. @param {import("../../core/packet-log.js").PacketRecord} [other] */
    show(other) {
      record = other;
      if (record) return draw();
      title.textContent = "Details";
      body.replaceChildren(h("p", { class: "dim" }, "Select a packet to see its fields."));
    },
    /** Shows the round trip when it is known. */
    update() {
      if (record && record.packet.roundTripMs !== shownRoundTrip) draw();
    },
    focus: () => title.focus(),
  };
}

/** A table of names and values. Omits undefined values. */
const table = (entries) => h("dl", {}, entries.filter(([, value]) => value !== undefined && value !== "").flatMap(([name, value]) => [h("dt", {}, name), h("dd", {}, value)]));

function facts({ time, packet }, d) {
  const yes = (value) => (value === undefined ? undefined : value ? "yes" : "no");
  const reason = (r) => r && `${reasonText(r)}, section ${r.section}`;
  return table([
    ["Fault", d.error && h("strong", { class: "bad" }, d.error)],
    ["Time", clock(time)],
    ["Size", `${sizeOf(d.size)}${d.truncated ? `; the first ${sizeOf(packet.bytes.length)} are recorded` : ""}`],
    ["Specification", h("a", { href: "https://docs.oasis-open.org/mqtt/mqtt/v5.0/os/mqtt-v5.0-os.html", target: "_blank", rel: "noreferrer" }, `MQTT 5, section ${d.section}`)],
    ["Packet identifier", d.packetId?.toString()],
    ["Round trip", packet.roundTripMs === undefined ? undefined : `${packet.roundTripMs.toFixed(1)} ms`],
    ["Reason code", reason(d.reason)],
    ...(d.reasons ?? []).map((r, i) => [`Reason code ${i + 1}`, reason(r)]),
    ["Topic", d.topic],
    ["QoS", d.qos?.toString()],
    ["Retain", yes(d.retain)],
    ["Duplicate", yes(d.duplicate)],
    ...(d.filters ?? []).map(({ filter, qos, noLocal, retainAsPublished, retainHandling }) => ["Topic filter",
      [filter, qos !== undefined && `QoS ${qos}`, noLocal && "no local", retainAsPublished && "retain as published", retainHandling && `retain handling ${retainHandling}`].filter(Boolean).join(", ")]),
    ["Session present", yes(d.sessionPresent)],
    ["Protocol", d.protocolName && `${d.protocolName}, version ${d.protocolVersion}`],
    ["Client identifier", d.clientId],
    ["Clean start", yes(d.cleanStart)],
    ["Keep alive", d.keepAlive === undefined ? undefined : `${d.keepAlive} s`],
    ["User name", d.username],
    ["Password", d.password && (textOf(d.password) ?? hexOf(d.password))],
    ["Will topic", d.will?.topic],
    ["Will", d.will && `QoS ${d.will.qos}${d.will.retain ? ", retained" : ""}`],
    ["Will payload", d.will?.payload && previewOf(d.will.payload)],
  ]);
}

/** @param {string} title @param {readonly import("../../../packets.js").Property[]} [list] */
function propertiesOf(title, list) {
  if (!list?.length) return [];
  const text = ({ value }) => (Array.isArray(value) ? `${value[0]} = ${value[1]}` : ArrayBuffer.isView(value) ? hexOf(value) : String(value));
  return [h("h3", {}, title), table(list.map((property) => [property.name, text(property)]))];
}

function payloadOf({ payload }) {
  return payload?.length ? [h("h3", {}, `Payload, ${sizeOf(payload.length)}`), h("pre", { class: "packet-payload" }, previewOf(payload, 2000))] : [];
}

/** Returns a hex dump, and the list of the fields. A field that is pressed, or under the pointer, is marked in the dump. */
function dump(bytes, { fields, error }) {
  const part = bytes.subarray(0, MAX_DUMP), parts = fields.map(() => []);
  const lines = [];
  for (let from = 0; from < part.length; from += WIDTH) {
    const to = Math.min(from + WIDTH, part.length), line = h("span", { class: "dump-line" }, `${from.toString(16).padStart(4, "0")}  `), texts = [];
    for (let at = from; at < to;) {
      let i = fields.findIndex(({ start, end }) => start <= at && at < end);
      const end = Math.min(to, i < 0 ? to : fields[i].end), piece = part.subarray(at, end);
      const hex = h("span", { class: i < 0 ? "" : `field tone-${i % 4}` }, hexOf(piece));
      const ascii = h("span", { class: i < 0 ? "" : `field tone-${i % 4}` }, Array.from(piece, (b) => (b > 31 && b < 127 ? String.fromCharCode(b) : "·")).join(""));
      if (i >= 0) parts[i].push(hex, ascii);
      line.append(hex, " ");
      texts.push(ascii);
      at = end;
    }
    line.append("   ".repeat(WIDTH - (to - from)), " ", ...texts, "\n");
    lines.push(line);
  }
  const mark = (i, on) => parts[i].forEach((span) => span.classList.toggle("marked", on));
  let pressed = -1;
  const buttons = fields.map(({ name, start, end }, i) => h("button", {
    type: "button", class: `tone-${i % 4}`, "aria-pressed": "false",
    onclick() {
      if (pressed >= 0) {
        mark(pressed, false);
        buttons[pressed].setAttribute("aria-pressed", "false");
      }
      pressed = pressed === i ? -1 : i;
      if (pressed < 0) return;
      mark(i, true);
      buttons[i].setAttribute("aria-pressed", "true");
      parts[i][0]?.scrollIntoView({ block: "nearest" });
    },
    onmouseenter: () => mark(i, true),
    onmouseleave: () => mark(i, pressed === i),
  }, h("span", {}, name), h("span", { class: "dim" }, end - start === 1 ? `byte ${start}` : `bytes ${start}–${end - 1}`)));
  return [
    h("h3", {}, "Bytes"),
    h("pre", { class: "dump", tabIndex: 0, role: "group", "aria-label": "Hex dump" }, lines),
    part.length < bytes.length && h("p", { class: "small" }, `The first ${MAX_DUMP.toLocaleString()} of ${bytes.length.toLocaleString()} bytes.`),
    h("h3", {}, "Fields"),
    error && h("p", { class: "small" }, "The fields before the fault."),
    h("ul", { class: "fields", "aria-label": "Fields" }, buttons.map((entry) => h("li", {}, entry))),
  ].filter(Boolean);
}
