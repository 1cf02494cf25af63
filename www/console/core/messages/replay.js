import { Emitter, oncePerFrame } from "../emitter.js";

// How many messages may wait for their acknowledgement.
const WINDOW = 100;
// The longest duration of a timer, in milliseconds.
const MAX_SLEEP = 2 ** 31 - 1;

/**
 * Publishes records again, in their order and with their properties, at their original speed or another one. It takes the
 * records when it starts; messages that arrive later are not replayed.
 */
export class Replay {
  #client;
  #records;
  #options;
  #stopped = false;
  #pending = 0; // the number of messages without an acknowledgement
  /** @type {(value?: any) => void} */
  #wake = () => {}; // ends the current sleep
  #changed = oncePerFrame(() => this.changed.emit());

  published = 0;
  /** The number of messages that the client or the broker has refused, and the last error. */
  refused = 0;
  /** @type {any} */
  error;
  running = false;
  /** Called at most once for each animation frame. */
  changed = new Emitter();

  /**
   * @param {import("../../../iot.js").IotClient} client
   * @param {import("./messages.js").MessageRecord[]} records oldest first
   * @param {{ speed: number, prefix?: string, retain?: boolean }} options
   * speed is a factor, or Infinity for as fast as possible; prefix is added before each topic; retain states whether
   * messages with the retain flag are published with it
   */
  constructor(client, records, options) {
    this.#client = client;
    this.#records = records;
    this.#options = options;
  }

  get total() {
    return this.#records.length;
  }

  /** Publishes the messages. Resolves after the last acknowledgement, or after stop(). Never rejects. */
  async run() {
    const { speed } = this.#options, begin = performance.now(), from = this.#records[0]?.time ?? 0;
    this.running = true;
    this.#changed();
    let due = 0; // the times of imported messages may be out of order
    for (const record of this.#records) {
      due = Math.max(due, (record.time - from) / speed || 0);
      for (;;) {
        const wait = due - (performance.now() - begin);
        if (this.#stopped || (wait <= 0 && this.#pending < WINDOW)) break;
        await this.#sleep(wait > 0 ? wait : MAX_SLEEP);
      }
      if (this.#stopped) break;
      this.#publish(record);
    }
    while (this.#pending > 0 && !this.#stopped) await this.#sleep(MAX_SLEEP);
    this.running = false;
    this.#changed();
  }

  stop() {
    this.#stopped = true;
    this.#wake();
  }

  /** Waits for a time, for the next acknowledgement or for stop(). @param {number} ms */
  async #sleep(ms) {
    let timer;
    await new Promise((resolve) => {
      this.#wake = resolve;
      timer = setTimeout(resolve, Math.min(ms, MAX_SLEEP));
    });
    clearTimeout(timer);
  }

  async #publish(record) {
    const { prefix = "", retain } = this.#options;
    this.#pending++;
    try {
      await this.#client.publish(prefix + record.topic, record.payload, { ...publishOptions(record), retain: Boolean(retain && record.retain) });
      this.published++;
    } catch (/** @type {any} */ error) {
      this.refused++;
      this.error = error;
      // Without a connection, all further messages fail too.
      if (["ERR_NOT_CONNECTED", "ERR_CLOSED"].includes(error.code)) this.stop();
    }
    this.#pending--;
    this.#wake();
    this.#changed();
  }
}

/** Returns the options of publish() with which a record is published again. @param {import("./messages.js").MessageRecord} record */
export function publishOptions({ qos, retain, utf8, contentType, responseTopic, correlationData, messageExpiry, userProperties }) {
  return {
    qos,
    ...(retain && { retain }), ...(utf8 && { utf8 }),
    ...(contentType !== undefined && { contentType }), ...(responseTopic !== undefined && { responseTopic }),
    ...(correlationData && { correlationData }), ...(messageExpiry !== undefined && { messageExpiry }),
    ...(userProperties.length > 0 && { userProperties }),
  };
}
