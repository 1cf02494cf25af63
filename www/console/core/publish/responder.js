import { Emitter } from "../emitter.js";
import { expand } from "./template.js";

/** Answers the requests on a topic with a template, so that one page can try requests and responses. */
export class Responder {
  #client;
  /** @type {import("../../../iot.js").Subscription | undefined} */
  #subscription;
  #run = 0;
  filter = "";
  answered = 0;
  /** @type {"stopped" | "starting" | "running"} */
  state = "stopped";
  /** The error that stopped it, or that of the last reply. */
  error;
  changed = new Emitter();

  /** @param {import("../../../iot.js").IotClient} client */
  constructor(client) {
    this.#client = client;
  }

  /**
   * Subscribes to the filter, and answers each message that has a response topic. Rejects as subscribe() does.
   * @param {string} filter
   * @param {string} template the payload of the replies
   */
  async start(filter, template) {
    await this.stop();
    const run = ++this.#run;
    Object.assign(this, { filter, answered: 0, state: "starting", error: undefined });
    this.changed.emit();
    let subscription;
    try {
      subscription = await this.#client.subscribe(filter, (message) => this.#answer(message, template), { qos: 1 });
    } catch (error) {
      if (run === this.#run) this.#set("stopped", error);
      throw error;
    }
    if (run !== this.#run) return subscription.unsubscribe(); // it was stopped while the broker granted it
    this.#subscription = subscription;
    this.#set("running");
    subscription.closed.then((error) => {
      if (this.#subscription !== subscription) return;
      this.#subscription = undefined;
      this.#set("stopped", error);
    });
  }

  async stop() {
    this.#run++;
    const subscription = this.#subscription;
    this.#subscription = undefined;
    this.#set("stopped");
    await subscription?.unsubscribe();
  }

  async #answer(message, template) {
    if (!message.responseTopic) return; // it is no request
    try {
      const request = { topic: message.topic, payload: message.text() };
      await message.reply(expand(template, { n: this.answered + 1, now: Date.now(), request }), { qos: message.qos });
      this.answered++;
      this.error = undefined;
    } catch (error) {
      this.error = error;
    }
    this.changed.emit();
  }

  #set(state, error) {
    this.state = state;
    this.error = error;
    this.changed.emit();
  }
}
