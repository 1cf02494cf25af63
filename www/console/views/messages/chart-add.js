import { numbersOf } from "../../core/messages/numbers.js";
import { MAX_SERIES } from "../../core/messages/series.js";
import { pathText } from "../../core/messages/search-path.js";
import { button, h } from "../../ui/dom.js";
import { numberText } from "./chart-legend.js";

// The numbers of topics that the page offers at once, and looks at for the suggestions.
const MAX_OFFERS = 50;
const MAX_SUGGESTIONS = 6;
const MAX_LOOKS = 200;
const MAX_LOOK_BYTES = 4096;

/**
 * The form that adds a series: a topic, and one of the numbers in its last message. Without a series it also suggests some.
 * @param {HTMLElement} root
 * @param {import("../../main.js").App} app
 * @param {import("../../core/messages/series.js").SeriesSet} set
 */
export function mountAdd(root, app, set) {
  const { topics, messages } = app;
  const topic = h("input", { name: "topic", required: true, spellcheck: false, placeholder: "site/1/sensor/2" });
  topic.setAttribute("list", "chart-topics");
  const offers = h("datalist", { id: "chart-topics" });
  const path = h("select", { name: "path" });
  const note = h("p", { id: "chart-note", class: "small", role: "status", hidden: true });
  const suggestions = h("div", { id: "chart-suggestions", class: "row" });
  const form = h("form", { id: "chart-add", class: "row", autocomplete: "off", onsubmit: submit },
    h("label", { class: "grow" }, "Topic", topic), offers, h("label", { class: "path" }, "Value", path), h("button", { class: "primary" }, "Add series"));
  root.append(form, note, suggestions);
  let numbers = []; // those of the options of path

  const payloadOf = (node) => messages.get(node.n)?.payload ?? node.value;
  const say = (text) => {
    note.textContent = text;
    note.hidden = !text;
  };

  /** Offers the numbers in the last message of the topic. */
  function offerPaths() {
    const node = topics.find(topic.value);
    const before = path.value;
    numbers = node?.value ? numbersOf(payloadOf(node)) : [];
    path.replaceChildren(...numbers.map(({ keys, number }) => h("option", { value: pathText(keys) }, `${pathText(keys) || "the payload"} (${numberText(number)})`)));
    if (numbers.length === 0) path.append(h("option", { value: "", disabled: true, selected: true }, topic.value ? (node ? "no number in its last message" : "no message yet") : "choose a topic first"));
    else if (numbers.some(({ keys }) => pathText(keys) === before)) path.value = before;
  }
  function offerTopics() {
    const text = topic.value.toLowerCase(), found = [];
    for (const [name] of topics.topics) {
      if (name.toLowerCase().includes(text) && found.push(name) === MAX_OFFERS) break;
    }
    offers.replaceChildren(...found.map((value) => h("option", { value })));
  }
  topic.addEventListener("input", () => {
    offerTopics();
    offerPaths();
  });
  topic.addEventListener("focus", offerTopics);
  path.addEventListener("focus", offerPaths);

  function submit(event) {
    event.preventDefault();
    const chosen = numbers.find(({ keys }) => pathText(keys) === path.value);
    if (chosen) add(topic.value, chosen.keys);
    else say("The last message of this topic has no number. Choose another topic.");
  }
  function add(name, keys) {
    if (set.list.length >= MAX_SERIES) return say(`The chart has ${MAX_SERIES} series, which is the limit. Remove one first.`);
    const series = set.add(name, keys);
    say(series ? `Added ${series.name}.` : "The chart has this series already.");
  }

  /** Suggests numbers of the topics while the chart has no series. */
  function suggest() {
    suggestions.hidden = set.list.length > 0;
    if (suggestions.hidden) return;
    const found = [];
    let looks = 0;
    for (const [name, node] of topics.topics) {
      if (found.length >= MAX_SUGGESTIONS || looks++ >= MAX_LOOKS) break;
      if (node.size > MAX_LOOK_BYTES) continue;
      for (const { keys } of numbersOf(payloadOf(node)).slice(0, 2)) found.push({ name, keys, text: keys.length ? `${name} · ${pathText(keys)}` : name });
    }
    const texts = found.map(({ text }) => text);
    if (suggestions.childElementCount && texts.join("\n") === suggestions.dataset.texts) return;
    suggestions.dataset.texts = texts.join("\n");
    suggestions.replaceChildren(
      h("span", { class: "dim" }, found.length ? "Numbers in the received messages:" : "No numbers yet. A message can be a number, true or false, or JSON that contains them."),
      ...found.map(({ name, keys, text }) => button(text, () => add(name, keys), { class: "suggestion mono" })));
  }

  offerPaths();
  return {
    /** Looks at messages that were received since. */
    refresh() {
      suggest();
      if (topic.value && numbers.length === 0 && topics.find(topic.value)) offerPaths();
    },
    /** Adds the number at the keys of a topic, or the only one. If there are several, the user chooses one. */
    addTopic(name, keys) {
      topic.value = name;
      offerPaths();
      if (keys) add(name, keys);
      else if (numbers.length === 1) add(name, numbers[0].keys);
      else path.focus();
    },
  };
}
