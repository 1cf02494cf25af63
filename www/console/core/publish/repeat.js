import { Emitter } from "../emitter.js";
import { argumentsOf } from "./draft.js";

// The bounds of the list, of the repetitions that run, and of the messages of one that the broker has not acknowledged.
const MAX_LIST = 20;
const MAX_RUNNING = 10;
const MAX_PENDING = 100;
// A timer may be late, such as in a background tab, where browsers run timers once a second. Up to this number of messages
// is then sent at once, so that the rate stays the same.
const MAX_BURST = 100;
// The rate is that of the last seconds.
const RATE_MS = 3000;
// An error with one of these codes means that one message of QoS 0 is lost with the connection.
const LOST = ["ERR_CONNECTION_LOST", "ERR_DISCONNECTED", "ERR_OFFLINE_QOS0", "ERR_KEEP_ALIVE", "ERR_RECONNECT"];

/**
 * A message that is published repeatedly.
 * @typedef {object} Repetition
 * @property {number} id
 * @property {import("./draft.js").Draft} draft
 * @property {number} everyMs
 * @property {number} times Infinity for no end
 * @property {number} sent the number of messages that were passed to the client
 * @property {number} acknowledged the number of calls that have resolved
 * @property {number} lost the number of messages of QoS 0 that were lost with a connection
 * @property {"running" | "waiting" | "finished" | "stopped" | "failed"} state "waiting": the client has no connection
 * @property {any} error why it failed
 * @property {() => number} rate returns the messages per second
 */

/** The messages that are published repeatedly. */
export class Repetitions {
  #client;
  #lastId = 0;
  /** Newest first. @type {(Repetition & { run(): void, end(state: "stopped" | "failed", error?: any): void })[]} */
  list = [];
  /** Called after each change. It may be called often. */
  changed = new Emitter();

  /** @param {import("../../../iot.js").IotClient} client */
  constructor(client) {
    this.#client = client;
    client.addEventListener("connected", () => this.list.forEach((entry) => entry.state === "waiting" && entry.run()));
    client.addEventListener("closed", ({ detail: { error } }) => {
      for (const entry of this.list) entry.end("failed", error ?? new Error("the client was disconnected"));
    });
  }

  /**
   * Starts to publish a message. The first one is sent at once. Throws if a field is not valid, or if too many run.
   * @param {import("./draft.js").Draft} draft
   * @param {number} everyMs at least 1
   * @param {number} times Infinity for no end
   */
  start(draft, everyMs, times) {
    if (!(everyMs >= 1 && everyMs <= 86_400_000)) throw new RangeError("the interval must be from 1 ms to a day");
    if (!(times >= 1)) throw new RangeError("the number of messages must be at least 1");
    if (this.list.filter(({ state }) => state === "running" || state === "waiting").length >= MAX_RUNNING) throw new RangeError(`at most ${MAX_RUNNING} messages can be repeated at once`);
    if (this.#client.state === "idle" || this.#client.state === "closed") throw new Error("connect first");
    argumentsOf(draft, { n: 1, now: Date.now() });
    const entry = this.#create(draft, everyMs, times);
    this.list = [entry, ...this.list];
    // The oldest one that has ended leaves the list.
    const ended = this.list.findLastIndex(({ state }) => state !== "running" && state !== "waiting");
    if (this.list.length > MAX_LIST && ended >= 0) this.list.splice(ended, 1);
    entry.run();
    return entry;
  }

  stop(id) {
    this.list.find((entry) => entry.id === id)?.end("stopped");
  }

  /** Stops a repetition and removes it from the list. */
  remove(id) {
    this.stop(id);
    this.list = this.list.filter((entry) => entry.id !== id);
    this.changed.emit();
  }

  #create(draft, everyMs, times) {
    const client = this.#client, changed = this.changed, abort = new AbortController();
    let timer, base = 0, baseSent = 0, pending = 0;
    const marks = []; // pairs of a time and the number of messages sent
    const entry = {
      id: ++this.#lastId, draft, everyMs, times, sent: 0, acknowledged: 0, lost: 0, state: "running", error: undefined,
      rate() {
        const last = marks.at(-1), first = marks[0];
        return marks.length < 2 || last[0] === first[0] || entry.state !== "running" ? 0 : ((last[1] - first[1]) * 1000) / (last[0] - first[0]);
      },
      run() {
        entry.state = "running";
        base = performance.now();
        baseSent = entry.sent;
        marks.length = 0;
        tick();
      },
      end(state, error) {
        if (entry.state !== "running" && entry.state !== "waiting") return;
        clearTimeout(timer);
        entry.state = state;
        entry.error = error;
        abort.abort(); // the messages that wait to be sent are removed
        changed.emit();
      },
    };

    async function publishOne() {
      entry.sent++;
      pending++;
      try {
        const { topic, payload, options } = argumentsOf(draft, { n: entry.sent, now: Date.now() });
        await client.publish(topic, payload, { ...options, signal: abort.signal });
        entry.acknowledged++;
      } catch (error) {
        if (abort.signal.aborted) return;
        if (draft.qos === 0 && LOST.includes(error.code)) entry.lost++;
        else entry.end("failed", error);
      } finally {
        pending--;
      }
      if (entry.sent >= times && pending === 0 && entry.state !== "stopped" && entry.state !== "failed") entry.state = "finished";
      changed.emit();
    }

    function tick() {
      if (entry.state !== "running") return;
      if (client.state !== "connected") {
        entry.state = "waiting"; // the event "connected" continues
        changed.emit();
        return;
      }
      const now = performance.now();
      const due = Math.floor((now - base) / everyMs) + 1 - (entry.sent - baseSent);
      let count = Math.min(due, MAX_BURST, MAX_PENDING - pending, times - entry.sent);
      if (count < due) { // the messages that were missed are not sent later
        base = now;
        baseSent = entry.sent + Math.max(0, count) - 1;
      }
      for (; count > 0 && entry.state === "running"; count--) publishOne();
      marks.push([now, entry.sent]);
      while (marks.length > 2 && marks[0][0] < now - RATE_MS) marks.shift();
      if (entry.sent < times) timer = setTimeout(tick, Math.max(1, base + (entry.sent - baseSent) * everyMs - performance.now()));
      changed.emit();
    }
    return /** @type {any} */ (entry);
  }
}
