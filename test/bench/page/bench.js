/**
 * The page of a client. The Go program calls the members of globalThis.bench.
 * Durations are in milliseconds.
 */
const { client: name, conn } = Object.fromEntries(new URLSearchParams(location.search));
const echoTopic = "bench/in/echo";
const outTopics = Array.from({ length: 16 }, (_, i) => `bench/out/${String(i).padStart(2, "0")}`);

/** How many messages the page publishes in a turn of the event loop. */
const burst = 100;

// The memory of the newest WebAssembly instance.
let memory;
for (const name of ["instantiate", "instantiateStreaming"]) {
  const original = WebAssembly[name];
  WebAssembly[name] = async (...args) => {
    const result = await original.apply(WebAssembly, args);
    memory = Object.values((result.instance ?? result).exports).find((e) => e instanceof WebAssembly.Memory) ?? memory;
    return result;
  };
}

const longTasks = { count: 0, longest: 0 };
function note(entries) {
  for (const { duration } of entries) {
    longTasks.count++;
    longTasks.longest = Math.max(longTasks.longest, duration);
  }
}
const observer = new PerformanceObserver((list) => note(list.getEntries()));
observer.observe({ type: "longtask" });

let client;
let received = 0, bytes = 0, letters = 0, touched = 0;
let ended; // called with the time of the end message
let echoed; // called with the payload of an echo

/**
 * Handles a message as an application does: it reads the topic and the payload. A
 * message with a payload of one byte is the end message. The peer sends it when it has
 * sent or received all other messages.
 */
function onMessage(topic, payload) {
  if (payload.length > 1) {
    received++;
    bytes += payload.length;
    letters += topic.length;
    touched += payload[0];
    if (echoed !== undefined) echoed(payload);
  } else {
    ended(performance.now());
  }
}

/** Sends a request to the lean peer. */
async function control(name, parameters) {
  const response = await fetch(`/control/${name}?${new URLSearchParams({ conn, ...parameters })}`, { cache: "no-store" });
  if (!response.ok) throw new Error(await response.text());
}

const channel = new MessageChannel();
let turned;
channel.port1.onmessage = () => turned();

/** Resolves in the next turn of the event loop. A timer would be slower. */
const turn = () => new Promise((resolve) => {
  turned = resolve;
  channel.port2.postMessage(0);
});

globalThis.bench = {
  /**
   * Imports and connects the client. Measures the time from the import to CONNACK, the time from
   * the navigation to CONNACK, and the files of the client: their number, and their sizes as
   * downloaded and as decoded.
   */
  async open() {
    // The bundle of another client contains its adapter. iot.wasm is not bundled, so its adapter is a part of the page, and
    // imports iot.js when it connects.
    const separate = name === "iot";
    if (separate) await import(`/peers/${name}.js`);
    const start = performance.now();
    const { connect } = await import(`/peers/${name}.js`);
    client = await connect(`ws://${location.host}/mqtt/${conn}`);
    const end = performance.now();
    const files = new Map(); // a file that is preloaded and then requested has two entries
    for (const entry of performance.getEntriesByType("resource")) {
      if (new URL(entry.name).pathname.startsWith(separate ? "/www/" : "/peers/")) files.set(entry.name, entry);
    }
    const sum = (member) => [...files.values()].reduce((total, entry) => total + entry[member], 0);
    return { ms: end - start, page: end, bytes: sum("encodedBodySize"), raw: sum("decodedBodySize"), requests: files.size };
  },

  /** Subscribes to the messages of the peer. */
  subscribe: () => client.subscribe("bench/in/+", onMessage),

  /** Disconnects the client. */
  close: () => client.close(),

  /** Receives `count` messages. */
  async receive({ count, size, qos, perFrame }) {
    received = bytes = letters = touched = 0;
    const end = new Promise((resolve) => (ended = resolve));
    const start = performance.now();
    await control("blast", { count, size, qos, perFrame });
    const ms = (await end) - start;
    if (received !== count || bytes !== count * size) throw new Error(`received ${received} messages with ${bytes} bytes, want ${count} messages`);
    if (letters < count || touched < count) throw new Error("the received messages have no topic or no payload");
    return { messages: count, ms };
  },

  /** Publishes `count` messages in bursts, without awaiting them. Resolves when the peer has received all messages. For QoS 1, all messages are then also acknowledged. */
  async publish({ count, size, qos }) {
    const payload = new Uint8Array(size).fill(0x61);
    const end = new Promise((resolve) => (ended = resolve));
    await control("expect", { publishes: count });
    let acknowledged = 0, settle;
    const settled = new Promise((resolve, reject) => (settle = { resolve, reject }));
    const done = (error) => {
      if (error) settle.reject(error);
      else if (++acknowledged === count) settle.resolve(performance.now());
    };
    const start = performance.now();
    for (let i = 0; i < count; i++) {
      client.publish(outTopics[i % outTopics.length], payload, qos, done);
      if (i % burst === burst - 1) await turn();
    }
    const ms = (qos > 0 ? await settled : await end) - start;
    await end;
    return { messages: count, ms };
  },

  /** The round trip times of `count` messages, one every `every` ms, in the order of their arrival. */
  latency: ({ count, every, size }) =>
    new Promise((resolve, reject) => {
      const sent = [], trips = [];
      echoed = (payload) => {
        const i = payload[1] << 8 | payload[2];
        trips.push(performance.now() - sent[i]);
        if (trips.length < count) return;
        echoed = undefined;
        resolve(trips);
      };
      const timer = setInterval(() => {
        const payload = new Uint8Array(size);
        payload[1] = sent.length >> 8;
        payload[2] = sent.length & 0xff;
        sent.push(performance.now());
        client.publish(echoTopic, payload, 0, (error) => error && reject(error));
        if (sent.length === count) clearInterval(timer);
      }, every);
    }),

  /** The long tasks since the last call. */
  longTasks() {
    note(observer.takeRecords());
    const { count, longest } = longTasks;
    longTasks.count = longTasks.longest = 0;
    return { count, longest };
  },

  /** The size of the wasm's memory in bytes, or 0 without a wasm. */
  wasmBytes: () => memory?.buffer.byteLength ?? 0,
};
