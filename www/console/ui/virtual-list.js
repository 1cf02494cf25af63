import { h } from "./dom.js";

/**
 * A list that has elements only for the rows in view. All rows have the same height. The arrow keys, Home, End, PageUp and
 * PageDown move the selection.
 *
 * The root is the scroll container. It contains an <ol role="listbox"> with the rows.
 */
export class VirtualList {
  #root;
  #list;
  #options;
  #count = 0;
  #selected = -1;
  #rows = new Map(); // index → element
  #spare = []; // elements without a row
  #scheduled = false;

  /**
   * @param {HTMLElement} root
   * @param {{ rowHeight: number, label: string, id?: string, role?: "listbox" | "tree", key?(event: KeyboardEvent, index: number): boolean,
   *   create(): HTMLElement, fill(row: HTMLElement, index: number): void, select?(index: number): void, open?(index: number): void }} options
   * create makes the element of a row; fill shows a row in such an element, which may have shown another row before; key
   * receives a key and the selected row before the list does, and returns true if the list must ignore the key
   */
  constructor(root, options) {
    this.#root = root;
    this.#options = options;
    this.#list = h("ol", { class: "virtual", role: options.role ?? "listbox", tabIndex: 0, id: options.id, "aria-label": options.label });
    this.#list.style.setProperty("--row", `${options.rowHeight}px`);
    root.classList.add("virtual-root");
    root.append(this.#list);
    root.addEventListener("scroll", () => this.#schedule(), { passive: true });
    new ResizeObserver(() => this.#schedule()).observe(root);
    this.#list.addEventListener("keydown", (event) => this.#key(event));
    this.#list.addEventListener("click", ({ target }) => {
      const row = /** @type {HTMLElement | null} */ (/** @type {HTMLElement} */ (target).closest("[data-index]"));
      if (row) this.select(Number(row.dataset.index));
    });
    this.#list.addEventListener("dblclick", () => this.#selected >= 0 && this.#options.open?.(this.#selected));
  }

  /** The index of the selected row, or -1. */
  get selected() {
    return this.#selected;
  }

  get count() {
    return this.#count;
  }

  /**
   * Sets the number of rows, and fills the rows in view again.
   * @param {number} count
   * @param {number} [inserted] the number of rows that were added before the first one; the rows in view stay where they are unless the list is scrolled to its start
   */
  update(count, inserted = 0) {
    this.#count = count;
    this.#list.style.height = `${count * this.#options.rowHeight}px`;
    if (inserted) {
      if (this.#selected >= 0) this.#selected = Math.min(this.#selected + inserted, count - 1);
      if (this.#root.scrollTop > this.#options.rowHeight) this.#root.scrollTop += inserted * this.#options.rowHeight;
    }
    if (this.#selected >= count) this.#selected = -1;
    this.#render(true);
  }

  /** Selects a row, scrolls to it, and calls select. -1 selects none. */
  select(index) {
    this.#selected = index < this.#count ? index : -1;
    if (this.#selected >= 0) this.scrollTo(this.#selected);
    this.#render(true);
    this.#options.select?.(this.#selected);
  }

  /** Scrolls so that a row is in view. */
  scrollTo(index) {
    const { rowHeight } = this.#options, top = index * rowHeight;
    if (top < this.#root.scrollTop) this.#root.scrollTop = top;
    else if (top + rowHeight > this.#root.scrollTop + this.#root.clientHeight) this.#root.scrollTop = top + rowHeight - this.#root.clientHeight;
  }

  /** Selects a row without scrolling and without a call of select: the row of the selection has another index now. */
  keep(index) {
    this.#selected = index < this.#count ? index : -1;
    this.#render(true);
  }

  focus() {
    this.#list.focus({ preventScroll: true });
  }

  #key(event) {
    if (this.#options.key?.(event, this.#selected)) return;
    const page = Math.max(1, Math.floor(this.#root.clientHeight / this.#options.rowHeight) - 1), at = this.#selected;
    const to = { ArrowDown: at + 1, ArrowUp: Math.max(0, at - 1), PageDown: at + page, PageUp: at - page, Home: 0, End: this.#count - 1 }[event.key];
    if (event.key === "Enter" && at >= 0) this.#options.open?.(at);
    if (to === undefined || this.#count === 0 || event.ctrlKey || event.metaKey) return;
    event.preventDefault();
    this.select(Math.min(this.#count - 1, Math.max(0, to)));
  }

  #schedule() {
    if (this.#scheduled) return;
    this.#scheduled = true;
    requestAnimationFrame(() => {
      this.#scheduled = false;
      this.#render(false);
    });
  }

  /** Shows the rows in view. @param {boolean} refill whether rows that are shown already are filled again */
  #render(refill) {
    const { rowHeight, create, fill } = this.#options;
    const from = Math.max(0, Math.floor(this.#root.scrollTop / rowHeight) - 3);
    const to = Math.min(this.#count, Math.ceil((this.#root.scrollTop + this.#root.clientHeight) / rowHeight) + 3);
    for (const [index, row] of this.#rows) {
      if (index >= from && index < to) continue;
      this.#rows.delete(index);
      this.#spare.push(row);
    }
    for (let index = from; index < to; index++) {
      let row = this.#rows.get(index);
      if (row && !refill) continue;
      if (!row) {
        row = this.#spare.pop() ?? create();
        row.setAttribute("role", this.#options.role === "tree" ? "treeitem" : "option");
        if (!row.isConnected) this.#list.append(row);
        this.#rows.set(index, row);
        row.hidden = false;
        row.dataset.index = String(index);
        row.style.transform = `translateY(${index * rowHeight}px)`;
        row.setAttribute("aria-posinset", String(index + 1));
      }
      row.setAttribute("aria-setsize", String(this.#count));
      const selected = index === this.#selected;
      row.setAttribute("aria-selected", String(selected));
      row.id = `${this.#list.id || "row"}-${index}`;
      fill(row, index);
    }
    for (const row of this.#spare) {
      row.hidden = true;
      row.id = "";
    }
    if (this.#selected >= from && this.#selected < to) this.#list.setAttribute("aria-activedescendant", `${this.#list.id || "row"}-${this.#selected}`);
    else this.#list.removeAttribute("aria-activedescendant");
  }
}
