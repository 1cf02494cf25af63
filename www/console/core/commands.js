import { Emitter } from "./emitter.js";

/**
 * The commands of the page. Each has a unique id, a title, a function, and optionally its keys, like "Ctrl+K" or "/".
 * Keys without Ctrl do not work while the user types into a field. The command palette shows all commands.
 */
export class Commands {
  #commands = new Map();
  changed = new Emitter();

  /** Shows a view, and then calls a function; ui/views.js sets it. @type {(view: string, work: () => unknown) => unknown} */
  inView = (view, work) => work();

  /**
   * Adds a command: { id, title, keys?, run(), hidden?, view?, last? }. With a view, the command shows it first. The command
   * palette lists commands with `last` after the others. Returns a function that removes the command.
   */
  add({ view, run, ...others }) {
    const command = { ...others, run: view ? () => this.inView(view, run) : run };
    this.#commands.set(command.id, command);
    this.changed.emit();
    return () => this.#commands.delete(command.id) && this.changed.emit();
  }

  /** The commands, in the order of their titles. */
  get list() {
    return [...this.#commands.values()].sort((a, b) => a.title.localeCompare(b.title));
  }

  /** Runs a command by its id. Ignores an unknown id. */
  run(id) {
    return this.#commands.get(id)?.run();
  }

  /** Returns the command of a keydown event, or undefined. */
  forKey(event) {
    const typing = event.target.closest?.("input, textarea, select, [contenteditable]");
    const ctrl = event.ctrlKey || event.metaKey;
    if (event.altKey || (typing && !ctrl)) return undefined;
    const key = event.key.length === 1 ? event.key.toUpperCase() : event.key;
    const name = ctrl ? `Ctrl+${key}` : key;
    return [...this.#commands.values()].find(({ keys }) => keys === name);
  }
}
