import { sizeOf } from "../core/payload.js";
import { h } from "./dom.js";

let last = 0;

/**
 * A field for JSON that states what is wrong with its text, and its size. Tab leaves the field; Ctrl+Enter sends its form.
 */
export class JsonField {
  #parse;
  #state;
  #maxBytes;
  /** The value, or undefined if the text is not valid. @type {any} */
  value = undefined;

  /**
   * @param {object} options
   * @param {string} options.label
   * @param {(text: string) => any} options.parse returns the value, or throws an error with the reason
   * @param {number} options.maxBytes the largest size without white space
   * @param {number} [options.rows]
   * @param {() => void} [options.changed]
   */
  constructor({ label, parse, maxBytes, rows = 8, changed = () => {} }) {
    const id = `json-field-${++last}`;
    this.#parse = parse;
    this.#maxBytes = maxBytes;
    this.#state = h("p", { class: "small", id: `${id}-state` });
    this.input = h("textarea", { class: "mono", rows, spellcheck: false, id, "aria-describedby": `${id}-state`, oninput: () => (this.#check(), changed()) });
    this.input.addEventListener("keydown", (event) => {
      if (event.key !== "Enter" || !(event.ctrlKey || event.metaKey)) return;
      event.preventDefault();
      this.input.form?.requestSubmit();
    });
    this.element = h("div", { class: "json-field" }, h("label", { htmlFor: id }, label), this.input, this.#state);
  }

  get text() {
    return this.input.value;
  }

  set text(text) {
    this.input.value = text;
    this.#check();
  }

  /** Sets the text to that of a value. */
  show(value) {
    this.text = JSON.stringify(value, undefined, 2);
  }

  #check() {
    let problem = "";
    this.value = undefined;
    try {
      const value = this.#parse(this.text);
      const size = new TextEncoder().encode(JSON.stringify(value)).length;
      if (size > this.#maxBytes) problem = `${size.toLocaleString()} bytes are more than the limit of ${this.#maxBytes.toLocaleString()}.`;
      else this.value = value;
      this.#state.textContent = problem || `${sizeOf(size)} of at most ${sizeOf(this.#maxBytes)}`;
    } catch (error) {
      this.#state.textContent = problem = error.message;
    }
    this.input.setAttribute("aria-invalid", String(Boolean(problem)));
    this.#state.classList.toggle("bad", Boolean(problem));
  }
}
