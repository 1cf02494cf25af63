import { $, button, h } from "../../ui/dom.js";

/**
 * The form and the list of subscriptions.
 * @param {import("../../main.js").App} app
 */
export function mountSubscriptions({ subscriptions, commands, run }) {
  const form = $("subscribe");
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const { filter, qos } = form.elements;
    run(async () => {
      await subscriptions.add(filter.value, { qos: Number(qos.value) });
      filter.value = "";
    }, form.querySelector("button"));
  });
  commands.add({ id: "subscribe", title: "Subscribe to a topic filter", keys: "S", run: () => form.elements.filter.focus() });

  subscriptions.changed.on(() => {
    $("subscriptions").replaceChildren(...subscriptions.list.map((entry) => {
      const state = { waiting: "waiting …", active: `QoS ${entry.subscription?.qos}`, refused: entry.error ? "refused" : "not connected" }[entry.state];
      const item = h("li", {},
        h("span", { class: "topic" }, entry.name || entry.filter),
        h("span", { class: "dim" }, state),
        button("×", ({ currentTarget }) => run(() => subscriptions.remove(entry.id), currentTarget), { "aria-label": `Unsubscribe from ${entry.filter}` }));
      item.style.setProperty("--tag", entry.colour);
      return item;
    }));
  });
}
