import { pathText } from "../../core/messages/search-path.js";
import { base64Of, hexOf } from "../../core/payload.js";
import { button, copy, h } from "../../ui/dom.js";

// The number of children of an element. An array or object with more members has groups of members.
const GROUP = 100;
// How many rows are open at first, and how many "Expand all" opens.
const FIRST_ROWS = 120;
const MOST_ROWS = 5000;
const LONG_TEXT = 1000;

/** A value of CBOR with a tag. */
export class Tagged {
  constructor(tag, value) {
    this.tag = tag;
    this.value = value;
  }
}

/** A range of the members of a large array or object. */
class Group {
  constructor(members) {
    this.members = members;
  }
}

/**
 * A row of the tree.
 * @typedef {{ key: string, value: any, path: (string | number)[] | undefined, level: number, open: boolean, element?: HTMLElement, parent?: Row }} Row
 */

/**
 * Returns an element with a value of JSON or CBOR as a tree that is folded. Only open rows have elements, so a document may
 * be large and deep. Keyboard: the arrow keys, Home, End, Enter and Space.
 * @param {any} root
 * @param {(term: string) => void} [find] searches for messages with a term like json:a.b=1
 * @returns {HTMLElement}
 */
export function valueTree(root, find) {
  /** @type {Row[]} the rows that have elements, from top to bottom */
  let rows = [];
  let current = 0;
  const tree = h("div", { class: "value-tree", role: "tree", "aria-label": "Value" });
  const path = h("code", { class: "grow" });
  const bar = h("div", { class: "row path" }, path,
    button("Expand all", () => expandAll(), { class: "icon" }),
    button("Collapse all", () => collapseAll(), { class: "icon" }),
    find && button("Find equal", () => find(termOf(rows[current])), { class: "icon" }),
    button("Copy path", ({ currentTarget }) => copy(currentTarget, pathText(rows[current].path ?? []), path), { class: "icon" }),
    button("Copy value", ({ currentTarget }) => copy(currentTarget, sourceOf(rows[current].value), path), { class: "icon" }));

  /** @param {Row} row */
  const show = (row) => {
    row.element.setAttribute("aria-level", String(row.level));
    if (isContainer(row.value)) row.element.setAttribute("aria-expanded", String(row.open));
    row.element.replaceChildren(
      h("span", { class: "fold", "aria-hidden": "true" }, isContainer(row.value) ? (row.open ? "▾" : "▸") : ""),
      ...(row === rows[0] ? [] : [h("span", { class: "key" }, row.key), ": "]),
      ...valueParts(row.value));
  };

  const create = (row) => {
    row.element = h("div", { role: "treeitem", tabIndex: -1 });
    row.element.style.setProperty("--level", String(Math.min(row.level, 24) - 1));
    show(row);
    return row.element;
  };

  const expand = (row, at = rows.indexOf(row)) => {
    if (row.open || !isContainer(row.value)) return [];
    row.open = true;
    const children = childrenOf(row);
    row.element.after(...children.map(create));
    rows = rows.toSpliced(at + 1, 0, ...children);
    show(row);
    return children;
  };

  const collapse = (row) => {
    if (!row.open) return;
    row.open = false;
    const at = rows.indexOf(row);
    let end = at + 1;
    while (end < rows.length && rows[end].level > row.level) rows[end++].element.remove();
    rows = rows.toSpliced(at + 1, end - at - 1);
    show(row);
  };

  const focus = (index, move = true) => {
    rows[current]?.element.setAttribute("tabindex", "-1");
    current = Math.max(0, Math.min(rows.length - 1, index));
    const row = rows[current];
    row.element.setAttribute("tabindex", "0");
    path.textContent = row.path?.length ? pathText(row.path) : "the whole value";
    if (move) row.element.focus();
  };

  /** Opens rows, the highest levels first, until the tree has a number of rows. */
  const expandTo = (most) => {
    for (const queue = [...rows]; queue.length && rows.length < most; ) {
      const row = queue.shift();
      queue.push(...(row.open ? rows.filter(({ parent }) => parent === row) : expand(row)));
    }
  };
  const expandAll = () => {
    const row = rows[current];
    expandTo(MOST_ROWS);
    focus(rows.indexOf(row), false);
  };
  const collapseAll = () => {
    collapse(rows[0]);
    focus(0, false);
  };

  tree.addEventListener("click", ({ target }) => {
    const at = rows.findIndex(({ element }) => element === target.closest("[role=treeitem]"));
    if (at < 0) return;
    focus(at);
    if (getSelection()?.isCollapsed === false) return;
    if (rows[at].open) collapse(rows[at]);
    else expand(rows[at]);
  });
  tree.addEventListener("keydown", (event) => {
    const row = rows[current];
    const keys = {
      ArrowDown: () => focus(current + 1),
      ArrowUp: () => focus(current - 1),
      Home: () => focus(0),
      End: () => focus(rows.length - 1),
      ArrowRight: () => (row.open ? focus(current + 1) : expand(row)),
      ArrowLeft: () => (row.open ? collapse(row) : row.parent && focus(rows.indexOf(row.parent))),
      Enter: () => (row.open ? collapse(row) : expand(row)),
    };
    keys[" "] = keys.Enter;
    if (!keys[event.key] || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    event.stopPropagation();
    keys[event.key]();
  });

  rows = [{ key: "", value: root, path: [], level: 1, open: false }];
  tree.append(create(rows[0]));
  expandTo(FIRST_ROWS);
  focus(0, false);
  return h("div", { class: "value" }, tree, bar);
}

/** Returns the term that finds messages with the value of a row, or with any value at its path. */
function termOf({ path = [], value }) {
  if (!path.length) return "";
  const literal = typeof value === "string" ? `"${value.replaceAll(/["\\]/g, "\\$&")}"` : String(value);
  return `json:${pathText(path)}${isContainer(value) || (typeof value === "object" && value !== null) ? "" : `=${literal}`}`;
}

function isContainer(value) {
  return sizeOfValue(value) > 0;
}

/** Returns the number of members of a value. */
function sizeOfValue(value) {
  if (value === null || typeof value !== "object" || value instanceof Uint8Array) return 0;
  if (Array.isArray(value)) return value.length;
  if (value instanceof Map) return value.size;
  if (value instanceof Tagged) return 1;
  if (value instanceof Group) return value.members.length;
  return Object.keys(value).length;
}

/** Returns the rows below a row. @param {Row} row @returns {Row[]} */
function childrenOf(row) {
  const { value, level } = row;
  let members;
  if (value instanceof Group) ({ members } = value);
  else {
    const entries = Array.isArray(value) ? value.entries() : value instanceof Map ? value.entries() : value instanceof Tagged ? [["value", value.value]] : Object.entries(value);
    members = Array.from(entries, ([key, member]) => ({
      key: Array.isArray(value) ? `[${key}]` : typeof key === "string" ? key : String(sourceOf(key)),
      value: member,
      // Only paths of JSON can be used in a search.
      path: row.path && (Array.isArray(value) || typeof key === "string") && !(value instanceof Tagged) ? [...row.path, key] : undefined,
    }));
  }
  if (members.length > GROUP) {
    const size = GROUP ** Math.ceil(Math.log(members.length) / Math.log(GROUP) - 1);
    const groups = [];
    for (let i = 0; i < members.length; i += size) {
      const part = members.slice(i, i + size);
      groups.push({ key: `${part[0].key} … ${part.at(-1).key}`, value: new Group(part), path: row.path });
    }
    members = groups;
  }
  return members.map((member) => ({ ...member, level: level + 1, open: false, parent: row }));
}

/** Returns the nodes that show a value in its row. */
function valueParts(value) {
  const n = sizeOfValue(value).toLocaleString();
  if (Array.isArray(value)) return [h("span", { class: "dim" }, `[${n}]`)];
  if (value instanceof Group) return [h("span", { class: "dim" }, `${n} members`)];
  if (value instanceof Tagged) return [h("span", { class: "dim" }, `tag ${value.tag}`)];
  if (value instanceof Uint8Array) return [h("span", { class: "string" }, `h'${hexOf(value.subarray(0, 64)).replaceAll(" ", "")}${value.length > 64 ? "…" : ""}'`), h("span", { class: "dim" }, ` ${value.length.toLocaleString()} bytes`)];
  if (value !== null && typeof value === "object") return [h("span", { class: "dim" }, `{${n}}`)];
  if (typeof value === "string" && value.length > LONG_TEXT) {
    return [h("span", { class: "string" }, `${JSON.stringify(value.slice(0, LONG_TEXT)).slice(0, -1)}…`), h("span", { class: "dim" }, ` the first ${LONG_TEXT.toLocaleString()} of ${value.length.toLocaleString()} characters`)];
  }
  if (typeof value === "string") return [h("span", { class: "string" }, JSON.stringify(value))];
  return [h("span", { class: typeof value === "number" || typeof value === "bigint" ? "number" : "literal" }, String(value))];
}

/** Returns a value as JSON, as far as JSON can represent it. */
function sourceOf(value) {
  if (value instanceof Group) return sourceOf(value.members.map((member) => member.value));
  if (typeof value === "string") return value;
  return prettyJson(value) ?? String(value);
}

/** Returns a value of JSON or CBOR as indented JSON, or undefined if it is too deep. Bytes become Base64. @param {any} value */
export function prettyJson(value) {
  try {
    return JSON.stringify(value, (_, member) => {
      if (typeof member === "bigint") return JSON.rawJSON ? JSON.rawJSON(String(member)) : String(member);
      if (member instanceof Uint8Array) return base64Of(member);
      if (member instanceof Map) return Object.fromEntries(member);
      return member;
    }, 2);
  } catch {
    return undefined;
  }
}
