import { newGo, stamp } from "../wasm_exec.js";
import { IotError, wordsOf } from "./errors.js";

// The kinds of record in the table that wasm/turn.go fills.
const TOPIC = 1, MESSAGE = 2, PUBLISHED = 3, DONE = 4, EFFECT = 5;
const OWN_MEMORY = 32;

const encoder = new TextEncoder();
const decoder = new TextDecoder("utf-8", { ignoreBOM: true }); // a topic may begin with U+FEFF [MQTT-1.5.4-3]

// The version of the table's layout, which the wasm must share.
const LAYOUT = 1;

/** Downloads and starts the wasm. `version` is that of the JavaScript. */
export async function start(where, integrity, version) {
  const bridge = { effects: [], call: undefined, version: undefined, layout: undefined, crash: undefined };
  let go, instance;
  try {
    if (typeof WebAssembly === "undefined") {
      throw new IotError("this browser has WebAssembly switched off", { code: "ERR_NO_WASM", phase: "load" });
    }
    go = newGo(bridge);
    instance = await instantiate(await where(), integrity, go.importObject);
  } catch (error) {
    throw loadError(error);
  }
  const core = new Core(instance.exports, bridge);
  go.exit = () => core.crashed("the Go program has ended");
  go.run(instance).catch((error) => core.crashed(wordsOf(error)));
  if (bridge.version !== stamp || bridge.layout !== LAYOUT || !stamp.startsWith(`${version}+`)) {
    throw new IotError(
      `iot.js ${version}, wasm_exec.js ${stamp} and iot.wasm ${bridge.version} are not of one build; run "make wasm", or clear the cache`,
      { code: "ERR_VERSION", phase: "load" },
    );
  }
  return core;
}

async function instantiate(source, integrity, imports) {
  if (source instanceof WebAssembly.Module) return WebAssembly.instantiate(source, imports);
  let response = source;
  if (typeof source === "string" || source instanceof URL) {
    const url = new URL(source, globalThis.location?.href); // throws where a classic script does not know its own
    if (url.protocol === "file:") {
      const { readFile } = await import("node:fs/promises");
      return (await WebAssembly.instantiate(await readFile(url), imports)).instance;
    }
    response = await fetch(url, { integrity: integrity ?? "" });
  }
  if (!response.ok) {
    throw new IotError(`iot.wasm could not be loaded: HTTP ${response.status}`, { code: "ERR_LOAD", phase: "load", retryable: true });
  }
  const streams = typeof WebAssembly.instantiateStreaming === "function";
  if (streams && /^application\/wasm\b/i.test(response.headers.get("Content-Type") ?? "")) {
    return (await WebAssembly.instantiateStreaming(response, imports)).instance;
  }
  return (await WebAssembly.instantiate(await response.arrayBuffer(), imports)).instance;
}

function loadError(error) {
  if (error instanceof IotError) return error;
  const csp = typeof WebAssembly !== "undefined" && error instanceof WebAssembly.CompileError && /content security policy|unsafe-eval|blocked by CSP/i.test(error.message);
  if (csp) {
    return new IotError("the page's Content-Security-Policy forbids WebAssembly; add 'wasm-unsafe-eval' to its script-src", {
      code: "ERR_CSP", phase: "load", cause: error,
    });
  }
  return new IotError(`iot.wasm could not be loaded: ${wordsOf(error)}`, { code: "ERR_LOAD", phase: "load", retryable: true, cause: error });
}

/**
 * One running wasm, shared by the clients of a page. An owner is a client's
 * Wire; those whose life goes on are held, so that a crash can be told to them.
 */
class Core {
  #wasm;
  #bridge;
  #header; // views of the wasm's memory, made afresh when it has grown
  #words;
  #bytes;
  #deadline;
  #headerAt;
  #owners = new Set();
  #gone = new FinalizationRegistry((id) => this.crash ?? this.call(undefined, "free", id));
  #crash;
  #events = []; // in the order in which they happened, whatever calls are nested
  #draining = false;
  #objects = 0; // JavaScript values that Go has not let go of yet, about

  constructor(wasm, bridge) {
    this.#wasm = wasm;
    this.#bridge = bridge;
  }

  get crash() {
    return this.#crash;
  }

  /** Makes a client in the wasm; it lasts as long as its owner does. */
  attach(owner) {
    owner.id = this.#guard(() => this.#bridge.call("new", 0, 0));
    this.#gone.register(owner, owner.id);
  }

  hold(owner) {
    this.#owners.add(owner);
  }

  release(owner) {
    this.#owners.delete(owner);
  }

  /** A rare call: see wasm/calls.go. */
  call(owner, op, ...args) {
    const result = this.#guard(() => this.#bridge.call(op, owner?.id ?? 0, performance.now(), ...args));
    if (owner) this.#afterwards(owner);
    return result;
  }

  /** Hands a WebSocket message to the client. */
  receive(owner, attempt, frame) {
    const n = frame.byteLength;
    const at = this.#input(n);
    this.#bytes.set(new Uint8Array(frame), at);
    this.#guard(() => this.#wasm.iot_receive(owner.id, attempt, n, performance.now()));
    this.#afterwards(owner, frame, at);
  }

  /** Publishes; true when it goes out with this turn and nothing more will be heard of it. */
  publish(owner, token, topic, options, payload, flags) {
    const text = typeof payload === "string";
    const at = this.#input(topic.length * 3 + options.length + (text ? payload.length * 3 : payload.length));
    const bytes = this.#bytes;
    const topicLength = encoder.encodeInto(topic, bytes.subarray(at, at + topic.length * 3)).written;
    let end = at + topicLength;
    if (options.length > 0) bytes.set(options, end);
    end += options.length;
    let length = payload.length;
    if (text) length = encoder.encodeInto(payload, bytes.subarray(end, end + length * 3)).written;
    else bytes.set(payload, end);
    const sent = this.#guard(() => this.#wasm.iot_publish(owner.id, token, topicLength, options.length, length, flags, performance.now()));
    this.#afterwards(owner);
    return sent === 1;
  }

  /** Ends a turn of the event loop: what it has to send goes out in one WebSocket message. Whether it went. */
  turn(owner) {
    this.#guard(() => this.#wasm.iot_turn(owner.id, performance.now()));
    this.#refresh();
    const [at, length] = this.#header;
    let sent = true;
    if (length > 0 && !this.#header[4]) {
      sent = owner.send(this.#bytes.subarray(at, at + length));
      this.#guard(() => this.#wasm.iot_flushed(owner.id, performance.now()));
    }
    this.#afterwards(owner);
    return sent;
  }

  /** Where n bytes for the next call may be written. */
  #input(n) {
    const at = this.#guard(() => this.#wasm.iot_input(n)) >>> 0; // a wasm i32 has a sign
    this.#refresh();
    return at;
  }

  #afterwards(owner, frame, base) {
    this.#refresh();
    if (this.#header[4]) throw this.crashed(this.#bridge.crash);
    this.#read(owner, frame, base);
    if (this.#header[5]) owner.flushSoon();
    owner.wakeAt(this.#deadline[0]);
    // Go lets go of JavaScript's values only when it is resumed, which exports do not do.
    if (this.#objects > 1000) {
      this.#objects = 0;
      this.#guard(() => this.#bridge.call("rest", 0, 0));
    }
    this.#drain();
  }

  /** Lets the page hear of what has happened. What it does then may happen again in here. */
  #drain() {
    if (this.#draining) return;
    this.#draining = true;
    try {
      for (let i = 0; i < this.#events.length; i++) this.#events[i]();
    } finally {
      this.#events.length = 0;
      this.#draining = false;
    }
  }

  /** Reads the table into events; while it does, no code of the page runs. */
  #read(owner, frame, base) {
    const words = this.#words;
    let at = this.#header[2] >>> 2;
    const end = at + this.#header[3];
    if (at === end) return;
    const events = this.#events;
    const effects = this.#bridge.effects;
    this.#objects += effects.length;
    let effect = 0;
    while (at < end) {
      switch (words[at]) {
        case TOPIC: {
          const name = decoder.decode(this.#bytes.subarray(words[at + 2], words[at + 2] + words[at + 3]));
          const id = words[at + 1], count = words[at + 4];
          if (owner.topics[id]?.name !== name) owner.topics[id] = { name, filters: undefined, live: 0 };
          owner.topics[id].filters = Array.from(words.subarray(at + 5, at + 5 + count));
          at += 5 + count;
          break;
        }
        case MESSAGE: {
          const topic = owner.topics[words[at + 1]];
          const flags = words[at + 4];
          let buffer = frame, start = base;
          if (flags & OWN_MEMORY) {
            start = words[at + 5];
            buffer = this.#bytes.slice(start, start + words[at + 6]).buffer;
          }
          const count = words[at + 7];
          const properties = count === 0 ? null : this.#properties(at + 8, count, start);
          const payload = words[at + 2] - start, length = words[at + 3];
          events.push(() => owner.deliver(topic, buffer, length === 0 ? 0 : payload, length, flags, properties));
          at += 8 + 5 * count;
          break;
        }
        case PUBLISHED: {
          const token = words[at + 1], reasonCode = words[at + 2];
          events.push(() => owner.settle(token, { reasonCode }));
          at += 3;
          break;
        }
        case DONE: {
          const token = words[at + 1];
          events.push(() => owner.settle(token, undefined));
          at += 2;
          break;
        }
        case EFFECT: {
          const e = effects[effect++];
          events.push(() => owner.effect(e));
          at += 1;
          break;
        }
        default:
          throw this.crashed("a record of unknown kind");
      }
    }
    effects.length = 0;
  }

  #properties(at, count, base) {
    const words = this.#words;
    const list = [];
    for (let i = 0; i < count; i++, at += 5) {
      const id = words[at];
      if (id === 2) list.push(id, words[at + 1], 0, 0, 0);
      else list.push(id, words[at + 1] - base, words[at + 2], words[at + 3] - base, words[at + 4]);
    }
    return list;
  }

  /** Memory may have grown in any call, which detaches the views of it. */
  #refresh() {
    const { buffer } = this.#wasm.mem;
    if (this.#bytes?.buffer === buffer) return;
    this.#headerAt ??= this.#wasm.iot_header() >>> 0;
    this.#bytes = new Uint8Array(buffer);
    this.#words = new Uint32Array(buffer);
    this.#header = new Uint32Array(buffer, this.#headerAt, 6);
    this.#deadline = new Float64Array(buffer, this.#headerAt + 24, 1);
  }

  /** Runs a call into the wasm; if that breaks, so do all clients, each with a clear error. */
  #guard(enter) {
    if (this.#crash) throw this.#crash;
    try {
      return enter();
    } catch (error) {
      throw this.crashed(wordsOf(error));
    }
  }

  /** The wasm is beyond repair: everything that is pending fails, and the next connect() starts a fresh one. */
  crashed(why) {
    if (!this.#crash) {
      this.#crash = new IotError(`the wasm module has crashed (${why}); connect() starts a fresh one`, {
        code: "ERR_CRASHED", phase: "session", retryable: true,
      });
      this.#events.length = 0;
      const owners = [...this.#owners];
      this.#owners.clear();
      for (const owner of owners) owner.crashed(this.#crash);
    }
    return this.#crash;
  }
}
