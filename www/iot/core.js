import { Memory } from "./abi.js";
import { iotError, messageOf } from "./errors.js";
import { Queue } from "./queue.js";

/** @typedef {import("./errors.js").IotError} IotError */

/**
 * A client of a Core.
 * @typedef {{ id_: number, fail_(error: IotError): void }} CoreClient
 */

/** One running wasm. All clients of a page share it. */
export class Core {
  /** @type {IotError | undefined} the error of the crash; undefined while the wasm runs */
  crashError_;
  queue_ = new Queue();
  memory_;
  /** @type {any} the exports of the wasm */
  wasm_;
  module_;

  #operation;
  /** @type {Map<number, WeakRef<CoreClient>>} the clients by their ids */
  #clients = new Map();
  /** Frees a client in the wasm after its object was garbage-collected. */
  #freed = new FinalizationRegistry((client) => {
    this.#clients.delete(client);
    if (!this.crashError_) this.call_(0, "free", { client });
  });

  /**
   * @param {any} wasm the exports of the wasm
   * @param {(name: string, client: number, now: number, argument?: object) => string} operation calls an operation; its result is JSON, or empty
   * @param {WebAssembly.Module} module the compiled wasm
   */
  constructor(wasm, operation, module) {
    this.wasm_ = wasm;
    this.module_ = module;
    this.#operation = operation;
    this.memory_ = new Memory(wasm);
    this.memory_.refresh_();
  }

  /**
   * Creates a client in the wasm and stores its id in the object.
   * @param {CoreClient} client
   */
  createClient_(client) {
    client.id_ = this.call_(0, "new");
    this.#freed.register(client, client.id_);
    this.#clients.set(client.id_, new WeakRef(client));
  }

  /**
   * Calls an operation. Throws crashError_ if the wasm crashes.
   * @template {keyof import("./abi.js").Operations} Name
   * @param {number} client the id of the client; 0 for an operation without a client
   * @param {Name} name
   * @param {import("./abi.js").Operations[Name]} [argument]
   * @returns {any} the result of the operation, if it has one
   */
  call_(client, name, argument) {
    let result;
    try {
      if (!this.crashError_) result = this.#operation(name, client, performance.now(), argument);
    } catch (error) {
      this.crashed_(error);
    }
    if (this.hasCrashed_()) throw this.crashError_;
    return result && JSON.parse(result);
  }

  /**
   * Must be called after each call into the wasm. Makes new views if necessary, and handles a crash.
   * @returns {IotError | undefined} crashError_
   */
  hasCrashed_() {
    this.memory_.refresh_();
    const reason = this.memory_.crashReason_;
    if (reason !== undefined) this.crashed_(reason);
    return this.crashError_;
  }

  /**
   * Closes all clients after a crash. This rejects their pending promises.
   * @param {unknown} reason an error or a text
   */
  crashed_(reason) {
    if (!this.crashError_) {
      this.crashError_ = iotError("ERR_CRASHED", `the wasm has crashed (${messageOf(reason)}); connect() restarts it`, "session", true);
      this.queue_.clear_();
      for (const client of [...this.#clients.values()]) client.deref()?.fail_(this.crashError_);
    }
    return this.crashError_;
  }
}
