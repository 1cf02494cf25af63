// This file compares the types of the JavaScript, as TypeScript infers them, with the typings. It does
// not compile if the JavaScript lacks a member or has another type. entry.js is a copy of iot.js
// without typings beside it.
import entryDefault, * as entry from "../../www/entry.js";
import { IotClient } from "../../www/iot/client.js";
import { Message } from "../../www/iot/message.js";
import { Subscription } from "../../www/iot/subscription.js";
import type * as declared from "../../www/iot.js";

/** T without the member Symbol.asyncDispose. The JavaScript adds that member only if the browser has the symbol. */
type Plain<T> = Omit<T, typeof Symbol.asyncDispose>;
type Subscribed = Promise<Plain<declared.Subscription>>;
type Client = Omit<Plain<declared.IotClient>, "subscribe"> & {
  subscribe(filter: string, options?: declared.SubscribeOptions): Subscribed;
  subscribe(filter: string, handler: declared.MessageHandler, options?: declared.SubscribeOptions): Subscribed;
};

declare const client: IotClient;
declare const message: Message;
declare const subscription: Subscription;
declare const error: InstanceType<typeof entry.IotError>;

client satisfies Client;
message satisfies declared.Message;
subscription satisfies Plain<declared.Subscription>;
error satisfies declared.IotError;
entryDefault satisfies Client;

// The exports, which are also members of the default client.
type Exports = Omit<typeof declared, "IotClient" | "iot" | "default"> & {
  IotClient: new (...options: ConstructorParameters<typeof declared.IotClient>) => Client;
  iot: Client;
};
entry satisfies Exports;
