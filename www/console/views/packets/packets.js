import { PacketLog } from "../../core/packet-log.js";
import { sizeOf } from "../../core/payload.js";
import { button, clock, h } from "../../ui/dom.js";
import { VirtualList } from "../../ui/virtual-list.js";
import { mountDetails } from "./details.js";
import { download, lines } from "./export.js";

const TYPES = ["CONNECT", "CONNACK", "PUBLISH", "PUBACK", "PUBREC", "PUBREL", "PUBCOMP", "SUBSCRIBE", "SUBACK", "UNSUBSCRIBE", "UNSUBACK", "PINGREQ", "PINGRESP", "DISCONNECT", "AUTH"];

/**
 * The view of everything on the wire. It records from the moment in which it is opened for the first time.
 * @param {HTMLElement} root
 * @param {import("../../main.js").App} app
 */
export function mount(root, app) {
  const log = new PacketLog(), { client } = app.connection;
  let matching = []; // the numbers of the records that pass the filter, ascending
  let head = 0; // the index of the first of them that the log still has
  let end = 0; // the number of elements of matching that the list shows, from the start
  let paused = false, shown = false;

  const type = h("select", { id: "packet-type" }, h("option", { value: "" }, "all types"), TYPES.map((name) => h("option", {}, name)));
  const direction = h("select", { id: "packet-direction" }, h("option", { value: "" }, "in and out"), h("option", { value: "in" }, "in"), h("option", { value: "out" }, "out"));
  const search = h("input", { id: "packet-search", type: "search", placeholder: "topic, reason, property, payload", spellcheck: false, autocomplete: "off" });
  const pauseButton = button("Pause", pause, { "aria-pressed": "false", id: "packet-pause" });
  const count = h("span", { id: "packet-count", class: "count" }, "0");
  const bound = h("p", { id: "packet-bound", class: "small" });
  const empty = h("p", { id: "packet-empty", class: "dim" });
  const scroller = h("div", { class: "scroller" });
  const aside = h("section", { class: "card packet-details", "aria-labelledby": "packet-title" });
  root.append(
    h("section", { class: "card packet-log", "aria-labelledby": "packets-title" },
      h("div", { class: "row head" }, h("h2", { id: "packets-title" }, "Packets ", count), h("span", { class: "grow" }),
        button("Reconnect", () => client.reconnect(), { id: "packet-reconnect", title: "Starts a new connection, so that CONNECT and CONNACK are recorded" }),
        pauseButton, button("Clear", clear, { id: "packet-clear" }), button("Export", save, { id: "packet-export", title: "Saves the packets in the list as JSON lines" })),
      h("div", { class: "row packet-filter", role: "search", "aria-label": "Filter of the packets" },
        h("label", {}, "Type", type), h("label", {}, "Direction", direction), h("label", { class: "grow" }, "Text", search)),
      empty, scroller, bound),
    aside);

  const details = mountDetails(aside);
  const list = new VirtualList(scroller, {
    rowHeight: 46,
    label: "Packets, newest first",
    id: "packets",
    create: () => h("li", { class: "packet" }, h("span", { class: "way" }), h("span", { class: "type" }), h("span", { class: "reason" }), h("time"), h("span", { class: "topic" }), h("span", { class: "meta" })),
    fill(row, index) {
      const record = log.get(matching[end - 1 - index]);
      if (!record) return;
      const { packet } = record, [way, name, reason, time, topic, meta] = row.children;
      row.dataset.direction = packet.direction;
      way.textContent = packet.direction === "in" ? "← in" : "→ out";
      name.textContent = packet.type;
      reason.textContent = record.reason;
      reason.classList.toggle("bad", record.failed);
      time.textContent = clock(record.time);
      topic.textContent = record.summary;
      meta.textContent = [packet.packetId && `#${packet.packetId}`, sizeOf(packet.size), packet.roundTripMs !== undefined && milliseconds(packet.roundTripMs)].filter(Boolean).join(" · ");
    },
    select: (index) => details.show(index < 0 ? undefined : log.get(matching[end - 1 - index])),
    open: () => details.focus(),
  });

  const passes = ({ packet, text }) =>
    (!type.value || packet.type === type.value) && (!direction.value || packet.direction === direction.value) && text.includes(search.value.trim().toLowerCase());

  /** Shows the changes of the log. @param {boolean} [inserted] whether the new records are shown */
  function update(inserted = !paused) {
    while (head < matching.length && matching[head] < log.first) head++;
    if (head > 4096 && head > matching.length / 2) {
      matching = matching.slice(head);
      end = Math.max(0, end - head);
      head = 0;
    }
    const before = end;
    if (inserted) end = matching.length;
    end = Math.max(end, head);
    const rows = end - head;
    if (!shown) return;
    count.textContent = rows.toLocaleString();
    const recorded = log.next - log.first;
    empty.hidden = rows > 0;
    empty.textContent = recorded ? "No recorded packet matches the filter." : "No packets yet. The connection was open before; press Reconnect to see CONNECT and CONNACK.";
    scroller.hidden = rows === 0;
    list.update(rows, Math.min(Math.max(0, end - before), rows));
    bound.textContent = `Recording since ${new Date(log.since).toLocaleTimeString([], { hour12: false })}: ${recorded.toLocaleString()} packets, ${sizeOf(log.bytes)} of at most ${sizeOf(log.maxBytes)}. `
      + `${log.removed ? `${log.removed.toLocaleString()} older packets were removed. ` : ""}Secrets are replaced by asterisks. Nothing is recorded before this view is opened.`;
    details.update();
  }

  function refilter() {
    matching = [];
    head = 0;
    for (let n = log.first; n < log.next; n++) if (passes(log.get(n))) matching.push(n);
    end = 0;
    list.select(-1);
    update(true);
  }

  function pause() {
    paused = !paused;
    pauseButton.setAttribute("aria-pressed", String(paused));
    pauseButton.textContent = paused ? "Resume" : "Pause";
    update();
  }

  function clear() {
    log.clear();
    refilter();
  }

  function save() {
    download(`packets-${new Date().toISOString().replaceAll(/[:.]/g, "-")}.jsonl`, lines(matching.slice(head, end).map((n) => log.get(n))));
  }

  type.addEventListener("change", refilter);
  direction.addEventListener("change", refilter);
  search.addEventListener("input", refilter);
  log.added.on((record) => passes(record) && matching.push(record.n));
  log.changed.on(() => update());
  log.start(client);
  app.commands.add({ id: "packets-pause", title: "Packets: pause or resume the list", run: pause });
  app.commands.add({ id: "packets-clear", title: "Packets: clear", run: clear });
  app.commands.add({ id: "packets-export", title: "Packets: export as JSON lines", run: save });
  return {
    show() {
      shown = true;
      update();
    },
    hide() {
      shown = false;
    },
  };
}

/** Returns a time as text, with a precision that fits to its size. */
const milliseconds = (ms) => `${ms < 10 ? ms.toFixed(1) : Math.round(ms)} ms`;
