/**
 * Values of the console page in the browser, as JSON. If the browser refuses the storage (it is full, or the user has
 * forbidden it), the values last as long as the page.
 */
export class Storage {
  #area;
  #values = new Map();

  /** @param {() => globalThis.Storage} area returns localStorage or sessionStorage; it throws if the browser refuses it */
  constructor(area) {
    try {
      this.#area = area();
    } catch {
      this.#area = undefined;
    }
  }

  /** Returns the stored value, or the other one if there is none or it is not JSON. */
  get(key, otherwise) {
    if (this.#values.has(key)) return this.#values.get(key);
    try {
      const text = this.#area?.getItem(`iot.console.${key}`);
      return text == null ? otherwise : JSON.parse(text);
    } catch {
      return otherwise;
    }
  }

  /** Stores a value. undefined removes it. */
  set(key, value) {
    this.#values.delete(key);
    try {
      if (value === undefined) this.#area?.removeItem(`iot.console.${key}`);
      else this.#area.setItem(`iot.console.${key}`, JSON.stringify(value));
    } catch {
      this.#values.set(key, value);
    }
  }
}

/** The values that stay in the browser. They contain no secret unless the user has chosen to keep it. */
export const kept = new Storage(() => localStorage);

/** The values that end with the tab. */
export const session = new Storage(() => sessionStorage);
