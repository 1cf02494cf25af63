import { FLAG_UNCLAIMED } from "./abi.js";
import { IotError, errorFrom, plain } from "./errors.js";
import { Message } from "./message.js";
import { acquire } from "./module.js";
import { activeClients, pageError } from "./page.js";
import { probe } from "./probe.js";
import { Socket } from "./socket.js";
import { OK, Turns } from "./turns.js";
import { wellFormed } from "./values.js";

/**
 * The callbacks of a Link. IotClient implements them.
 * @typedef {object} Owner
 * @property {(recipients: Uint32Array, message: Message) => void} deliver_ delivers a message to the subscriptions with these ids
 * @property {(change: any, error: any) => void} changed_ reports a change of the state: the effect state and its error
 * @property {(subscription: number, error: any) => void} ended_ reports that a subscription has ended
 * @property {(refused: boolean) => Promise<any>} provide_ returns an object with credentials or a URL, for the argument of the operation provided
 * @property {(error: IotError) => void} failed_ reports a crash of the wasm, or the end of the page
 */

/**
 * A connection that begins while the wasm is loading. The socket is present when the URL is known.
 * @typedef {{ provider_?: any, answer_?: any, socket_?: Socket }} Early
 */

/**
 * Fires an event of a client.
 * @param {EventTarget} client
 * @param {string} type
 * @param {unknown} detail
 */
export const emit = (client, type, detail) => client.dispatchEvent(new CustomEvent(type, { detail }));

/**
 * A Link connects one client to the wasm. It loads the wasm, calls operations and carries
 * out effects. It makes no decision.
 */
export class Link {
  /** The id of the client in the wasm. */
  id_ = 0;
  /** @type {Early | undefined} what connect() has started while the wasm is loading, until the first effect open */
  early_;

  #owner;
  #client;
  /** @type {import("./core.js").Core | undefined} */
  #core;
  /** @type {{ name: string, recipients: Uint32Array }[]} the topics, by the ids in their records */
  #topics = [];
  /**
   * The calls that wait for the wasm, in the order in which the page made them.
   * @type {[start: () => void, reject: (error: unknown) => void][]}
   */
  #calls = [];
  /** The number of the attempt that the socket belongs to. */
  #attempt = 0;
  /** @type {unknown} the value that the page's provider threw in the current attempt */
  #cause;

  #turns = new Turns({
    topic_: (id, first, name, recipients) => {
      if (first) this.#topics = [];
      this.#topics[id] = { name, recipients };
    },
    message_: (topic, record, selected) => {
      const { name, recipients } = this.#topics[topic];
      const message = new Message(name, record, this.#client);
      if (record.flags_ & FLAG_UNCLAIMED) this.#emit("unclaimed", message);
      else this.#queue.push_(this, selected ?? recipients, message);
    },
    packet_: (packet) => this.#emit("packet", packet),
    done_: (token, reason) => this.#queue.push_(this, token, reason ? { reasonCode: reason } : OK),
    effect_: (effect, bytes) => this.#queue.push_(this, undefined, () => this.#carryOut(plain(effect), bytes)),
  });

  /** @param {import("./client.js").IotClient} client @param {Owner} owner */
  constructor(client, owner) {
    this.#client = client;
    this.#owner = owner;
    this.deliver_ = owner.deliver_; // the queue calls it
  }

  /**
   * Fires an event of the client, after the earlier events.
   * @param {string} type
   * @param {unknown} detail
   */
  #emit(type, detail) {
    this.#queue.push_(this, undefined, () => emit(this.#client, type, detail));
  }

  get #queue() {
    return /** @type {import("./core.js").Core} */ (this.#core).queue_;
  }

  /** Whether the wasm is loaded and has not crashed, and the page has not ended. */
  get running_() {
    return this.#core !== undefined && !this.#core.crashError_ && !pageError;
  }

  /** Whether whenReady_ runs work at once. */
  get ready_() {
    return this.running_ && this.#calls.length === 0;
  }

  /** Whether the wasm is running, or is loading for a call of this client. */
  get runningOrLoading_() {
    return this.running_ || this.#calls.length > 0;
  }

  /**
   * Runs work, in the order of the calls, when the wasm is running. Loads the wasm if necessary.
   * @template T
   * @param {() => Promise<T>} work
   * @param {AbortSignal} [signal] if it aborts before work runs, the promise rejects with its reason
   * @returns {Promise<T>} rejects also if the wasm does not load
   */
  whenReady_(work, signal) {
    if (this.ready_) return work();
    return new Promise((resolve, reject) => {
      const start = async () => {
        signal?.throwIfAborted();
        return work();
      };
      if (this.#calls.push([() => resolve(start()), reject]) === 1) this.#load();
    });
  }

  async #load() {
    activeClients.add(this); // the end of the page then rejects the waiting calls
    try {
      const core = await acquire();
      // Some browsers run microtasks in a removed frame. The call must fail there.
      if (pageError) throw pageError;
      if (this.#core !== core) {
        this.#core = core;
        this.#topics = [];
        core.createClient_(this);
        this.#turns.setCore_(core, this.id_);
      }
    } catch (error) {
      for (const [, reject] of this.#calls.splice(0)) reject(error);
    }
    activeClients.delete(this);
    for (const [start] of this.#calls) start(); // start() may add calls, which the loop also starts
    this.#calls = [];
  }

  /**
   * Calls an operation for this client. Throws if the wasm crashes.
   * @template {keyof import("./abi.js").Operations} Name
   * @param {Name} name
   * @param {import("./abi.js").Operations[Name]} [argument]
   * @returns {any} the result of the operation, if it has one
   */
  call_(name, argument) {
    const result = /** @type {import("./core.js").Core} */ (this.#core).call_(this.id_, name, argument);
    this.#turns.handleResults_();
    return result;
  }

  /**
   * Like call_, but does nothing unless the wasm is running. Ignores a crash, which rejects all promises.
   * @template {keyof import("./abi.js").Operations} Name
   * @param {Name} name
   * @param {import("./abi.js").Operations[Name]} [argument]
   * @returns {any} the result of the operation, if it has one
   */
  tryCall_(name, argument) {
    if (!this.running_) return undefined;
    try {
      return this.call_(name, argument);
    } catch {
      return undefined;
    }
  }

  /**
   * Calls start with a new token when the wasm is running.
   * @param {(token: number) => void} start passes the token to an operation
   * @param {AbortSignal} [signal] as for whenReady_
   * @returns {Promise<any>} the promise of the token; it rejects also if start throws, and as whenReady_ does
   */
  withToken_(start, signal) {
    return this.whenReady_(() => {
      const token = this.#turns.tokens_.next_();
      const done = this.#turns.tokens_.promise_(token);
      try {
        start(token);
      } catch (error) {
        this.#turns.tokens_.settle_(token, "reject", error);
      }
      return done;
    }, signal);
  }

  /**
   * Publishes. Throws a TypeError if the topic contains a lone surrogate or U+0000.
   * @param {string} topic
   * @param {Uint8Array} properties the encoded MQTT properties
   * @param {string | Uint8Array} payload
   * @param {number} qos
   * @param {boolean | undefined} retain
   * @param {(cancel: () => void) => void} [setCancel] receives a function that removes the message, unless it has been sent
   */
  publish_(topic, properties, payload, qos, retain, setCancel) {
    const length = /** @type {import("./core.js").Core} */ (this.#core).memory_.writeTopic_(topic, wellFormed);
    return this.#turns.publish_(length, properties, payload, qos, retain, setCancel);
  }

  /** The queue calls this method. @param {number} token @param {any} value */
  settle_(token, value) {
    this.#turns.tokens_.settle_(token, "resolve", value);
  }

  /** @param {import("./abi.js").Effect} e @param {Uint8Array} bytes */
  #carryOut(e, bytes) {
    switch (e.kind) {
      case "done":
        return this.settle_(e.token, e.value);
      case "failed":
        return this.#turns.tokens_.settle_(e.token, "reject", this.#error(e.error));
      case "state":
        if (e.event === "disconnected") {
          this.endEarly_();
          this.#turns.settleQoS0_(false);
        }
        if (e.event === "closed") this.#deactivate();
        else activeClients.add(this);
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
        const { open_ } = this.#turns.socket_ ?? {};
        this.#turns.socket_?.close_(bytes);
        this.#turns.socket_ = undefined;
        return this.#turns.settleQoS0_(open_); // the last bytes contain the QoS 0 messages of this turn
      case "probe":
        probe(e.attempt, e.url).then((result) => this.tryCall_("probed", result));
    }
  }

  /**
   * Converts the error of an effect. The error of the page's provider becomes its cause.
   * @param {import("./abi.js").ErrorObject | undefined} e
   */
  #error(e) {
    return e && errorFrom(plain(e, e.phase === "credentials" && this.#cause && { cause: this.#cause }));
  }

  /** Removes the references that prevent garbage collection. */
  #deactivate() {
    this.#turns.stopTimer_();
    activeClients.delete(this);
  }

  /**
   * Passes the answer of the page's provider to the wasm.
   * @param {number} attempt
   * @param {boolean} refused
   */
  async #provide(attempt, refused) {
    let result;
    this.#cause = undefined;
    try {
      result = await this.#owner.provide_(refused);
    } catch (/** @type {any} */ error) {
      let code = "", message = "", retryable = true;
      try {
        // The texts of other errors may contain secrets.
        const isIotError = error instanceof IotError;
        if (isIotError) code = String(error.code ?? "");
        if (isIotError || error?.code === "ERR_OPTION") message = error.message;
        retryable = error?.retryable !== false;
      } catch {
        // The provider threw an object whose members cannot be read, such as a revoked proxy.
      }
      this.#cause = error;
      this.tryCall_("providerFailed", { attempt, code, message, retryable });
      return;
    }
    this.tryCall_("provided", plain(result, { attempt, date: Date.now() }));
  }

  /**
   * Starts a connection while the wasm is loading, unless an earlier call has done so: calls the page's provider, and opens a
   * socket if it knows the URL. The first effect open uses the socket if it has the same URL.
   * @param {Early} early an empty object for this call
   * @param {any} provider a provider of a URL or of credentials, or its answer
   */
  async startEarly_(early, provider) {
    if (this.early_) return;
    this.early_ = early;
    early.provider_ = provider;
    try {
      const url = await (early.answer_ = typeof provider === "function" ? (async () => provider())() : provider);
      if (this.early_ === early && /^wss?:/i.test(url)) early.socket_ = new Socket(`${url}`);
    } catch {
      // The client uses the same answer when the wasm requests it, and reports the error.
    }
  }

  /**
   * Closes the socket of startEarly_, unless an effect open uses it.
   * @param {Early} [early] the object of one call; by default, of any call
   */
  endEarly_(early = this.early_) {
    if (this.early_ !== early) return;
    early?.socket_?.close_();
    this.early_ = undefined;
  }

  /** @param {number} attempt @param {string} url */
  #open(attempt, url) {
    this.#attempt = attempt;
    let socket = this.early_?.socket_;
    // A broker may close a connection without CONNECT. A socket with a second event is therefore not used.
    if (socket?.url_ === url && socket.early_.length < 2) this.early_ = undefined;
    else {
      this.endEarly_();
      socket = new Socket(url);
    }
    this.#turns.socket_ = socket;
    socket.listen_({
      opened_: () => this.tryCall_("opened", { attempt }),
      openFailed_: (name) => this.tryCall_("openFailed", { attempt, name }),
      received_: (data) => {
        if (!this.running_) return;
        if (typeof data === "string") this.#turns.runInOrder_(() => this.tryCall_("text", { attempt }), 0);
        else if (data.byteLength > 0) this.#turns.runInOrder_(() => this.#turns.receive_(attempt, data), data.byteLength);
      },
      closed_: (code) => {
        if (this.running_) this.#turns.runInOrder_(() => this.tryCall_("closed", { attempt, code }), 0);
      },
    });
  }

  /** Reports to the wasm that the page has resumed. */
  wake_() {
    this.tryCall_("wake");
  }

  /**
   * Closes the client after a crash of the wasm, or at the end of the page.
   * @param {IotError} error
   */
  fail_(error) {
    this.#deactivate();
    this.#turns.socket_?.close_();
    this.#turns.socket_ = undefined;
    this.#turns.settleQoS0_(false, error);
    this.#turns.tokens_.rejectAll_(error);
    this.#owner.failed_(error);
  }
}
