/**
 * The runner of the suite. The files in suite/ declare the tests, which run one after
 * another. Each test makes clients of its own.
 */
const tests = [];

/** Declares a test. The runner calls `body` with a Place. */
export function test(name, body) {
  tests.push({ name, body });
}

/** The WebAssembly instances of this place, the newest last. */
export const instances = [];
for (const name of ["instantiate", "instantiateStreaming"]) {
  const real = globalThis.WebAssembly?.[name];
  if (!real) continue;
  WebAssembly[name] = async (...args) => {
    const made = await real.apply(WebAssembly, args);
    instances.push(made.instance ?? made);
    return made;
  };
}

/** The uncaught errors of this place. A test removes the errors that it expects. A test with other uncaught errors fails. */
export const uncaught = [];
globalThis.addEventListener?.("error", (event) => {
  event.preventDefault();
  uncaught.push(event.error ?? event.message);
});
globalThis.addEventListener?.("unhandledrejection", (event) => {
  event.preventDefault();
  uncaught.push(event.reason);
});
globalThis.process?.on?.("unhandledRejection", (reason) => uncaught.push(reason));

/** The violations of the Content-Security-Policy: [directive, URI] each. */
export const violations = [];
globalThis.document?.addEventListener("securitypolicyviolation", (event) => violations.push([event.effectiveDirective, event.blockedURI]));

/**
 * Runs all tests and reports each. `here` is { place, site, api, fresh, before }:
 * the name of the place, the address of the test's server, the exports of the module, a
 * function that imports another instance of the module, and the names of the globals
 * before the module was imported.
 */
export async function run(here) {
  const settings = await (await fetch(`${here.site}/settings.json`)).json();
  for (const [index, { name, body }] of tests.entries()) {
    const place = new Place(here, settings, index);
    const start = performance.now();
    let error;
    for (const work of [() => body(place), () => place.disconnectAll()]) {
      try {
        await within(10_000, work());
      } catch (e) {
        error ??= describe(e);
      }
    }
    if (uncaught.length > 0) error ??= `uncaught: ${uncaught.splice(0).map(describe).join("\n")}`;
    await send(here, { test: name, error, ms: performance.now() - start });
  }
  await send(here, { end: true, tests: tests.length });
}

/** Sends a report to the test's server. */
export async function send(here, report) {
  await fetch(`${here.site}/report`, { method: "POST", body: JSON.stringify({ place: here.place, ...report }) });
}

/** The text of an error in a report. Only Chromium's stacks begin with the message. */
export function describe(error) {
  const text = String(error?.message ?? error);
  const stack = String(error?.stack ?? "");
  return `${error?.name ?? "thrown"} ${error?.code ?? ""}: ${text}\n${stack.includes(text) ? stack.slice(stack.indexOf(text) + text.length + 1) : stack}`;
}

function within(ms, work) {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(`not done after ${ms} ms`)), ms);
    Promise.resolve(work).then(resolve, reject).finally(() => clearTimeout(timer));
  });
}

/** The place where a test runs, with the members of `here` (see run). */
class Place {
  #clients = [];
  #settings;
  #number;
  #last = 0;

  constructor(here, settings, number) {
    Object.assign(this, here);
    this.#settings = settings;
    this.#number = number;
  }

  /** Whether this is Node, which has no page. */
  get isNode() {
    return this.engine === "node";
  }

  /** A topic that no other test uses. */
  topic(name = "") {
    return `${this.place}/${this.#number}/${name}`;
  }

  /** chromium, firefox, webkit or node. */
  get engine() {
    return this.#settings.engine;
  }
  /** The integrity value of the wasm. */
  get integrity() {
    return this.#settings.integrity;
  }
  /** The URL of a server that closes every connection. */
  get unreachable() {
    return this.#settings.unreachable;
  }

  /** Connect options for the stand-in. */
  get options() {
    const { endpoint, region, credentials } = this.#settings;
    return { endpoint, region, credentials };
  }

  /** A new client. The runner disconnects it after the test. */
  client(options) {
    return this.keep(new this.api.IotClient(options));
  }

  /** Makes the runner disconnect a client after the test. Returns the client. */
  keep(client) {
    this.#clients.push(client);
    return client;
  }

  /** A new client that is connected. */
  async connected(options) {
    const client = this.client();
    await client.connect({ ...this.options, clientId: this.clientId(), ...options });
    return client;
  }

  /**
   * Disconnects a client, and resolves when the broker has handled the last packets of its connection. disconnect() does not wait
   * for that, so a connection that follows at once may be accepted before.
   */
  async disconnected(client) {
    const witness = await this.connected();
    const events = await witness.subscribe(`$aws/events/presence/disconnected/${client.connection.clientId}`, { qos: 1 });
    await client.disconnect();
    await events[Symbol.asyncIterator]().next();
  }

  /** A client id that no other client uses. */
  clientId() {
    return `${this.place}-${this.#number}-${++this.#last}`;
  }

  /** Injects faults into the stand-in; internal/localiot/faults/request.go describes them. Resolves with the number of affected connections. */
  async control(faults) {
    const response = await fetch(`${this.site}/control`, { method: "POST", body: JSON.stringify(faults) });
    if (!response.ok) throw new Error(await response.text());
    return (await response.json()).connections;
  }

  /** Makes a signed request to the control plane of the stand-in, such as CreateJob. */
  async call(method, path, body = {}) {
    const response = await fetch(`${this.site}/call`, { method: "POST", body: JSON.stringify({ method, path, body }) });
    if (!response.ok) throw new Error(await response.text());
  }

  /** The number of requests to the test's server for a path. */
  async requests(path) {
    return Number(await (await fetch(`${this.site}/requests${path}`)).text());
  }

  /** Imports an optional module, such as "shadow". */
  module(name) {
    return import(new URL(`${name}.js`, this.isNode ? new URL("../../www/", import.meta.url) : `${this.site}/`).href);
  }

  async json(path) {
    return (await fetch(this.site + path)).json();
  }

  async disconnectAll() {
    await Promise.all(this.#clients.splice(0).map((client) => client.disconnect()));
  }
}
