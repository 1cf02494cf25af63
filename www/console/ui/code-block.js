import { button, copy, h } from "./dom.js";

/** A block of code with a button that copies it. */
export class CodeBlock {
  #code = h("code");

  /** @param {string} title */
  constructor(title) {
    const copyButton = button("Copy", () => copy(copyButton, this.text, this.#code), { "aria-label": `Copy: ${title}` });
    this.element = h("div", { class: "code-block" }, h("div", { class: "row head" }, h("h3", { class: "grow" }, title), copyButton), h("pre", { tabIndex: 0 }, this.#code));
  }

  get text() {
    return this.#code.textContent;
  }

  set text(text) {
    if (this.#code.textContent !== text) this.#code.textContent = text;
  }
}
