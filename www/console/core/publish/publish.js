import { Emitter } from "../emitter.js";
import { argumentsOf } from "./draft.js";
import { PublishHistory, SavedMessages } from "./history.js";
import { Repetitions } from "./repeat.js";
import { Responder } from "./responder.js";
import { templatesIn } from "./template.js";

const MAX_RESULTS = 3;
// AWS IoT Core accepts packets of this size, but payloads of 128 KiB only.
const AWS_PACKET = 149_504;
const AWS_PAYLOAD = 128 << 10;
// The largest file that the page reads into memory.
const PAGE_PAYLOAD = 16 << 20;

/**
 * What happened to a message.
 * @typedef {{ id: number, topic: string, state: "waiting" | "done" | "failed", text: string }} Result
 */

/** Returns an error as a text with its code. @param {any} error */
export const errorText = (error) => `${error?.code ? `${error.code}: ` : ""}${error?.message ?? error}`;

/**
 * Returns what the acknowledgement of a message says.
 * @param {0 | 1 | 2} qos
 * @param {import("../../../iot.js").PublishResult} result
 * @param {number} ms the time between the call and the acknowledgement
 */
export function resultText(qos, { reasonCode, reasonString }, ms) {
  if (qos === 0) return "Sent. QoS 0 has no acknowledgement.";
  const reason = reasonString ? ` The broker says: ${reasonString}` : "";
  if (reasonCode === 16) return `Acknowledged after ${Math.round(ms)} ms: no subscriber received it (reason code 16).${reason}`;
  return `Acknowledged after ${Math.round(ms)} ms.${reasonCode ? ` Reason code ${reasonCode}.` : ""}${reason}`;
}

/** Publishes the messages of the form, one after another or repeatedly, sends requests, and answers them. */
export class Publisher {
  #client;
  #lastId = 0;
  /** The number of the next message with {{n}}. */
  n = 1;
  /** The results of the newest messages, newest first. @type {Result[]} */
  results = [];
  /** Called after a change of the results. */
  changed = new Emitter();
  history = new PublishHistory();
  saved = new SavedMessages();
  repetitions;
  responder;

  /** @param {import("../../../iot.js").IotClient} client */
  constructor(client) {
    this.#client = client;
    this.repetitions = new Repetitions(client);
    this.responder = new Responder(client);
  }

  /** The values for the templates of the next message. */
  get context() {
    return { n: this.n, now: Date.now() };
  }

  /** The size in bytes of the largest payload that the broker of the connection accepts, or that the page can read. */
  get maxPayload() {
    const packet = this.#client.connection?.maximumPacketSize ?? Infinity;
    return packet === AWS_PACKET ? AWS_PAYLOAD : Math.min(packet, PAGE_PAYLOAD);
  }

  /** Publishes a message. The result is in `results`. @param {import("./draft.js").Draft} draft */
  async publish(draft) {
    const { state } = this.#client;
    const result = this.#addResult(draft.topic);
    const setResult = this.history.add(draft);
    const set = (/** @type {Result["state"]} */ newState, text) => {
      result.state = newState;
      result.text = text;
      setResult(text, newState === "failed");
      this.changed.emit();
    };
    const start = performance.now();
    try {
      const { topic, payload, options } = this.#next(draft);
      result.topic = topic;
      const offline = state !== "connected";
      set("waiting", offline ? "Queued while offline. The client sends it when it is connected again." : "Waiting for the acknowledgement …");
      const answer = await this.#client.publish(topic, payload, options);
      set("done", resultText(draft.qos, answer, performance.now() - start) + (offline && draft.qos ? " It was queued while offline." : ""));
    } catch (error) {
      set("failed", errorText(error));
    }
  }

  /** Shows an error as a result, such as one of a field of the form. */
  fail(topic, error) {
    Object.assign(this.#addResult(topic), { state: "failed", text: errorText(error) });
    this.changed.emit();
  }

  /**
   * Sends a request. Rejects as request() of the client does.
   * @param {import("./draft.js").Draft} draft
   * @param {number} timeoutMs
   * @param {AbortSignal} signal
   */
  async request(draft, timeoutMs, signal) {
    const setResult = this.history.add(draft);
    const start = performance.now();
    try {
      const { topic, payload, options } = this.#next(draft);
      const reply = await this.#client.request(topic, payload, { ...options, timeoutMs, signal });
      const ms = performance.now() - start;
      setResult(`Reply after ${Math.round(ms)} ms.`);
      return { reply, ms };
    } catch (error) {
      setResult(errorText(error), true);
      throw error;
    }
  }

  /** Returns the arguments of publish() for the next message, and counts it if it has {{n}}. */
  #next(draft) {
    const all = argumentsOf(draft, this.context);
    if (draft.templates && templatesIn(draft.topic + draft.payload).used.some((text) => /^\{\{\s*n\b/.test(text))) this.n++;
    return all;
  }

  #addResult(topic) {
    /** @type {Result} */
    const result = { id: ++this.#lastId, topic, state: "waiting", text: "" };
    this.results = [result, ...this.results].slice(0, MAX_RESULTS);
    return result;
  }
}
