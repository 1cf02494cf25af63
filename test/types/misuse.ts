// This file contains mistakes that the typings must reject. The compiler reports an error if the line
// after a directive ts-expect-error compiles.
import iot, { IotClient, IotError, load, matches, presign } from "../../www/iot.js";
import type { Connection, Message, PublishResult, State, Stats, Subscription, UserProperties } from "../../www/iot.js";
import { cognito } from "../../www/cognito.js";
import { jobs } from "../../www/jobs.js";
import { diagnose, diagnoseSteps } from "../../www/diagnose.js";
import { presence } from "../../www/presence.js";
import { shadow } from "../../www/shadow.js";

declare const message: Message;
declare const subscription: Subscription;
declare const connection: Connection;
declare const result: PublishResult;
declare const stats: Stats;
declare const error: IotError;
declare const response: Response;

// ---- connecting

// @ts-expect-error the option is called endpoint
iot.connect({ host: "localhost" });
// @ts-expect-error the option is called clientId
iot.connect({ endpoint: "localhost", clientID: "a" });
// @ts-expect-error an endpoint is a string; a URL object belongs to url
iot.connect({ endpoint: new URL("wss://localhost") });
// @ts-expect-error options are an object
iot.connect("localhost");
// @ts-expect-error options are not null
iot.connect(null);
// @ts-expect-error the names are those of the AWS SDK v3
iot.connect({ endpoint: "a", credentials: { accessKey: "a", secretKey: "b" } });
// @ts-expect-error secretAccessKey is missing
iot.connect({ endpoint: "a", credentials: { accessKeyId: "a" } });
// @ts-expect-error a promise is not a provider
iot.connect({ endpoint: "a", credentials: Promise.resolve({ accessKeyId: "a", secretAccessKey: "b" }) });
// @ts-expect-error a provider returns credentials
iot.connect({ endpoint: "a", credentials: async () => "AKIA" });
// @ts-expect-error an expiration is a Date
iot.connect({ endpoint: "a", credentials: { accessKeyId: "a", secretAccessKey: "b", expiration: "2030-01-01" } });
// @ts-expect-error a provider receives only forceRefresh
iot.connect({ endpoint: "a", credentials: async ({ refresh } = {}) => ({ accessKeyId: String(refresh), secretAccessKey: "b" }) });
// @ts-expect-error a function for url returns a string or a URL
iot.connect({ url: async () => ({ url: "wss://a" }) });
// @ts-expect-error seconds are a number
iot.connect({ endpoint: "a", keepAlive: "60" });
// @ts-expect-error reconnect is false or an object
iot.connect({ endpoint: "a", reconnect: true });
// @ts-expect-error the names of the delays end in Ms
iot.connect({ endpoint: "a", reconnect: { minDelay: 1 } });
// @ts-expect-error no such overflow
iot.connect({ endpoint: "a", offline: { overflow: "drop-newest" } });
// @ts-expect-error qos0 is a string
iot.connect({ endpoint: "a", offline: { qos0: false } });
// @ts-expect-error quotas is "aws" or "none"
iot.connect({ endpoint: "a", quotas: "azure" });
// @ts-expect-error a will needs a topic
iot.connect({ endpoint: "a", will: { payload: "gone" } });
// @ts-expect-error no such QoS
iot.connect({ endpoint: "a", will: { topic: "a", qos: 3 } });
// @ts-expect-error the option is called delay
iot.connect({ endpoint: "a", will: { topic: "a", willDelay: 5 } });
// @ts-expect-error signal is a signal, not a controller
iot.connect({ endpoint: "a", signal: new AbortController() });
// @ts-expect-error the option is called tokenKeyName
iot.connect({ endpoint: "a", authorizer: { name: "a", tokenKey: "b" } });
// @ts-expect-error the options of the constructor are an object
new IotClient("localhost");
// @ts-expect-error a class needs new
IotClient();

// ---- publishing

// @ts-expect-error a topic is needed
iot.publish();
// @ts-expect-error a topic is a string
iot.publish(new URL("a:b"));
// @ts-expect-error a number is not a payload
iot.publish("a", 1);
// @ts-expect-error an object is not a payload; { json: object } is accepted
iot.publish("a", { celsius: 21.5 });
// @ts-expect-error an array is not a payload
iot.publish("a", [1, 2, 3]);
// @ts-expect-error a Blob is not a payload; its content is asynchronous
iot.publish("a", new Blob(["a"]));
// @ts-expect-error a Response is not a payload; its json is a method
iot.publish("a", response);
// @ts-expect-error a message is not a payload; message.payload is accepted
iot.publish("a", message);
// @ts-expect-error no such QoS
iot.publish("a", "b", { qos: 3 });
// @ts-expect-error a QoS is a number
iot.publish("a", "b", { qos: "1" });
// @ts-expect-error unlike in MQTT.js, no option is called properties
iot.publish("a", "b", { properties: { responseTopic: "c" } });
// @ts-expect-error the option is called messageExpiry, in seconds
iot.publish("a", "b", { messageExpiryInterval: 60 });
// @ts-expect-error correlationData is bytes
iot.publish("a", "b", { correlationData: "c" });
// @ts-expect-error the values of user properties are strings
iot.publish("a", "b", { userProperties: { a: 1 } });
// @ts-expect-error userProperties is a list of pairs
iot.publish("a", "b", { userProperties: ["a", "b"] });
// @ts-expect-error publish() takes no callback
iot.publish("a", "b", {}, () => {});
// @ts-expect-error the option is called timeoutMs
iot.request("a", "b", { timeout: 5 });
// @ts-expect-error publish() has no timeout
iot.publish("a", "b", { timeoutMs: 5 });
// @ts-expect-error request() resolves with one message
iot.request("a", "b").then((replies) => replies[0]);

// ---- subscribing

// @ts-expect-error subscribe() takes one filter
iot.subscribe(["a", "b"]);
// @ts-expect-error no such retain handling
iot.subscribe("a", { retainHandling: 3 });
// @ts-expect-error the handler comes before the options
iot.subscribe("a", { qos: 1 }, () => {});
// @ts-expect-error the handler receives only the message
iot.subscribe("a", (topic: string, payload: Uint8Array) => console.log(topic, payload));
// @ts-expect-error the option is called noLocal
iot.subscribe("a", { nl: true });
// @ts-expect-error a payload is bytes
iot.subscribe("a", (m) => m.payload.toUpperCase());
// @ts-expect-error the type of json() is unknown
iot.subscribe("a", (m) => m.json().celsius);
// @ts-expect-error responseTopic may be undefined
iot.subscribe("a", (m) => iot.publish(m.responseTopic, "b"));
// @ts-expect-error subscribe() returns a promise
for await (const m of iot.subscribe("a")) console.log(m);
// @ts-expect-error a subscription is an asynchronous iterable
for (const m of subscription) console.log(m);
// @ts-expect-error iot has no class Subscription
new iot.Subscription();

// ---- events

// @ts-expect-error no such event
iot.addEventListener("connect", () => {});
// @ts-expect-error no such event
iot.addEventListener("mesage", () => {});
// @ts-expect-error the message is the event's detail
iot.addEventListener("message", (event) => event.topic);
// @ts-expect-error the detail has no member recovered
iot.addEventListener("connecting", ({ detail }) => detail.recovered);
// @ts-expect-error the detail has no member reason
iot.addEventListener("disconnected", ({ detail }) => detail.reason);
// @ts-expect-error retryInMs may be undefined
iot.addEventListener("disconnected", ({ detail }) => detail.retryInMs.toFixed());
// @ts-expect-error error may be undefined
iot.addEventListener("closed", ({ detail }) => detail.error.code);
// @ts-expect-error the listener is for another event
iot.addEventListener("closed", (event: CustomEvent<Message>) => event.detail.topic);
// @ts-expect-error the client is an EventTarget, not an EventEmitter
iot.on("message", () => {});

// ---- readonly members

// @ts-expect-error readonly
iot.state = "closed";
// @ts-expect-error readonly
iot.connection = undefined;
// @ts-expect-error readonly
connection.keepAlive = 1;
// @ts-expect-error readonly
result.reasonCode = 0;
// @ts-expect-error readonly
stats.queued = 0;
// @ts-expect-error readonly
subscription.filter = "b";
// @ts-expect-error readonly
message.topic = "b";
// @ts-expect-error readonly
message.payload = new Uint8Array();
// @ts-expect-error readonly
error.code = "ERR_OPTION";
// @ts-expect-error readonly
(connection.userProperties as UserProperties).push(["a", "b"]);
// @ts-expect-error load is readonly
iot.load = load;
// @ts-expect-error no such state
const state: State = "open";
// @ts-expect-error connection may be undefined
iot.connection.clientId.length;

// ---- errors and other exports

// @ts-expect-error an IotError needs options
new IotError("no");
// @ts-expect-error an IotError needs a code
new IotError("no", { phase: "open" });
// @ts-expect-error no such phase
new IotError("no", { code: "MINE", phase: "later" });
// @ts-expect-error reasonCode may be undefined
error.reasonCode.toFixed();
// @ts-expect-error presign() takes no provider
presign({ endpoint: "a", credentials: async () => ({ accessKeyId: "a", secretAccessKey: "b" }) });
// @ts-expect-error presign() needs credentials
presign({ endpoint: "a" });
// @ts-expect-error date is a Date
presign({ endpoint: "a", credentials: { accessKeyId: "a", secretAccessKey: "b" }, date: Date.now() });
// @ts-expect-error wasm is not bytes
load({ wasm: new Uint8Array() });
// @ts-expect-error wasm is not a number
load({ wasm: 5 });
// @ts-expect-error the option is called wasm
load({ url: "iot.wasm" });
// @ts-expect-error matches() needs two strings
matches("a/#");
// @ts-expect-error cognito() needs an identity pool
cognito({ region: "eu-west-1" });
// @ts-expect-error storage is not a string
cognito({ identityPoolId: "a:b", storage: "localStorage" });
// @ts-expect-error the values of logins are strings
cognito({ identityPoolId: "a:b", logins: { "accounts.google.com": 1 } });
// @ts-expect-error shadow() needs a client
shadow("lamp");
// @ts-expect-error shadow() needs the name of a thing
shadow(iot);
// @ts-expect-error the members of the shadow are below desired or reported
shadow(iot, "lamp").update({ on: true });
// @ts-expect-error version is a number
shadow(iot, "lamp").update({ desired: {} }, { version: "1" });
// @ts-expect-error get() has no version
shadow(iot, "lamp").get({ version: 1 });
// @ts-expect-error a loop has no timeout
shadow(iot, "lamp").deltas({ timeoutMs: 5 });
// @ts-expect-error readonly
shadow(iot, "lamp").reported = {};
// @ts-expect-error no such event
shadow(iot, "lamp").addEventListener("changed", () => {});
// @ts-expect-error the previous document may be missing
for await (const change of shadow(iot, "lamp").documents()) change.previous.version;
// @ts-expect-error a device cannot set this status
jobs(iot, "lamp").update("job", "CANCELED");
// @ts-expect-error the values of statusDetails are strings
jobs(iot, "lamp").update("job", "SUCCEEDED", { statusDetails: { progress: 1 } });
// @ts-expect-error there may be no next execution
jobs(iot, "lamp").startNext().then((execution) => execution.jobId);
// @ts-expect-error jobs() needs the name of a thing
jobs(iot);
// @ts-expect-error presence() needs a client
presence();
// @ts-expect-error readonly
presence(iot).clients.set("a", {});
// @ts-expect-error diagnose() needs the options of connect()
diagnose();
// @ts-expect-error the topic is a text
diagnose({ endpoint: "x" }, { topic: 5 });
// @ts-expect-error readonly
diagnoseSteps[0] = "load";
// @ts-expect-error importing iot.js declares no global
globalThis.iot;

export { state };
