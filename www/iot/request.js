import { failed, invalid } from "./errors.js";
import { REQUEST, check } from "./options.js";
import { promised } from "./page.js";
import { payloadOf, settler, within } from "./publish.js";

/** @typedef {import("./message.js").Message} Message */

/**
 * Request and response of MQTT 5 for one client (section 4.10). One subscription
 * receives the replies to all requests. Correlation data assigns them.
 */
export class Requests {
  #client;
  #subscribe;
  /** @type {Map<string, Promise<import("./subscription.js").Subscription>>} */
  #inboxes = new Map(); // response topic → promise of its subscription
  /** @type {Map<string, { topic: string, resolve(reply: any): void, reject(error: unknown): void }>} */
  #waiting = new Map(); // correlation data, as text → request

  /**
   * @param {import("./client.js").IotClient} client
   * @param {(topic: string, take: (reply: Message) => void) => Promise<import("./subscription.js").Subscription>} subscribe
   */
  constructor(client, subscribe) {
    this.#client = client;
    this.#subscribe = subscribe;
  }

  /**
   * Publishes a request. The promise of the reply settles within timeoutMs.
   * @param {string} topic
   * @param {import("../iot.js").Payload | undefined} payload
   * @param {import("../iot.js").RequestOptions | undefined} given
   * @param {string} clientId
   * @returns {Promise<Message>}
   */
  ask_(topic, payload, given, clientId) {
    let key = "";
    /** @type {any} */
    let timer;
    return promised((until) => {
      const options = check(given, REQUEST, "request options");
      const timeoutMs = within(options.timeoutMs ?? 30_000, 0, 2 ** 31 - 1, "timeoutMs");
      delete options.timeoutMs;
      until(options.signal);
      let body = payloadOf(payload);
      if (typeof body !== "string") body = body.slice(); // the page may use its buffer again
      options.responseTopic ??= `iot/replies/${clientId.replace(/[+#]/g, "_")}`;
      options.correlationData ??= crypto.getRandomValues(new Uint8Array(16));
      const text = options.correlationData.join();
      if (this.#waiting.has(text)) throw invalid(TypeError, "ERR_OPTION", "another request has the same correlationData");
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
    if (!this.#waiting.has(options.correlationData.join())) return; // settled meanwhile
    const { reasonCode } = await this.#client.publish(topic, body, options);
    if (reasonCode === 16) throw failed("ERR_NO_RESPONDER", "there is no subscription to the topic", "publish", true);
  }

  /** Subscribes to a response topic. @param {string} topic */
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
      for (const request of this.#waiting.values()) if (request.topic === topic) request.reject(why);
    };
    inbox.then((subscription) => subscription.closed).then(forget, forget);
    return inbox;
  }
}
