// The published messages and the saved messages. Both are kept in the browser.
import { Emitter } from "../emitter.js";
import { draftOf, plainDraft } from "./draft.js";
import { kept } from "../storage.js";

// The bounds. Sizes are in characters of JSON.
const MAX_PUBLISHED = 100;
const MAX_PUBLISHED_SIZE = 256 << 10;
const MAX_PAYLOAD_SIZE = 64 << 10;
const MAX_SAVED = 500;
const MAX_SAVED_SIZE = 1 << 20;
// The published messages are written after this time, so that fast publications do not write each time.
const WRITE_DELAY_MS = 500;

const KIND = "iot.console saved messages";
const sizeOf = (value) => JSON.stringify(value).length;

/**
 * A published message. If the payload is above the bound, the history does not have it, and `omitted` is its size.
 * @typedef {{ time: number, count: number, draft: import("./draft.js").Draft, result: string, failed?: boolean, omitted?: number, size: number }} Published
 */

/** The messages that the page has published, newest first. Equal messages in a row are one entry. */
export class PublishHistory {
  /** @type {Published[]} */
  list = [];
  size = 0;
  maxSize = MAX_PUBLISHED_SIZE;
  changed = new Emitter();
  /** @type {any} */
  #timer;

  constructor() {
    for (const entry of kept.get("published", [])) {
      try {
        this.list.push({ ...entry, draft: draftOf(entry.draft), size: sizeOf(entry.draft) });
      } catch {} // another version has written it
    }
    this.#trim();
    globalThis.addEventListener?.("pagehide", () => this.#timer && this.#write());
  }

  /** Adds a message. Returns a function that sets its result. @param {import("./draft.js").Draft} draft */
  add(draft) {
    const length = draft.format === "file" ? draft.bytes?.length ?? 0 : draft.payload.length;
    const omitted = length > MAX_PAYLOAD_SIZE ? length : undefined;
    const plain = plainDraft(omitted === undefined ? draft : { ...draft, payload: "", bytes: undefined }), last = this.list[0];
    let entry;
    if (last && last.omitted === omitted && JSON.stringify(last.draft) === JSON.stringify(plain)) {
      entry = last;
      entry.count++;
      entry.time = Date.now();
    } else {
      entry = { time: Date.now(), count: 1, draft: plain, result: "", omitted, size: sizeOf(plain) };
      this.list.unshift(entry);
      this.#trim();
    }
    this.#later();
    return (result, failed = false) => {
      entry.result = result;
      entry.failed = failed || undefined;
      this.#later();
    };
  }

  clear() {
    this.list = [];
    this.#trim();
    this.#later();
  }

  #trim() {
    if (this.list.length > MAX_PUBLISHED) this.list.length = MAX_PUBLISHED;
    this.size = this.list.reduce((sum, { size }) => sum + size, 0);
    while (this.list.length > 1 && this.size > MAX_PUBLISHED_SIZE) this.size -= this.list.pop()?.size ?? 0;
  }

  #later() {
    this.changed.emit();
    this.#timer ??= setTimeout(() => this.#write(), WRITE_DELAY_MS);
  }

  #write() {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    kept.set("published", this.list.map(({ size, ...entry }) => entry));
  }
}

/** A saved message. @typedef {{ name: string, draft: import("./draft.js").Draft }} Saved */

/** The messages that the user has saved with a name, in the order of their names. */
export class SavedMessages {
  /** @type {Saved[]} */
  list = [];
  changed = new Emitter();
  maxSize = MAX_SAVED_SIZE;

  constructor() {
    for (const { name, draft } of kept.get("saved", [])) {
      try {
        this.list.push({ name: String(name), draft: draftOf(draft) });
      } catch {} // another version has written it
    }
  }

  /** The size in characters of JSON. */
  get size() {
    return sizeOf(this.list);
  }

  /** Saves a message. Replaces the one of the same name. Throws a RangeError if the bound would be exceeded. */
  save(name, draft) {
    const text = String(name).trim();
    if (!text) throw new TypeError("give the message a name");
    const plain = plainDraft(draft);
    this.#set([...this.list.filter((other) => other.name !== text), { name: text, draft: plain }]);
  }

  /** Gives a message another name. Throws a TypeError if the name is empty or taken. */
  rename(name, to) {
    const text = String(to).trim();
    if (text === name) return;
    if (!text) throw new TypeError("give the message a name");
    if (this.list.some((other) => other.name === text)) throw new TypeError(`another message has the name “${text}”`);
    this.#set(this.list.map((entry) => (entry.name === name ? { ...entry, name: text } : entry)));
  }

  remove(name) {
    this.#set(this.list.filter((entry) => entry.name !== name));
  }

  /** Returns the saved messages as a text for a file. */
  export() {
    return JSON.stringify({ kind: KIND, version: 1, messages: this.list.map(({ name, draft }) => ({ name, ...draft })) }, null, 2);
  }

  /**
   * Adds the messages of an exported text. A message of the same name is replaced. Returns their number. Throws an error
   * and adds none if the text is not valid.
   * @param {string} text
   */
  import(text) {
    const { kind, version, messages } = JSON.parse(text) ?? {};
    if (kind !== KIND || !Array.isArray(messages)) throw new TypeError("the file has no saved messages of this page");
    if (version !== 1) throw new TypeError(`the file has version ${version}, and this page reads version 1`);
    const added = new Map(messages.map((message) => {
      if (typeof message?.name !== "string" || !message.name.trim()) throw new TypeError("a message has no name");
      return [message.name.trim(), draftOf(message)];
    }));
    this.#set([...this.list.filter(({ name }) => !added.has(name)), ...Array.from(added, ([name, draft]) => ({ name, draft }))]);
    return added.size;
  }

  /** @param {Saved[]} list */
  #set(list) {
    if (list.length > MAX_SAVED) throw new RangeError(`at most ${MAX_SAVED} messages can be saved`);
    if (sizeOf(list) > MAX_SAVED_SIZE) throw new RangeError(`the saved messages have at most ${MAX_SAVED_SIZE >> 10} KiB; export some, and delete them here`);
    this.list = list.sort((a, b) => a.name.localeCompare(b.name));
    kept.set("saved", this.list);
    this.changed.emit();
  }
}
