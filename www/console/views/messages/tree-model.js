const COMPARE = {
  name: (a, b) => (a.key < b.key ? -1 : a.key > b.key ? 1 : a.name < b.name ? -1 : 1),
  count: (a, b) => b.count - a.count || COMPARE.name(a, b),
  recent: (a, b) => b.time - a.time || COMPARE.name(a, b),
};

/** @typedef {import("../../core/messages/topic-tree.js").TopicNode} TopicNode */

/** The rows of the topic tree: the levels whose upper levels are all open, in their order. */
export class TreeRows {
  #tree;
  /** @type {"name" | "count" | "recent"} */
  #sort = "name";
  #sorts = 1; // the number of the current order; the order of a level with another number is out of date
  #query = "";
  #version = -1;
  #dirty = true;
  /** @type {TopicNode[]} */
  list = [];
  /** The number of levels that match the search. */
  found = 0;

  /** @param {import("../../core/messages/topic-tree.js").TopicTree} tree */
  constructor(tree) {
    this.#tree = tree;
    tree.onlevel = (node) => this.#query && this.#test(node) && this.#note(node);
  }

  get sort() {
    return this.#sort;
  }

  get query() {
    return this.#query;
  }

  /** @param {"name" | "count" | "recent"} sort */
  set sort(sort) {
    this.#sort = sort;
    this.resort();
  }

  /** Sorts all levels again with the next refresh(). */
  resort() {
    this.#sorts++;
    this.#dirty = true;
  }

  /** Makes the rows again if levels were added, removed, opened or closed. Returns whether it has. */
  refresh() {
    if (!this.#dirty && this.#version === this.#tree.version) return false;
    this.#version = this.#tree.version;
    this.#dirty = false;
    this.list = [];
    this.#visit(this.#tree.root, !this.#query);
    this.found = this.#tree.root.foundBelow;
    return true;
  }

  /** @param {TopicNode} node @param {boolean} all whether the search allows all levels below */
  #visit(node, all) {
    if (!node.children) return;
    if (!node.order || node.orderOf !== this.#sorts) {
      node.order = [...node.children.values()].sort(COMPARE[this.#sort]);
      node.orderOf = this.#sorts;
    }
    let shown = node.order;
    if (!all) shown = shown.filter((child) => child.found || child.foundBelow > 0);
    shown = shown.some((child) => this.#tree.isHidden(child)) ? shown.filter((child) => !this.#tree.isHidden(child)) : shown;
    for (let i = 0; i < shown.length; i++) {
      const child = shown[i];
      child.position = i + 1;
      child.siblings = shown.length;
      child.row = this.list.push(child) - 1;
      if (child.children && this.isOpen(child)) this.#visit(child, all || child.found);
    }
  }

  /** Returns the index of the row of a level, or -1. @param {TopicNode | undefined} node */
  indexOf(node) {
    return node && this.list[node.row] === node ? node.row : -1;
  }

  /** @param {TopicNode} node */
  isOpen(node) {
    return this.#query ? node.foundOpen : node.open;
  }

  /** Opens or closes a level. @param {TopicNode} node */
  setOpen(node, open) {
    if (this.#query) node.foundOpen = open;
    else node.open = open;
    this.#dirty = true;
  }

  /** Opens or closes a level and all levels below it. @param {TopicNode} node */
  setAllOpen(node, open) {
    if (node.parent) this.setOpen(node, open);
    for (const child of node.children?.values() ?? []) if (child.children) this.setAllOpen(child, open);
    this.#dirty = true;
  }

  /** Opens all levels above a level. @param {TopicNode} node */
  reveal(node) {
    for (let at = node.parent; at?.parent; at = at.parent) this.setOpen(at, true);
  }

  /**
   * Shows only the levels whose name contains a text, with the levels above them, which it opens. A text with a slash is
   * searched in the topic. Upper and lower case are equal. An empty text ends the search.
   */
  search(text) {
    this.#query = text.trim().toLowerCase();
    this.#dirty = true;
    if (this.#query) this.#count(this.#tree.root);
  }

  #test(node) {
    return (this.#query.includes("/") ? node.topic : node.name).toLowerCase().includes(this.#query);
  }

  /** Sets the state of the search for a level and those below. Returns the number of found levels. @param {TopicNode} node */
  #count(node) {
    let below = 0;
    for (const child of node.children?.values() ?? []) below += this.#count(child);
    node.found = Boolean(node.parent) && this.#test(node);
    node.foundBelow = below;
    node.foundOpen = below > 0;
    return below + (node.found ? 1 : 0);
  }

  /** Notes that a new level matches. @param {TopicNode} node */
  #note(node) {
    node.found = true;
    for (let at = node.parent; at; at = at.parent) {
      if (at.foundBelow++ === 0) at.foundOpen = true;
    }
  }
}
