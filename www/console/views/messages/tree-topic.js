import { numbersOf } from "../../core/messages/numbers.js";
import { previewOf, sizeOf } from "../../core/payload.js";
import { $, button, clock, copy, h } from "../../ui/dom.js";
import { openDialog } from "./dialog.js";
import { rateText } from "./tree.js";

/** Returns a count with its noun. */
const counted = (n, noun) => `${n.toLocaleString()} ${noun}${n === 1 ? "" : "s"}`;

/** Returns a topic filter as a term of the search of the list. */
const searchTerm = (filter) => `topic:${/[\s"\\]/.test(filter) ? `"${filter.replaceAll(/["\\]/g, "\\$&")}"` : filter}`;

/**
 * The panel with the details of the selected topic, and what the user can do with it.
 * @param {HTMLElement} panel
 * @param {import("../../main.js").App & Record<string, any>} app
 * @param {{ openAll(node: any, open: boolean): void, onback(): void, onclose(): void, changed(): void }} tree
 */
export function mountTopic(panel, app, { openAll, onback, onclose, changed }) {
  const { topics, messages, subscriptions, connection, run } = app;
  /** @type {import("../../core/messages/topic-tree.js").TopicNode | undefined} */
  let node;
  let charted; // the number of the record for which the button "Chart this" was enabled or disabled
  const name = h("h3", { class: "topic" });
  const value = h("pre", { class: "plain value" });
  const facts = h("dl", {});
  const progress = h("p", { id: "topic-progress", class: "small", role: "status", hidden: true });
  const action = (id, text, onclick) => button(text, onclick, { id: `topic-${id}` });

  const actions = {
    show: action("show", "Show in list", () => app.findMessages?.(searchTerm(node.filter))),
    chart: action("chart", "Chart this", () => app.chartTopic(node.topic)),
    publish: action("publish", "Publish here", () => publishHere(node.topic)),
    subscribe: action("subscribe", "Subscribe to this", ({ currentTarget }) => run(() => subscriptions.add(node.filter), currentTarget)),
    open: action("open", "Open all below", () => openAll(node, true)),
    close: action("close", "Close all below", () => openAll(node, false)),
    clear: action("clear", "Clear retained", () => clear([node])),
    clearBelow: action("clear-below", "", () => confirmClear(node)),
  };
  panel.append(
    h("div", { class: "row" }, name, action("copy", "Copy", ({ currentTarget }) => copy(currentTarget, node.topic, name)), button("×", onclose, { class: "icon", "aria-label": "Close the details" })),
    h("div", { class: "row tools" }, Object.values(actions)),
    progress, facts, value,
  );

  panel.addEventListener("keydown", (event) => {
    if (event.key === "Escape") onback();
  });

  function publishHere(topic) {
    if (app.compose) return app.compose({ topic });
    const form = $("publish");
    form.elements.topic.value = topic;
    form.elements.payload.focus();
    form.elements.payload.select();
  }

  /** Asks the user before it clears the retained messages of a level and those below. */
  function confirmClear(from) {
    const list = from.topicsBelow((topic) => topic.retained);
    openDialog("Clear retained messages?", [
      h("p", {}, `The page publishes an empty retained message to ${counted(list.length, "topic")}. The broker then deletes the retained messages. This cannot be undone.`),
      h("ul", { class: "names" }, list.slice(0, 8).map((topic) => h("li", { class: "topic" }, topic.topic)), list.length > 8 && h("li", {}, `and ${counted(list.length - 8, "other topic")}`)),
    ], { accept: `Clear ${counted(list.length, "retained message")}`, onaccept: () => clear(list) });
  }

  /** Clears retained messages, one after another: a broker limits the number of publishes in a second. */
  function clear(list) {
    return run(async () => {
      let done = 0;
      progress.hidden = list.length < 2;
      try {
        for (const topic of list) {
          await connection.client.publish(topic.topic, "", { qos: 1, retain: true });
          topics.setRetained(topic, false);
          progress.textContent = `${(++done).toLocaleString()} of ${counted(list.length, "retained message")} cleared.`;
          changed();
        }
      } finally {
        changed();
      }
    });
  }

  /** Shows the current figures. */
  function update() {
    if (!node) return;
    const figures = topics.figuresOf(node), { own } = figures;
    const whole = messages.get(figures.n)?.payload;
    name.textContent = node.topic || "(empty)";
    value.hidden = !own;
    setText(value, own ? previewOf(whole ?? figures.value, 2000) + (!whole && figures.size > figures.value.length ? " … (the history does not contain this message any more)" : "") : "");
    showFacts(facts, [
      ["Messages", node.children && own ? `${own.toLocaleString()} of this topic, ${figures.count.toLocaleString()} with those below` : figures.count.toLocaleString()],
      ["Rate", rateText(figures.rate) || "0/s"],
      node.children && ["Topics", node.topics.toLocaleString()],
      own && ["Last message", `${clock(figures.received)}, ${sizeOf(figures.size)}, QoS ${figures.qos}`],
      node.children && node.retainedBelow > 0 && ["Retained", `${counted(node.retainedBelow, "topic")} at and below this level`],
      !node.children && ["Retained", node.retained ? "the broker keeps a message of this topic for new subscribers" : "no such message received. AWS IoT Core sends one only to a filter without wildcards."],
    ].filter(Boolean));
    if (charted !== figures.n) actions.chart.disabled = !own || numbersOf(whole ?? figures.value).length === 0;
    charted = figures.n;
    actions.open.hidden = actions.close.hidden = !node.children;
    actions.clear.hidden = !node.retained;
    const below = node.retainedBelow - (node.retained ? 1 : 0);
    actions.clearBelow.hidden = below === 0;
    setText(actions.clearBelow, `Clear ${node.retainedBelow.toLocaleString()} retained …`);
    setText(actions.subscribe, node.children ? "Subscribe to all below" : "Subscribe to this");
    actions.subscribe.title = node.filter;
  }

  return {
    update,
    /** Shows a level, or hides the panel. @param {import("../../core/messages/topic-tree.js").TopicNode} [selected] */
    show(selected) {
      node = selected;
      charted = undefined;
      panel.hidden = !node;
      progress.hidden = true;
      update();
    },
  };
}

/** Sets the text of an element unless it is the same, so that a selection of the user stays. */
function setText(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

/** Shows pairs of a term and a text in a <dl>. */
function showFacts(dl, pairs) {
  const terms = [...dl.querySelectorAll("dt")], texts = dl.querySelectorAll("dd");
  if (terms.map((term) => term.textContent).join() === pairs.map(([term]) => term).join()) pairs.forEach(([, text], i) => setText(texts[i], text));
  else dl.replaceChildren(...pairs.flatMap(([term, text]) => [h("dt", {}, term), h("dd", {}, text)]));
}
