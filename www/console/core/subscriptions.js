import { Emitter } from "./emitter.js";
import { kept } from "./storage.js";

// The colours have a contrast of at least 4.5 to white, and are used as marks and behind white text only.
const COLOURS = ["#2f6fde", "#b4500f", "#1f7a4c", "#8a4fc9", "#b83280", "#0b7786", "#836708", "#c0392b"];

/**
 * A subscription of the page. It stays in the list when the client closes, and subscribes again with the next connection.
 * @typedef {object} Entry
 * @property {number} id
 * @property {string} filter
 * @property {string} name a name that the user has given; "" for none
 * @property {string} colour
 * @property {import("../../iot.js").SubscribeOptions} options
 * @property {"waiting" | "active" | "refused"} state
 * @property {import("../../iot.js").Subscription | undefined} subscription
 * @property {any} error why the broker has refused it
 * @property {number} received the number of messages
 */

/** The subscriptions of the page to topic filters. Their messages go to the history. */
export class Subscriptions {
  #client;
  #messages;
  #lastId = 0;
  /** @type {import("./messages.js").MessageRecord | undefined} the record of the message that is being delivered */
  #current;
  /** @type {Entry[]} */
  list = [];
  /** Called after the list or an entry has changed. */
  changed = new Emitter();
  /** Called with the error of a subscription that has failed. */
  failed = new Emitter();

  /**
   * @param {import("../../iot.js").IotClient} client
   * @param {import("./messages.js").Messages} messages
   */
  constructor(client, messages) {
    this.#client = client;
    this.#messages = messages;
    client.addEventListener("connected", () => {
      for (const entry of this.list) if (!entry.subscription && entry.state !== "waiting") this.#start(entry).catch(() => {});
    });
  }

  /** Returns an entry by its id. */
  get(id) {
    return this.list.find((entry) => entry.id === id);
  }

  /** Adds the subscriptions of the last visit, or one to all topics. */
  restore() {
    const stored = kept.get("subscriptions", []);
    for (const { filter, name, colour, options } of stored.length ? stored : [{ filter: "#", options: { qos: 1 } }]) {
      this.add(filter, options, { name, colour }).catch(() => {});
    }
  }

  /**
   * Subscribes to a filter, unless the list contains it. Rejects as subscribe() of the client does, and then removes it
   * from the list.
   * @param {string} filter
   * @param {import("../../iot.js").SubscribeOptions} [options]
   * @param {{ name?: string, colour?: string }} [look]
   */
  async add(filter, options = { qos: 1 }, { name = "", colour } = {}) {
    const existing = this.list.find((entry) => entry.filter === filter);
    if (existing) return existing;
    const id = ++this.#lastId;
    /** @type {Entry} */
    const entry = { id, filter, name, colour: colour ?? COLOURS[(id - 1) % COLOURS.length], options, state: "waiting", subscription: undefined, error: undefined, received: 0 };
    this.list.push(entry);
    this.#store();
    try {
      await this.#start(entry);
    } catch (error) {
      // A filter that is not valid never works. One that the broker refuses may be allowed later.
      if (error.code === "ERR_FILTER" || error.code === "ERR_UNICODE") this.#remove(entry);
      throw error;
    }
    return entry;
  }

  /** Changes the name or the colour of a subscription. */
  edit(id, changes) {
    Object.assign(this.get(id), changes);
    this.#store();
  }

  /** Unsubscribes, and removes the subscription from the list. */
  async remove(id) {
    const entry = this.get(id);
    if (!entry) return;
    this.#remove(entry);
    await entry.subscription?.unsubscribe();
  }

  /** Subscribes. @param {Entry} entry */
  async #start(entry) {
    entry.state = "waiting";
    entry.error = undefined;
    this.changed.emit();
    try {
      entry.subscription = await this.#client.subscribe(entry.filter, (message) => this.#receive(entry, message), entry.options);
    } catch (error) {
      entry.state = "refused";
      entry.error = error;
      this.changed.emit();
      if (error.code !== "ERR_CLOSED") this.failed.emit(error, entry);
      throw error;
    }
    const { subscription } = entry;
    if (!this.list.includes(entry)) return subscription.unsubscribe(); // it was removed while the broker granted it
    entry.state = "active";
    this.changed.emit();
    subscription.closed.then((error) => {
      entry.subscription = undefined;
      if (!this.list.includes(entry)) return;
      entry.state = "refused"; // until the next connection
      entry.error = error;
      this.changed.emit();
    });
  }

  /**
   * Adds a message to the history. The client calls the handlers of all subscriptions that match a message one after
   * another, so the calls of one message share a record.
   * @param {Entry} entry
   * @param {import("../../iot.js").Message} message
   */
  #receive(entry, message) {
    entry.received++;
    const record = this.#current;
    if (record && record.topic === message.topic && record.payload.length === message.payload.length && record.retain === message.retain && !record.subscriptions.includes(entry.id)) {
      record.subscriptions.push(entry.id);
      return;
    }
    if (!record) queueMicrotask(() => (this.#current = undefined));
    this.#current = this.#messages.add(message, [entry.id]);
  }

  /** @param {Entry} entry */
  #remove(entry) {
    this.list = this.list.filter((other) => other !== entry);
    this.#store();
  }

  #store() {
    kept.set("subscriptions", this.list.map(({ filter, name, colour, options }) => ({ filter, name, colour, options })));
    this.changed.emit();
  }
}
