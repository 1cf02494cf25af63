import { indent, literal } from "./literal.js";

/**
 * A component for an action: the hooks and functions that it imports, its statements, and what it renders.
 * @typedef {{ hooks?: string[], react?: string[], iot?: boolean, module?: string, code: string, jsx: string }} Component
 */

const more = (options) => (options ? `, ${literal(options)}` : "");
/** The options of useSubscription() with `keep`. */
const keep = (options) => `, ${literal({ ...options, keep: 20 })}`;
const LIST = `<ul>
  {messages.map((message, i) => <li key={i}>{message.topic}: {message.text()}</li>)}
</ul>`;
/** An effect that runs until the component unmounts. */
const effect = (start, work, end) => `useEffect(() => {\n${indent(`${start}\nconst run = async () => {\n${indent(work)}\n};\nrun().catch(reportError);\nreturn () => void ${end};`)}\n}, []);`;

/** @type {Record<string, (given: any) => Component>} */
const COMPONENTS = {
  connect: () => ({ code: "", jsx: "" }),
  publish: ({ topic, payload, options }) => ({
    hooks: ["usePublish"],
    code: "const publish = usePublish();",
    jsx: `<button onClick={async () => publish(${literal(topic)}, ${literal(payload)}${more(options)})}>Publish</button>`,
  }),
  subscribe: ({ filter, options }) => ({ hooks: ["useSubscription"], code: `const messages = useSubscription(${literal(filter)}${keep(options)});`, jsx: LIST }),
  request: ({ topic, payload, options }) => ({
    iot: true, react: ["useState"],
    code: `const [answer, setAnswer] = useState("");
const ask = async () => setAnswer((await iot.request(${literal(topic)}, ${literal(payload)}${more(options)})).text());`,
    jsx: "<button onClick={ask}>Ask</button>\n<output>{answer}</output>",
  }),
  respond: ({ filter, payload, options }) => ({
    iot: true, react: ["useEffect"],
    code: effect("const end = new AbortController();", `await iot.subscribe(${literal(filter)}, (message) => void message.reply(${literal(payload)}), ${literal({ ...options, signal: "SIGNAL" }).replace('"SIGNAL"', "end.signal")});`, "end.abort()"),
    jsx: "",
  }),
  "shadow-get": ({ thing, name }) => ({
    hooks: ["useShadow"],
    code: `const { reported, desired, delta, version } = useShadow(${literal(thing)}${name ? `, ${literal(name)}` : ""});`,
    jsx: "<pre>{JSON.stringify({ version, reported, desired, delta }, undefined, 2)}</pre>",
  }),
  "shadow-update": ({ thing, name, state }) => ({
    hooks: ["useShadow"],
    code: `const { update, version } = useShadow(${literal(thing)}${name ? `, ${literal(name)}` : ""});`,
    jsx: `<button onClick={() => update(${literal(state)})}>Update version {version}</button>`,
  }),
  "shadow-delete": ({ thing, name }) => ({
    iot: true, module: "shadow", code: `const remove = () => shadow(iot, ${literal(thing)}${name ? `, ${literal(name)}` : ""}).delete();`,
    jsx: "<button onClick={remove}>Delete the shadow</button>",
  }),
  jobs: ({ thing }) => ({
    iot: true, react: ["useEffect"], module: "jobs",
    code: effect(`const theJobs = jobs(iot, ${literal(thing)});`, `for await (const job of theJobs.next()) {
  if (job.status === "QUEUED") await theJobs.startNext();
  console.log(job.jobId, job.jobDocument);
  await theJobs.update(job.jobId, "SUCCEEDED");
}`, "theJobs.close()"),
    jsx: "",
  }),
  presence: () => ({
    iot: true, react: ["useEffect", "useState"], module: "presence",
    code: `const [ids, setIds] = useState([]);\n${effect("const clients = presence(iot);", `for await (const change of clients.changes()) {
  console.log(change.clientId, change.connected);
  setIds([...clients.clients.keys()]);
}`, "clients.close()")}`,
    jsx: "<ul>{ids.map((id) => <li key={id}>{id}</li>)}</ul>",
  }),
};

/**
 * Returns the code of a React component for an action. iot.wasm/react describes the hooks.
 * @param {string} action
 * @param {Record<string, any>} given
 * @param {{ uses: string[], before: string, options: string }} connection
 */
export function reactOf(action, given, { uses, before, options }) {
  const { hooks = [], react = [], iot = false, module, code, jsx } = COMPONENTS[action](given);
  const imports = [
    react.length > 0 && `import { ${react.join(", ")} } from "react";`,
    iot && `import iot from "iot.wasm";`,
    ...[...uses, module].map((name) => name && `import { ${name} } from "iot.wasm/${name}";`),
    `import { ${["useConnection", ...hooks].join(", ")} } from "iot.wasm/react";`,
  ].filter(Boolean);
  const rendered = [`<p role="status">{error ? String(error) : state}</p>`, jsx].filter(Boolean).join("\n");
  const statements = ["const { state, error } = useConnection(options);", code, `return (\n${indent(`<section>\n${indent(rendered)}\n</section>`)}\n);`].filter(Boolean).join("\n");
  return `${imports.join("\n")}

${before && `${before}\n`}const options = ${options}; // outside of the component

export function App() {
${indent(statements)}
}`;
}
