import { Emitter } from "./emitter.js";
import { optionsOf } from "./profiles/options.js";
import { kept } from "./storage.js";

/**
 * A step of the guided first minute.
 * @typedef {object} Step
 * @property {string} id
 * @property {string} title
 * @property {string} text
 * @property {{ publish?: { topic: string, payload: string, retain?: boolean }, filter?: string, view?: string }} [fill] what the page fills in for the user
 */

/** @type {Step[]} */
export const STEPS = [
  { id: "publish", title: "Publish a message", text: "Press Publish. The message comes back, because the page subscribes to all topics.", fill: { publish: { topic: "room/kitchen", payload: "21.5" } } },
  { id: "subscribe", title: "Subscribe to a topic", text: "Subscribe to room/kitchen. Each subscription has a colour and a counter.", fill: { filter: "room/kitchen" } },
  {
    id: "wildcard", title: "Use a wildcard", text: "Subscribe to room/+ and publish to room/bath: + stands for one level, and # for all further levels.",
    fill: { filter: "room/+", publish: { topic: "room/bath", payload: "23" } },
  },
  {
    id: "retained", title: "Retain a message", text: "Publish to room/lamp with Retain, then subscribe to room/lamp: a new subscriber gets the retained message.",
    fill: { filter: "room/lamp", publish: { topic: "room/lamp", payload: "on", retain: true } },
  },
  { id: "will", title: "See a will", text: "The broker publishes the will of a client whose connection is lost. Connect a second client, then cut it." },
  { id: "shadow", title: "Change a shadow", text: "A shadow keeps the state of a thing. Open Shadow, select a thing such as lamp, and update it.", fill: { view: "shadow" } },
];

/** The topic of the will of the second client. */
const WILL = { topic: "room/second/state", payload: "offline", delay: 0 };
// The topics on which AWS IoT accepts an update of a shadow.
const SHADOW_UPDATED = /^\$aws\/things\/[^/]+\/shadow\/(?:name\/[^/]+\/)?update\/accepted$/;

/**
 * The guided first minute. It watches what the client receives and subscribes to, and completes a step when the user has
 * done it, in any order.
 */
export class Tour {
  #connection;
  #subscriptions;
  #profiles;
  #stops = []; // the functions that end the watching
  #sent = 0; // the number of messages that were sent before the tour
  #second; // the client with a will
  /** The ids of the steps that are done. @type {Set<string>} */
  done;
  /** Whether the user follows the steps now. */
  active = false;
  /** Whether the user has hidden the tour for ever. */
  hidden;
  /** The state of the second client: "" before it is connected. @type {"" | "connected" | "cut"} */
  second = "";
  /** Called after a member has changed. */
  changed = new Emitter();

  /** @param {import("../main.js").App} app */
  constructor({ connection, messages, profiles, subscriptions }) {
    this.#connection = connection;
    this.#profiles = profiles;
    this.#subscriptions = subscriptions;
    const { done = [], active = false, hidden = false } = kept.get("tour", {});
    this.done = new Set(done);
    this.hidden = hidden;
    this.messages = messages;
    if (active && !hidden && this.current) this.start();
  }

  /** The first step that is not done, or undefined. */
  get current() {
    return STEPS.find(({ id }) => !this.done.has(id));
  }

  /** Starts the tour, or continues it. */
  start() {
    if (this.active) return;
    this.active = true;
    this.hidden = false;
    const { client } = this.#connection;
    this.#sent = client.stats?.().messagesOut ?? 0;
    const look = () => this.#look();
    // The topics of shadows belong to no subscription of the page.
    const shadow = ({ detail: { topic } }) => SHADOW_UPDATED.test(topic) && this.#complete("shadow");
    client.addEventListener("message", shadow);
    this.#stops = [
      () => client.removeEventListener("message", shadow),
      this.messages.added.on((record) => this.#receive(record)),
      this.#subscriptions.changed.on(look),
    ];
    look();
    this.#store();
  }

  /** Leaves the tour. A later visit offers to continue. */
  leave() {
    this.#end();
    this.#store();
  }

  /** Leaves the tour, and never offers it again. */
  hide() {
    this.hidden = true;
    this.leave();
  }

  /** Starts the tour at its first step. */
  restart() {
    this.#end();
    this.done.clear();
    this.start();
  }

  /** Connects the second client of the step "will". Rejects as connect() does. */
  async connectSecond() {
    const { client, profile } = this.#connection;
    const { clientId, will, ...options } = await optionsOf(this.#profiles.valuesOf(profile));
    const Client = /** @type {any} */ (client).constructor;
    this.#second = new Client();
    await this.#second.connect({ ...options, will: WILL });
    this.second = "connected";
    this.changed.emit();
  }

  /** Drops the connection of the second client without DISCONNECT, so that the broker publishes its will. */
  cutSecond() {
    this.second = "cut";
    this.#second.reconnect();
    this.changed.emit();
  }

  #end() {
    for (const stop of this.#stops) stop();
    this.#stops = [];
    this.active = false;
    this.second = "";
    this.#second?.disconnect().catch(() => {});
    this.#second = undefined;
  }

  /** @param {import("./messages/messages.js").MessageRecord} record */
  #receive(record) {
    const { topic, retain } = record, { client } = this.#connection;
    if (retain) this.#complete("retained");
    if (topic === WILL.topic && this.second === "cut") this.#complete("will");
    // The acknowledgement of a message may follow the message, as may its other subscriptions.
    setTimeout(() => {
      if (client.stats().messagesOut > this.#sent) this.#complete("publish");
      if (record.subscriptions.some((id) => /\+|.#$/.test(this.#subscriptions.get(id)?.filter ?? ""))) this.#complete("wildcard");
    }, 200);
  }

  #look() {
    if (this.#subscriptions.list.some(({ filter, state }) => state === "active" && !/[+#]/.test(filter))) this.#complete("subscribe");
  }

  #complete(id) {
    if (!this.active || this.done.has(id)) return;
    this.done.add(id);
    if (!this.current) this.#end();
    this.#store();
  }

  #store() {
    kept.set("tour", { done: [...this.done], active: this.active, hidden: this.hidden });
    this.changed.emit();
  }
}
