import { shadow } from "../../../shadow.js";
import { Emitter } from "../emitter.js";
import { changesOf, timeAt } from "./shadow-state.js";

// The bounds of the history of versions.
export const MAX_VERSIONS = 100;
export const MAX_HISTORY = 1 << 20; // bytes

/**
 * A version of the shadow, as the page has seen it.
 * @typedef {object} Version
 * @property {number | undefined} version undefined after the shadow was deleted
 * @property {number} time the time of arrival, in milliseconds since 1970
 * @property {{ desired?: any, reported?: any }} state
 * @property {import("./shadow-state.js").Change[]} changes the differences to the version before; none for the first one
 * @property {number} bytes the approximate memory
 */

/** A device shadow that the page shows. It follows the shadow until close(). */
export class ShadowModel {
  #client;
  #shadow;
  #closing = new AbortController();
  #following = false;
  #own = new Set(); // the versions that the page has made
  /** @type {"loading" | "present" | "missing"} */
  status = "loading";
  desired = undefined;
  reported = undefined;
  delta = undefined;
  /** @type {number | undefined} */
  version = undefined;
  /** The times of the changes, by section. @type {any} */
  metadata = undefined;
  /** The time of the last change, in seconds since 1970. @type {number | undefined} */
  timestamp = undefined;
  /** Why the page cannot read or follow the shadow. */
  error = undefined;
  /** The last versions, newest first. @type {Version[]} */
  history = [];
  bytes = 0;
  /** How many versions were removed from the history. */
  removed = 0;
  changed = new Emitter();

  /**
   * Throws a TypeError if a name is not valid.
   * @param {import("../../../iot.js").IotClient} client
   * @param {string} thing
   * @param {string} name "" for the classic shadow
   */
  constructor(client, thing, name) {
    this.#client = client;
    this.thing = thing;
    this.name = name;
    this.#shadow = shadow(client, thing, name || undefined);
    this.#shadow.addEventListener("change", () => this.#take());
    this.#shadow.addEventListener("error", ({ detail: { error } }) => this.#fail(error));
    client.addEventListener("connected", () => this.load(), { signal: this.#closing.signal });
    this.load();
  }

  get closed() {
    return this.#closing.signal.aborted;
  }

  /** Whether the page has made a version. */
  isOwn(version) {
    return this.#own.has(version);
  }

  /** Fetches the shadow. */
  async load() {
    if (this.#client.state !== "connected" || this.closed) return;
    this.error = undefined;
    this.#follow();
    try {
      const document = await this.#shadow.get();
      if (this.status !== "present") this.#take();
      if (document.version === this.version) this.#setMetadata(document, timeAt(document.metadata, []));
    } catch (error) {
      if (error.code === "ERR_SHADOW_NOT_FOUND") this.status = this.#shadow.version === undefined ? "missing" : this.status;
      else this.#fail(error);
    }
    this.changed.emit();
  }

  /** Updates the shadow, or creates it. With a version, the shadow must have it. */
  async update(state, version) {
    const answer = await this.#shadow.update(state, { version });
    this.#own.add(answer.version);
    this.changed.emit();
    return answer;
  }

  delete() {
    return this.#shadow.delete();
  }

  close() {
    this.#closing.abort();
    this.#shadow.close();
  }

  #fail(error) {
    if (this.closed || error.code === "ERR_SHADOW_CLOSED") return;
    this.error = error;
    this.changed.emit();
  }

  /** Follows the metadata, which the event change does not have. */
  async #follow() {
    if (this.#following) return;
    this.#following = true;
    try {
      for await (const { current, timestamp } of this.#shadow.documents({ signal: this.#closing.signal })) {
        if (current.version !== this.version) continue;
        this.#setMetadata(current, timestamp);
        this.changed.emit();
      }
    } catch (error) {
      this.#fail(error);
    }
    this.#following = false;
  }

  #setMetadata({ metadata }, timestamp) {
    this.metadata = metadata;
    this.timestamp = timestamp;
  }

  /** Takes the members of the shadow, and adds them to the history. */
  #take() {
    const { desired, reported, delta, version } = this.#shadow;
    const before = { desired: this.desired, reported: this.reported };
    const first = this.status === "loading";
    if (version === this.version && !first) return;
    this.status = version === undefined ? "missing" : "present";
    Object.assign(this, { desired, reported, delta, version });
    if (version === undefined) this.metadata = this.timestamp = undefined;
    const state = { desired, reported };
    const changes = first ? [] : changesOf(before, state);
    const entry = { version, time: Date.now(), state, changes, bytes: 200 + 2 * JSON.stringify([state, changes]).length };
    this.history.unshift(entry);
    this.bytes += entry.bytes;
    while (this.history.length > 1 && (this.history.length > MAX_VERSIONS || this.bytes > MAX_HISTORY)) {
      const oldest = /** @type {Version} */ (this.history.pop());
      this.bytes -= oldest.bytes;
      this.#own.delete(oldest.version);
      this.removed++;
    }
    this.changed.emit();
  }
}
