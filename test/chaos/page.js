// The page of the chaos test. It publishes, subscribes and records the results. The test
// calls the members of the global chaos.

// ---- clocks that the test can set

const RealDate = Date;
let skew = 0;
globalThis.Date = class Date extends RealDate {
  constructor(...args) {
    if (args.length > 0) super(...args);
    else super(RealDate.now() + skew);
  }
  static now() {
    return RealDate.now() + skew;
  }
};
const realNow = performance.now.bind(performance);
let leap = 0;
performance.now = () => realNow() + leap;

// ---- uncaught errors

const uncaught = [];
addEventListener("error", (e) => uncaught.push(e.message));
addEventListener("unhandledrejection", (e) => uncaught.push(`in a promise: ${e.reason?.stack ?? e.reason}`));

// ---- rounds

const TOPICS = 4;
const MOST_PENDING = 2000; // bounds the number of pending promises
const MOST_BYTES = 8 << 20; // bounds the bytes of pending messages

/** A generator of numbers from 0 to 1. */
function random(seed) {
  return () => {
    seed = (seed + 0x6d2b79f5) | 0;
    let t = Math.imul(seed ^ (seed >>> 15), 1 | seed);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** The name of a message: the payload before the first semicolon. */
const nameOf = ({ payload }) => {
  const end = payload.indexOf(59);
  return new TextDecoder().decode(end < 0 ? payload : payload.subarray(0, end));
};

const codeOf = (error) => [error?.code ?? error, error?.reasonCode].filter((part) => part !== undefined).join(" ");

class Round {
  settled = []; // [name, "" or the code of the error]
  received = []; // [name, whether it was a duplicate, QoS]
  unclaimed = []; // names of messages
  events = {}; // the number of events by type and code
  pending = new Map(); // the pending promises by key
  pendingBytes = 0;
  calls = 0;
  numbers = {}; // by topic and QoS: the number of the last message
  running = false;
  subscribed = true; // whether the page subscribes to "part/+"

  async start(iot, options, prefix, seed) {
    this.prefix = prefix;
    this.random = random(seed);
    this.client = new iot.IotClient(options);
    for (const type of ["connecting", "connected", "disconnected", "closed", "handlererror", "slowconsumer"]) {
      this.client.addEventListener(type, ({ detail }) => {
        let key = detail.error ? `${type} ${codeOf(detail.error)}` : type;
        if (detail.error?.code === "ERR_PROTOCOL") key += `: ${detail.error.message}`;
        this.events[key] = (this.events[key] ?? 0) + 1;
      });
    }
    this.client.addEventListener("unclaimed", ({ detail }) => this.unclaimed.push(nameOf(detail)));
    await this.client.connect();
    await this.client.subscribe(`${prefix}down/+`, (m) => this.receive(m), { qos: 2 });
    await this.client.subscribe(`${prefix}part/+`, (m) => this.receive(m), { qos: 2 });
    this.running = true;
    this.tick();
  }

  receive(message) {
    this.received.push([nameOf(message), message.duplicate, message.qos]);
  }

  /** Records the outcome of a promise when it settles. */
  track(name, promise, bytes = 0) {
    const key = `${++this.calls} ${name}`;
    this.pending.set(key, true);
    this.pendingBytes += bytes;
    const done = (code) => {
      this.pending.delete(key);
      this.pendingBytes -= bytes;
      this.settled.push([name, code]);
    };
    promise.then(() => done(""), (e) => done(codeOf(e)));
  }

  publish(topic, qos) {
    const stream = `${this.prefix}up/${topic} ${qos}`;
    this.numbers[stream] = (this.numbers[stream] ?? 0) + 1;
    const name = `${stream} ${this.numbers[stream]}`;
    const size = Math.floor(this.random() ** 100 * 200_000);
    this.track(name, this.client.publish(`${this.prefix}up/${topic}`, `${name};${".".repeat(size)}`, { qos }), size + 100);
  }

  tick() {
    if (!this.running) return;
    const burst = this.random() < 0.02 ? 200 : Math.floor(this.random() * 6);
    for (let i = 0; i < burst; i++) {
      const topic = Math.floor(this.random() * TOPICS), qos = Math.floor(this.random() * 3);
      if (this.pending.size < MOST_PENDING && this.pendingBytes < MOST_BYTES) this.publish(topic, qos);
    }
    setTimeout(() => this.tick(), this.random() * 30);
  }

  /** Subscribes to the filter "part/+" or unsubscribes from it. The observer always publishes to topics that match the filter. */
  part(on) {
    if (on === this.subscribed) return;
    this.subscribed = on;
    const filter = `${this.prefix}part/+`;
    this.track(`${on ? "" : "un"}subscribe`, on ? this.client.subscribe(filter, (m) => this.receive(m), { qos: 2 }) : this.client.unsubscribe(filter));
  }

  stop() {
    this.running = false;
    for (const qos of [1, 2]) this.publish("end", qos);
  }

  /** Whether the client is connected and all promises are settled. */
  get idle() {
    const { inflight, queued } = this.client.stats();
    return this.client.state === "connected" && this.pending.size === 0 && inflight === 0 && queued === 0;
  }

  report() {
    const { settled, received, unclaimed, events, client } = this;
    return {
      settled, received, unclaimed, events, uncaught, pending: [...this.pending.keys()].slice(0, 20),
      state: client.state, stats: client.stats(), memory: wasm.mem.buffer.byteLength,
    };
  }
}

globalThis.chaos = {
  round: undefined,
  async start(options, prefix, seed) {
    const { iot } = await import("./iot.js");
    this.round = new Round();
    await this.round.start(iot, options, prefix, seed);
  },
  /** Keeps the page busy. */
  busy(ms) {
    const end = realNow() + ms;
    while (realNow() < end);
  },
  /** Changes the time of day, as a user or a time server does. */
  skew(ms) {
    skew += ms;
  },
  /** Changes all clocks, as a machine that wakes from sleep does. */
  leap(ms) {
    leap += ms;
    skew += ms;
  },
  /** Dispatches an event of a page that becomes active again. */
  wake(type) {
    if (type === "online") dispatchEvent(new Event("online"));
    else document.dispatchEvent(new Event(type));
  },
};
