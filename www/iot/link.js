import { IotError, errorFrom, plain } from "./errors.js";
import { Message } from "./message.js";
import { acquire } from "./module.js";
import { wellFormed } from "./options.js";
import { awake, gone } from "./page.js";
import { probe } from "./probe.js";
import { Socket } from "./socket.js";
import { OK, Turns } from "./turns.js";

/**
 * What a Link reports to its client.
 * @typedef {object} Owner
 * @property {(recipients: Uint32Array, message: Message) => void} deliver_
 * @property {(message: Message) => void} unclaimed_
 * @property {(change: any, error: any) => void} changed_
 * @property {(subscription: number, error: any) => void} ended_
 * @property {(refused: boolean) => Promise<any>} provide_ asks the page's provider
 * @property {(error: IotError) => void} crashed_
 */

/**
 * The connection between one client's JavaScript and its half in the wasm. It loads
 * the wasm, carries out effects, and decides nothing.
 */
export class Link {
  /** The id of the client in the wasm. */
  id_ = 0;

  #owner;
  #client;
  /** @type {import("./core.js").Core | undefined} */
  #core;
  /** @type {{ name: string, recipients: Uint32Array }[]} */
  #topics = []; // by the ids that the wasm gives them
  /** @type {[() => void, (error: unknown) => void][]} */
  #waiting = []; // calls that wait for the wasm, in the order of the page
  #attempt = 0; // of the socket
  /** @type {unknown} */
  #cause; // what the page's provider threw last

  #turns = new Turns({
    topic_: (id, first, name, recipients) => {
      if (first) this.#topics = [];
      this.#topics[id] = { name, recipients };
    },
    message_: (topic, packet, chosen) => {
      const { name, recipients } = this.#topics[topic];
      this.#queue.push_(this, chosen ?? recipients, new Message(name, packet, this.#client));
    },
    unclaimed_: (topic, packet) => {
      const message = new Message(this.#topics[topic].name, packet, this.#client);
      this.#queue.push_(this, undefined, () => this.#owner.unclaimed_(message));
    },
    done_: (token, reason) => this.#queue.push_(this, token, reason ? { reasonCode: reason } : OK),
    effect_: (effect, bytes) => this.#queue.push_(this, undefined, () => this.#carryOut(plain(effect), bytes)),
  });

  /** @param {import("./client.js").IotClient} client @param {Owner} owner */
  constructor(client, owner) {
    this.#client = client;
    this.#owner = owner;
  }

  get #queue() {
    return /** @type {import("./core.js").Core} */ (this.#core).queue_;
  }

  /** Whether the wasm is loaded and runs. */
  get alive_() {
    return this.#core !== undefined && !this.#core.crash_ && !gone;
  }

  /** Whether a call enters the wasm at once. */
  get open_() {
    return this.alive_ && this.#waiting.length === 0;
  }

  /** Whether the wasm has the client, or will have it. */
  get known_() {
    return this.alive_ || this.#waiting.length > 0;
  }

  /**
   * Runs work that calls the wasm: at once if it is loaded, else in the order of these calls when it is.
   * @template T
   * @param {() => Promise<T>} work
   * @param {AbortSignal} [signal]
   * @returns {Promise<T>}
   */
  enter_(work, signal) {
    if (this.open_) return work();
    return new Promise((resolve, reject) => {
      const enter = async () => {
        signal?.throwIfAborted();
        return work();
      };
      if (this.#waiting.push([() => resolve(enter()), reject]) === 1) this.#load();
    });
  }

  async #load() {
    awake.add(this); // so that the end of the page rejects the calls that wait
    try {
      const core = await acquire();
      if (gone) throw gone; // some browsers run the microtasks of a removed frame
      if (this.#core !== core) {
        this.#core = core;
        this.#topics = [];
        core.attach_(this);
        this.#turns.use_(core, this.id_);
      }
    } catch (error) {
      for (const [, reject] of this.#waiting.splice(0)) reject(error);
    }
    awake.delete(this);
    for (const [enter] of this.#waiting) enter(); // including those that are added meanwhile
    this.#waiting = [];
  }

  /**
   * Calls an operation for this client.
   * @template {keyof import("./abi.js").Operations} Name
   * @param {Name} name
   * @param {import("./abi.js").Operations[Name]} [argument]
   * @returns {any}
   */
  call_(name, argument) {
    const result = /** @type {import("./core.js").Core} */ (this.#core).call_(this.id_, name, argument);
    this.#turns.afterwards_();
    return result;
  }

  /**
   * Like call_, but does nothing without a running wasm, and ignores a crash: all pending promises have been rejected.
   * @template {keyof import("./abi.js").Operations} Name
   * @param {Name} name
   * @param {import("./abi.js").Operations[Name]} [argument]
   * @returns {any}
   */
  tell_(name, argument) {
    if (!this.alive_) return undefined;
    try {
      return this.call_(name, argument);
    } catch {
      return undefined;
    }
  }

  /**
   * Returns the promise of a new token, which start passes to an operation.
   * @param {(token: number) => void} start
   * @param {AbortSignal} [signal]
   * @returns {Promise<any>}
   */
  ask_(start, signal) {
    return this.enter_(() => {
      const token = this.#turns.tokens_.next_();
      const done = this.#turns.tokens_.promise_(token);
      try {
        start(token);
      } catch (error) {
        this.#turns.tokens_.reject_(token, error);
      }
      return done;
    }, signal);
  }

  /**
   * Publishes. Throws if the topic cannot be encoded.
   * @param {string} topic
   * @param {Uint8Array} options as MQTT properties
   * @param {string | Uint8Array} payload
   * @param {number} qos
   * @param {boolean | undefined} retain
   * @param {(undo: () => void) => void} [cancel] is given a function that takes back a message that has not been sent
   */
  publish_(topic, options, payload, qos, retain, cancel) {
    const length = /** @type {import("./core.js").Core} */ (this.#core).memory_.topic_(topic, checkTopic);
    return this.#turns.publish_(length, options, payload, qos, retain, cancel);
  }

  // ---- The queue calls these methods, in the order of the events.

  /** @param {Uint32Array} recipients @param {Message} message */
  deliver_(recipients, message) {
    this.#owner.deliver_(recipients, message);
  }

  /** @param {number} token @param {any} value */
  settle_(token, value) {
    this.#turns.tokens_.resolve_(token, value);
  }

  /** @param {import("./abi.js").Effect} e @param {Uint8Array} bytes */
  #carryOut(e, bytes) {
    switch (e.kind) {
      case "done":
        return this.settle_(e.token, e.value);
      case "failed":
        return this.#turns.tokens_.reject_(e.token, this.#error(e.error));
      case "state":
        if (e.event === "disconnected") this.#turns.sent_(false);
        if (e.event === "closed") this.#rest();
        else awake.add(this);
        return this.#owner.changed_(e, this.#error(e.error));
      case "ended":
        return this.#owner.ended_(e.subscription, this.#error(e.error));
      case "provide":
        this.#provide(e.attempt, e.refused);
        return;
      case "open":
        return this.#open(e.attempt, e.url);
      case "close":
        if (this.#attempt !== e.attempt) return;
        this.#turns.socket_?.close_(bytes);
        this.#turns.socket_ = undefined;
        return this.#turns.sent_(true); // the messages of this turn were among the bytes
      case "probe":
        probe(e.attempt, e.url).then((result) => this.tell_("probed", result));
    }
  }

  /** The error of an effect. Its cause is the error of the page's provider, if that failed. @param {import("./abi.js").ErrorObject | undefined} e */
  #error(e) {
    return e && errorFrom(plain(e, e.phase === "credentials" && this.#cause && { cause: this.#cause }));
  }

  /** Until the client connects again, only the page keeps it alive. */
  #rest() {
    this.#turns.stop_();
    awake.delete(this);
  }

  /** @param {number} attempt @param {boolean} refused */
  async #provide(attempt, refused) {
    let result;
    this.#cause = undefined;
    try {
      result = await this.#owner.provide_(refused);
    } catch (/** @type {any} */ error) {
      let code = "", message = "", retryable = true;
      try {
        // The texts of other errors may contain secrets.
        const ours = error instanceof IotError;
        if (ours) code = String(error.code ?? "");
        if (ours || error?.code === "ERR_OPTION") message = error.message;
        retryable = error?.retryable !== false;
      } catch {
        // A revoked proxy cannot be read.
      }
      this.#cause = error;
      this.tell_("providerFailed", { attempt, code, message, retryable });
      return;
    }
    this.tell_("provided", plain(result, { attempt, date: Date.now() }));
  }

  /** @param {number} attempt @param {string} url */
  #open(attempt, url) {
    this.#attempt = attempt;
    this.#turns.socket_ = new Socket(url, {
      opened_: () => this.tell_("opened", { attempt }),
      openFailed_: (name) => this.tell_("openFailed", { attempt, name }),
      received_: (data) => {
        if (!this.alive_) return;
        if (typeof data === "string") this.#turns.inOrder_(() => this.tell_("text", { attempt }), 0);
        else if (data.byteLength > 0) this.#turns.inOrder_(() => this.#turns.receive_(attempt, data), data.byteLength);
      },
      closed_: (code) => {
        if (this.alive_) this.#turns.inOrder_(() => this.tell_("closed", { attempt, code }), 0);
      },
    });
  }

  wake_() {
    this.tell_("wake");
  }

  /** @param {IotError} error */
  crashed_(error) {
    this.#rest();
    this.#turns.socket_?.close_();
    this.#turns.socket_ = undefined;
    this.#turns.sent_(false, error);
    this.#turns.tokens_.rejectAll_(error);
    this.#owner.crashed_(error);
  }
}

/** @param {string} topic */
function checkTopic(topic) {
  wellFormed(topic.slice(0, 65536), "topic");
}
