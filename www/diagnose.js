/**
 * A diagnosis of a connection: steps that show why a page cannot connect, publish or subscribe, and what to change.
 *
 *   import { diagnose } from "./diagnose.js";
 *   for await (const { step, status, text, advice, policy } of diagnose(options)) show(step, status, text, advice, policy);
 *
 * Source: AWS IoT Core Developer Guide, "AWS IoT Core policies" (iot-policies.html, iot-policy-actions.html) and "MQTT"
 * (mqtt.html).
 */
import { IotClient, IotError, load, presign } from "./iot.js";
import { adviceFor, divide } from "./iot/advice.js";
import { reach, watchPolicy } from "./iot/reach.js";
import { invalid, optionsOf } from "./iot/service.js";

/** @typedef {import("./diagnose.js").DiagnoseStep} Step */
/** @typedef {import("./iot/advice.js").Finding} Finding */

const TIMEOUT_MS = 10_000; // the default of the option timeoutMs
const CONNECT_MS = 90_000; // the client itself ends an attempt within this time
const CLEANUP_MS = 2_000; // the limit of the removal of the retained message at the end
const AGAIN_MS = 1_100; // AWS accepts one CONNECT a second for each client id
const SKEW_MS = 300_000; // AWS refuses a signature if the clocks differ by more
const SLOW_MS = 1_000; // a longer round trip is a warning
const ROUNDS = 3; // the number of messages of the step roundtrip
const EXPIRY_S = 60; // the lifetime of the messages, also of the retained one
const NOT_AUTHORIZED = 0x87;

/**
 * The steps, each with the steps that it needs.
 * @type {Record<Step, Step[]>}
 */
const NEEDS = {
  load: [], endpoint: ["load"], clock: ["endpoint"], credentials: ["load"], signature: ["credentials", "endpoint"], connect: ["signature"],
  subscribe: ["connect"], publish: ["connect"], receive: ["subscribe", "publish"], retain: ["publish"], roundtrip: ["publish"],
};
/**
 * The action and the kind of the resource of a policy, by the step that it concerns.
 * @type {Partial<Record<Step, [action: string, kind: string]>>}
 */
const ACTIONS = {
  connect: ["Connect", "client"], subscribe: ["Subscribe", "topicfilter"], publish: ["Publish", "topic"], receive: ["Receive", "topic"], retain: ["RetainPublish", "topic"],
};

export const diagnoseSteps = Object.freeze(/** @type {Step[]} */ (Object.keys(NEEDS)));

/** @param {string} code @param {string} message */
const failure = (code, message) => new IotError(message, { code, phase: "session" });

/** @param {number} ms */
const wait = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

/**
 * Runs a diagnosis. diagnose.d.ts documents it.
 * @type {typeof import("./diagnose.js").diagnose}
 */
export function diagnose(options, given) {
  if (Object(options) !== options) throw invalid("options must be an object");
  const { topic, clientId, account, ...rest } = /** @type {any} */ (given ?? {});
  for (const [name, value] of Object.entries({ topic, clientId, account })) {
    if (value !== undefined && (typeof value !== "string" || !value)) throw invalid(`${name} must be a string that is not empty`);
  }
  return run({ ...options }, { ...optionsOf(rest, ["timeoutMs"]), topic, clientId, account });
}

/**
 * @param {any} options a copy of the options of connect()
 * @param {any} given the checked options of diagnose()
 * @returns {AsyncGenerator<any, undefined>}
 */
async function* run({ signal: connectSignal, will, ...options }, { signal, timeoutMs = TIMEOUT_MS, account = "ACCOUNT_ID", ...given }) {
  const stop = new AbortController(), ended = stop.signal;
  const random = crypto.getRandomValues(new Uint32Array(2)).join("");
  const idPrefix = options.clientId === undefined ? "iot-" : `${String(options.clientId).slice(0, 90)}-`;
  // A name that ends with a slash is that of a group of topics.
  const group = given.topic === undefined ? "iot/diagnose/" : given.topic.endsWith("/") && given.topic;
  const topic = group ? `${group}diagnose-${random}` : given.topic;
  const persistent = options.sessionExpiry !== 0 || options.cleanStart === false;
  const provider = [options.url, options.credentials].find((v) => typeof v === "function");
  const isForbidden = watchPolicy(ended);
  /** The result of the provider, until the client uses it. @type {Promise<any> | undefined} */
  let provided;
  let url = "", signed = Boolean(options.credentials), skewMs = NaN;
  /** @type {IotClient} */
  let client = new IotClient();
  let clients = 0;
  /** The error of the first connection. @type {any} */
  let refusal;
  /** The error that ended the connection. @type {any} */
  let lost;
  let subscribed = false, receiving = false, failed = false;
  let retained = false; // whether the broker may have the retained message of the diagnosis
  let occupied = false; // whether the topic has another retained message
  /** @type {Map<string, (message: any) => void>} the recipients of the messages, by their texts */
  const waiting = new Map();
  /** @type {Promise<any>} */
  let received, removed = Promise.resolve();

  /** @type {<T>(work: Promise<T>, ms?: number, code?: string) => Promise<T>} */
  const within = (work, ms = timeoutMs, code = "ERR_DIAGNOSE_TIMEOUT") => {
    const settled = new AbortController();
    /** @type {any} */
    let timer;
    return new Promise((/** @type {(value: any) => void} */ resolve, reject) => {
      work.then(resolve, reject);
      timer = setTimeout(() => reject(failure(code, `There was no answer within ${ms} ms`)), ms);
      ended.addEventListener("abort", () => reject(ended.reason), { signal: settled.signal });
      ended.throwIfAborted();
    }).finally(() => {
      clearTimeout(timer);
      settled.abort();
    });
  };

  /** Calls the provider. The client uses the same result. */
  const provide = () =>
    within(provided ??= (async () => provider())(), timeoutMs, "ERR_CREDENTIALS_TIMEOUT").catch((error) => {
      ended.throwIfAborted();
      // Other messages may contain a secret.
      throw error instanceof IotError || error?.code === "ERR_OPTION" ? error : failure("ERR_CREDENTIALS", "The provider failed");
    });

  /** Returns the URL of the option url. */
  const givenUrl = async () => {
    const value = String(provider ? await provide() : options.url);
    if (!URL.canParse(value) || !/^wss?:/i.test(value)) throw failure("ERR_URL", "The value of url is not a wss:// URL");
    return new URL(value).href;
  };

  /** @param {string} action @param {string} kind @param {string} name @param {object} [condition] */
  const statement = (action, kind, name, condition) => {
    const region = options.region ?? (/%2F([\w-]+)%2Fiotdevicegateway/i.exec(url) ?? /\.iot\.([\w-]+)\./.exec(url))?.[1] ?? "REGION";
    const partition = /^(cn|us-gov)-/.exec(region);
    return JSON.stringify({ Effect: "Allow", Action: `iot:${action}`, Resource: `arn:aws${partition ? `-${partition[1]}` : ""}:iot:${region}:${account}:${kind}/${name}`, Condition: condition }, null, 2);
  };
  /** Returns the policy statement that a step needs, or undefined. @param {Step} step @param {any} error */
  const policyFor = (step, { code, reasonCode = NOT_AUTHORIZED }) => {
    const [action, kind] = ACTIONS[step] ?? [];
    const denied = reasonCode === NOT_AUTHORIZED && /_(REFUSED|NOT_AUTHORIZED|FORBIDDEN|NO_CONNACK|DISCONNECTED|CONNECTION_LOST|NOT_RECEIVED|ATTRIBUTES)$/.test(code);
    if (!kind || !denied || !(signed || options.authorizer || /^wss:..[^/]+\.amazonaws\./.test(url))) return undefined;
    if (kind !== "client") return statement(/** @type {string} */ (action), kind, group ? `${group}*` : topic);
    const connect = statement("Connect", kind, given.clientId ?? `${idPrefix.slice(0, options.clientId === undefined ? undefined : -1)}*`,
      { "ForAllValues:StringEquals": { "iot:ConnectAttributes": ["PersistentConnect", "LastWill"] } });
    return will ? `${connect},\n${statement("Publish", "topic", will.topic)}` : connect;
  };

  /** Connects a new client. @param {boolean} attributes whether with a session that outlives the connection, and with the will */
  const open = async (attributes) => {
    client.disconnect();
    const own = client = new IotClient();
    lost = undefined;
    own.addEventListener("closed", ({ detail }) => {
      if (own === client) lost = detail.error;
    });
    /** @param {any} o */
    const next = (o) => {
      const first = o?.forceRefresh ? undefined : provided;
      provided = undefined;
      return first ?? provider(o);
    };
    if (clients++ && given.clientId) await within(wait(AGAIN_MS), CONNECT_MS);
    await within(own.connect({
      ...options, ...(provider && { [options.url ? "url" : "credentials"]: next }),
      clientId: given.clientId ?? `${idPrefix}diagnose-${random}-${clients}`,
      cleanStart: true, sessionExpiry: attributes && persistent ? 1 : 0, reconnect: false,
      will: attributes && will ? { topic: will.topic, qos: will.qos, delay: will.delay } : undefined,
    }), CONNECT_MS);
  };

  /** Connects again after a loss of the connection. Returns a warning, unless a failed step explains the loss. @returns {Promise<Partial<Finding> | undefined>} */
  const ensure = async () => {
    if (client.state === "connected") return undefined;
    const error = lost, explained = failed;
    await open(false);
    if (subscribed) await listen();
    return explained ? undefined : { status: "warning", code: error?.code, text: `The connection ended and was made again: ${error?.message}.` };
  };

  const listen = () => within(client.subscribe(topic, (message) => {
    const text = message.text();
    if (message.retain && !text.startsWith(random)) occupied = true;
    waiting.get(text + message.retain)?.(message);
  }, { qos: 1 }));
  /** Resolves when a message arrives. @param {string} text @param {boolean} [retain] @returns {Promise<any>} */
  const arrival = (text, retain = false) => new Promise((resolve) => waiting.set(random + text + retain, resolve));
  /** @param {string} text @param {boolean} [retain] */
  const send = (text, retain) => within(client.publish(topic, random + text, { qos: client.connection?.maximumQoS ? 1 : 0, retain, messageExpiry: EXPIRY_S }));
  /** Removes the retained message of the diagnosis. */
  const unretain = () => {
    if (retained && client.state === "connected") removed = Promise.race([client.publish(topic, null, { qos: 1, retain: true }).catch(() => {}), wait(CLEANUP_MS)]);
    retained = false;
    return removed;
  };
  const end = () => unretain().then(() => client.disconnect());

  /** @type {Record<Step, () => Finding | Promise<Finding>>} */
  const steps = {
    async load() {
      await within(load(), CONNECT_MS);
      return { text: "iot.wasm is loaded." };
    },

    async endpoint() {
      if (options.url !== undefined) {
        const known = await givenUrl().catch(() => "");
        ended.throwIfAborted();
        if (!known) return { status: "skipped", blocks: true, text: "Not tested, because the URL is not known." };
        url = known;
        signed = /[?&]X-Amz-Signature=/i.test(url);
      } else {
        // The signed URL contains the endpoint in its normal form, and the region.
        url = await within(presign({ endpoint: options.endpoint, region: options.region ?? (signed ? undefined : "x"), credentials: { accessKeyId: "x", secretAccessKey: "x" } }));
        if (!signed) url = url.split("?")[0];
      }
      const { skewMs: skew = NaN, ...finding } = await reach(url.split("?")[0], isForbidden, within, ended);
      skewMs = skew;
      return finding;
    },

    clock() {
      if (Number.isNaN(skewMs)) return { status: "skipped", text: "The page cannot read the clock of the endpoint." };
      const seconds = Math.round(Math.abs(skewMs) / 1000);
      const text = `The clock of this machine is ${seconds < 2 ? "right" : `${seconds} s ${skewMs > 0 ? "behind" : "ahead of"} the clock of the endpoint`}.`;
      return { text, skewMs: Math.round(skewMs), ...(Math.abs(skewMs) > SKEW_MS && { status: "warning", code: "ERR_CLOCK_SKEW" }) };
    },

    async credentials() {
      if (options.url !== undefined) {
        await givenUrl();
        return provider ? { text: "The function url returns a URL." } : { status: "skipped", text: "The URL contains the signature, if there is one." };
      }
      if (!signed) return { status: "skipped", text: options.authorizer ? "A custom authorizer replaces the credentials." : "The URL is not signed." };
      const credentials = provider ? await provide() : options.credentials;
      await within(presign({ endpoint: "x", region: "x", credentials })); // checks the members
      const until = credentials.expiration?.toISOString();
      if (credentials.expiration <= Date.now()) throw failure("ERR_CREDENTIALS_EXPIRED", `The credentials expired at ${until}`);
      return { text: `The credentials ${until ? `are valid until ${until}` : "have no time of expiry"}.` };
    },

    async signature() {
      refusal = await open(true).catch((error) => error);
      ended.throwIfAborted();
      const { phase, code } = refusal ?? {};
      if (refusal && !phase) return { status: "skipped", text: "Not tested, because an option is not valid." };
      if (code === "ERR_FORBIDDEN" && !options.authorizer) return { status: "warning", code, text: "The endpoint refuses the URL, but does not report that the signature is wrong." };
      if (phase === "open" || phase === "credentials" || phase === "sign") throw refusal;
      return { text: `The endpoint opens the WebSocket${signed ? " and accepts the signature" : options.authorizer ? " and accepts the authorizer" : ""}.` };
    },

    async connect() {
      if (!refusal) return { text: `The broker accepts the client id ${client.connection?.clientId ?? ""}.` };
      if (refusal.phase !== "open" && policyFor("connect", refusal) && (persistent || will)) {
        const plain = await open(false).catch((error) => error);
        ended.throwIfAborted();
        if (!plain) return { status: "failed", blocks: false, code: "ERR_DIAGNOSE_CONNECT_ATTRIBUTES", text: `The policy allows the client id, but not with ${will ? "a session (sessionExpiry) or this will" : "a session (sessionExpiry)"}.` };
      }
      throw refusal;
    },

    async subscribe() {
      await listen();
      subscribed = true;
      return { text: `The broker grants a subscription to ${topic}.` };
    },

    async publish() {
      const loss = await ensure();
      received = arrival("first");
      await send("first");
      return { text: `The broker accepts a message to ${topic}.`, ...loss };
    },

    async receive() {
      await within(received).catch((error) => {
        ended.throwIfAborted();
        throw client.state === "connected" ? failure("ERR_DIAGNOSE_NOT_RECEIVED", "The broker granted the subscription and accepted the message, but does not deliver it") : lost ?? error;
      });
      receiving = true;
      return { text: "The message arrives." };
    },

    async retain() {
      if (!group && !receiving) occupied = true; // its retained message, if there is one, cannot arrive
      if (occupied) return { status: "skipped", text: "Not tested, because the topic may have a retained message, which the test would replace." };
      const loss = await ensure();
      retained = true;
      try {
        await send("retained", true);
        if (receiving) {
          await within(client.unsubscribe(topic));
          const message = arrival("retained", true);
          await listen();
          await within(message).catch((error) => {
            ended.throwIfAborted();
            throw client.state === "connected" ? failure("ERR_DIAGNOSE_NOT_RETAINED", "The broker accepted a retained message, but does not send it to a new subscription") : error;
          });
        }
      } finally {
        await unretain();
      }
      return { text: "The broker accepts a retained message.", ...loss };
    },

    async roundtrip() {
      const loss = await ensure();
      const times = [];
      for (let i = 0; i < ROUNDS; i++) {
        const start = performance.now(), message = receiving ? arrival(`round${i}`) : undefined;
        await send(`round${i}`);
        if (message) await within(message);
        times.push(performance.now() - start);
      }
      const roundTripMs = Math.round(times.sort((a, b) => a - b)[ROUNDS >> 1]);
      const text = `${receiving ? "A message to the broker and back" : "An acknowledgement by the broker"} takes ${roundTripMs} ms.`;
      return { text, roundTripMs, ...(roundTripMs > SLOW_MS && { status: "warning", code: "ERR_DIAGNOSE_SLOW" }), ...loss };
    },
  };

  for (const s of [signal, connectSignal]) {
    const abort = () => {
      stop.abort(s.reason);
      end();
    };
    s?.addEventListener("abort", abort, { signal: ended });
    if (s?.aborted) abort();
  }
  /** @type {Set<Step>} */
  const blocked = new Set();
  try {
    for (const step of diagnoseSteps) {
      ended.throwIfAborted();
      const start = performance.now();
      /** @type {Finding} */
      let finding;
      const need = NEEDS[step].find((name) => blocked.has(name));
      if (need) finding = { status: "skipped", blocks: true, text: `Not tested, because it needs the step ${need}.` };
      else {
        try {
          finding = await steps[step]();
        } catch (/** @type {any} */ error) {
          ended.throwIfAborted();
          const [text, advice] = divide(error?.message);
          finding = { status: "failed", code: error?.code ?? "ERR_OPTION", text, advice, reasonCode: error?.reasonCode };
        }
      }
      const { status = "ok", blocks = status === "failed", code, reasonCode, advice: hint, ...rest } = finding;
      if (blocks) blocked.add(step);
      failed = status === "failed";
      const policy = code && failed ? policyFor(step, finding) : undefined;
      const advice = code && adviceFor({ ...finding, code }, url.replace(/^wss?:..|[?#].*/g, ""), policy !== undefined, step !== "connect" && given.topic === undefined);
      yield { step, status, durationMs: Math.round(performance.now() - start), ...rest, ...(code && { code, advice }), ...(reasonCode && { reasonCode }), ...(policy && { policy }) };
    }
  } finally {
    await end();
    stop.abort();
  }
}
