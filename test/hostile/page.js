// The page of the hostile test: a client that a broker attacks, another that is
// well, and clocks that notice when the page does not answer.

const { instantiateStreaming } = WebAssembly;
let memory;
WebAssembly.instantiateStreaming = async (...args) => {
  const result = await instantiateStreaming.apply(WebAssembly, args);
  memory = result.instance.exports.mem;
  return result;
};

const BEAT_MS = 10;
const LONG_MS = 60; // a gap below that is not looked at

/** Beats, and notes the long gaps between two beats, as [begin, end]. The same in the page and in a worker. */
const clock = `
  const gaps = [];
  let last = performance.timeOrigin + performance.now();
  const beat = () => {
    const now = performance.timeOrigin + performance.now();
    if (now - last > ${LONG_MS}) gaps.push([last, now]);
    last = now;
    each();
    setTimeout(beat, ${BEAT_MS});
  };
  beat();`;

const hostile = (globalThis.hostile = {
  heard: 0,
  most: 0, // bytes of the wasm
  alive: 0, // round trips of the healthy client
  longest: 0, // ms, of those
  told: [],
  ended: undefined, // why the attacked client has closed

  /** The healthy client, and the clocks. */
  async start({ endpoint, region, credentials }) {
    const { iot, IotClient } = await import("/iot.js");
    this.IotClient = IotClient;
    await iot.connect({ endpoint, region, credentials });
    iot.addEventListener("disconnected", ({ detail }) => this.told.push(detail.error.code));
    const topic = `alive/${Math.random()}`;
    let arrived;
    await iot.subscribe(topic, () => arrived?.(), { qos: 1 });
    const trip = async () => {
      const begin = performance.now();
      const came = new Promise((resolve) => (arrived = resolve));
      await iot.publish(topic, "", { qos: 1 });
      await came;
      this.alive++;
      this.longest = Math.max(this.longest, performance.now() - begin);
      setTimeout(trip, 50);
    };
    await trip();
    const each = () => (this.most = Math.max(this.most, memory.buffer.byteLength));
    this.gaps = new Function("each", `${clock}; return gaps`)(each);
    const worker = `const each = () => {}; ${clock}; onmessage = () => { postMessage(gaps); }`;
    this.worker = new Worker(URL.createObjectURL(new Blob([worker])));
  },

  /** The client that is attacked. What becomes of its calls does not matter. */
  attack(endpoint, publishes, subscribes) {
    const client = new this.IotClient({ endpoint, reconnect: false, clientId: "attacked", keepAlive: 0 });
    client.addEventListener("closed", ({ detail }) => (this.ended = `${detail.error?.code} ${detail.error?.reasonCode ?? ""}: ${detail.error?.message}`));
    this.client = client;
    const again = async (call) => {
      while (client.state !== "closed") {
        await Promise.race([call().catch(() => {}), new Promise((resolve) => setTimeout(resolve, 1000))]);
        await new Promise((resolve) => setTimeout(resolve, 1));
      }
    };
    const ready = client.connect();
    ready.then(() => client.subscribe("#", () => this.heard++)).catch(() => {});
    if (publishes) ready.then(() => [1, 2, 1, 2].forEach((qos, i) => again(() => client.publish(`p/${i}`, "", { qos }))), () => {});
    if (subscribes) ready.then(() => again(() => client.subscribe("s", () => {}).then((s) => s.unsubscribe())), () => {});
    ready.catch((e) => (this.ended ??= String(e)));
  },

  /** The same with a bare WebSocket, which says CONNECT and SUBSCRIBE and does nothing with what comes: what the browser itself costs. */
  raw(endpoint) {
    const ws = new WebSocket(endpoint, ["mqtt"]);
    ws.binaryType = "arraybuffer";
    ws.onopen = () => ws.send(Uint8Array.of(0x10, 16, 0, 4, 0x4d, 0x51, 0x54, 0x54, 5, 2, 0, 0, 0, 0, 3, 0x72, 0x61, 0x77));
    ws.onmessage = () => {
      if (this.heard++ === 0) ws.send(Uint8Array.of(0x82, 7, 0, 1, 0, 0, 1, 0x23, 0));
    };
    this.client = { state: "raw" };
  },

  /** The longest gap of the page's thread alone: less that of the worker's at the same time, as the machine may have been busy. */
  async report() {
    const others = await new Promise((resolve) => {
      this.worker.onmessage = ({ data }) => resolve(data);
      this.worker.postMessage(0);
    });
    let gap = 0;
    for (const [begin, end] of this.gaps) {
      let other = 0;
      for (const [b, e] of others) if (e > begin && b < end) other += Math.min(e, end) - Math.max(b, begin);
      gap = Math.max(gap, end - begin - other);
    }
    const { heard, most, alive, longest, told, ended } = this;
    return { gap, heard, most, alive, longest, told, ended: ended ?? "", state: this.client.state };
  },
});
