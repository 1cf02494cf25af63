import { MAX_STATE, parseSection, patchAt, patchOf } from "../../core/things/shadow-state.js";
import { button, h } from "../../ui/dom.js";
import { JsonField } from "../../ui/json-field.js";
import { StateTree } from "./tree.js";

const TITLES = { reported: "Reported", desired: "Desired" };
const HINTS = { reported: "The state that the device has.", desired: "The state that applications request." };

/**
 * The section desired or reported of a shadow: a tree whose values are edited in place, or its JSON.
 */
export class Section {
  #name;
  #submit;
  #model;
  #tree;
  #field;
  #began; // the version and the section when the user began to edit the JSON
  #note = h("p", { class: "small warn", role: "status" });

  /**
   * @param {"desired" | "reported"} name
   * @param {(state: object, began: { version: number | undefined, state: any }) => Promise<boolean>} submit sends an update, and resolves with true if it was accepted
   */
  constructor(name, submit) {
    this.#name = name;
    this.#submit = submit;
    this.#tree = new StateTree(name, {
      begin: () => this.#begin(),
      change: (began, path, value) => submit({ [name]: patchAt(began.section, path, value) }, began),
    });
    this.#field = new JsonField({ label: `${TITLES[name]} as JSON`, parse: parseSection, maxBytes: MAX_STATE, rows: 10 });
    this.form = h("form", { class: "json", hidden: true, onsubmit: (event) => (event.preventDefault(), this.#apply()), onkeydown: (event) => event.key === "Escape" && this.#close(true) },
      this.#field.element, this.#note,
      h("div", { class: "row" }, h("button", { class: "primary", title: "Apply (Ctrl+Enter)" }, "Apply"), button("Cancel", () => this.#close(true))));
    this.toggle = button("Edit JSON", () => (this.form.hidden ? this.#open() : this.#close(true)), { "aria-label": `Edit JSON of ${name}`, "aria-pressed": "false" });
    this.element = h("section", { class: "card", id: `shadow-${name}`, "aria-labelledby": `shadow-${name}-title` },
      h("div", { class: "row head" }, h("h2", { id: `shadow-${name}-title`, class: "grow" }, TITLES[name]), this.toggle),
      h("p", { class: "small" }, HINTS[name]), this.#tree.element, this.form);
  }

  /** @param {import("../../core/things/shadow-model.js").ShadowModel} model @param {boolean} mark */
  update(model, mark) {
    if (model !== this.#model) {
      this.#close(false);
      this.#tree.reset();
    }
    this.#model = model;
    this.#tree.update(model[this.#name], model.metadata?.[this.#name], mark);
    if (this.#began && this.#began.version !== model.version) this.#note.textContent = `The shadow has version ${model.version} now. You began with version ${this.#began.version}.`;
  }

  #begin() {
    const { version, desired, reported } = this.#model;
    return { version, state: { desired, reported }, section: this.#model[this.#name] };
  }

  #open() {
    this.#began = this.#begin();
    this.#field.show(this.#began.section ?? {});
    this.#note.textContent = "";
    this.#switch(true);
    this.#field.input.focus();
  }

  #close(focus) {
    if (this.form.hidden) return;
    this.#began = undefined;
    this.#switch(false);
    if (focus) this.toggle.focus();
  }

  #switch(on) {
    this.form.hidden = !on;
    this.#tree.element.hidden = on;
    this.toggle.setAttribute("aria-pressed", String(on));
  }

  async #apply() {
    const { value } = this.#field, began = this.#began;
    if (value === undefined) return this.#field.input.focus();
    const patch = patchOf(began.section, value);
    if (patch && !(await this.#submit({ [this.#name]: patch }, began))) return;
    if (this.#began === began) this.#close(true);
  }
}
