import { IotError, invalid } from "./errors.js";
import { viewOf } from "./options.js";
import { payloadOf, settler, within } from "./publish.js";

/** @typedef {import("../iot.js").Message} Message */

/**
 * MQTT 5's request and response for one client: one subscription takes the
 * replies to all that is asked, and correlation data says which is whose.
 */
export class Requests {
  #client;
  /** @type {Map<string, Promise<import("./subscription.js").Subscription>>} */
  #inboxes = new Map(); // response topic → promise of the subscription to it
  /** @type {Map<string, { topic: string, resolve(reply: any): void, reject(error: unknown): void }>} */
  #waiting = new Map(); // correlation data, as text → who waits

  /** @param {import("./client.js").IotClient} client */
  constructor(client) {
    this.#client = client;
  }

  /**
   * Asks; `o` are checked options. It settles within timeoutMs.
   * @param {string} topic
   * @param {import("../iot.js").Payload | undefined} payload
   * @param {any} o
   * @param {string} clientId
   */
  async ask(topic, payload, o, clientId) {
    const { timeoutMs = 30_000, ...options } = o;
    within(timeoutMs, 2 ** 31 - 1, "timeoutMs");
    const { signal } = options;
    signal?.throwIfAborted();
    let body = payloadOf(payload);
    if (typeof body !== "string") body = body.slice(); // the page may use its buffer again
    options.responseTopic ??= `iot/replies/${clientId.replace(/[+#]/g, "_")}`;
    options.correlationData = options.correlationData ? viewOf(options.correlationData).slice() : crypto.getRandomValues(new Uint8Array(16));
    const key = options.correlationData.join();
    if (this.#waiting.has(key)) throw invalid(TypeError, "ERR_OPTION", "correlationData is that of another request");

    const { promise, resolve, reject } = settler();
    const abort = () => reject(signal.reason);
    const timer = setTimeout(() => reject(failed("ERR_REQUEST_TIMEOUT", `no reply came within ${timeoutMs} ms`, true)), timeoutMs);
    signal?.addEventListener("abort", abort);
    this.#waiting.set(key, { topic: options.responseTopic, resolve, reject });
    this.#send(topic, body, options).catch(reject);
    try {
      return await promise;
    } finally {
      clearTimeout(timer);
      signal?.removeEventListener("abort", abort);
      this.#waiting.delete(key);
    }
  }

  /** @param {string} topic @param {any} body @param {any} options */
  async #send(topic, body, options) {
    await this.#inbox(options.responseTopic);
    if (!this.#waiting.has(options.correlationData.join())) return; // given up meanwhile
    const { reasonCode } = await this.#client.publish(topic, body, options);
    if (reasonCode === 16) throw failed("ERR_NO_RESPONDER", "nobody is subscribed to the request's topic", true);
  }

  /** The subscription to a response topic. @param {string} topic */
  #inbox(topic) {
    const open = this.#inboxes.get(topic);
    if (open) return open;
    /** @param {Message} reply */
    const take = (reply) => this.#waiting.get(reply.correlationData?.join() ?? "")?.resolve(reply);
    const inbox = this.#client.subscribe(topic, take, { qos: 1 });
    this.#inboxes.set(topic, inbox);
    /** @param {unknown} error */
    const forget = (error) => {
      this.#inboxes.delete(topic);
      const why = error ?? failed("ERR_CLOSED", "the connection closed before the reply came", false);
      for (const waiter of this.#waiting.values()) if (waiter.topic === topic) waiter.reject(why);
    };
    inbox.then((subscription) => subscription.closed).then(forget, forget);
    return inbox;
  }
}

/** @param {import("../iot.js").IotErrorCode} code @param {string} message @param {boolean} retryable */
function failed(code, message, retryable) {
  return new IotError(message, { code, phase: "publish", retryable });
}
