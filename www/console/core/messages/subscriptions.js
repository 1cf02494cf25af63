import { Emitter } from "../emitter.js";
import { kept } from "../storage.js";

// The colours have a contrast of at least 4.5 to white, and are used as marks and behind white text only.
const COLOURS = ["#2f6fde", "#b4500f", "#1f7a4c", "#8a4fc9", "#b83280", "#0b7786", "#836708", "#c0392b"];

/**
 * A subscription of the page. It stays in the list when the client closes, and subscribes again with the next connection.
 * @typedef {object} Entry
 * @property {number} id
 * @property {string} filter
 * @property {string} name a name that the user has given; "" for none
 * @property {string} colour
 * @property {import("../../../iot.js").SubscribeOptions} options
 * @property {"waiting" | "active" | "refused" | "paused"} state "paused": the user has ended the subscription, but keeps it in the list
 * @property {import("../../../iot.js").Subscription | undefined} subscription
 * @property {any} error why the broker has refused it
 * @property {number} received the number of messages
 * @property {number} attempt counts the calls of subscribe() and unsubscribe()
 */

/** The subscriptions of the page to topic filters. Their messages go to the history. */
export class Subscriptions {
  #client;
  #messages;
  #lastId = 0;
  /** @type {Map<string, readonly number[]>} */
  #lists = new Map();
  /** @type {import("./messages.js").MessageRecord | undefined} the record of the message that is being delivered */
  #current;
  /** @type {Entry[]} */
  list = [];
  /** Called after the list or an entry has changed. */
  changed = new Emitter();
  /** Called with the error of a subscription that has failed. */
  failed = new Emitter();

  /**
   * @param {import("../../../iot.js").IotClient} client
   * @param {import("./messages.js").Messages} messages
   */
  constructor(client, messages) {
    this.#client = client;
    this.#messages = messages;
    client.addEventListener("connected", () => {
      for (const entry of this.list) if (!entry.subscription && entry.state === "refused") this.#start(entry).catch(() => {});
    });
  }

  /** Returns an entry by its id. */
  get(id) {
    return this.list.find((entry) => entry.id === id);
  }

  /** Adds the subscriptions of the last visit, or one to all topics. */
  restore() {
    const stored = kept.get("subscriptions", []);
    for (const { filter, name, colour, options, paused } of stored.length ? stored : [{ filter: "#", options: { qos: 1 } }]) {
      this.add(filter, options, { name, colour, paused }).catch(() => {});
    }
  }

  /**
   * Subscribes to a filter, unless the list contains it. Rejects as subscribe() of the client does, and then removes it
   * from the list.
   * @param {string} filter
   * @param {import("../../../iot.js").SubscribeOptions} [options]
   * @param {{ name?: string, colour?: string, paused?: boolean }} [look]
   */
  async add(filter, options = { qos: 1 }, { name = "", colour, paused = false } = {}) {
    const existing = this.list.find((entry) => entry.filter === filter);
    if (existing) return existing;
    const id = ++this.#lastId;
    /** @type {Entry} */
    const entry = { id, filter, name, colour: colour ?? COLOURS[(id - 1) % COLOURS.length], options, state: paused ? "paused" : "waiting", subscription: undefined, error: undefined, received: 0, attempt: 0 };
    this.list.push(entry);
    this.#store();
    if (paused) return entry;
    try {
      await this.#start(entry);
    } catch (error) {
      // A filter that is not valid never works. One that the broker refuses may be allowed later.
      if (["ERR_FILTER", "ERR_UNICODE", "ERR_OPTION", "ERR_QOS"].includes(error.code)) this.#remove(entry);
      throw error;
    }
    return entry;
  }

  /**
   * Changes the name, the colour or the options of a subscription. With other options, it unsubscribes and subscribes again,
   * and rejects as subscribe() of the client does.
   * @param {number} id
   * @param {{ name?: string, colour?: string, options?: import("../../../iot.js").SubscribeOptions }} changes
   */
  async edit(id, changes) {
    const entry = this.get(id);
    if (!entry) return;
    const again = changes.options !== undefined && JSON.stringify(changes.options) !== JSON.stringify(entry.options);
    Object.assign(entry, changes);
    this.#store();
    if (!again || entry.state === "paused") return;
    await this.#end(entry);
    await this.#start(entry);
  }

  /** Ends a subscription that stays in the list, or subscribes again. @param {number} id @param {boolean} on */
  async pause(id, on) {
    const entry = this.get(id);
    if (!entry || (entry.state === "paused") === on) return;
    entry.state = on ? "paused" : "waiting";
    this.#store();
    if (on) await this.#end(entry);
    else await this.#start(entry);
  }

  /** Unsubscribes. @param {Entry} entry */
  async #end(entry) {
    const { subscription } = entry;
    entry.attempt++;
    entry.subscription = undefined;
    await subscription?.unsubscribe();
  }

  /** Unsubscribes, and removes the subscription from the list. */
  async remove(id) {
    const entry = this.get(id);
    if (!entry) return;
    this.#remove(entry);
    await this.#end(entry);
  }

  /** Subscribes. @param {Entry} entry */
  async #start(entry) {
    const attempt = ++entry.attempt;
    entry.state = "waiting";
    entry.error = undefined;
    this.changed.emit();
    let subscription;
    try {
      subscription = await this.#client.subscribe(entry.filter, (message) => this.#receive(entry, message), entry.options);
    } catch (error) {
      if (attempt !== entry.attempt) return;
      entry.state = "refused";
      entry.error = error;
      this.changed.emit();
      if (error.code !== "ERR_CLOSED") this.failed.emit(error, entry);
      throw error;
    }
    // It was removed, paused or changed while the broker granted it.
    if (attempt !== entry.attempt) return subscription.unsubscribe();
    entry.subscription = subscription;
    entry.state = "active";
    this.changed.emit();
    subscription.closed.then((error) => {
      if (attempt !== entry.attempt) return;
      entry.subscription = undefined;
      entry.state = "refused"; // until the next connection
      entry.error = error;
      this.changed.emit();
    });
  }

  /**
   * Adds a message to the history. The client calls the handlers of all subscriptions that match a message one after
   * another, so the calls of one message share a record.
   * @param {Entry} entry
   * @param {import("../../../iot.js").Message} message
   */
  #receive(entry, message) {
    entry.received++;
    const record = this.#current;
    if (record && record.topic === message.topic && record.retain === message.retain && !record.subscriptions.includes(entry.id)) {
      record.subscriptions = this.#shared([...record.subscriptions, entry.id]);
      return;
    }
    if (!record) queueMicrotask(() => (this.#current = undefined));
    this.#current = this.#messages.add(message, this.#shared([entry.id]));
  }

  /** Returns one array for equal lists of ids, so that the records of the history need less memory. */
  #shared(ids) {
    const key = ids.join();
    if (!this.#lists.has(key)) this.#lists.set(key, Object.freeze(ids));
    return this.#lists.get(key);
  }

  /** @param {Entry} entry */
  #remove(entry) {
    this.list = this.list.filter((other) => other !== entry);
    this.#store();
  }

  #store() {
    kept.set("subscriptions", this.list.map(({ filter, name, colour, options, state }) => ({ filter, name, colour, options, paused: state === "paused" })));
    this.changed.emit();
  }
}
