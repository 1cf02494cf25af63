/**
 * The suite's runner: tests are declared by the files in suite/, and run one
 * after another, each with clients of its own.
 */
const tests = [];

/** Declares a test; `body` is given a Place. */
export function test(name, body) {
  tests.push({ name, body });
}

/** What WebAssembly has made here, the newest last. */
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

/** What nobody has caught. A test that expects it takes it away. */
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

/** What a Content-Security-Policy has forbidden. */
export const violations = [];
globalThis.document?.addEventListener("securitypolicyviolation", (event) => violations.push([event.effectiveDirective, event.blockedURI]));

/**
 * Runs all tests and reports each. `here` is { place, site, api, fresh, before }:
 * the place's name, the address of the test's server, the module under test, how
 * another copy of it is had, and the names of the globals before it came.
 */
export async function run(here) {
  const settings = await (await fetch(`${here.site}/settings.json`)).json();
  for (const [index, { name, body }] of tests.entries()) {
    const place = new Place(here, settings, index);
    const start = performance.now();
    let error;
    for (const work of [() => body(place), () => place.leave()]) {
      try {
        await within(10_000, work());
      } catch (e) {
        error ??= said(e);
      }
    }
    if (uncaught.length > 0) error ??= `uncaught: ${uncaught.splice(0).map(said).join("\n")}`;
    await tell(here, { test: name, error, ms: performance.now() - start });
  }
  await tell(here, { end: true, tests: tests.length });
}

/** Tells the test's server. */
export async function tell(here, report) {
  await fetch(`${here.site}/report`, { method: "POST", body: JSON.stringify({ place: here.place, ...report }) });
}

/** An error as it is reported: Chromium's stack begins with the message, those of the others do not. */
export function said(error) {
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

/** Where a test runs, and what it takes from there. */
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

  /** Whether this is Node, where there is no page. */
  get isNode() {
    return this.engine === "node";
  }

  /** A topic that nobody else uses. */
  topic(name = "") {
    return `${this.place}/${this.#number}/${name}`;
  }

  /** chromium, firefox, webkit or node. */
  get engine() {
    return this.#settings.engine;
  }
  /** The hash of the wasm, and the address of a server that hangs up. */
  get integrity() {
    return this.#settings.integrity;
  }
  get nobody() {
    return this.#settings.nobody;
  }

  /** Connect options for the stand-in. */
  get options() {
    const { endpoint, region, credentials } = this.#settings;
    return { endpoint, region, credentials };
  }

  /** A new client, which the end of the test disconnects. */
  client(options) {
    return this.keep(new this.api.IotClient(options));
  }

  keep(client) {
    this.#clients.push(client);
    return client;
  }

  /** The same, connected. */
  async connected(options) {
    const client = this.client();
    await client.connect({ ...this.options, clientId: this.clientId(), ...options });
    return client;
  }

  clientId() {
    return `${this.place}-${this.#number}-${++this.#last}`;
  }

  /** Injects faults into the stand-in: see internal/localiot/faults/request.go. */
  async control(faults) {
    const response = await fetch(`${this.site}/control`, { method: "POST", body: JSON.stringify(faults) });
    if (!response.ok) throw new Error(await response.text());
    return (await response.json()).connections;
  }

  /** How often the test's server was asked for a path. */
  async asked(path) {
    return Number(await (await fetch(`${this.site}/asked${path}`)).text());
  }

  async json(path) {
    return (await fetch(this.site + path)).json();
  }

  async leave() {
    await Promise.all(this.#clients.splice(0).map((client) => client.disconnect()));
  }
}
