// What the typings have to refuse. Each @ts-expect-error is a mistake that somebody makes; one that
// compiled would fail this file.
import iot, { IotClient, IotError, load, matches, presign } from "../../www/iot.js";
import type { Connection, Message, PublishResult, State, Stats, Subscription, UserProperties } from "../../www/iot.js";
import { cognito } from "../../www/cognito.js";

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
// @ts-expect-error an endpoint is no URL object; that would be url
iot.connect({ endpoint: new URL("wss://localhost") });
// @ts-expect-error options are an object
iot.connect("localhost");
// @ts-expect-error and not null
iot.connect(null);
// @ts-expect-error the names are those of the AWS SDK v3
iot.connect({ endpoint: "a", credentials: { accessKey: "a", secretKey: "b" } });
// @ts-expect-error half a key
iot.connect({ endpoint: "a", credentials: { accessKeyId: "a" } });
// @ts-expect-error a promise is no provider
iot.connect({ endpoint: "a", credentials: Promise.resolve({ accessKeyId: "a", secretAccessKey: "b" }) });
// @ts-expect-error a provider returns credentials
iot.connect({ endpoint: "a", credentials: async () => "AKIA" });
// @ts-expect-error an expiration is a Date
iot.connect({ endpoint: "a", credentials: { accessKeyId: "a", secretAccessKey: "b", expiration: "2030-01-01" } });
// @ts-expect-error a provider is told of forceRefresh, and nothing else
iot.connect({ endpoint: "a", credentials: async ({ refresh } = {}) => ({ accessKeyId: String(refresh), secretAccessKey: "b" }) });
// @ts-expect-error a function for url returns a string or a URL
iot.connect({ url: async () => ({ url: "wss://a" }) });
// @ts-expect-error seconds are a number
iot.connect({ endpoint: "a", keepAlive: "60" });
// @ts-expect-error true says nothing; leave it out
iot.connect({ endpoint: "a", reconnect: true });
// @ts-expect-error the delays end in Ms
iot.connect({ endpoint: "a", reconnect: { minDelay: 1 } });
// @ts-expect-error not an overflow that there is
iot.connect({ endpoint: "a", offline: { overflow: "drop-newest" } });
// @ts-expect-error qos0 is said by a word
iot.connect({ endpoint: "a", offline: { qos0: false } });
// @ts-expect-error "aws" or "none"
iot.connect({ endpoint: "a", quotas: "azure" });
// @ts-expect-error a will has a topic
iot.connect({ endpoint: "a", will: { payload: "gone" } });
// @ts-expect-error no such QoS
iot.connect({ endpoint: "a", will: { topic: "a", qos: 3 } });
// @ts-expect-error the option is called delay
iot.connect({ endpoint: "a", will: { topic: "a", willDelay: 5 } });
// @ts-expect-error a signal, not its controller
iot.connect({ endpoint: "a", signal: new AbortController() });
// @ts-expect-error the option is called tokenKeyName
iot.connect({ endpoint: "a", authorizer: { name: "a", tokenKey: "b" } });
// @ts-expect-error options are an object here too
new IotClient("localhost");
// @ts-expect-error a class is made with new
IotClient();

// ---- publishing

// @ts-expect-error a topic is needed
iot.publish();
// @ts-expect-error a topic is a string
iot.publish(new URL("a:b"));
// @ts-expect-error a number is no payload
iot.publish("a", 1);
// @ts-expect-error an object is no payload: {json: …} is
iot.publish("a", { celsius: 21.5 });
// @ts-expect-error nor is an array
iot.publish("a", [1, 2, 3]);
// @ts-expect-error nor a Blob, which would have to be read first
iot.publish("a", new Blob(["a"]));
// @ts-expect-error nor a Response, whose json is a method
iot.publish("a", response);
// @ts-expect-error nor a message: its payload is
iot.publish("a", message);
// @ts-expect-error no such QoS
iot.publish("a", "b", { qos: 3 });
// @ts-expect-error a QoS is a number
iot.publish("a", "b", { qos: "1" });
// @ts-expect-error MQTT.js has the properties in an object of their own
iot.publish("a", "b", { properties: { responseTopic: "c" } });
// @ts-expect-error the option is called messageExpiry, in seconds
iot.publish("a", "b", { messageExpiryInterval: 60 });
// @ts-expect-error correlation data is bytes
iot.publish("a", "b", { correlationData: "c" });
// @ts-expect-error values are strings
iot.publish("a", "b", { userProperties: { a: 1 } });
// @ts-expect-error pairs, not a flat list
iot.publish("a", "b", { userProperties: ["a", "b"] });
// @ts-expect-error a callback of old
iot.publish("a", "b", {}, () => {});
// @ts-expect-error the option is called timeoutMs
iot.request("a", "b", { timeout: 5 });
// @ts-expect-error publish() waits for no reply
iot.publish("a", "b", { timeoutMs: 5 });
// @ts-expect-error a reply is one message
iot.request("a", "b").then((replies) => replies[0]);

// ---- subscribing

// @ts-expect-error one filter at a time
iot.subscribe(["a", "b"]);
// @ts-expect-error no such retain handling
iot.subscribe("a", { retainHandling: 3 });
// @ts-expect-error the handler comes before the options
iot.subscribe("a", { qos: 1 }, () => {});
// @ts-expect-error the handler gets the message alone
iot.subscribe("a", (topic: string, payload: Uint8Array) => console.log(topic, payload));
// @ts-expect-error the option is called noLocal
iot.subscribe("a", { nl: true });
// @ts-expect-error a payload is bytes
iot.subscribe("a", (m) => m.payload.toUpperCase());
// @ts-expect-error what JSON holds is not known
iot.subscribe("a", (m) => m.json().celsius);
// @ts-expect-error a message need not have a response topic
iot.subscribe("a", (m) => iot.publish(m.responseTopic, "b"));
// @ts-expect-error subscribe() returns a promise
for await (const m of iot.subscribe("a")) console.log(m);
// @ts-expect-error it iterates in its own time
for (const m of subscription) console.log(m);
// @ts-expect-error a subscription is not made with new
new iot.Subscription();

// ---- events

// @ts-expect-error no such event
iot.addEventListener("connect", () => {});
// @ts-expect-error nor that
iot.addEventListener("mesage", () => {});
// @ts-expect-error the message is the detail
iot.addEventListener("message", (event) => event.topic);
// @ts-expect-error the detail has no such member
iot.addEventListener("connecting", ({ detail }) => detail.recovered);
// @ts-expect-error nor has this
iot.addEventListener("disconnected", ({ detail }) => detail.reason);
// @ts-expect-error it may not try again
iot.addEventListener("disconnected", ({ detail }) => detail.retryInMs.toFixed());
// @ts-expect-error after disconnect() there is none
iot.addEventListener("closed", ({ detail }) => detail.error.code);
// @ts-expect-error a listener for another event
iot.addEventListener("closed", (event: CustomEvent<Message>) => event.detail.topic);
// @ts-expect-error EventTarget's way, not Node's
iot.on("message", () => {});

// ---- what is only to be read

// @ts-expect-error only read
iot.state = "closed";
// @ts-expect-error only read
iot.connection = undefined;
// @ts-expect-error only read
connection.keepAlive = 1;
// @ts-expect-error only read
result.reasonCode = 0;
// @ts-expect-error only read
stats.queued = 0;
// @ts-expect-error only read
subscription.filter = "b";
// @ts-expect-error only read
message.topic = "b";
// @ts-expect-error only read
message.payload = new Uint8Array();
// @ts-expect-error only read
error.code = "ERR_OPTION";
// @ts-expect-error only read
(connection.userProperties as UserProperties).push(["a", "b"]);
// @ts-expect-error only called
iot.load = load;
// @ts-expect-error no such state
const state: State = "open";
// @ts-expect-error a client has no connection for certain
iot.connection.clientId.length;

// ---- errors and the rest

// @ts-expect-error what it is made of is needed
new IotError("no");
// @ts-expect-error a code is needed
new IotError("no", { phase: "open" });
// @ts-expect-error no such phase
new IotError("no", { code: "MINE", phase: "later" });
// @ts-expect-error a reason code is a number, and need not be there
error.reasonCode.toFixed();
// @ts-expect-error presign takes the credentials themselves
presign({ endpoint: "a", credentials: async () => ({ accessKeyId: "a", secretAccessKey: "b" }) });
// @ts-expect-error and needs them
presign({ endpoint: "a" });
// @ts-expect-error a Date
presign({ endpoint: "a", credentials: { accessKeyId: "a", secretAccessKey: "b" }, date: Date.now() });
// @ts-expect-error an address or what is there, not the bytes
load({ wasm: new Uint8Array() });
// @ts-expect-error nor anything else
load({ wasm: 5 });
// @ts-expect-error the option is called wasm
load({ url: "iot.wasm" });
// @ts-expect-error two strings
matches("a/#");
// @ts-expect-error a pool is needed
cognito({ region: "eu-west-1" });
// @ts-expect-error no storage
cognito({ identityPoolId: "a:b", storage: "localStorage" });
// @ts-expect-error logins are strings
cognito({ identityPoolId: "a:b", logins: { "accounts.google.com": 1 } });
// @ts-expect-error importing iot.js declares no global
globalThis.iot;

export { state };
