// This program uses every member of the typings. The test compiles it and does not run it.
import iot, { IotClient, IotError, iot as same, load, matches, presign, version } from "../../www/iot.js";
import type {
  ArgumentError, ArgumentErrorCode, AsyncDisposableWhereKnown, Bytes, ClosedDetail, CompiledModule, ConnectOptions, ConnectedDetail, ConnectingDetail,
  Connection, Credentials, CredentialsProvider, CustomAuthorizer, DefaultClient, DisconnectedDetail, HandlerErrorDetail, IotErrorCode,
  IotErrorInit, IotEvent, IotEventListener, IotEvents, JsonPayload, LoadOptions, Message, MessageHandler, OfflineOptions, OwnBytes,
  Payload, Phase, PresignOptions, ProviderOptions, PublishOptions, PublishResult, QoS, ReconnectOptions, RequestOptions,
  PacketDetail, SlowConsumerDetail, State, Stats, SubscribeOptions, Subscription, UrlProvider, UserProperties, UserPropertiesInit, Will,
} from "../../www/iot.js";
import { cognito } from "../../www/cognito.js";
import type {
  CognitoCredentials, CognitoErrorCode, CognitoLogins, CognitoOptions, CognitoProvider, CognitoStorage,
} from "../../www/cognito.js";

import { jobs } from "../../www/jobs.js";
import type {
  JobExecution, JobExecutionState, JobExecutionSummary, JobStatus, JobUpdateStatus, Jobs, JobsErrorCode, JobsNextOptions, JobsRequestOptions, JobsStartOptions,
  JobsUpdateOptions,
} from "../../www/jobs.js";
import { decodePacket, packets } from "../../www/packets.js";
import type { DecodedPacket, DecodedWill, Field, FilterOptions, PacketType, Property, Reason, TracedPacket } from "../../www/packets.js";
import { presence } from "../../www/presence.js";
import type { Presence, PresenceChangesOptions, PresenceErrorDetail, PresenceEvent, PresenceEventListener, PresenceEvents } from "../../www/presence.js";
import { diagnose, diagnoseSteps } from "../../www/diagnose.js";
import type { DiagnoseCode, DiagnoseOptions, DiagnoseResult, DiagnoseStatus, DiagnoseStep } from "../../www/diagnose.js";
import { shadow } from "../../www/shadow.js";
import type {
  Shadow, ShadowChange, ShadowDelta, ShadowDocument, ShadowErrorCode, ShadowErrorDetail, ShadowEventListener, ShadowEvents, ShadowFollowOptions, ShadowRequestOptions,
  ShadowState, ShadowUpdateOptions,
} from "../../www/shadow.js";

/** Fails to compile unless the two types are the same. */
type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
function holds<T extends true>(): T | void {}

declare function show(...values: unknown[]): void;

// ---- credentials

const keys: Credentials = { accessKeyId: "AKIAEXAMPLE", secretAccessKey: "secret" };
const temporary: Credentials = { ...keys, sessionToken: "token", expiration: new Date(Date.now() + 3_600_000) };

const provider: CredentialsProvider = async () => temporary;
const atOnce: CredentialsProvider = () => keys;
const renewing: CredentialsProvider = async ({ forceRefresh = false } = {}) => {
  holds<Same<typeof forceRefresh, boolean>>();
  const response = await fetch("/my/credentials", { cache: forceRefresh ? "reload" : "default" });
  if (response.status === 401) {
    throw new IotError("you are not logged in", { code: "ERR_MY_LOGIN", phase: "credentials", retryable: false, cause: response.status });
  }
  return response.json();
};
const providerOptions: ProviderOptions = { forceRefresh: true };

// Providers as the AWS SDK for JavaScript v3 declares them.
interface AwsCredentialIdentity {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string;
  readonly credentialScope?: string;
  readonly accountId?: string;
  readonly expiration?: Date;
}
interface AwsIdentityProperties {
  callerClientConfig?: { profile?: string; region(): Promise<string> };
}
declare const awsProvider: (identityProperties?: Record<string, any>) => Promise<AwsCredentialIdentity>;
declare const awsRuntimeProvider: (awsIdentityProperties?: AwsIdentityProperties) => Promise<AwsCredentialIdentity & { identityId: string }>;
declare const awsMemoized: (options?: { forceRefresh?: boolean } & AwsIdentityProperties) => Promise<AwsCredentialIdentity>;
const fromSdk: CredentialsProvider[] = [awsProvider, awsRuntimeProvider, awsMemoized];

const signedElsewhere: UrlProvider = async () => (await fetch("/my/signed-url")).text();
const fresh: UrlProvider = (options) => new URL(`wss://example.com/mqtt?fresh=${options?.forceRefresh ?? false}`);

// ---- connecting

const authorizer: CustomAuthorizer = { name: "mine", tokenKeyName: "token", token: "abc", tokenSignature: "c2lnbmF0dXJl" };
const will: Will = {
  topic: "left", payload: { json: { at: 1 } }, qos: 1, retain: true, delay: 10, contentType: "application/json", userProperties: { a: "b" },
};
const reconnect: ReconnectOptions = { minDelayMs: 500, maxDelayMs: 60_000, stableAfterMs: 10_000, maxAttempts: 8 };
const offline: OfflineOptions = { maxMessages: 100, maxBytes: 65_536, overflow: "drop-oldest", qos0: "queue" };
const everything: ConnectOptions = {
  endpoint: "xxxxxxxxxxxxxx-ats.iot.eu-west-1.amazonaws.com", region: "eu-west-1", credentials: renewing, authorizer,
  username: "me", password: new TextEncoder().encode("secret"), clientId: "page-1", keepAlive: 60, ackTimeoutMs: 20_000, unclaimedTimeoutMs: 0, cleanStart: false, sessionExpiry: 3600,
  will, userProperties: [["a", "b"], ["a", "c"]], reconnect, offline, quotas: "aws", signal: new AbortController().signal,
};

/** An option may be undefined, also with exactOptionalPropertyTypes. */
function optionsOf(region: string | undefined, qos: QoS | undefined, signal: AbortSignal | undefined): [ConnectOptions, PublishOptions, SubscribeOptions] {
  return [{ endpoint: "localhost", region, signal, will: undefined, reconnect: undefined }, { qos, signal }, { qos, signal, bufferSize: undefined }];
}

async function connecting(): Promise<void> {
  const granted: Connection = await iot.connect(everything);
  show(granted.clientId, granted.sessionPresent, granted.keepAlive, granted.sessionExpiry, granted.receiveMaximum, granted.maximumQoS);
  show(granted.maximumPacketSize, granted.topicAliasMaximum, granted.retainAvailable, granted.wildcardSubscriptionAvailable);
  show(granted.sharedSubscriptionAvailable, granted.subscriptionIdentifierAvailable);
  for (const [name, value] of granted.userProperties) show(name.length, value.length);
  await iot.connect();
  await iot.connect({ url: signedElsewhere });
  await iot.connect({ url: fresh, reconnect: false, quotas: "none" });
  await iot.connect({ url: new URL("ws://localhost:8080/mqtt"), password: "text" });
  await iot.connect({ endpoint: "localhost", credentials: keys });
  for (const credentials of [provider, atOnce, ...fromSdk]) await iot.connect({ endpoint: "localhost", credentials });

  const other = new IotClient({ endpoint: "wss://broker.example/mqtt" });
  await other.connect();
  const state: State = other.state;
  switch (state) {
    case "idle": case "connecting": case "connected": case "reconnecting": case "closed":
      break;
    default:
      show(state satisfies never);
  }
  const keepAlive: number | undefined = other.connection?.keepAlive;
  show(keepAlive);
  other.reconnect();
  await other.disconnect();
  show(new IotClient().state, new iot.IotClient(everything) instanceof IotClient);
}

// ---- publishing

declare const shared: Uint8Array;
const payloads: Payload[] = ["text", null, new ArrayBuffer(1), new Uint8Array(1), new DataView(new ArrayBuffer(1)), shared, { json: [1, { a: null }] }];
const asJson: JsonPayload = { json: undefined as unknown };
const bytes: Bytes = new Float32Array(4);
const publishOptions: PublishOptions = {
  qos: 1, retain: true, contentType: "text/plain", utf8: true, responseTopic: "answers", correlationData: new Uint8Array([1]),
  messageExpiry: 60, userProperties: { a: "b" }, signal: new AbortController().signal,
};

async function publishing(): Promise<void> {
  const result: PublishResult = await iot.publish("hello", "world", publishOptions);
  show(result.reasonCode, result.reasonString, result.userProperties?.length);
  await iot.publish("hello");
  await iot.publish("hello", undefined, { qos: 2 });
  for (const payload of payloads) await iot.publish("hello", payload);
  await iot.publish("hello", asJson);
  await iot.publish("hello", bytes, { correlationData: bytes, userProperties: [["a", "b"]] as const });

  const requestOptions: RequestOptions = { ...publishOptions, timeoutMs: 5000 };
  const reply: Message = await iot.request("ask", { json: { question: 1 } }, requestOptions);
  show(reply.text(), await iot.request("ask"));
  show(await iot.request("ask", "now", { qos: 1, responseTopic: "mine/replies" }));
}

// ---- subscribing

const subscribeOptions: SubscribeOptions = {
  qos: 1, noLocal: true, retainAsPublished: true, retainHandling: 2, userProperties: { a: "b" }, bufferSize: 10, bufferBytes: 1e6, signal: new AbortController().signal,
};
interface Reading {
  celsius: number;
}

const handler: MessageHandler = (message) => {
  const own: OwnBytes = message.payload;
  const buffer: ArrayBuffer = own.slice().buffer as ArrayBuffer;
  const qos: QoS = message.qos;
  const pairs: UserProperties = message.userProperties;
  const id: OwnBytes | undefined = message.correlationData;
  const seconds: number | undefined = message.messageExpiry;
  show(message.topic, buffer, qos, pairs, id, seconds, message.retain, message.duplicate, message.utf8);
  show(message.contentType?.startsWith("text/"), message.responseTopic?.length, message.text().length);
  const reading = message.json<Reading>();
  show(reading.celsius.toFixed(1));
  holds<Same<ReturnType<typeof message.json>, unknown>>();
};

async function subscribing(): Promise<void> {
  const first: Subscription = await iot.subscribe("room/+/temperature", handler);
  await iot.subscribe("room/+/temperature", handler, subscribeOptions);
  await iot.subscribe("$share/group/room/#", async (message) => void (await message.reply({ json: "done" }, { qos: 1 })));
  await iot.subscribe("ask", (message) => message.reply());
  const messages = await iot.subscribe("#", subscribeOptions);
  for await (const message of messages) {
    holds<Same<typeof message, Message>>();
    show(message.topic);
    break;
  }
  const iterator: AsyncIterator<Message> = messages[Symbol.asyncIterator]();
  show(await iterator.next());
  show(first.filter, first.qos, first.received, first.dropped);
  const error: IotError | undefined = await first.closed;
  if (error) show(error.code);
  await first.unsubscribe();
  await iot.unsubscribe("#");
}

// ---- events

function listening(client: IotClient): void {
  client.addEventListener("connecting", ({ detail }) => {
    holds<Same<typeof detail, ConnectingDetail>>();
    show(detail.attempt);
  });
  client.addEventListener("connected", function (event) {
    holds<Same<typeof this, IotClient>>();
    holds<Same<typeof event.type, "connected">>();
    const detail: ConnectedDetail = event.detail;
    show(detail.attempt, detail.recovered, detail.clientId);
  });
  client.addEventListener("disconnected", ({ detail: { error, retryInMs } }) => {
    show(error.code, error.message, retryInMs === undefined ? "without a retry" : `again in ${retryInMs / 1000} s`);
  }, { signal: new AbortController().signal });
  client.addEventListener("closed", ({ detail: { error } }) => show(error?.code), { once: true });
  client.addEventListener("message", ({ detail }) => handler(detail));
  client.addEventListener("unclaimed", ({ detail }) => handler(detail));
  client.addEventListener("slowconsumer", ({ detail }: CustomEvent<SlowConsumerDetail>) => show(detail.filter, detail.dropped));
  client.addEventListener("packet", ({ detail }: CustomEvent<PacketDetail>) => {
    holds<Same<typeof detail.direction, "in" | "out">>();
    show(detail.bytes.length, detail.size, detail.time);
  });
  client.addEventListener("handlererror", (event) => {
    const { error, filter }: HandlerErrorDetail = event.detail;
    show(error, filter);
  });

  const disconnected = (event: IotEvent<"disconnected">): void => {
    const detail: DisconnectedDetail = event.detail;
    show(detail.error);
  };
  client.addEventListener("disconnected", disconnected);
  client.removeEventListener("disconnected", disconnected);
  const closed = { handleEvent: ({ detail }: IotEvent<"closed">): void => show(detail satisfies ClosedDetail) };
  client.addEventListener("closed", closed);
  client.removeEventListener("closed", closed, true);

  const any: IotEventListener<"connecting" | "connected"> = (event) => show(event.detail.attempt);
  client.addEventListener("connecting", any);
  client.addEventListener("connected", any);
  for (const name of ["connecting", "connected"] as const) client.addEventListener(name, (event) => show(event.type, event.detail.attempt));

  // The client is an EventTarget, so it accepts other events, and libraries accept the client.
  const target: EventTarget = client;
  target.addEventListener("mine", (event) => show(event.type));
  client.dispatchEvent(new CustomEvent("mine"));
  show(once(client, "connected"));
}

function once<K extends keyof IotEvents>(client: IotClient, type: K): Promise<IotEvents[K]> {
  return new Promise((resolve) => client.addEventListener(type, (event) => resolve(event.detail), { once: true }));
}

/** An event source, as libraries of observables declare it. */
interface HasEvents<E> {
  addEventListener(type: string, listener: ((event: E) => void) | null, options?: boolean | AddEventListenerOptions): void;
  removeEventListener(type: string, listener: ((event: E) => void) | null, options?: EventListenerOptions | boolean): void;
}
declare function fromEvent<E>(target: HasEvents<E> | ArrayLike<HasEvents<E>>, name: string): E;
show(fromEvent<IotEvent<"message">>(iot, "message").detail.topic);

// ---- statistics

const stats: Stats = iot.stats();
show(stats.messagesIn, stats.messagesOut, stats.bytesIn, stats.bytesOut, stats.inflight, stats.queued, stats.subscriptions, stats.connects);
show(stats.roundTripMs?.toFixed(1), version.split("."));

// ---- errors

function advice(error: unknown): string {
  if (error instanceof IotError) {
    const phase: Phase = error.phase;
    show(error.name, error.cause, error.retryable, error.reasonCode, error.closeCode, phase);
    switch (error.code) {
      case "ERR_NOT_AUTHORIZED":
        return "check the policy";
      case "ERR_NO_RESPONDER":
      case "ERR_REQUEST_TIMEOUT":
        return "no reply";
      case "ERR_COGNITO_THROTTLED" satisfies CognitoErrorCode:
        return "try again later";
      case "ERR_MY_LOGIN":
        return "log in";
    }
    return error.message;
  }
  if (isArgumentError(error)) {
    const code: ArgumentErrorCode = error.code;
    return `${error.name} ${code}`;
  }
  return String(error);
}

function isArgumentError(error: unknown): error is ArgumentError {
  return (error instanceof TypeError || error instanceof RangeError) && "code" in error;
}

const init: IotErrorInit = { code: "ERR_URL" satisfies IotErrorCode, phase: "open", retryable: true, reasonCode: 0x87, closeCode: 1006, cause: null };
show(advice(new IotError("no", init)), advice(new iot.IotError("no", { code: "MINE", phase: "load" })));

// ---- the module

async function module(): Promise<void> {
  const loadOptions: LoadOptions = { wasm: "https://cdn.example/iot.wasm", integrity: "sha384-AAAA" };
  await load(loadOptions);
  await load();
  await iot.load({ wasm: new URL("https://cdn.example/iot.wasm") });
  await iot.load({ wasm: fetch("/iot.wasm") });
  await load({ wasm: await fetch("/iot.wasm") });
  const compiled: CompiledModule = await WebAssembly.compile(new ArrayBuffer(8));
  const loaded: CompiledModule = await load({ wasm: compiled });
  new Worker("worker.js").postMessage(loaded);
  await iot.load({ wasm: await iot.load() });
  const presignOptions: PresignOptions = { endpoint: "a", region: "b", credentials: keys, date: new Date(), expires: 300 };
  const url: string = await presign(presignOptions);
  show(url, await iot.presign({ endpoint: "a", credentials: temporary }));
  const yes: boolean = matches("a/#", "a/b");
  show(yes, iot.matches("a", "a"), iot.version, same === iot);
}

const known: DefaultClient = iot;
const pairs: UserPropertiesInit[] = [{ a: "b" }, [["a", "b"]]];

// ---- cognito

const memory = new Map<string, string>();
const storage: CognitoStorage = {
  getItem: (key) => memory.get(key) ?? null,
  setItem: (key, value) => void memory.set(key, value),
  removeItem: (key) => void memory.delete(key),
};
const logins: CognitoLogins = { "accounts.google.com": "token" };
const cognitoOptions: CognitoOptions = {
  identityPoolId: "eu-west-1:00000000-0000-0000-0000-000000000000", region: "eu-west-1", logins: async () => logins, storage, endpoint: "/cognito",
};

async function identities(): Promise<void> {
  const credentials: CognitoProvider = cognito(cognitoOptions);
  await iot.connect({ endpoint: "localhost", credentials });
  await iot.connect({ endpoint: "localhost", credentials: cognito({ identityPoolId: "a:b", logins, storage: null, endpoint: new URL("https://a.example") }) });
  const temporary: CognitoCredentials = await credentials(providerOptions);
  show(temporary.accessKeyId, temporary.secretAccessKey, temporary.sessionToken.length, temporary.expiration.getTime());
}

// ---- shadows

const requestOptions: ShadowRequestOptions = { timeoutMs: 5000, signal: new AbortController().signal };
const updateOptions: ShadowUpdateOptions = { ...requestOptions, version: 3, retry: 2 };
const followOptions: ShadowFollowOptions = { signal: undefined };
interface Lamp {
  on: boolean;
}

async function shadows(): Promise<void> {
  const classic: Shadow = shadow(iot, "lamp");
  const named: Shadow = shadow(new IotClient(), "lamp", "config");
  const document: ShadowDocument = await classic.get(requestOptions);
  show(document.state.reported, document.state.desired, document.state.delta, document.metadata, document.version + 1, document.timestamp);
  const state: ShadowState = { reported: { on: true }, desired: null };
  show((await named.update(state, updateOptions)).version);
  await named.update(({ reported }) => ({ desired: { on: !(reported as Lamp).on } }), { retry: 3 });
  await named.update(async () => state);
  await named.delete();
  for await (const delta of classic.deltas(followOptions)) {
    holds<Same<typeof delta, ShadowDelta>>();
    show(delta.state, delta.metadata, delta.version, delta.timestamp);
  }
  for await (const change of classic.documents()) {
    holds<Same<typeof change, ShadowChange>>();
    show(change.previous?.version, change.current.state, change.timestamp);
    break;
  }
  const changed = (event: ShadowEvents["change"]): void => show(event.type, classic.reported, classic.desired, classic.delta, classic.version?.toFixed());
  classic.addEventListener("change", changed, { once: true });
  classic.removeEventListener("change", changed);
  const failed: ShadowEventListener<"error"> = { handleEvent: ({ detail }) => show(detail.error) };
  classic.addEventListener("error", failed);
  classic.addEventListener("error", ({ detail }) => show((detail satisfies ShadowErrorDetail).error.code === ("ERR_SHADOW_FORBIDDEN" satisfies ShadowErrorCode)));
  await classic.close();
}

// ---- jobs

const startOptions: JobsStartOptions = { ...(requestOptions satisfies JobsRequestOptions), statusDetails: { progress: "50%" } };
const jobUpdate: JobsUpdateOptions = { ...startOptions, expectedVersion: 2 };
const nextOptions: JobsNextOptions = { signal: undefined };

async function running(): Promise<void> {
  const lamp: Jobs = jobs(iot, "lamp");
  const { inProgress, queued } = await lamp.pending(requestOptions);
  const first: JobExecutionSummary | undefined = inProgress[0] ?? queued[0];
  show(first?.jobId, first?.status, first?.executionNumber, first?.versionNumber, first?.queuedAt, first?.startedAt, first?.lastUpdatedAt);
  const described: JobExecution | undefined = await lamp.describe("$next", requestOptions);
  show(described?.jobDocument, described?.statusDetails?.["progress"]);
  const started = await lamp.startNext(startOptions);
  const done: JobUpdateStatus = "SUCCEEDED";
  const state: JobExecutionState = await lamp.update(started?.jobId ?? "job", done, jobUpdate);
  const status: JobStatus = state.status;
  show(status, state.jobId, state.versionNumber, state.statusDetails, "ERR_JOBS_VERSION" satisfies JobsErrorCode);
  for await (const execution of lamp.next(nextOptions)) {
    holds<Same<typeof execution, JobExecution>>();
    break;
  }
  await lamp.close();
}

// ---- presence

const changesOptions: PresenceChangesOptions = { signal: undefined };

async function watching(): Promise<void> {
  const present: Presence = presence(iot);
  await present.ready;
  const changed = ({ detail }: PresenceEvents["change"]): void => show(detail.clientId, detail.connected);
  present.addEventListener("change", changed);
  present.removeEventListener("change", changed);
  const replaced: PresenceEventListener<"replaced"> = ({ detail }) => show((detail satisfies PresenceEvent).disconnectReason);
  present.addEventListener("replaced", replaced);
  const failed: PresenceEventListener<"error"> = { handleEvent: ({ detail }) => show(detail.error) };
  present.addEventListener("error", failed);
  present.addEventListener("error", ({ detail }) => show((detail satisfies PresenceErrorDetail).error.code));
  for (const [id, event] of present.clients) {
    holds<Same<typeof event, PresenceEvent>>();
    show(id, event.stale, event.versionNumber, event.timestamp, event.sessionIdentifier, event.principalIdentifier, event.ipAddress);
  }
  for await (const { clientInitiatedDisconnect, disconnectReason } of present.changes(changesOptions)) show(clientInitiatedDisconnect, disconnectReason);
  await present.close();
}

// ---- packets

function tracing(): void {
  const stop = packets(iot, (packet: TracedPacket) => {
    show(packet.direction, packet.size, packet.bytes.length, packet.time, packet.type satisfies PacketType, packet.packetId, packet.roundTripMs?.toFixed());
    holds<Same<typeof packet.decoded, DecodedPacket>>();
  });
  stop();
  const decoded: DecodedPacket = decodePacket(new Uint8Array([0xd0, 0]));
  const reason: Reason | undefined = decoded.reason ?? decoded.reasons?.[0];
  show(decoded.type, decoded.section, decoded.flags, decoded.size, decoded.truncated, decoded.error, decoded.packetId, reason?.code, reason?.name, reason?.section);
  show(decoded.topic, decoded.qos, decoded.retain, decoded.duplicate, decoded.payload?.length, decoded.sessionPresent);
  show(decoded.protocolName, decoded.protocolVersion, decoded.cleanStart, decoded.keepAlive, decoded.clientId, decoded.username, decoded.password?.length);
  const will: DecodedWill | undefined = decoded.will;
  show(will?.topic, will?.payload?.length, will?.qos, will?.retain, will?.properties);
  for (const { name, start, end, value } of decoded.fields satisfies readonly Field[]) show(name, end - start, value);
  for (const { id, name, value } of (decoded.properties ?? []) satisfies readonly Property[]) show(id, name, value);
  for (const { filter, qos, noLocal, retainAsPublished, retainHandling } of (decoded.filters ?? []) satisfies readonly FilterOptions[]) {
    show(filter, qos, noLocal, retainAsPublished, retainHandling);
  }
}

// ---- diagnosis

const diagnoseOptions: DiagnoseOptions = { topic: "room/", clientId: "lamp", account: "123456789012", timeoutMs: 5000, signal: undefined };

async function diagnosing(): Promise<void> {
  for await (const result of diagnose({ endpoint: "x", credentials: cognito({ identityPoolId: "x" }) }, diagnoseOptions)) {
    holds<Same<typeof result, DiagnoseResult>>();
    const step: DiagnoseStep = result.step;
    const status: DiagnoseStatus = result.status;
    const code: DiagnoseCode | undefined = result.code;
    show(step, status, code, result.text, result.advice, result.policy, result.reasonCode, result.durationMs, result.skewMs, result.roundTripMs);
    if (code === "ERR_DIAGNOSE_SLOW" || diagnoseSteps.indexOf(step) > 5) break;
  }
  for await (const { text } of diagnose({ url: "wss://x" })) show(text);
}

export type Disposable = AsyncDisposableWhereKnown;
export { connecting, diagnosing, identities, known, listening, module, optionsOf, pairs, publishing, running, shadows, subscribing, tracing, watching };
