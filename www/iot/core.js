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
   * Calls an operation.
   * @template {keyof import("./abi.js").Operations} Name
   * @param {number} client 0: none
   * @param {Name} name
   * @param {import("./abi.js").Operations[Name]} [argument]
   * @returns {any}
   */
  call_(client, name, argument) {
    const result = this.guard_(() => this.#operation(name, client, performance.now(), argument));
    this.check_();
    return result && JSON.parse(result);
  }

  /**
   * Runs a call into the wasm. If it throws, the wasm has crashed.
   * @template T
   * @param {() => T} call
   * @returns {T}
   */
  guard_(call) {
    if (this.crash_) throw this.crash_;
    try {
      return call();
    } catch (error) {
      throw this.crashed_(wordsOf(error));
    }
  }

  /** Throws if the call before has found that the wasm has crashed. */
  check_() {
    this.memory_.refresh_();
    const why = this.memory_.crash_;
    if (why !== undefined) throw this.crashed_(why);
  }

  /** Rejects everything that is pending. The next connect() starts another wasm. @param {string} why */
  crashed_(why) {
    if (!this.crash_) {
      this.crash_ = failed("ERR_CRASHED", `the wasm has crashed (${why}); connect() starts a fresh one`, "session", true);
      this.queue_.clear_();
      for (const client of [...this.#clients.values()]) client.deref()?.crashed_(this.crash_);
    }
    return this.crash_;
  }
}
