import { kept } from "../storage.js";

const MAX_RECENT = 12;

/** The values that the user has chosen last, newest first. They stay in the browser. */
export class Recent {
  #key;

  /** @param {string} key the key in the storage */
  constructor(key) {
    this.#key = key;
  }

  /** @returns {any[]} */
  get list() {
    const stored = kept.get(this.#key, []);
    return Array.isArray(stored) ? stored.slice(0, MAX_RECENT) : [];
  }

  /** Makes a value the newest one. */
  add(value) {
    const text = JSON.stringify(value);
    kept.set(this.#key, [value, ...this.list.filter((other) => JSON.stringify(other) !== text)].slice(0, MAX_RECENT));
  }

  clear() {
    kept.set(this.#key, undefined);
  }
}
