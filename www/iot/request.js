import { argumentError, iotError } from "./errors.js";
import { REQUEST, check } from "./options.js";
import { pagePromise } from "./page.js";
import { payloadOf } from "./publish.js";
import { withResolvers } from "./tokens.js";
import { checkRange } from "./values.js";

/** @typedef {import("./message.js").Message} Message */

/**
 * The requests of one client (MQTT 5's request and response, section 4.10). All requests with
 * the same response topic share one subscription. The correlation data of a reply identifies
 * its request.
 */
export class Requests {
  #client;
  #subscribe;
  /** @type {Map<string, Promise<import("./subscription.js").Subscription>>} the subscriptions by their response topics */
  #subscriptions = new Map();
  /** @type {Map<string, { topic: string, resolve(reply: any): void, reject(error: unknown): void }>} the pending requests by their correlation data, as text */
  #pending = new Map();

  /**
   * @param {import("./client.js").IotClient} client
   * @param {(topic: string, handler: (reply: Message) => void) => Promise<import("./subscription.js").Subscription>} subscribe
   */
  constructor(client, subscribe) {
    this.#client = client;
    this.#subscribe = subscribe;
  }

  /**
   * Publishes a request.
   * @param {string} topic
   * @param {import("../iot.js").Payload | undefined} payload
   * @param {import("../iot.js").RequestOptions | undefined} given
   * @param {string} clientId for the default response topic
   * @returns {Promise<Message>} the reply; the promise settles within the option timeoutMs
   */
  request_(topic, payload, given, clientId) {
    let key = "";
    /** @type {any} */
    let timer;
    return pagePromise((useSignal) => {
      const options = check(given, REQUEST, "request options");
      const timeoutMs = checkRange(options.timeoutMs ?? 30_000, 0, 2 ** 31 - 1, "timeoutMs");
      delete options.timeoutMs;
      useSignal(options.signal);
      let body = payloadOf(payload);
      if (typeof body !== "string") body = body.slice(); // the page may reuse its buffer
      options.responseTopic ??= `iot/replies/${clientId.replace(/[+#]/g, "_")}`;
      options.correlationData ??= crypto.getRandomValues(new Uint8Array(16));
      const text = options.correlationData.join();
      if (this.#pending.has(text)) throw argumentError(TypeError, "ERR_OPTION", "another request has the same correlationData");
      key = text;
      const { promise, resolve, reject } = withResolvers();
      timer = setTimeout(() => reject(iotError("ERR_REQUEST_TIMEOUT", `no reply within ${timeoutMs} ms`, "publish", true)), timeoutMs);
      this.#pending.set(key, { topic: options.responseTopic, resolve, reject });
      this.#send(topic, body, options).catch(reject);
      return promise;
    }, () => {
      clearTimeout(timer);
      this.#pending.delete(key);
    });
  }

  /**
   * Subscribes to the response topic, and then publishes the request.
   * @param {string} topic
   * @param {any} body
   * @param {any} options
   */
  async #send(topic, body, options) {
    await this.#subscriptionOf(options.responseTopic);
    if (!this.#pending.has(options.correlationData.join())) return; // the request has settled during the wait
    const { reasonCode } = await this.#client.publish(topic, body, options);
    if (reasonCode === 16) throw iotError("ERR_NO_RESPONDER", "the topic has no subscriber", "publish", true);
  }

  /**
   * Returns the subscription to a response topic. Subscribes if there is none.
   * @param {string} topic
   */
  #subscriptionOf(topic) {
    const existing = this.#subscriptions.get(topic);
    if (existing) return existing;
    /** @param {Message} reply */
    const handler = (reply) => this.#pending.get(reply.correlationData?.join() ?? "")?.resolve(reply);
    const created = this.#subscribe(topic, handler);
    this.#subscriptions.set(topic, created);
    /**
     * Follows the end of the subscription: rejects its pending requests.
     * @param {unknown} error
     */
    const ended = (error) => {
      this.#subscriptions.delete(topic);
      const reason = error ?? iotError("ERR_CLOSED", "the connection closed", "publish");
      for (const request of this.#pending.values()) if (request.topic === topic) request.reject(reason);
    };
    created.then((subscription) => subscription.closed).then(ended, ended);
    return created;
  }
}
