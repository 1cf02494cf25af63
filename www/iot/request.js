import { failed, invalid } from "./errors.js";
import { REQUEST, check } from "./options.js";
import { promised } from "./page.js";
import { payloadOf, settler, within } from "./publish.js";

/** @typedef {import("./message.js").Message} Message */

/**
 * MQTT 5's request and response for one client: one subscription takes the
 * replies to all that is asked, and correlation data says which is whose.
 */
export class Requests {
  #client;
  #subscribe;
  /** @type {Map<string, Promise<import("./subscription.js").Subscription>>} */
  #inboxes = new Map(); // response topic → promise of the subscription to it
  /** @type {Map<string, { topic: string, resolve(reply: any): void, reject(error: unknown): void }>} */
  #waiting = new Map(); // correlation data, as text → who waits

  /**
   * @param {import("./client.js").IotClient} client
   * @param {(topic: string, take: (reply: Message) => void) => Promise<import("./subscription.js").Subscription>} subscribe
   */
  constructor(client, subscribe) {
    this.#client = client;
    this.#subscribe = subscribe;
  }

  /**
   * Asks. It settles within timeoutMs.
   * @param {string} topic
   * @param {import("../iot.js").Payload | undefined} payload
   * @param {import("../iot.js").RequestOptions | undefined} given
   * @param {string} clientId
   * @returns {Promise<Message>}
   */
  ask(topic, payload, given, clientId) {
    let key = "";
    /** @type {any} */
    let timer;
    return promised((until) => {
      const options = check(given, REQUEST, "request options");
      const timeoutMs = within(options.timeoutMs ?? 30_000, 2 ** 31 - 1, "timeoutMs");
      delete options.timeoutMs;
      until(options.signal);
      let body = payloadOf(payload);
      if (typeof body !== "string") body = body.slice(); // the page may use its buffer again
      options.responseTopic ??= `iot/replies/${clientId.replace(/[+#]/g, "_")}`;
      options.correlationData ??= crypto.getRandomValues(new Uint8Array(16));
      const text = options.correlationData.join();
      if (this.#waiting.has(text)) throw invalid(TypeError, "ERR_OPTION", "correlationData is that of another request");
      key = text;
      const { promise, resolve, reject } = settler();
      timer = setTimeout(() => reject(failed("ERR_REQUEST_TIMEOUT", `no reply within ${timeoutMs} ms`, "publish", true)), timeoutMs);
      this.#waiting.set(key, { topic: options.responseTopic, resolve, reject });
      this.#send(topic, body, options).catch(reject);
      return promise;
    }, () => {
      clearTimeout(timer);
      this.#waiting.delete(key);
    });
  }

  /** @param {string} topic @param {any} body @param {any} options */
  async #send(topic, body, options) {
    await this.#inbox(options.responseTopic);
    if (!this.#waiting.has(options.correlationData.join())) return; // given up meanwhile
    const { reasonCode } = await this.#client.publish(topic, body, options);
    if (reasonCode === 16) throw failed("ERR_NO_RESPONDER", "nobody is subscribed to the topic", "publish", true);
  }

  /** The subscription to a response topic. @param {string} topic */
  #inbox(topic) {
    const open = this.#inboxes.get(topic);
    if (open) return open;
    /** @param {Message} reply */
    const take = (reply) => this.#waiting.get(reply.correlationData?.join() ?? "")?.resolve(reply);
    const inbox = this.#subscribe(topic, take);
    this.#inboxes.set(topic, inbox);
    /** @param {unknown} error */
    const forget = (error) => {
      this.#inboxes.delete(topic);
      const why = error ?? failed("ERR_CLOSED", "the connection closed", "publish");
      for (const waiter of this.#waiting.values()) if (waiter.topic === topic) waiter.reject(why);
    };
    inbox.then((subscription) => subscription.closed).then(forget, forget);
    return inbox;
  }
}
