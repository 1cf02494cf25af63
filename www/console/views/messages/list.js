import { previewOf, sizeOf } from "../../core/payload.js";
import { clock, h } from "../../ui/dom.js";
import { VirtualList } from "../../ui/virtual-list.js";

/**
 * The reader that lists messages, newest first.
 * @param {HTMLElement} root
 * @param {import("../../main.js").App} app
 */
export function mountList(root, app) {
  const { messages, subscriptions } = app;
  const empty = h("p", { id: "empty", class: "dim" }, "No messages yet. The messages of your subscriptions appear here, newest first.");
  const scroller = h("div", { class: "scroller" });
  root.append(empty, scroller);
  let end = 0; // the number after the newest record that is shown
  let shown = true;

  const list = new VirtualList(scroller, {
    rowHeight: 52,
    label: "Messages",
    id: "messages",
    create: () => h("li", { class: "message" }, h("time"), h("span", { class: "topic" }), h("span", { class: "meta" }), h("span", { class: "payload" })),
    fill(row, index) {
      const record = messages.get(end - 1 - index);
      if (!record) return;
      const [time, topic, meta, payload] = row.children;
      time.textContent = clock(record.time);
      topic.textContent = record.topic;
      meta.textContent = [`QoS ${record.qos}`, record.retain && "retained", record.contentType, sizeOf(record.payload.length)].filter(Boolean).join(" · ");
      payload.textContent = previewOf(record.payload);
      row.style.setProperty("--tag", subscriptions.get(record.subscriptions[0])?.colour ?? "transparent");
    },
  });

  const update = () => {
    if (!shown || app.paused) return;
    const before = end;
    end = messages.next;
    empty.hidden = messages.size > 0;
    scroller.hidden = messages.size === 0;
    list.update(messages.size, Math.min(end - before, messages.size));
  };
  messages.changed.on(update);
  messages.cleared.on(() => list.select(-1));
  app.pauseChanged.on(update);
  update();
  return {
    show(on) {
      shown = on;
      update();
    },
  };
}
