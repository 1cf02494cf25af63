import { changeText, isObject, pathText, timeAt, typedValue, valueText } from "../../core/things/shadow-state.js";
import { button, h } from "../../ui/dom.js";

const isContainer = (value) => Array.isArray(value) || isObject(value);
const keysOf = (value) => (Array.isArray(value) ? value.map((_, i) => i) : Object.keys(value ?? {}));

/**
 * A section of a shadow as a tree. update() keeps the rows of values that exist in both states, so that a field in which
 * the user types stays, and marks the rows that have changed.
 */
export class StateTree {
  #section;
  #edit;
  #rows = new WeakMap(); // the list of a container → its rows, by key
  #root = h("ul", { class: "state-tree" });
  #empty = h("p", { class: "dim" }, "Empty.");
  #value = undefined;
  #mark = false;

  /**
   * @param {string} section the name of the section
   * @param {{ begin(): any, change(began: any, path: import("../../core/things/shadow-state.js").Path, value: unknown): Promise<boolean> }} [edit]
   * begin() is called when the user begins to type; change() receives its result, and the new value or undefined to remove
   * it, and resolves with true if it was accepted. Without edit the tree is read-only.
   */
  constructor(section, edit) {
    this.#section = section;
    this.#edit = edit;
    this.element = h("div", { class: "state" }, this.#empty, this.#root,
      edit && button("Add a key", ({ currentTarget }) => this.#add(currentTarget, []), { "aria-label": `Add a key to ${section}` }));
  }

  /** Removes all rows and open fields, before the tree shows another shadow. */
  reset() {
    for (const form of this.element.querySelectorAll(".edit")) form.remove();
    this.#root.replaceChildren();
    this.#rows = new WeakMap();
  }

  /**
   * @param {any} value
   * @param {any} metadata
   * @param {boolean} mark whether rows that change are marked
   */
  update(value, metadata, mark) {
    this.#value = value;
    this.#mark = mark;
    this.#empty.hidden = keysOf(value).length > 0;
    this.#fill(this.#root, value, metadata, []);
  }

  #fill(list, value, metadata, path) {
    const rows = this.#rows.get(list) ?? new Map();
    this.#rows.set(list, rows);
    const keys = keysOf(value), wanted = new Set(keys);
    for (const [key, row] of rows) {
      if (wanted.has(key) && row.container === isContainer(value[key])) continue;
      row.element.remove();
      rows.delete(key);
    }
    keys.forEach((key, i) => {
      let row = rows.get(key);
      if (!row) rows.set(key, (row = this.#row([...path, key], isContainer(value[key]))));
      if (list.children[i] !== row.element) list.insertBefore(row.element, list.children[i] ?? null);
      this.#show(row, value[key], metadata);
    });
  }

  /** Returns a new row. @param {import("../../core/things/shadow-state.js").Path} path @param {boolean} container */
  #row(path, container) {
    const key = path.at(-1), name = pathText([this.#section, ...path]);
    const row = { path, name, container, text: undefined, form: undefined };
    row.time = h("time", { class: "dim" });
    if (container) {
      row.list = h("ul");
      row.value = button("", () => this.#fold(row), { class: "fold", "aria-expanded": "true" });
    } else if (this.#edit) {
      row.value = button("", () => this.#change(row), { class: "value" });
    } else {
      row.value = h("span", { class: "value" });
    }
    row.line = h("div", { class: "entry" }, h("span", { class: "key" }, String(key)), row.value, row.time,
      this.#edit && container && button("+", ({ currentTarget }) => this.#add(currentTarget, path), { class: "icon", "aria-label": `Add to ${name}` }),
      this.#edit && button("×", () => this.#edit.change(this.#edit.begin(), path, undefined), { class: "icon", "aria-label": `Remove ${name}` }));
    row.element = h("li", {}, row.line, row.list);
    return row;
  }

  #show(row, value, metadata) {
    const time = timeAt(metadata, row.path);
    row.time.textContent = time === undefined ? "" : new Date(time * 1000).toLocaleTimeString([], { hour12: false });
    row.time.title = time === undefined ? "" : `Changed ${new Date(time * 1000).toLocaleString()}`;
    if (row.container) {
      const count = keysOf(value).length;
      row.value.textContent = Array.isArray(value) ? `[${count}]` : `{${count}}`;
      row.value.setAttribute("aria-label", `${row.name}, ${count} ${Array.isArray(value) ? "elements" : "keys"}`);
      if (row.text === undefined && this.#mark) mark(row.line);
      row.text = "";
      this.#fill(row.list, value, metadata, row.path);
      return;
    }
    const text = JSON.stringify(value);
    if (text === row.text) return;
    if (row.form) row.form.note(`Meanwhile the value has become ${valueText(value)}.`);
    if (this.#mark) mark(row.line);
    row.text = text;
    row.value.textContent = valueText(value, 200);
    row.value.dataset.type = value === null ? "null" : typeof value;
    if (this.#edit) row.value.setAttribute("aria-label", `Change ${row.name}, now ${valueText(value)}`);
  }

  #fold(row) {
    row.list.hidden = !row.list.hidden;
    row.value.setAttribute("aria-expanded", String(!row.list.hidden));
  }

  /** Lets the user change a value in place. */
  #change(row) {
    const began = this.#edit.begin();
    row.form = this.#form(`New value of ${row.name}`, row.text, async (value) => {
      if (JSON.stringify(value) === row.text && began.version === this.#edit.begin().version) return true;
      return this.#edit.change(began, row.path, value);
    }, (focus) => {
      row.form.element.replaceWith(row.line);
      row.form = undefined;
      if (focus) row.value.focus();
    }, h("span", { class: "key" }, String(row.path.at(-1))));
    row.line.replaceWith(row.form.element);
    row.form.focus();
  }

  /** Lets the user add a key to an object, or an element to an array. */
  #add(opener, path) {
    if (opener.parentElement.querySelector(":scope > .edit.new") || opener.closest("li")?.querySelector(":scope > .edit.new")) return;
    const began = this.#edit.begin();
    const container = path.reduce((value, key) => value?.[key], this.#value) ?? {};
    const name = pathText([this.#section, ...path]), isArray = Array.isArray(container);
    const key = isArray ? undefined : h("input", { required: true, spellcheck: false, placeholder: "key", "aria-label": `New key in ${name}` });
    const form = this.#form(`Value of the new ${isArray ? "element" : "key"} in ${name}`, "", (value) => this.#edit.change(began, [...path, key ? key.value : container.length], value), () => {
      form.element.remove();
      opener.focus();
    }, key);
    form.element.classList.add("new");
    opener.closest(".entry") ? opener.closest(".entry").after(form.element) : opener.before(form.element);
    key ? key.focus() : form.focus();
  }

  /** Returns a form for one value. key is the field or the text before it. */
  #form(label, text, save, close, key) {
    const input = h("input", { value: text, spellcheck: false, placeholder: "value", "aria-label": label });
    const note = h("span", { class: "small", role: "status" });
    const read = () => {
      try {
        const value = typedValue(input.value);
        const type = value === null ? "null removes the key" : Array.isArray(value) ? "array" : typeof value === "string" ? "text" : typeof value;
        note.textContent = input.value === "" ? "An empty text. Numbers, true, false and JSON are recognised." : type;
        note.classList.remove("bad");
        return { value };
      } catch (error) {
        note.textContent = error.message;
        note.classList.add("bad");
        return undefined;
      }
    };
    const element = h("form", {
      class: "edit",
      oninput: read,
      onsubmit: async (event) => {
        event.preventDefault();
        const typed = read();
        if (!typed) return;
        const hadFocus = element.contains(document.activeElement);
        if (await save(typed.value)) close(hadFocus && (element.contains(document.activeElement) || document.activeElement === document.body));
      },
      onkeydown: (event) => event.key === "Escape" && (event.stopPropagation(), close(true)),
    }, key, input, h("button", { class: "primary" }, "Save"), button("Cancel", () => close(true)), note);
    read();
    return {
      element,
      focus: () => (input.focus(), input.select()),
      note: (message) => (note.textContent = message),
    };
  }
}

/** Marks an element for a short time. */
function mark(element) {
  element.classList.remove("marked");
  void element.offsetWidth; // the animation starts again
  element.classList.add("marked");
}

/** Returns a list of differences. @param {import("../../core/things/shadow-state.js").Change[]} changes */
export function changeList(changes) {
  return h("ul", { class: "changes" }, changes.map((change) => h("li", { class: change.kind }, changeText(change))));
}
