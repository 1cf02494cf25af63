// The page of the hostile test. It has a client that a broker attacks, another client, and
// timers that measure how long the page is busy.

const INTERVAL_MS = 10;
const LONG_MS = 60; // shorter gaps are ignored

/** Runs a timer and records its long gaps as [begin, end]. The page and a worker run this script. */
const timer = `
  const gaps = [];
  let last = performance.timeOrigin + performance.now();
  const run = () => {
    const now = performance.timeOrigin + performance.now();
    if (now - last > ${LONG_MS}) gaps.push([last, now]);
    last = now;
    each();
    setTimeout(run, ${INTERVAL_MS});
  };
  run();`;

// The members correspond to those of outcome in hostile_test.go.
const hostile = (globalThis.hostile = {
  received: 0,
  most: 0,
  roundTrips: 0,
  longest: 0,
  errors: [],
  ended: undefined,

  /** Starts the other client and the timers. */
  async start({ endpoint, region, credentials }) {
    const { iot, IotClient } = await import("/iot.js");
    this.IotClient = IotClient;
    await iot.connect({ endpoint, region, credentials });
    iot.addEventListener("disconnected", ({ detail }) => this.errors.push(detail.error.code));
    const topic = `other/${Math.random()}`;
    let arrived;
    await iot.subscribe(topic, () => arrived?.(), { qos: 1 });
    const roundTrip = async () => {
      const begin = performance.now();
      const arrival = new Promise((resolve) => (arrived = resolve));
      await iot.publish(topic, "", { qos: 1 });
      await arrival;
      this.roundTrips++;
      this.longest = Math.max(this.longest, performance.now() - begin);
      setTimeout(roundTrip, 50);
    };
    await roundTrip();
    const each = () => (this.most = Math.max(this.most, wasm.mem.buffer.byteLength));
    this.gaps = new Function("each", `${timer}; return gaps`)(each);
    const worker = `const each = () => {}; ${timer}; onmessage = () => { postMessage(gaps); }`;
    this.worker = new Worker(URL.createObjectURL(new Blob([worker])));
  },

  /** Starts the client that the broker attacks. The results of its calls do not matter. */
  attack(endpoint, publishes, subscribes) {
    const client = new this.IotClient({ endpoint, reconnect: false, clientId: "attacked", keepAlive: 0 });
    client.addEventListener("closed", ({ detail }) => (this.ended = `${detail.error?.code} ${detail.error?.reasonCode ?? ""}: ${detail.error?.message}`));
    this.client = client;
    const repeat = async (call) => {
      while (client.state !== "closed") {
        await Promise.race([call().catch(() => {}), new Promise((resolve) => setTimeout(resolve, 1000))]);
        await new Promise((resolve) => setTimeout(resolve, 1));
      }
    };
    const connected = client.connect();
    connected.then(() => client.subscribe("#", () => this.received++)).catch(() => {});
    if (publishes) connected.then(() => [1, 2, 1, 2].forEach((qos, i) => repeat(() => client.publish(`p/${i}`, "", { qos }))), () => {});
    if (subscribes) connected.then(() => repeat(() => client.subscribe("s", () => {}).then((s) => s.unsubscribe())), () => {});
    connected.catch((e) => (this.ended ??= String(e)));
  },

  /** Starts a WebSocket instead of a client. The WebSocket sends CONNECT and SUBSCRIBE, and the page ignores the received messages. The result shows how long the browser itself is busy. */
  raw(endpoint) {
    const ws = new WebSocket(endpoint, ["mqtt"]);
    ws.binaryType = "arraybuffer";
    ws.onopen = () => ws.send(Uint8Array.of(0x10, 16, 0, 4, 0x4d, 0x51, 0x54, 0x54, 5, 2, 0, 0, 0, 0, 3, 0x72, 0x61, 0x77));
    ws.onmessage = () => {
      if (this.received++ === 0) ws.send(Uint8Array.of(0x82, 7, 0, 1, 0, 0, 1, 0x23, 0));
    };
    this.client = { state: "raw" };
  },

  /** Resolves with the outcome. The length of a page's gap excludes the time in which the worker also had a gap, because then the machine was busy, not the page. */
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
    const { received, most, roundTrips, longest, errors, ended } = this;
    return { gap, received, most, roundTrips, longest, errors, ended: ended ?? "", state: this.client.state };
  },
});
