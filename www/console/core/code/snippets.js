import { fieldsOf, SECRETS } from "../profiles/fields.js";
import { indent, literal, Source } from "./literal.js";
import { reactOf } from "./snippets-react.js";

// This module writes the code of programs that do what the page does. The code contains no secret.

/** The forms of a program. */
export const LANGUAGES = [
  { id: "script", title: "Script tag" },
  { id: "module", title: "Module" },
  { id: "react", title: "React" },
  { id: "typescript", title: "TypeScript" },
];

/**
 * The arguments of an action. Each action uses some of them.
 * @typedef {object} Arguments
 * @property {string} [topic]
 * @property {string | Uint8Array | { json: unknown }} [payload]
 * @property {string} [filter]
 * @property {Record<string, any>} [options] the options of publish(), subscribe() or request(), without those that have their default
 * @property {string} [thing] the name of a thing
 * @property {string} [name] the name of a shadow
 * @property {Record<string, any>} [state] the sections of a shadow to update
 */

/**
 * An action of a program, after it has connected.
 * @typedef {object} Action
 * @property {string} title
 * @property {string[]} [uses] the optional modules, which export a function of the same name
 * @property {(given: Arguments, typed: boolean) => string} code
 */

/** @type {Record<string, Action>} */
export const ACTIONS = {
  connect: { title: "Connect", code: () => `console.log("connected as", iot.connection?.clientId);` },
  publish: { title: "Publish a message", code: ({ topic, payload, options }) => `${call("await iot.publish", topic, payloadOf(payload), optionsOf(options))};` },
  subscribe: {
    title: "Subscribe to a topic filter",
    code: ({ filter, options }, typed) => `${call("await iot.subscribe", filter, handler(typed, "console.log(message.topic, message.text());"), optionsOf(options))};`,
  },
  request: {
    title: "Send a request and get the reply",
    code: ({ topic, payload, options }) => `const reply = ${call("await iot.request", topic, payloadOf(payload), optionsOf(options))};\nconsole.log(reply.text());`,
  },
  respond: {
    title: "Answer requests",
    code: ({ filter, payload, options }, typed) => `${call("await iot.subscribe", filter, handler(typed, `void message.reply(${literal(payloadOf(payload))});`), optionsOf(options))};`,
  },
  "shadow-get": {
    title: "Get a shadow and follow it", uses: ["shadow"],
    code: (given) => `${theShadow(given)}
theShadow.addEventListener("change", () => console.log(theShadow.reported, theShadow.desired, theShadow.delta));
const { state, version } = await theShadow.get();
console.log(version, state);`,
  },
  "shadow-update": {
    title: "Update a shadow", uses: ["shadow"],
    code: (given) => `${theShadow(given)}
const { version } = await theShadow.update(${literal(given.state)});
console.log(version);`,
  },
  "shadow-delete": { title: "Delete a shadow", uses: ["shadow"], code: (given) => `${theShadow(given)}\nawait theShadow.delete();` },
  jobs: {
    title: "Run the jobs of a thing", uses: ["jobs"],
    code: ({ thing }) => `const theJobs = jobs(iot, ${literal(thing)});
for await (const job of theJobs.next()) {
  if (job.status === "QUEUED") await theJobs.startNext();
  console.log(job.jobId, job.jobDocument);
  await theJobs.update(job.jobId, "SUCCEEDED");
}`,
  },
  presence: {
    title: "Follow the connected clients", uses: ["presence"],
    code: () => `const clients = presence(iot);
await clients.ready;
for await (const { clientId, connected } of clients.changes()) {
  console.log(clientId, connected ? "connected" : "disconnected");
}`,
  },
};

/** Arguments for each action that has none. @type {Arguments} */
export const EXAMPLE = { topic: "room/kitchen", payload: "21.5", filter: "room/+", thing: "lamp", state: { desired: { on: true } } };

/**
 * Returns the code of a program that connects with a profile and carries out an action.
 * @param {string} action a key of ACTIONS
 * @param {Arguments} given members that are missing are those of EXAMPLE
 * @param {import("../profiles/profiles.js").Profile} profile
 * @param {string} language an id of LANGUAGES
 */
export function snippet(action, given, profile, language) {
  const filled = { ...EXAMPLE, ...Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined)) };
  const { uses = [], code } = ACTIONS[action];
  const connection = connectionOf(profile);
  const modules = [...connection.uses, ...uses];
  if (language === "react") return reactOf(action, { ...filled, payload: payloadOf(filled.payload), options: optionsOf(filled.options) }, connection);

  const lines = [connection.before, `await iot.connect(${connection.options});`, code(filled, language === "typescript")].filter(Boolean).join("\n");
  if (language === "script") {
    const imports = modules.map((name) => `const { ${name} } = await import("./${name}.js");\n`).join("");
    return `<script src="iot.global.js"></script>\n<script>\n${indent(`(async () => {\n${indent(imports + lines)}\n})();`)}\n</script>`;
  }
  const types = language === "typescript" && lines.includes(": Message)") ? ", { type Message }" : "";
  const from = (name) => (language === "typescript" ? `iot.wasm${name === "iot" ? "" : `/${name}`}` : `./${name}.js`);
  return [`import iot${types} from "${from("iot")}";`, ...modules.map((name) => `import { ${name} } from "${from(name)}";`), "", lines].join("\n");
}

/**
 * Returns the code that makes the options of connect() for a profile. Secrets are replaced by "…".
 * @param {import("../profiles/profiles.js").Profile} profile
 * @returns {{ uses: string[], before: string, options: string }} the optional modules, the statements before connect(), and the options
 */
function connectionOf(profile) {
  const options = {}, uses = [];
  let before = "";
  for (const field of fieldsOf(profile.kind)) {
    const value = profile[field.name];
    if (field.option && !SECRETS.has(field.name) && value !== undefined && value !== "" && value !== false) set(options, field.option, valueOf(field, value));
  }
  switch (profile.kind) {
    case "local":
      before = `// The local stand-in describes itself in local.json.
const local = async () => (await fetch("local.json")).json();
const { endpoint, region } = await local();`;
      Object.assign(options, { endpoint: new Source("endpoint"), region: new Source("region"), credentials: new Source("async () => (await local()).credentials") });
      break;
    case "cognito": {
      uses.push("cognito");
      const logins = profile.provider ? { [profile.provider]: "…" } : undefined;
      options.credentials = new Source(`cognito(${literal({ identityPoolId: profile.pool, endpoint: profile.cognito || undefined, logins })})`);
      break;
    }
    case "keys": // A page must not contain a secret key, so a backend returns the keys.
      options.credentials = new Source(`async () => (await fetch("/my/credentials")).json()`);
      break;
    case "authorizer":
      options.authorizer = { ...options.authorizer, ...(profile.tokenKeyName ? { token: "…", tokenSignature: "…" } : {}) };
      break;
    case "presigned": {
      const address = literal(profile.backend || "/my/url");
      const path = profile.member?.split(".").map((key) => `[${literal(key)}]`).join("");
      options.url = new Source(`async () => (await fetch(${address})).${path ? "json()" : "text()"}`);
      if (path) options.url = new Source(`async () => (await (await fetch(${address})).json())${path}`);
    }
  }
  if (options.username !== undefined) options.password = "…";
  return { uses, before, options: literal(options) };
}

/** Sets a member by its path, like "will.topic". */
function set(object, path, value) {
  const names = path.split("."), last = names.pop();
  for (const name of names) object = object[name] ??= {};
  object[last] = value;
}

/** Returns the value of the option of a field. @param {import("../profiles/fields.js").Field} field @param {any} value that of the profile */
function valueOf({ type, choices }, value) {
  if (type === "number") return Number(value);
  if (type === "time") return new Date(value);
  if (type === "pairs") return value.split("\n").map((line) => /^(.+?)=(.*)$/.exec(line)?.slice(1).map((part) => part.trim())).filter(Boolean);
  const choice = type === "select" && choices?.find(([id]) => id === value);
  return choice && choice.length > 2 ? choice[2] : value;
}

const MAX_BYTES = 512; // longer payloads are not a part of the code

/** Returns a text that is compact JSON of an object or an array as { json: value }, and long bytes as a file. */
function payloadOf(payload) {
  if (payload instanceof Uint8Array && payload.length > MAX_BYTES) return new Source('await (await fetch("payload.bin")).arrayBuffer()');
  if (typeof payload !== "string" || !/^[[{]/.test(payload)) return payload;
  try {
    const json = JSON.parse(payload);
    return JSON.stringify(json) === payload ? { json } : payload;
  } catch {
    return payload;
  }
}

/** Returns the options without those that have their default, or undefined if none is left. */
function optionsOf(options = {}) {
  const others = Object.entries(options).filter(([name, value]) => {
    if (name === "signal" || value === undefined || value === "" || value === false) return false;
    if ((name === "qos" || name === "retainHandling") && value === 0) return false;
    return !(Array.isArray(value) && value.length === 0);
  });
  return others.length ? Object.fromEntries(others) : undefined;
}

/** Returns the code of a call, without undefined arguments at its end. */
function call(name, ...values) {
  while (values.at(-1) === undefined) values.pop();
  return `${name}(${values.map(literal).join(", ")})`;
}

const handler = (typed, body) => new Source(`(${typed ? "message: Message" : "message"}) => {\n  ${body}\n}`);
const theShadow = ({ thing, name }) => `const theShadow = ${call("shadow", new Source("iot"), thing, name || undefined)};`;
