import { previewOf, sizeOf } from "../../core/payload.js";
import { button, h } from "../../ui/dom.js";
import { VirtualList } from "../../ui/virtual-list.js";
import { TreeRows } from "./tree-model.js";
import { mountTopic } from "./tree-topic.js";

const ROW = 30;
// The shortest time between two drawings. People cannot read figures that change faster.
const DRAW_MS = 100;
// The figures become older without messages, and orders by count or time change.
const AGE_MS = 1000;
// A row is highlighted for this time after a message.
const FRESH_MS = 500;

/** Returns a rate as text, or "" if it is nearly zero. @param {number} rate in messages per second */
export const rateText = (rate) => (rate < 0.05 ? "" : `${rate < 10 ? rate.toFixed(1) : Math.round(rate).toLocaleString()}/s`);

/**
 * The reader that shows the topics of the messages as a tree, with figures for each level.
 * @param {HTMLElement} root
 * @param {import("../../main.js").App & Record<string, any>} app
 */
export function mountTree(root, app) {
  const { messages, topics, commands } = app;
  const rows = new TreeRows(topics);
  /** @type {import("../../core/messages/topic-tree.js").TopicNode | undefined} */
  let selected;
  let shown = false, drawn = 0, timer, top;

  const field = h("input", { id: "tree-search", type: "search", placeholder: "Search the topics", spellcheck: false, "aria-describedby": "tree-found" });
  const found = h("output", { id: "tree-found", class: "small" });
  const order = h("select", { id: "tree-sort" }, h("option", { value: "name" }, "name"), h("option", { value: "count" }, "messages"), h("option", { value: "recent" }, "last message"));
  const empty = h("p", { id: "tree-empty", class: "dim" });
  const scroller = h("div", { class: "scroller" });
  const heads = h("div", { id: "tree-heads", class: "small", "aria-hidden": "true" }, h("span", {}, "Topic"), h("span", {}, "Last value"), h("span", { class: "count" }, "Messages"), h("span", { class: "rate" }, "Rate"));
  const panel = h("section", { id: "topic", tabIndex: -1, hidden: true, "aria-label": "Selected topic" });
  const bound = h("p", { id: "tree-bound", class: "small" });
  root.append(
    h("form", { id: "tree-tools", class: "row", role: "search", onsubmit: (event) => event.preventDefault() },
      h("label", { class: "find" }, h("span", { class: "hidden" }, "Search the topics"), field), found,
      h("label", { class: "inline" }, "Sort by", order),
      button("Open all", () => openAll(topics.root, true), { id: "tree-open" }),
      button("Close all", () => openAll(topics.root, false), { id: "tree-close" })),
    empty,
    h("div", { id: "tree-body" }, h("div", { class: "levels" }, heads, scroller), panel),
    bound,
  );

  const list = new VirtualList(scroller, {
    rowHeight: ROW, role: "tree", label: "Topics", id: "tree",
    create: () => h("li", { class: "level" }, h("span", { class: "name" }), h("span", { class: "payload" }), h("span", { class: "count" }), h("span", { class: "rate" })),
    fill,
    select(index) {
      selected = rows.list[index];
      topic.show(selected);
    },
    open: (index) => (rows.list[index].children ? toggle(rows.list[index]) : panel.focus()),
    key: onKey,
  });
  const topic = mountTopic(panel, app, {
    openAll,
    onback: () => list.focus(),
    onclose() {
      list.select(-1);
      list.focus();
    },
    changed: () => draw(),
  });

  function fill(row, index) {
    const node = rows.list[index], figures = topics.figuresOf(node), [name, value, count, rate] = row.children;
    row.setAttribute("aria-level", String(node.level));
    row.setAttribute("aria-posinset", String(node.position));
    row.setAttribute("aria-setsize", String(node.siblings));
    if (node.children) row.setAttribute("aria-expanded", String(rows.isOpen(node)));
    else row.removeAttribute("aria-expanded");
    row.style.setProperty("--level", String(node.level - 1));
    row.classList.toggle("fresh", figures.age < FRESH_MS);
    row.classList.toggle("match", Boolean(rows.query) && node.found);
    row.classList.toggle("retained", node.retained);
    name.textContent = node.name || "(empty)";
    name.title = node.topic;
    value.textContent = figures.value ? previewOf(figures.value, 90) : `${node.topics.toLocaleString()} ${node.topics === 1 ? "topic" : "topics"}`;
    value.classList.toggle("none", !figures.value);
    count.textContent = figures.count.toLocaleString();
    rate.textContent = rateText(figures.rate);
  }

  /** Draws the tree. Without force it leaves rows and figures as they are while the page is paused. */
  function draw() {
    clearTimeout(timer);
    timer = undefined;
    if (!shown) return;
    drawn = performance.now();
    // The row at the upper edge stays where it is if rows appear above it.
    const first = Math.floor(scroller.scrollTop / ROW), before = rows.list[first];
    const at = selected && rows.indexOf(selected);
    const made = rows.refresh();
    const now = before && rows.sort === "name" ? rows.indexOf(before) : -1;
    empty.hidden = rows.list.length > 0;
    empty.textContent = rows.query ? "No topic matches the search." : "No topics yet. The topics of received messages appear here.";
    heads.hidden = scroller.hidden = !empty.hidden;
    if (made) list.update(rows.list.length, first > 0 && now >= 0 ? now - first : 0);
    else list.update(rows.list.length);
    if (selected && (made || at !== list.selected)) list.keep(rows.indexOf(selected));
    topic.update();
    found.textContent = rows.query ? `${rows.found.toLocaleString()} found` : "";
    const { size, levels, maxLevels, bytes, maxBytes, removed } = topics;
    const text = `The tree has ${size.toLocaleString()} topics with ${levels.toLocaleString()} of at most ${maxLevels.toLocaleString()} levels, and ${sizeOf(bytes)} of at most ${sizeOf(maxBytes)}.${removed ? ` ${removed.toLocaleString()} topics without recent messages were removed.` : ""}`;
    if (text !== top) bound.textContent = top = text;
  }
  const later = () => {
    if (shown && timer === undefined) timer = setTimeout(() => requestAnimationFrame(draw), Math.max(0, drawn + DRAW_MS - performance.now()));
  };

  function toggle(node) {
    if (!node?.children) return;
    rows.setOpen(node, !rows.isOpen(node));
    draw();
  }
  function openAll(node, open) {
    rows.setAllOpen(node, open);
    draw();
  }

  /** The keys of the tree pattern of ARIA that the list does not have. */
  function onKey(event, index) {
    const node = rows.list[index];
    if (event.ctrlKey || event.metaKey || event.altKey) return false;
    if (event.key === "Escape" && node) list.select(-1);
    else if (event.key === " " && node) toggle(node);
    else if (event.key === "*" && node) {
      for (const sibling of node.parent.children.values()) if (sibling.children) rows.setOpen(sibling, true);
      draw();
    } else if (event.key === "ArrowRight" && node?.children) {
      if (rows.isOpen(node)) list.select(index + 1);
      else toggle(node);
    } else if (event.key === "ArrowLeft" && node) {
      if (node.children && rows.isOpen(node)) toggle(node);
      else if (node.level > 1) list.select(rows.indexOf(node.parent));
    } else return false;
    event.preventDefault();
    event.stopPropagation();
    return true;
  }
  scroller.addEventListener("click", (event) => {
    const row = /** @type {HTMLElement | null} */ (/** @type {HTMLElement} */ (event.target).closest("[data-index]"));
    if (!row || event.detail > 1) return; // a double click toggles too
    // The arrow is a pseudo element before the text of the name.
    const name = row.querySelector(".name");
    const x = event.clientX - name.getBoundingClientRect().left - parseFloat(getComputedStyle(name).paddingLeft);
    if (x > -8 && x < 20) toggle(rows.list[Number(row.dataset.index)]);
  });

  const search = () => {
    const before = rows.query;
    rows.search(field.value);
    if (!rows.query && before && selected) rows.reveal(selected);
    scroller.scrollTop = 0;
    draw();
    if (!rows.query && selected) list.scrollTo(Math.max(0, rows.indexOf(selected)));
  };
  field.addEventListener("input", search);
  field.addEventListener("keydown", (event) => {
    if (event.key === "ArrowDown" || event.key === "Enter") {
      event.preventDefault();
      list.focus();
      if (list.selected < 0) list.select(0);
    } else if (event.key === "Escape" && field.value) {
      event.preventDefault();
      field.value = "";
      search();
    }
  });
  order.addEventListener("change", () => {
    rows.sort = order.value;
    draw();
  });

  const searchTopics = () => {
    const search = () => {
      commands.run("tree");
      field.focus();
      field.select();
    };
    if (!/** @type {HTMLElement} */ (root.closest(".view")).hidden) return search();
    addEventListener("hashchange", search, { once: true }); // after the page has moved the focus to the view
    app.show("messages");
  };
  commands.add({ id: "tree-search", title: "Search the topics", run: searchTopics });
  // While the tree is shown, the key / belongs to its search, not to that of the list.
  document.addEventListener("keydown", (event) => {
    const typing = /** @type {HTMLElement} */ (event.target).closest?.("input, textarea, select, [contenteditable]");
    if (!shown || event.key !== "/" || typing || event.ctrlKey || event.metaKey || event.altKey || document.querySelector("dialog[open]")) return;
    event.preventDefault();
    event.stopImmediatePropagation();
    searchTopics();
  }, { capture: true });

  messages.changed.on(later);
  messages.cleared.on(() => list.select(-1));
  app.pauseChanged.on(() => {
    topics.freeze(app.paused);
    later();
  });
  setInterval(() => {
    if (!shown || document.hidden || app.paused) return;
    if (rows.sort !== "name") rows.resort();
    later();
  }, AGE_MS);

  return {
    show(on) {
      shown = on;
      if (on) draw();
    },
  };
}
