// The page of the chaos test: it publishes, listens and notes, and lets itself be
// disturbed. The test calls chaos.

// ---- clocks that can be set

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

// ---- what must not happen

const wrong = [];
addEventListener("error", (e) => wrong.push(`uncaught: ${e.message}`));
addEventListener("unhandledrejection", (e) => wrong.push(`unhandled rejection: ${e.reason?.stack ?? e.reason}`));

const { instantiateStreaming } = WebAssembly;
let memory;
WebAssembly.instantiateStreaming = async (...args) => {
  const result = await instantiateStreaming.apply(WebAssembly, args);
  memory = result.instance.exports.mem;
  return result;
};

// ---- one round

const TOPICS = 4;
const MOST_WAITING = 2000; // messages whose promises have not settled
const MOST_BYTES = 8 << 20; // and their bytes

/** Numbers from 0 to 1, by a seed. */
function random(seed) {
  return () => {
    seed = (seed + 0x6d2b79f5) | 0;
    let t = Math.imul(seed ^ (seed >>> 15), 1 | seed);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

const nameOf = (message) => {
  const { payload } = message;
  const end = payload.indexOf(59);
  return new TextDecoder().decode(end < 0 ? payload : payload.subarray(0, end));
};

const codeOf = (error) => [error?.code ?? error, error?.reasonCode].filter((part) => part !== undefined).join(" ");

class Round {
  settled = []; // [name, "" or the error's code]
  heard = []; // [name, whether it was a retransmission, QoS]
  unclaimed = []; // names
  told = {}; // events, by type and code
  waiting = new Map(); // promises that have not settled, by what was asked for
  waitingBytes = 0;
  asked = 0;
  numbers = {};
  running = false;
  partly = true; // "part/+" has a subscription

  async start(iot, options, prefix, seed) {
    this.prefix = prefix;
    this.random = random(seed);
    this.client = new iot.IotClient(options);
    for (const type of ["connecting", "connected", "disconnected", "closed", "handlererror", "slowconsumer"]) {
      this.client.addEventListener(type, ({ detail }) => {
        let what = detail.error ? `${type} ${codeOf(detail.error)}` : type;
        if (detail.error?.code === "ERR_PROTOCOL") what += `: ${detail.error.message}`;
        this.told[what] = (this.told[what] ?? 0) + 1;
      });
    }
    this.client.addEventListener("unclaimed", ({ detail }) => this.unclaimed.push(nameOf(detail)));
    await this.client.connect();
    await this.client.subscribe(`${prefix}down/+`, (m) => this.hear(m), { qos: 2 });
    await this.client.subscribe(`${prefix}part/+`, (m) => this.hear(m), { qos: 2 });
    this.running = true;
    this.tick();
  }

  hear(message) {
    this.heard.push([nameOf(message), message.duplicate, message.qos]);
  }

  /** Notes when a promise settles. */
  ask(what, promise, bytes = 0) {
    const key = `${++this.asked} ${what}`;
    this.waiting.set(key, true);
    this.waitingBytes += bytes;
    const done = (code) => {
      this.waiting.delete(key);
      this.waitingBytes -= bytes;
      this.settled.push([what, code]);
    };
    promise.then(() => done(""), (e) => done(codeOf(e)));
  }

  publish(topic, qos) {
    const stream = `${this.prefix}up/${topic} ${qos}`;
    this.numbers[stream] = (this.numbers[stream] ?? 0) + 1;
    const name = `${stream} ${this.numbers[stream]}`;
    const size = Math.floor(this.random() ** 100 * 200_000);
    this.ask(name, this.client.publish(`${this.prefix}up/${topic}`, `${name};${".".repeat(size)}`, { qos }), size + 100);
  }

  tick() {
    if (!this.running) return;
    const burst = this.random() < 0.02 ? 200 : Math.floor(this.random() * 6);
    for (let i = 0; i < burst; i++) {
      const topic = Math.floor(this.random() * TOPICS), qos = Math.floor(this.random() * 3);
      if (this.waiting.size < MOST_WAITING && this.waitingBytes < MOST_BYTES) this.publish(topic, qos);
    }
    setTimeout(() => this.tick(), this.random() * 30);
  }

  /** The filter "part/+" has one subscription or none; messages for it may come all the same. */
  part(on) {
    if (on === this.partly) return;
    this.partly = on;
    const filter = `${this.prefix}part/+`;
    this.ask(`${on ? "" : "un"}subscribe`, on ? this.client.subscribe(filter, (m) => this.hear(m), { qos: 2 }) : this.client.unsubscribe(filter));
  }

  stop() {
    this.running = false;
    for (const qos of [1, 2]) this.publish("end", qos);
  }

  get calm() {
    const { inflight, queued } = this.client.stats();
    return this.client.state === "connected" && this.waiting.size === 0 && inflight === 0 && queued === 0;
  }

  report() {
    const { settled, heard, unclaimed, told, client } = this;
    return { settled, heard, unclaimed, told, wrong, waiting: [...this.waiting.keys()].slice(0, 20), state: client.state, stats: client.stats(), memory: memory.buffer.byteLength };
  }
}

globalThis.chaos = {
  round: undefined,
  async start(options, prefix, seed) {
    const { iot } = await import("./iot.js");
    this.round = new Round();
    await this.round.start(iot, options, prefix, seed);
  },
  busy(ms) {
    const end = realNow() + ms;
    while (realNow() < end);
  },
  /** Sets the clock, as a person or a time server does. */
  skew(ms) {
    skew += ms;
  },
  /** Time that has passed without the page, as while the machine sleeps. */
  leap(ms) {
    leap += ms;
    skew += ms;
  },
  wake(type) {
    if (type === "online") dispatchEvent(new Event("online"));
    else document.dispatchEvent(new Event(type));
  },
};
