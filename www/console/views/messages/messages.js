import { sizeOf } from "../../core/payload.js";
import { $, copy, tabs } from "../../ui/dom.js";
import { mountChart } from "./chart.js";
import { mountList } from "./list.js";
import { mountPublish } from "./publish.js";
import { mountSubscriptions } from "./subscriptions.js";
import { mountTree } from "./tree.js";

/**
 * The view of messages: what the page publishes, the subscriptions, and three readers that show the same messages. Its
 * markup is a part of index.html.
 * @param {HTMLElement} root
 * @param {import("../../main.js").App} app
 */
export function mount(root, app) {
  const { messages, commands } = app;
  mountPublish(app);
  mountSubscriptions(app);

  // A reader draws only while it is shown: it has the method show(shown).
  const readers = { "tab-list": mountList($("reader-list"), app), "tab-tree": mountTree($("reader-tree"), app), "tab-chart": mountChart($("reader-chart"), app) };
  let selected = "tab-list";
  const select = tabs($("readers"), (id) => {
    readers[selected].show(false);
    readers[(selected = id)].show(true);
  });
  commands.add({ id: "list", view: "messages", title: "Messages: list", keys: "1", run: () => select("tab-list") });
  commands.add({ id: "tree", view: "messages", title: "Messages: topic tree", keys: "2", run: () => select("tab-tree") });
  commands.add({ id: "chart", view: "messages", title: "Messages: chart", keys: "3", run: () => select("tab-chart") });

  const pause = () => {
    app.paused = !app.paused;
    $("pause").setAttribute("aria-pressed", String(app.paused));
    app.pauseChanged.emit();
  };
  $("pause").addEventListener("click", pause);
  commands.add({ id: "pause", view: "messages", title: "Pause or resume the display of messages", keys: "P", run: pause });
  const clear = () => messages.clear();
  $("clear").addEventListener("click", clear);
  commands.add({ id: "clear", view: "messages", title: "Clear the messages", run: clear });

  const limit = $("limit");
  limit.value = String(messages.maxBytes / 2 ** 20);
  limit.addEventListener("change", () => messages.setBound(Number(limit.value)));
  const showCount = () => {
    const { bytes, maxRecords, first, size } = messages;
    $("count").textContent = size.toLocaleString();
    $("bound-text").textContent = `and ${maxRecords.toLocaleString()} messages. Now: ${sizeOf(bytes)}.${first ? ` ${first.toLocaleString()} older messages were removed.` : ""}`;
  };
  messages.changed.on(showCount);
  showCount();

  $("copy").addEventListener("click", ({ currentTarget }) => copy(currentTarget, $("line").textContent, $("line")));
  return {
    show: () => readers[selected].show(true),
    hide: () => readers[selected].show(false),
  };
}
