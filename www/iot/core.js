import { Memory } from "./abi.js";
import { failed, wordsOf } from "./errors.js";
import { Queue } from "./queue.js";

/** @typedef {import("./errors.js").IotError} IotError */

/**
 * A client, as the wasm that serves it sees it. The wasm does not keep it alive.
 * @typedef {{ id_: number, crashed_(error: IotError): void }} Served
 */

/** One running wasm. The clients of a page share it. */
export class Core {
  /** @type {IotError | undefined} */
  crash_;
  queue_ = new Queue();
  memory_;
  /** The functions that the wasm exports. @type {any} */
  wasm_;

  #operation;
  /** @type {Map<number, WeakRef<Served>>} */
  #clients = new Map();
  #freed = new FinalizationRegistry((client) => {
    this.#clients.delete(client);
    if (!this.crash_) this.call_(0, "free", { client });
  });

  /** @param {any} wasm its exports @param {(name: string, client: number, now: number, argument?: object) => string} operation */
  constructor(wasm, operation) {
    this.wasm_ = wasm;
    this.#operation = operation;
    this.memory_ = new Memory(wasm);
    this.memory_.refresh_();
  }

  /** Makes a client in the wasm. It exists as long as the object. @param {Served} client */
  attach_(client) {
    client.id_ = this.call_(0, "new");
    this.#freed.register(client, client.id_);
    this.#clients.set(client.id_, new WeakRef(client));
  }

  /**
   * Calls an operation. Throws if the wasm has crashed.
   * @template {keyof import("./abi.js").Operations} Name
   * @param {number} client 0: none
   * @param {Name} name
   * @param {import("./abi.js").Operations[Name]} [argument]
   * @returns {any}
   */
  call_(client, name, argument) {
    let result;
    try {
      if (!this.crash_) result = this.#operation(name, client, performance.now(), argument);
    } catch (error) {
      this.crashed_(error);
    }
    if (this.crashes_()) throw this.crash_;
    return result && JSON.parse(result);
  }

  /** Whether the wasm has crashed, in the last call or before. It must be called after each call. */
  crashes_() {
    this.memory_.refresh_();
    const why = this.memory_.crash_;
    if (why !== undefined) this.crashed_(why);
    return this.crash_;
  }

  /** Rejects everything that is pending. The next connect() starts another wasm. @param {unknown} why an error or a text */
  crashed_(why) {
    if (!this.crash_) {
      this.crash_ = failed("ERR_CRASHED", `the wasm has crashed (${wordsOf(why)}); connect() starts a fresh one`, "session", true);
      this.queue_.clear_();
      for (const client of [...this.#clients.values()]) client.deref()?.crashed_(this.crash_);
    }
    return this.crash_;
  }
}
