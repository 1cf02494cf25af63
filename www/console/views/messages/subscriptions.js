import { $, button, h } from "../../ui/dom.js";
import { openDialog } from "./dialog.js";

const RETAIN_HANDLING = ["Always", "If the subscription is new", "Never"];

/**
 * The form and the list of subscriptions.
 * @param {import("../../main.js").App} app
 */
export function mountSubscriptions({ subscriptions, messages, commands, run }) {
  const form = $("subscribe"), list = $("subscriptions");
  $("subscribe-options").append(...optionFields({}));
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const { filter, name } = form.elements;
    run(async () => {
      await subscriptions.add(filter.value, optionsOf(form), { name: name.value.trim() });
      form.reset();
    }, form.querySelector(".primary"));
  });
  commands.add({ id: "subscribe", view: "messages", title: "Subscribe to a topic filter", keys: "S", run: () => form.elements.filter.focus() });

  const edit = (entry) => {
    const name = h("input", { name: "name", value: entry.name, autocomplete: "off", maxLength: 60 });
    const colour = h("input", { type: "color", name: "colour", value: entry.colour });
    const qos = h("select", { name: "qos" }, ["0", "1", "2"].map((value) => h("option", { selected: value === String(entry.options.qos ?? 0) }, value)));
    const fields = optionFields(entry.options);
    const dialog = openDialog("Edit the subscription", [
      h("p", { class: "topic" }, entry.filter),
      h("div", { class: "row" }, h("label", { class: "grow" }, "Name", name), h("label", {}, "Colour", colour), h("label", {}, "QoS", qos)),
      ...fields,
      h("p", { class: "small" }, "With other options, the page unsubscribes and subscribes again."),
    ], {
      accept: "Save",
      onaccept: () => run(() => subscriptions.edit(entry.id, { name: name.value.trim(), colour: colour.value, options: { ...entry.options, ...optionsOf(dialog.querySelector("form")) } })),
    });
  };

  const counts = new Map(); // entry → the element with its count
  const showCounts = () => {
    for (const [entry, element] of counts) {
      const text = entry.received.toLocaleString();
      if (element.textContent !== text) element.textContent = text;
    }
  };
  messages.changed.on(showCounts);

  const show = () => {
    const focused = list.contains(document.activeElement) ? [...list.querySelectorAll("button")].indexOf(document.activeElement) : -1;
    counts.clear();
    list.replaceChildren(...subscriptions.list.map((entry) => {
      const paused = entry.state === "paused";
      const state = { waiting: "waiting …", active: `QoS ${entry.subscription?.qos}`, refused: entry.error ? "refused" : "not connected", paused: "paused" }[entry.state];
      const count = h("span", { class: "dim received", title: "Received messages" });
      counts.set(entry, count);
      const item = h("li", { dataset: { state: entry.state } },
        h("span", { class: "topic" }, entry.name && h("strong", {}, entry.name), entry.name && " ", entry.filter),
        h("span", { class: "dim", title: optionsText(entry.options) }, state),
        count,
        h("span", { class: "buttons" },
          button("✎", () => edit(entry), { class: "icon edit", "aria-label": `Edit the subscription to ${entry.filter}`, title: "Edit" }),
          button(paused ? "▶" : "❚❚", () => run(() => subscriptions.pause(entry.id, !paused)), { class: "icon pause", "aria-label": `${paused ? "Resume" : "Pause"} the subscription to ${entry.filter}`, title: paused ? "Resume" : "Pause" }),
          button("×", () => run(() => subscriptions.remove(entry.id)), { class: "icon remove", "aria-label": `Unsubscribe from ${entry.filter}`, title: "Unsubscribe" })));
      item.style.setProperty("--tag", entry.colour);
      return item;
    }));
    showCounts();
    // The buttons are new elements, so the focus moves to the one in the same place.
    if (focused >= 0) ([...list.querySelectorAll("button")][focused] ?? form.elements.filter).focus();
  };
  subscriptions.changed.on(show);
  show();
}

/** Returns the fields of the options of SUBSCRIBE beside the QoS. */
function optionFields({ noLocal = false, retainAsPublished = false, retainHandling = 0 }) {
  return [
    h("label", { class: "check" }, h("input", { type: "checkbox", name: "noLocal", defaultChecked: noLocal }), "Not the messages of this page (No Local)"),
    h("label", { class: "check" }, h("input", { type: "checkbox", name: "retainAsPublished", defaultChecked: retainAsPublished }), "Keep the retain flag (Retain As Published)"),
    h("label", {}, "Retained messages (Retain Handling)", h("select", { name: "retainHandling" }, RETAIN_HANDLING.map((text, value) => h("option", { value, selected: value === retainHandling, defaultSelected: value === retainHandling }, text)))),
  ];
}

/** Returns the options of subscribe() that a form contains. Members with their default value are omitted. */
function optionsOf({ elements: { qos, noLocal, retainAsPublished, retainHandling } }) {
  return {
    qos: /** @type {0 | 1 | 2} */ (Number(qos.value)),
    noLocal: noLocal.checked || undefined,
    retainAsPublished: retainAsPublished.checked || undefined,
    retainHandling: Number(retainHandling.value) || undefined,
  };
}

function optionsText({ qos, noLocal, retainAsPublished, retainHandling }) {
  return [`QoS ${qos}`, noLocal && "No Local", retainAsPublished && "Retain As Published", retainHandling && `Retained messages: ${RETAIN_HANDLING[retainHandling].toLowerCase()}`].filter(Boolean).join(", ");
}
