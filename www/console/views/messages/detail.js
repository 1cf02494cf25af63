import { codeOf } from "../../core/code/message-code.js";
import { hexOf, sizeOf, textOf } from "../../core/payload.js";
import { publishOptions } from "../../core/messages/replay.js";
import { kept } from "../../core/storage.js";
import { button, clock, copy, h } from "../../ui/dom.js";
import { FORMATS, formatsOf, payloadView } from "./payload-view.js";

// How many topics the page remembers a format for.
const MAX_TOPICS = 200;

/**
 * The details of a message: its payload in several formats, its properties, and what can be done with it.
 * @param {HTMLElement} root
 * @param {import("../../main.js").App} app
 * @param {{ onclose(): void, onselect(record: any): void }} events onselect is called to show another record
 */
export function mountDetail(root, app, { onclose, onselect }) {
  const { messages, subscriptions, connection, run } = app;
  /** @type {import("../../core/messages/messages.js").MessageRecord | undefined} */
  let record;
  let release;

  const title = h("h3", { class: "topic", id: "message-topic" });
  const when = h("span", { class: "small when" });
  const formats = h("fieldset", { class: "formats", "aria-label": "Format of the payload" });
  const payload = h("div", { class: "payload-view" });
  const properties = h("dl", { class: "properties" });
  const previousButton = button("Previous of the topic", () => onselect(messages.previous(record)), { class: "icon" });
  const clearButton = button("", (event) => clearRetained(event.currentTarget), { class: "icon", id: "clear-retained" });
  root.setAttribute("aria-labelledby", title.id);
  root.append(
    h("div", { class: "row" }, title, button("×", onclose, { class: "icon", "aria-label": "Close the details" })),
    h("div", { class: "row tools" }, when,
      previousButton,
      button("Copy payload", ({ currentTarget }) => copy(currentTarget, copyText(), payload), { class: "icon" }),
      button("Copy as code", ({ currentTarget }) => copy(currentTarget, codeOf(record), payload), { class: "icon", id: "copy-code" }),
      button("Publish again …", () => app.compose?.({ topic: record.topic, payload: record.payload, options: publishOptions(record) }), { class: "icon", id: "again" }),
      clearButton),
    formats, payload, properties);
  root.addEventListener("keydown", (event) => {
    if (event.key !== "Escape" || event.defaultPrevented) return;
    event.preventDefault();
    onclose();
  });

  const copyText = () => textOf(record.payload) ?? hexOf(record.payload);

  // The broker forgets a retained message when it gets an empty one. The first click asks for a second one.
  const clearRetained = (target) => {
    if (target.dataset.sure) {
      showClear();
      return run(async () => {
        await connection.client.publish(record.topic, "", { retain: true, qos: 1 });
        target.textContent = "Cleared on the broker";
      }, target);
    }
    target.dataset.sure = "yes";
    target.textContent = "Clear it for all clients?";
  };
  const showClear = () => {
    clearButton.hidden = !record.retain || record.source !== "";
    delete clearButton.dataset.sure;
    clearButton.textContent = "Clear the retained message …";
  };

  const showPayload = (format, values) => {
    release?.();
    const view = payloadView(format, record, values, messages.previous(record), (term) => app.findMessages(`topic:${JSON.stringify(record.topic)} ${term}`));
    release = view.release;
    payload.replaceChildren(view.element);
  };

  /** Remembers the format that the user has chosen for a topic. The automatic one needs no memory. */
  const remember = (format, automatic) => {
    const chosen = Object.entries(kept.get("formats", {})).filter(([topic]) => topic !== record.topic);
    if (format !== automatic) chosen.push([record.topic, format]);
    kept.set("formats", Object.fromEntries(chosen.slice(-MAX_TOPICS)));
  };

  const showFormats = async () => {
    const shown = record;
    const { automatic, available, values } = await formatsOf(shown);
    if (record !== shown) return;
    const chosen = kept.get("formats", {})[shown.topic];
    const format = available.includes(chosen) ? chosen : automatic;
    formats.replaceChildren(...Object.entries(FORMATS).filter(([id]) => available.includes(id)).map(([id, name]) => h("label", {},
      h("input", {
        type: "radio", name: "format", value: id, checked: id === format,
        onchange() {
          remember(id, automatic);
          showPayload(id, values);
        },
      }), h("span", {}, name, id === automatic && h("span", { class: "hidden" }, " (chosen automatically)")))));
    showPayload(format, values);
  };

  const showProperties = () => {
    const bytes = (data) => (/^\P{C}+$/u.test(textOf(data) ?? "") ? `${textOf(data)} (${hexOf(data)})` : hexOf(data));
    const rows = [
      ["Received", `${new Date(record.time).toLocaleDateString()} ${clock(record.time)}${record.source ? `, imported from ${record.source}` : ""}`],
      ["Subscriptions", record.subscriptions.length ? h("span", { class: "chips" }, record.subscriptions.map((id) => {
        const entry = subscriptions.get(id);
        const chip = h("span", { class: "chip" }, entry ? (entry.name ? `${entry.name} (${entry.filter})` : entry.filter) : "removed");
        chip.style.setProperty("--tag", entry?.colour ?? "transparent");
        return chip;
      })) : "none"],
      ["QoS", String(record.qos)],
      ["Flags", [record.retain && "retained", record.duplicate && "duplicate", record.utf8 && "payload is UTF-8 (Payload Format Indicator)"].filter(Boolean).join(", ") || "none"],
      ["Size", `${record.payload.length.toLocaleString()} bytes${record.payload.length >= 1024 ? ` (${sizeOf(record.payload.length)})` : ""}; ${sizeOf(record.bytes)} in the history`],
      ["Content type", record.contentType],
      ["Response topic", record.responseTopic],
      ["Correlation data", record.correlationData && bytes(record.correlationData)],
      ["Message expiry", record.messageExpiry === undefined ? undefined : `${record.messageExpiry.toLocaleString()} s when the broker sent it`],
      ["User properties", record.userProperties.length ? h("table", {}, h("tbody", {}, record.userProperties.map(([name, value]) => h("tr", {}, h("th", { scope: "row" }, name), h("td", {}, value))))) : undefined],
    ];
    properties.replaceChildren(...rows.filter(([, value]) => value !== undefined).flatMap(([name, value]) => [h("dt", {}, name), h("dd", {}, value)]));
  };

  return {
    /** The record that is shown, or undefined. */
    get record() {
      return record;
    },
    /** Shows a record, or hides the details. @param {import("../../core/messages/messages.js").MessageRecord} [next] */
    show(next) {
      if (next === record) return;
      record = next;
      root.hidden = !record;
      release?.();
      release = undefined;
      if (!record) return;
      title.textContent = record.topic;
      when.textContent = clock(record.time);
      previousButton.disabled = !messages.previous(record);
      payload.replaceChildren();
      showClear();
      showProperties();
      showFormats();
      root.scrollTop = 0;
    },
    focus() {
      root.focus();
    },
  };
}
