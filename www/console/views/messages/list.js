import { oncePerFrame } from "../../core/emitter.js";
import { previewOf, sizeOf, textOf } from "../../core/payload.js";
import { Results } from "../../core/messages/results.js";
import { $, clock, h } from "../../ui/dom.js";
import { VirtualList } from "../../ui/virtual-list.js";
import { mountDetail } from "./detail.js";
import { mountFiles } from "./files.js";
import { mountSearch } from "./search.js";
import { mountSplitter } from "./splitter.js";

/**
 * The reader that lists messages, newest first, with the details of the selected one.
 * @param {HTMLElement} root
 * @param {import("../../main.js").App} app
 */
export function mountList(root, app) {
  const { messages, subscriptions } = app;
  const results = new Results(messages, subscriptions);
  const scroller = $("scroller"), panel = $("message-details");
  let shown = true;
  let inserted = 0; // the value of results.inserted at the last update
  let needles = []; // the texts to mark in the rows
  let moving = false; // whether the selection follows its record

  const list = new VirtualList(scroller, {
    rowHeight: 52,
    label: "Messages",
    id: "messages",
    create: () => h("li", { class: "message" }, h("time"), h("span", { class: "topic" }), h("span", { class: "meta" }), h("span", { class: "payload" })),
    fill(row, index) {
      const record = results.at(index);
      if (!record) return;
      const [time, topic, meta, payload] = row.children;
      time.textContent = clock(record.time);
      mark(topic, record.topic, needles);
      const names = record.subscriptions.map((id) => subscriptions.get(id)?.name).filter(Boolean);
      meta.textContent = [...names, `QoS ${record.qos}`, record.retain && "retained", record.source && "imported", record.contentType, sizeOf(record.payload.length)].filter(Boolean).join(" · ");
      mark(payload, needles.length ? previewAround(record.payload, needles) : previewOf(record.payload), needles);
      row.style.setProperty("--marks", marksOf(record.subscriptions));
    },
    select(index) {
      if (!moving) detail.show(index < 0 ? undefined : results.at(index));
      showHandle();
    },
    open: () => detail.focus(),
  });

  const close = () => {
    list.select(-1);
    list.focus();
  };
  const detail = mountDetail(panel, app, { onclose: close, onselect: (record) => showRecord(record) });
  const showHandle = () => ($("split").hidden = panel.hidden);
  mountSplitter($("split"), $("reading"), () => matchMedia("(min-width: 1400px)").matches);
  scroller.addEventListener("keydown", (event) => {
    if (event.key !== "Escape" || panel.hidden) return;
    event.preventDefault();
    close();
  });

  /** Selects a record in the list without showing it again. */
  const follow = (record) => {
    moving = true;
    list.select(record ? results.indexOf(record.n) : -1);
    moving = false;
  };
  const showRecord = (record) => {
    if (!record) return;
    detail.show(record);
    follow(record);
  };
  app.showMessage = (record) => {
    app.commands.run("list");
    showRecord(record);
  };

  let marks = new Map(); // list of ids → the marks
  /** Returns a gradient with the colours of subscriptions, one below the other. */
  const marksOf = (ids) => {
    let gradient = marks.get(ids);
    if (gradient === undefined) {
      const colours = ids.map((id) => subscriptions.get(id)?.colour).filter(Boolean), part = 100 / colours.length;
      gradient = colours.length ? `linear-gradient(${colours.map((colour, i) => `${colour} ${i * part}% ${(i + 1) * part}%`).join(", ")})` : "none";
      marks.set(ids, gradient);
    }
    return gradient;
  };

  const update = () => {
    if (!shown) return;
    const { size } = results, more = results.inserted - inserted;
    inserted = results.inserted;
    $("empty").hidden = size > 0;
    $("empty").textContent = results.query ? (results.searching ? "Searching …" : "No message matches the search.") : "No messages yet. The messages of your subscriptions appear here, newest first.";
    scroller.hidden = size === 0;
    list.update(size, Math.max(0, Math.min(more, size)));
    // The list moves the selection by its index. The history may have removed the record, or a search may have changed the results.
    const { record } = detail;
    if (record && results.at(list.selected)?.n !== record.n && (list.selected >= 0 || results.indexOf(record.n) >= 0)) follow(record);
    showPause();
    searchField.show();
  };
  const showPause = () => {
    const waiting = app.paused ? results.hidden : 0;
    $("pause").textContent = app.paused ? (waiting ? `Resume (${waiting.toLocaleString()} new)` : "Resume") : "Pause";
  };
  const scheduled = oncePerFrame(update);
  results.changed.on(scheduled);
  subscriptions.changed.on(() => {
    marks = new Map();
    scheduled();
  });
  messages.cleared.on(() => {
    detail.show(undefined);
    list.select(-1);
  });
  app.pauseChanged.on(() => {
    results.freeze(app.paused);
    showPause();
  });
  const searchField = mountSearch(app, results, () => {
    needles = results.query?.texts ?? [];
    inserted = 0;
    scroller.scrollTop = 0;
  });
  mountFiles(root, app, results);
  update();
  return {
    show(on) {
      shown = on;
      update();
    },
  };
}

/** Shows a text in an element, with marks at the texts that were searched. */
function mark(element, text, needles) {
  if (!needles.length) {
    element.textContent = text;
    return;
  }
  const lower = text.toLowerCase(), nodes = [];
  // Lower case may have another length, for example for İ. Then the places do not fit.
  for (let at = 0; at < text.length; ) {
    const next = lower.length === text.length ? firstOf(lower, needles, at) : undefined;
    nodes.push(text.slice(at, next?.at));
    if (!next) break;
    nodes.push(h("mark", {}, text.slice(next.at, next.at + next.length)));
    at = next.at + next.length;
  }
  element.replaceChildren(...nodes);
}

/** Returns the first place of one of the texts, or undefined. */
function firstOf(text, needles, from) {
  let first;
  for (const { length, at } of needles.map((needle) => ({ length: needle.length, at: text.indexOf(needle, from) }))) {
    if (at >= 0 && (!first || at < first.at)) first = { at, length };
  }
  return first;
}

/** Returns the part of a payload around the first match, in one line. */
function previewAround(payload, needles) {
  const text = textOf(payload);
  const first = text === undefined || payload.length <= 40 ? undefined : firstOf(text.toLowerCase(), needles, 0);
  return first && first.at > 30 ? `…${text.slice(first.at - 12, first.at + 190).replaceAll(/\s+/g, " ")}` : previewOf(payload);
}
