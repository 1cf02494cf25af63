/**
 * iot: publish and subscribe to AWS IoT Core, or to any MQTT 5 broker, from a web page.
 *
 * Durations are in seconds. Durations whose name ends in `Ms` are in milliseconds. Sizes are in
 * bytes. Members have no default unless one is stated.
 *
 * A function or method that returns a promise does not throw. Its promise rejects
 * - with an {@link ArgumentError} (a `TypeError` or a `RangeError`) if an argument is not valid,
 * - with the thrown error if a getter of an option or `JSON.stringify` throws,
 * - with the signal's reason if a signal aborts the call,
 * - with an {@link IotError} if the call fails for another reason.
 *
 * `matches()`, `stats()` and `reconnect()` return no promise and never fail.
 *
 * The typings require TypeScript 5.3 or later, ES2022, and the library "dom" or "webworker".
 */

// ---- bytes ------------------------------------------------------------------------------

/** A buffer, or a view of a buffer, of any kind. The client reads the bytes and does not change them. */
export type Bytes = ArrayBuffer | ArrayBufferView;

/**
 * A `Uint8Array` over an `ArrayBuffer`. Every browser API accepts it. TypeScript 5.7 and later write
 * this type as `Uint8Array<ArrayBuffer>`. Earlier versions cannot write it.
 */
export type OwnBytes = ReturnType<Uint8ArrayConstructor["of"]>;

/**
 * The method `[Symbol.asyncDispose]()`, which `await using` calls. If TypeScript does not declare
 * `Symbol.asyncDispose` (library "esnext.disposable"), the type has no members. At run time, the method
 * exists only if the browser has `Symbol.asyncDispose`.
 */
export type AsyncDisposableWhereKnown = {
  [key in SymbolConstructor["asyncDispose" & keyof SymbolConstructor]]: () => Promise<void>;
};

// ---- credentials ------------------------------------------------------------------------

/** AWS credentials. The names are those of the AWS SDK for JavaScript v3, so the results of its providers can be passed. */
export interface Credentials {
  /** The id of the access key, like `ASIA…` or `AKIA…`. */
  accessKeyId: string;
  /** The secret access key. Do not put a long-lived key into a page. */
  secretAccessKey: string;
  /** The session token. Temporary credentials have a session token, long-lived credentials do not. */
  sessionToken?: string | undefined;
  /** The time at which the credentials expire. An attempt with expired credentials fails with `ERR_CREDENTIALS_EXPIRED`. */
  expiration?: Date | undefined;
}

/** The argument of a {@link CredentialsProvider} or {@link UrlProvider}. */
export interface ProviderOptions {
  /** Whether the provider must return a new value, not a cached one. True if the service refused the last value. Default false. */
  forceRefresh?: boolean;
  /** The client never sets this member. Providers of the AWS SDK declare this member. Without this member, TypeScript would not accept those providers. */
  callerClientConfig?: never;
}

/**
 * A function that returns credentials. The client calls the function before every connection attempt and
 * waits at most 30 seconds for the result (`ERR_CREDENTIALS_TIMEOUT`). If the function throws or rejects,
 * the attempt fails. The client then tries again after the back-off, or closes if the `retryable` of the
 * thrown error is false.
 *
 * The client reports an {@link IotError} whose `cause` is the thrown error. The client copies the message and
 * the `code` of a thrown {@link IotError}, and the message of a thrown error with the code `ERR_OPTION`. The
 * client copies no other message, because other messages may contain a secret.
 */
export type CredentialsProvider = (options?: ProviderOptions) => Credentials | PromiseLike<Credentials>;

/**
 * A function that returns a signed `wss://` URL, for example from a backend that holds the keys. The
 * rules of a {@link CredentialsProvider} about calls, time and errors also apply to this function.
 */
export type UrlProvider = (options?: ProviderOptions) => string | URL | PromiseLike<string | URL>;

/**
 * An AWS IoT custom authorizer. The client sends these members in the query of the URL, because a browser
 * cannot set headers on a WebSocket.
 */
export interface CustomAuthorizer {
  /** The name of the authorizer. Default: the default authorizer of the AWS account. */
  name?: string | undefined;
  /** The name of the query parameter for the token, as configured in AWS. */
  tokenKeyName?: string | undefined;
  /** The token. The client sends it only if `tokenKeyName` is set. */
  token?: string | undefined;
  /** The signature of the token in Base64, if the authorizer requires a signature. */
  tokenSignature?: string | undefined;
}

// ---- connecting -------------------------------------------------------------------------

/** The options of `connect()`. Either `endpoint` or `url` is required. */
export interface ConnectOptions {
  /** A host name like `xxxxxxxx-ats.iot.eu-west-1.amazonaws.com`, or a URL like `wss://host:port/path`. The scheme may also be ws, https or http. The default path is `/mqtt`. */
  endpoint?: string | undefined;
  /** The AWS region for the signature. Default: the region in the name of an AWS endpoint. Required for a signature if the endpoint has another name (`ERR_REGION`). */
  region?: string | undefined;
  /** Credentials, or a function that returns them. The client signs a new URL with SigV4 for each attempt. Default: the URL is not signed. */
  credentials?: Credentials | CredentialsProvider | undefined;
  /**
   * A signed URL, or a function that returns one, instead of `endpoint` and `credentials`. AWS IoT Core
   * accepts a signed URL for about five minutes. A reconnect with a fixed URL fails after that time. If the
   * wasm is not loaded yet, the WebSocket opens while the wasm is loading.
   */
  url?: string | URL | UrlProvider | undefined;
  /** An AWS IoT custom authorizer. It replaces the signature and cannot be combined with `credentials` or `url`. */
  authorizer?: CustomAuthorizer | undefined;
  /** The user name in CONNECT, at most 65,535 bytes of UTF-8. */
  username?: string | undefined;
  /** The password in CONNECT, at most 65,535 bytes. */
  password?: string | Bytes | undefined;

  /**
   * The client id, 1 to 65,535 bytes of UTF-8; AWS IoT Core accepts at most 128. Default: `iot-` and
   * random digits. The default id stays the same through reconnects and a reload of the tab. A duplicate
   * of the tab has another id. Each further client of the page has an id with the suffix `-2`, `-3`, ….
   */
  clientId?: string | undefined;
  /**
   * The keep-alive interval in seconds, 0 (off) to 65,535. Default 120. The client sends PINGREQ when it
   * has sent or received nothing for half of the interval. The default also works in a background tab, where
   * browsers run timers once a minute.
   */
  keepAlive?: number | undefined;
  /** Whether the first connection starts a new session (MQTT's Clean Start). Default true. Reconnects always resume the session. */
  cleanStart?: boolean | undefined;
  /** The time in seconds for which the broker keeps the session after the connection ends, 0 to 4,294,967,295 (the session does not expire). Default 300. */
  sessionExpiry?: number | undefined;
  /**
   * The time in milliseconds that the client waits for an acknowledgement (PUBACK, PUBREC, PUBCOMP, SUBACK,
   * UNSUBACK), 0 (no limit) to 86,400,000 (a day). Default 60000. After this time the client drops the
   * connection, reconnects and retransmits the packet. After three timeouts of a packet, the call of
   * the page rejects with `ERR_ACK_TIMEOUT`. The client waits longer if many bytes precede the packet: one second for each
   * 16 KiB.
   */
  ackTimeoutMs?: number | undefined;
  /**
   * The time in milliseconds for which the client holds a message of QoS 1 or 2 that matches no
   * subscription, 0 to 86,400,000 (a day). Default 10000. If a matching subscription is made in this time,
   * it receives the message. Otherwise the client acknowledges the message and fires `unclaimed`. The client
   * holds at most 16 MiB of such messages. Above this bound it acknowledges and reports the oldest messages
   * at once.
   */
  unclaimedTimeoutMs?: number | undefined;
  /** The message that the broker publishes if the connection ends without `disconnect()`. */
  will?: Will | undefined;
  /** The user properties of CONNECT. */
  userProperties?: UserPropertiesInit | undefined;

  /** The back-off between connection attempts. If false, the client makes one attempt, and closes when the connection is lost. Default: the client tries without a limit. */
  reconnect?: false | ReconnectOptions | undefined;
  /** The behaviour of `publish()` without a connection. Default: it queues messages of QoS 1 and 2, and rejects messages of QoS 0. */
  offline?: OfflineOptions | undefined;
  /**
   * With "aws" the client rejects calls for which AWS IoT Core would close the connection (`ERR_QUOTA`).
   * It also delays messages that would exceed the rates of AWS IoT Core. Default: "aws" if the host of
   * `endpoint` or `url` belongs to AWS (amazonaws.com and others), otherwise "none".
   */
  quotas?: "aws" | "none" | undefined;
  /**
   * An abort rejects `connect()` and disconnects the client, even after `connect()` has resolved. If the call
   * waits for the connection of an earlier call, an abort only rejects the promise.
   */
  signal?: AbortSignal | undefined;
}

/** The will message: the broker publishes it if the connection ends without `disconnect()`. */
export interface Will {
  /** The topic, without wildcards. Required. */
  topic: string;
  /** The payload, at most 65,535 bytes. Default: empty. */
  payload?: Payload | undefined;
  /** The QoS of the message. Default 0. */
  qos?: QoS | undefined;
  /** Whether the broker retains the message for later subscribers. Default false. */
  retain?: boolean | undefined;
  /** The time in seconds that the broker waits before it publishes the message, 0 to 4,294,967,295. Default 5. If the client resumes the session in this time, the broker does not publish the message. */
  delay?: number | undefined;
  /** Whether the payload is marked as UTF-8 text (MQTT's Payload Format Indicator). Default false. */
  utf8?: boolean | undefined;
  /** The lifetime of the message in seconds, from its publication, 0 to 4,294,967,295. Default: no limit. */
  messageExpiry?: number | undefined;
  /** The content type of the payload, for example a MIME type; at most 65,535 bytes of UTF-8. */
  contentType?: string | undefined;
  /** The topic for a response, without wildcards; at most 65,535 bytes of UTF-8. */
  responseTopic?: string | undefined;
  /** The data that identifies the request in a response, at most 65,535 bytes. */
  correlationData?: Bytes | undefined;
  /** The user properties of the message. */
  userProperties?: UserPropertiesInit | undefined;
}

/**
 * Exponential back-off with full jitter. After n failures in a row the delay is a random time between
 * `minDelayMs` and 2ⁿ × `minDelayMs`, at most `maxDelayMs`. The client does not wait for the delay when
 * the browser reports that it is online again.
 */
export interface ReconnectOptions {
  /** The shortest delay in milliseconds, more than 0. Default 1000. */
  minDelayMs?: number | undefined;
  /** The longest delay in milliseconds, from `minDelayMs` to 86,400,000 (a day). Default 120000. */
  maxDelayMs?: number | undefined;
  /** The minimum duration of a stable connection in milliseconds, 0 to 86,400,000. The loss of a stable connection counts as the first failure. Default 30000. */
  stableAfterMs?: number | undefined;
  /** The number of failed attempts in a row after which the client closes. Default 0: no limit. */
  maxAttempts?: number | undefined;
}

/** The behaviour of `publish()` without a connection, and the bounds of the queue. */
export interface OfflineOptions {
  /** The maximum number of messages in the queue, at least 0. Default 1000. */
  maxMessages?: number | undefined;
  /** The maximum size of the queue in bytes: topics, properties and payloads; at least 0. Default 1,048,576 (1 MiB). */
  maxBytes?: number | undefined;
  /**
   * The behaviour when the queue is full. "reject": the new call rejects (`ERR_QUEUE_FULL`). "drop-oldest":
   * the client drops the oldest message, and its call rejects (`ERR_DROPPED`). Default "reject".
   */
  overflow?: "reject" | "drop-oldest" | undefined;
  /**
   * The behaviour for messages of QoS 0. "reject": the call rejects (`ERR_OFFLINE_QOS0`). "queue": the message
   * waits in the queue. "drop": the client drops the message, and the call resolves. Default "reject".
   */
  qos0?: "reject" | "queue" | "drop" | undefined;
}

/** The values that the broker granted in CONNACK. A value that CONNACK omits has MQTT's default. */
export interface Connection {
  /** The client id that the client sent or the broker assigned. */
  readonly clientId: string;
  /** Whether the broker had a session for this client id. */
  readonly sessionPresent: boolean;
  /** The keep-alive interval in force, in seconds; 0 means off. */
  readonly keepAlive: number;
  /** The time in seconds for which the broker keeps the session after the connection ends; 4,294,967,295 means that the session does not expire. */
  readonly sessionExpiry: number;
  /** The maximum number of messages of QoS 1 and 2 that the client may send before the broker acknowledges one of them. */
  readonly receiveMaximum: number;
  /** The highest QoS that the broker accepts in PUBLISH. AWS IoT Core has 1. */
  readonly maximumQoS: QoS;
  /** The size in bytes of the largest packet that the broker accepts; 4,294,967,295 means no limit. */
  readonly maximumPacketSize: number;
  /** How many topic aliases the client may use when it publishes. The client assigns topic aliases by itself. */
  readonly topicAliasMaximum: number;
  /** Whether the broker accepts messages with `retain`. */
  readonly retainAvailable: boolean;
  /** Whether the broker accepts filters with `+` and `#`. */
  readonly wildcardSubscriptionAvailable: boolean;
  /** Whether the broker accepts `$share/…` filters. */
  readonly sharedSubscriptionAvailable: boolean;
  /** Whether the broker accepts subscription identifiers. The client does not send any. */
  readonly subscriptionIdentifierAvailable: boolean;
  /** The user properties of CONNACK; empty if there are none. */
  readonly userProperties: UserProperties;
}

/**
 * The state of a client.
 * - "idle": `connect()` has not been called.
 * - "connecting": `connect()` has been called, and the client waits for the first CONNACK.
 * - "connected": the broker sent CONNACK, and the connection is open.
 * - "reconnecting": a connection was lost, and the client tries to connect again.
 * - "closed": `disconnect()` or an error has closed the client.
 */
export type State = "idle" | "connecting" | "connected" | "reconnecting" | "closed";

// ---- messages ---------------------------------------------------------------------------

/** The quality of service: 0 (at most once), 1 (at least once) or 2 (exactly once). AWS IoT Core does not support 2. */
export type QoS = 0 | 1 | 2;

/**
 * A payload to publish: a string (sent as UTF-8), bytes, `{ json: value }`, or null for an empty payload.
 * An omitted payload is empty. A call with a value of another type rejects with `ERR_PAYLOAD`.
 */
export type Payload = string | Bytes | JsonPayload | null;

/** A payload that `JSON.stringify` serialises, like `{ json: { on: true } }`. */
export interface JsonPayload {
  /**
   * Any value that `JSON.stringify` can serialise. For undefined and functions the call rejects with
   * `ERR_PAYLOAD`. If `JSON.stringify` throws, for example for a cyclic object, the call rejects with the thrown error.
   */
  readonly json: unknown;
  /**
   * Never present. This member excludes objects with the methods `json()` and `text()`, such as a `Response`
   * or a {@link Message}. To publish a received message again, pass its `payload`.
   */
  readonly text?: never;
}

/** User properties: pairs of a name and a value. MQTT preserves their order. A name may occur more than once. */
export type UserProperties = ReadonlyArray<readonly [name: string, value: string]>;

/** User properties to send: pairs, or an object whose values are strings. Each name and each value has at most 65,535 bytes of UTF-8. */
export type UserPropertiesInit = UserProperties | Readonly<Record<string, string>>;

/** The options of `publish()`. */
export interface PublishOptions {
  /** The QoS of the message. Default 0. */
  qos?: QoS | undefined;
  /** Whether the broker retains the message for later subscribers. Default false. */
  retain?: boolean | undefined;
  /** The content type of the payload, for example a MIME type; at most 65,535 bytes of UTF-8. */
  contentType?: string | undefined;
  /** Whether the payload is marked as UTF-8 text (MQTT's Payload Format Indicator). Default false. */
  utf8?: boolean | undefined;
  /** The topic for a response, without wildcards; at most 65,535 bytes of UTF-8. */
  responseTopic?: string | undefined;
  /** The data that identifies the request in a response, at most 65,535 bytes. */
  correlationData?: Bytes | undefined;
  /** The lifetime of the message in seconds, from its publication, 0 to 4,294,967,295. Default: no limit. */
  messageExpiry?: number | undefined;
  /** The user properties of the message. */
  userProperties?: UserPropertiesInit | undefined;
  /** An abort rejects the promise and removes a message that waits to be sent. A message that was sent may still arrive. */
  signal?: AbortSignal | undefined;
}

/** The broker's acknowledgement of a message. */
export interface PublishResult {
  /** MQTT's reason code: 0 (success), or 16 (no subscribers). Always 0 for QoS 0. */
  readonly reasonCode: number;
  /** The reason string of the acknowledgement, if it has one. */
  readonly reasonString?: string;
  /** The user properties of the acknowledgement, if it has any. */
  readonly userProperties?: UserProperties;
}

/** The options of `request()`. */
export interface RequestOptions extends PublishOptions {
  /** The time in milliseconds that the client waits for the reply, 0 to 2,147,483,647. Default 30000. */
  timeoutMs?: number | undefined;
  /** The topic for the reply. The client subscribes to this topic. Default `iot/replies/<client id>`, with `_` for each `+` and `#` in the client id. */
  responseTopic?: string | undefined;
}

/** A received message. */
export interface Message {
  /** The topic to which the message was published. */
  readonly topic: string;
  /**
   * The payload. You may keep and change it. Its buffer may be larger than the payload. To transfer the
   * payload to a worker, transfer `payload.slice().buffer`.
   */
  readonly payload: OwnBytes;
  /** The QoS with which the broker delivered the message. */
  readonly qos: QoS;
  /**
   * Whether the broker had retained the message and sent it for a new subscription. With the option
   * `retainAsPublished`: whether the publisher set `retain`.
   */
  readonly retain: boolean;
  /** Whether the broker may have delivered the message before (MQTT's DUP flag). */
  readonly duplicate: boolean;
  /** The content type, if the publisher set one. */
  readonly contentType: string | undefined;
  /** Whether the publisher marked the payload as UTF-8 text. */
  readonly utf8: boolean;
  /** The topic for a response, if the publisher set one. */
  readonly responseTopic: string | undefined;
  /** A copy of the correlation data for a response, if the publisher set correlation data. You may keep and change the copy. */
  readonly correlationData: OwnBytes | undefined;
  /** The remaining lifetime in seconds when the broker sent the message, if the publisher set `messageExpiry`. */
  readonly messageExpiry: number | undefined;
  /** The user properties of the message; empty if there are none. */
  readonly userProperties: UserProperties;
  /** Returns the payload as text, without a byte order mark at the start. Bytes that are not UTF-8 become U+FFFD. */
  text(): string;
  /** Parses the payload as JSON. Throws a `SyntaxError` if the payload is not JSON. Nothing checks that the result has the type `T`. */
  json<T = unknown>(): T;
  /**
   * Publishes to `responseTopic` with the correlation data of this message. Rejects as `publish()` does,
   * and with a `TypeError` (`ERR_OPTION`) if the message has no `responseTopic`.
   */
  reply(payload?: Payload, options?: PublishOptions): Promise<PublishResult>;
}

// ---- subscribing ------------------------------------------------------------------------

/**
 * The options of `subscribe()`. Subscriptions of the page to the same filter share one subscription at the
 * broker. Its `userProperties` are those of the first `subscribe()`, and its `qos` is the highest one. A
 * `subscribe()` with other values of `noLocal` or `retainAsPublished` than the first rejects with `ERR_OPTION`.
 */
export interface SubscribeOptions {
  /** The highest QoS with which the broker delivers messages. Default 0. */
  qos?: QoS | undefined;
  /** Whether the broker excludes messages that this client publishes. Default false. Not allowed with `$share/…`. */
  noLocal?: boolean | undefined;
  /** Whether the member `retain` of a message has the value that the publisher set. Default false: see {@link Message.retain}. */
  retainAsPublished?: boolean | undefined;
  /** Whether the broker sends retained messages: 0 (always), 1 (if the session has no subscription to the filter) or 2 (never). Default 0. */
  retainHandling?: 0 | 1 | 2 | undefined;
  /** The user properties of SUBSCRIBE. */
  userProperties?: UserPropertiesInit | undefined;
  /** How many messages may wait for the iterator, at least 1. Above this bound the client drops the oldest message and fires `slowconsumer`. Default 1000. */
  bufferSize?: number | undefined;
  /**
   * The maximum memory of the messages that wait for the iterator, in bytes, at least 1. Above this bound the
   * client drops the oldest messages and fires `slowconsumer`. A single message may be larger. Default 16,777,216
   * (16 MiB).
   */
  bufferBytes?: number | undefined;
  /** An abort ends the subscription. If `subscribe()` is pending, its promise rejects with the signal's reason. */
  signal?: AbortSignal | undefined;
}

/** A function that receives each message of a subscription. The client ignores the return value and does not wait for a returned promise. */
export type MessageHandler = (message: Message) => void;

/**
 * A subscription. It lasts through reconnects. It ends when the page calls `unsubscribe()`, when its signal
 * aborts, when the broker refuses it, or when the client closes. The client delivers a message to every
 * subscription whose filter matches the topic, even if several subscriptions have the same filter.
 *
 * A subscription without a handler is an async iterable: `for await (const message of subscription)`. When
 * the loop ends, the subscription ends. If an error ended the subscription, the loop throws this error.
 */
export interface Subscription extends AsyncIterable<Message>, AsyncDisposableWhereKnown {
  /** The filter that was passed to `subscribe()`. */
  readonly filter: string;
  /** The QoS that the broker granted. */
  readonly qos: QoS;
  /** The number of messages that the subscription has received. */
  readonly received: number;
  /** The number of messages that the client has dropped because the iterator was too slow. */
  readonly dropped: number;
  /** A promise that resolves when the subscription has ended: with the error that ended it, or with undefined. It never rejects. */
  readonly closed: Promise<IotError | undefined>;
  /**
   * Ends the subscription. If no other subscription of the client has the filter, the client sends
   * UNSUBSCRIBE. Further calls return the same promise. Rejects with `ERR_UNSUBSCRIBE_REFUSED` or
   * `ERR_SUBSCRIBE`. After a rejection, the subscription has also ended.
   */
  unsubscribe(): Promise<void>;
}

// ---- events -----------------------------------------------------------------------------

/** The events of a client, and the type of each event's `detail`. */
export interface IotEvents {
  /** A connection attempt starts. */
  connecting: ConnectingDetail;
  /** The broker accepted the connection (CONNACK). The client restores the subscriptions. */
  connected: ConnectedDetail;
  /** A connection attempt failed, or the connection was lost. */
  disconnected: DisconnectedDetail;
  /** The client closed. It makes no further attempt until the next `connect()`. */
  closed: ClosedDetail;
  /** The client received a message. The event fires for every message, even if no subscription matches. */
  message: Message;
  /**
   * The client received a message that matches no subscription, and no matching subscription was made
   * within `unclaimedTimeoutMs`. The client acknowledges the message when the event fires. The event fires
   * without this delay for
   * - messages of QoS 0,
   * - messages that match a filter that the page has unsubscribed from,
   * - further messages of a topic for which the event has fired, until the subscriptions change.
   *
   * The event does not fire after a listener for the event `message` was added, even if that listener was
   * removed.
   */
  unclaimed: Message;
  /** The client dropped messages of a subscription because its iterator was too slow. */
  slowconsumer: SlowConsumerDetail;
  /** The handler of a subscription threw. The client continues to deliver messages. */
  handlererror: HandlerErrorDetail;
  /**
   * An MQTT packet was received, or was passed to the WebSocket. It fires for every packet, in the order
   * of each direction. A received packet precedes the events that it causes, and also fires if it is faulty.
   *
   * The event costs time and memory for each packet from the first `addEventListener("packet", …)` until the
   * end of the client, also after `removeEventListener()`, because an `EventTarget` does not reveal its
   * listeners. Without a listener it costs nothing.
   */
  packet: PacketDetail;
}

/** The detail of `connecting`. */
export interface ConnectingDetail {
  /** The number of this attempt: 1 plus the number of failed attempts since the last connection, or since `connect()`. */
  readonly attempt: number;
}

/** The detail of `connected`: the values that the broker granted, and two members about the attempt. */
export interface ConnectedDetail extends Connection {
  /** The number of this attempt: 1 plus the number of failed attempts since the last connection, or since `connect()`. */
  readonly attempt: number;
  /** Whether the broker kept the session of the previous connection, and the messages that the session has stored. */
  readonly recovered: boolean;
}

/** The detail of `disconnected`. */
export interface DisconnectedDetail {
  /** The reason why the attempt failed or the connection ended. */
  readonly error: IotError;
  /** The time until the next attempt, in milliseconds. If undefined, the client makes no further attempt, and the event `closed` follows. */
  readonly retryInMs: number | undefined;
}

/** The detail of `closed`. */
export interface ClosedDetail {
  /** The error that closed the client; undefined after `disconnect()`. */
  readonly error: IotError | undefined;
}

/** The detail of `slowconsumer`. */
export interface SlowConsumerDetail {
  /** The filter of the subscription. */
  readonly filter: string;
  /** The total number of messages that the client has dropped for this subscription. */
  readonly dropped: number;
}

/** The detail of `packet`. `packets.js` decodes the bytes. */
export interface PacketDetail {
  /** `"in"`: the client has received the packet; `"out"`: the client has passed it to the WebSocket. */
  readonly direction: "in" | "out";
  /** The size of the packet in bytes. */
  readonly size: number;
  /**
   * A copy of the packet: at most its first 65,536 bytes. Each byte of a secret is replaced by `*`: the
   * password, a user name that may be a secret (without a password, with a query, or for AWS), keys, tokens,
   * the signed URL and the values of its query, also where a payload or a text of the broker contains them.
   * Outside of CONNECT, a secret of less than 4 bytes is not replaced.
   */
  readonly bytes: OwnBytes;
  /** The time at which the client processed or sent the packet, in milliseconds of `performance.now()`. */
  readonly time: number;
}

/** The detail of `handlererror`. */
export interface HandlerErrorDetail {
  /** The value that the handler threw. The client also reports it as an uncaught error of the page. */
  readonly error: unknown;
  /** The filter of the subscription. */
  readonly filter: string;
}

/** An event of a client. */
export interface IotEvent<K extends keyof IotEvents = keyof IotEvents> extends CustomEvent<IotEvents[K]> {
  /** The name of the event. */
  readonly type: K;
}

/** A listener for the event `K`: a function, or an object with the method `handleEvent`. */
export type IotEventListener<K extends keyof IotEvents> =
  | ((this: IotClient, event: IotEvent<K>) => void)
  | {
      /** The method that the client calls for each event. */
      handleEvent(event: IotEvent<K>): void;
    };

// ---- the client -------------------------------------------------------------------------

/** Counters since the creation of the client, or since the restart of a crashed wasm, and current amounts. */
export interface Stats {
  /** The number of messages received. */
  readonly messagesIn: number;
  /** The number of messages sent (QoS 0) or acknowledged (QoS 1 and 2). */
  readonly messagesOut: number;
  /** The number of bytes received, as MQTT packets. */
  readonly bytesIn: number;
  /** The number of bytes sent, as MQTT packets. */
  readonly bytesOut: number;
  /** The number of messages of QoS 1 and 2 that were sent and are not acknowledged yet. */
  readonly inflight: number;
  /** The number of messages that wait to be sent. */
  readonly queued: number;
  /** The number of filters that the client subscribes to. */
  readonly subscriptions: number;
  /** The number of connections that the broker has accepted. */
  readonly connects: number;
  /** The time in milliseconds that the broker took for its last answer to a packet; undefined before the first answer. */
  readonly roundTripMs?: number | undefined;
}

/** An MQTT client. All clients of a page share one WebAssembly instance. */
export class IotClient extends EventTarget {
  /** Creates a client. A `connect()` without options uses these options, and rejects if they are not valid. */
  constructor(options?: ConnectOptions);

  /** The current state. */
  readonly state: State;
  /** The values that the broker granted; undefined without a connection. */
  readonly connection: Connection | undefined;

  /**
   * Connects. Resolves after CONNACK. A call without options uses the options of the constructor, or if
   * there are none, those of the last call. While the client is connecting or connected, a call with equal
   * options, or without any, waits for the same connection. A call with other options rejects with
   * `ERR_ALREADY_CONNECTED`.
   *
   * If an attempt fails, the promise stays pending, and the client tries again. The promise rejects when an
   * error closes the client:
   * - `ERR_CSP`, `ERR_WEBSOCKET`, `ERR_PROTOCOL_VERSION`, `ERR_CLIENT_ID`, `ERR_BAD_PASSWORD`,
   *   `ERR_NOT_AUTHORIZED`, `ERR_SUPERSEDED`, `ERR_QUOTA`, `ERR_SIGN`, `ERR_CRASHED` or `ERR_CLOSED`,
   * - `ERR_REFUSED` or `ERR_DISCONNECTED` with a reason code that does not allow another attempt,
   * - an error about fixed credentials or a fixed URL, or an error of a provider with `retryable: false`,
   * - any error with `reconnect: false`, or after `maxAttempts`.
   *
   * The call also rejects as `load()` does. If an option is not valid, the call rejects with `ERR_OPTION`,
   * `ERR_ENDPOINT`, `ERR_REGION`, `ERR_TOPIC`, `ERR_QOS`, `ERR_PAYLOAD`, `ERR_PACKET_TOO_LARGE` or
   * `ERR_UNICODE`.
   */
  connect(options?: ConnectOptions): Promise<Connection>;

  /**
   * Publishes a message. Resolves when the message is passed to the socket (QoS 0), at PUBACK (QoS 1) or at
   * PUBCOMP (QoS 2). The promise always settles. Without a connection, {@link OfflineOptions} apply. While
   * connected, the client holds at most 64 MiB of unsent and unacknowledged messages (`ERR_QUEUE_FULL`). An
   * MQTT packet has at most 268,435,455 bytes. AWS IoT Core accepts payloads of at most 131,072 bytes
   * (128 KiB). The client copies a buffer during the call, so the page may reuse it.
   *
   * Rejects as `load()` does, with `ERR_NOT_CONNECTED`, `ERR_OFFLINE_QOS0`, `ERR_QUEUE_FULL`, `ERR_DROPPED`,
   * `ERR_QUOTA`, `ERR_PACKET_TOO_LARGE`, `ERR_QOS_NOT_SUPPORTED`, `ERR_RETAIN_NOT_SUPPORTED`,
   * `ERR_PUBLISH_REFUSED`, `ERR_PUBLISH`, `ERR_SESSION_LOST`, `ERR_ACK_TIMEOUT`, `ERR_CONNECTION_LOST`,
   * `ERR_CLOSED`, or with the error that closed the client. If an argument is not valid, the call rejects with
   * `ERR_TOPIC`, `ERR_PAYLOAD`, `ERR_QOS`, `ERR_UNICODE` or `ERR_OPTION`.
   */
  publish(topic: string, payload?: Payload, options?: PublishOptions): Promise<PublishResult>;

  /**
   * Subscribes to a filter. Resolves when the broker has granted the subscription. The filter may contain
   * `+` and `#` and may have the form `$share/<name>/…`. Without a handler, messages wait for the iterator
   * of the subscription. A call before `connect()` waits for the connection. To resume a session
   * (`cleanStart: false`), call `subscribe()` before `connect()`, so that the messages that the broker has
   * stored match a subscription when they arrive.
   *
   * Rejects as `load()` does, with `ERR_QUOTA`, `ERR_SUBSCRIBE_REFUSED`, `ERR_SUBSCRIBE`, `ERR_ACK_TIMEOUT`,
   * `ERR_UNSUBSCRIBED`, `ERR_CLOSED`, or with the error that closed the client. If an argument is not valid,
   * the call rejects with `ERR_FILTER`, `ERR_QOS`, `ERR_UNICODE` or `ERR_OPTION`.
   */
  subscribe(filter: string, options?: SubscribeOptions): Promise<Subscription>;
  /** Subscribes with a handler that receives each message. If the handler throws, `handlererror` fires. */
  subscribe(filter: string, handler: MessageHandler, options?: SubscribeOptions): Promise<Subscription>;

  /** Ends all subscriptions to the filter. Also resolves if there are none. Rejects with `ERR_UNSUBSCRIBE_REFUSED` or `ERR_SUBSCRIBE`. */
  unsubscribe(filter: string): Promise<void>;

  /**
   * Sends a request (MQTT 5's request and response). Publishes a message with a response topic and
   * correlation data, and resolves with the first reply that has the same correlation data. Requests with
   * the same response topic share one subscription.
   *
   * Rejects as `publish()` and `subscribe()` do. Rejects with `ERR_REQUEST_TIMEOUT` if no reply arrives within
   * `timeoutMs`. Rejects with `ERR_NO_RESPONDER` if the broker acknowledges the request (QoS 1 or 2) with the
   * reason code 16 (no subscribers).
   */
  request(topic: string, payload?: Payload, options?: RequestOptions): Promise<Message>;

  /**
   * Sends DISCONNECT, so that the broker publishes no will, and closes the client. Pending calls reject
   * with `ERR_CLOSED`. The page may call this method in any state, and more than once. It rejects only
   * if the page has ended.
   */
  disconnect(): Promise<void>;

  /** Drops the connection and connects again at once. If the client waits for the next attempt, starts this attempt at once. */
  reconnect(): void;

  /** Returns the current counters. */
  stats(): Stats;

  /** Adds a listener for an event of {@link IotEvents}. Other names of events are possible, as for any `EventTarget`. */
  addEventListener<K extends keyof IotEvents>(type: K, listener: IotEventListener<K> | null, options?: AddEventListenerOptions | boolean): void;

  /** Removes a listener. */
  removeEventListener<K extends keyof IotEvents>(type: K, listener: IotEventListener<K> | null, options?: EventListenerOptions | boolean): void;
}

/** A client in an `await using` declaration disconnects at the end of the scope. */
export interface IotClient extends AsyncDisposableWhereKnown {}

/** The default client. All other exports are its properties. */
export interface DefaultClient extends IotClient {
  /** The class of clients, to create further clients. */
  readonly IotClient: typeof IotClient;
  /** The class of errors, for `instanceof` and for the errors of a provider. */
  readonly IotError: typeof IotError;
  /** Loads the wasm before the first call, and resolves with it. */
  readonly load: typeof load;
  /** Returns whether a topic matches a filter. */
  readonly matches: typeof matches;
  /** Returns a signed URL. */
  readonly presign: typeof presign;
  /** The version of iot. */
  readonly version: typeof version;
}

// ---- errors -----------------------------------------------------------------------------

/** The step in which an error occurred. */
export type Phase = "load" | "credentials" | "sign" | "open" | "connect" | "subscribe" | "publish" | "session";

/**
 * The codes of {@link ArgumentError}. docs/errors.md and the README of the npm package describe the codes.
 */
export type ArgumentErrorCode =
  // an option is unknown, has the wrong type, or is out of bounds
  | "ERR_OPTION"
  // an endpoint, region, topic, filter, QoS or payload is not valid
  | "ERR_ENDPOINT"
  | "ERR_REGION"
  | "ERR_TOPIC"
  | "ERR_FILTER"
  | "ERR_QOS"
  | "ERR_PAYLOAD"
  // a text has a lone surrogate or U+0000, which MQTT does not allow
  | "ERR_UNICODE"
  // the message does not fit into an MQTT packet
  | "ERR_PACKET_TOO_LARGE"
  // presign() cannot sign with these options
  | "ERR_SIGN";

/**
 * The codes of {@link IotError}. They are stable. docs/errors.md and the README of the npm package describe
 * the codes.
 */
export type IotErrorCode =
  // the wasm does not load, is of another build, is not supported by the browser, or has crashed
  | "ERR_LOAD"
  | "ERR_VERSION"
  | "ERR_NO_WASM"
  | "ERR_CRASHED"
  // the page's Content-Security-Policy forbids the wasm or the endpoint
  | "ERR_CSP"
  // the provider fails, is too slow, or returns a value that is not valid
  | "ERR_CREDENTIALS"
  | "ERR_CREDENTIALS_TIMEOUT"
  | "ERR_CREDENTIALS_EXPIRED"
  | "ERR_URL"
  | "ERR_SIGN"
  // the endpoint refuses the URL (HTTP 403)
  | "ERR_SIGNATURE"
  | "ERR_SIGNATURE_EXPIRED"
  | "ERR_ACCESS_KEY"
  | "ERR_FORBIDDEN"
  | "ERR_CLOCK_SKEW"
  // the WebSocket does not open: no network, wrong endpoint, a proxy, or no WebSocket support
  | "ERR_OFFLINE"
  | "ERR_UNREACHABLE"
  | "ERR_UPGRADE"
  | "ERR_OPEN_TIMEOUT"
  | "ERR_WEBSOCKET"
  // the broker refuses CONNECT, or does not answer it
  | "ERR_REFUSED"
  | "ERR_NO_CONNACK"
  | "ERR_CONNACK_TIMEOUT"
  | "ERR_PROTOCOL_VERSION"
  | "ERR_CLIENT_ID"
  | "ERR_BAD_PASSWORD"
  | "ERR_NOT_AUTHORIZED"
  // the connection ends
  | "ERR_CONNECTION_LOST"
  | "ERR_DISCONNECTED"
  | "ERR_PROTOCOL"
  | "ERR_RECONNECT"
  | "ERR_KEEP_ALIVE"
  | "ERR_ACK_TIMEOUT"
  | "ERR_SUPERSEDED"
  // a message cannot be queued, or the session that held it is lost
  | "ERR_OFFLINE_QOS0"
  | "ERR_QUEUE_FULL"
  | "ERR_DROPPED"
  | "ERR_SESSION_LOST"
  // AWS IoT Core would close the connection for this call
  | "ERR_QUOTA"
  // the broker does not accept a message or a filter
  | "ERR_PACKET_TOO_LARGE"
  | "ERR_QOS_NOT_SUPPORTED"
  | "ERR_RETAIN_NOT_SUPPORTED"
  | "ERR_PUBLISH"
  | "ERR_PUBLISH_REFUSED"
  | "ERR_SUBSCRIBE"
  | "ERR_SUBSCRIBE_REFUSED"
  | "ERR_UNSUBSCRIBED"
  | "ERR_UNSUBSCRIBE_REFUSED"
  // a request gets no reply, or has no subscriber
  | "ERR_REQUEST_TIMEOUT"
  | "ERR_NO_RESPONDER"
  // the call is not possible in this state
  | "ERR_NOT_CONNECTED"
  | "ERR_ALREADY_CONNECTED"
  | "ERR_CLOSED";

/** The error for an argument that is not valid. A second call with the same arguments fails again. */
export type ArgumentError = (TypeError | RangeError) & {
  /** The stable code of the error. */
  readonly code: ArgumentErrorCode;
};

/** The members of a new {@link IotError}. */
export interface IotErrorInit {
  /** One of {@link IotErrorCode}, or a code of your own. */
  code: IotErrorCode | (string & {});
  /** The step in which the error occurred. */
  phase: Phase;
  /** Whether another attempt may succeed. Default false. */
  retryable?: boolean | undefined;
  /** MQTT's reason code, 128 to 255, if the broker sent one. */
  reasonCode?: number | undefined;
  /** The close code of the WebSocket, like 1006, if the socket closed. */
  closeCode?: number | undefined;
  /** The error that caused this one. */
  cause?: unknown;
}

/** The error for every failure except an argument that is not valid. `message` contains advice, and no key, token or signed URL. */
export class IotError extends Error {
  /** Creates an error. A {@link CredentialsProvider} may throw an `IotError`; the client closes if its `retryable` is false. */
  constructor(message: string, init: IotErrorInit);
  /** The stable code of the error. Errors of other modules, such as cognito.js, have other codes. */
  readonly code: IotErrorCode | (string & {});
  /** The step in which the error occurred. */
  readonly phase: Phase;
  /** Whether another attempt may succeed. */
  readonly retryable: boolean;
  /** MQTT's reason code, 128 to 255, if the broker sent one. */
  readonly reasonCode?: number;
  /** The close code of the WebSocket, like 1006, if the socket closed. */
  readonly closeCode?: number;
}

// ---- the module -------------------------------------------------------------------------

/** A `WebAssembly.Module`. TypeScript's own type has no members, so every object would be assignable to it. */
export interface CompiledModule extends WebAssembly.Module {
  /** Never present. This member excludes buffers, because `load()` does not accept bytes. */
  readonly byteLength?: never;
}

/** The options of `load()`. */
export interface LoadOptions {
  /** The wasm: its URL, a `Response` with its bytes, or a compiled module. Default: the URL of `iot.wasm` in the folder of the script. */
  wasm?: string | URL | CompiledModule | Response | PromiseLike<Response> | undefined;
  /** The hash of the wasm, like `sha384-…`, as in Subresource Integrity. Allowed only if `wasm` is omitted or a URL that is not `file:`. */
  integrity?: string | undefined;
}

/**
 * Loads the wasm before the first call. A second call waits for the same download, also if its options
 * differ. A call after a failure loads again. Resolves with the compiled wasm. Post it to a worker of the
 * page, which passes it to its own `load()`: the worker then does not load the wasm again. Rejects with
 * `ERR_LOAD`, `ERR_VERSION`, `ERR_NO_WASM`, `ERR_CSP`, `ERR_OPTION` or `ERR_UNICODE`.
 */
export function load(options?: LoadOptions): Promise<CompiledModule>;

/** The options of `presign()`. */
export interface PresignOptions {
  /** The endpoint, as for `connect()`. */
  endpoint: string;
  /** The AWS region. Default: the region in the name of an AWS endpoint. */
  region?: string | undefined;
  /** The credentials. A provider is not accepted. */
  credentials: Credentials;
  /** The time of the signature. Default: now. */
  date?: Date | undefined;
  /**
   * The value of the query parameter X-Amz-Expires in seconds, 0 to 604,800 (seven days). Default 0: the URL
   * has no such parameter. AWS IoT Core accepts a URL for about five minutes, independent of this value.
   */
  expires?: number | undefined;
}

/**
 * Returns a signed URL, `wss://…/mqtt?X-Amz-…`. Treat it as a secret. Rejects as `load()` does, and with
 * `ERR_ENDPOINT`, `ERR_REGION` or `ERR_SIGN`.
 */
export function presign(options: PresignOptions): Promise<string>;

/** Returns whether `topic` matches `filter` by MQTT's rules. Returns false if either is not valid. Does not load the wasm. */
export function matches(filter: string, topic: string): boolean;

/** The version of iot, like "0.1.0". */
export const version: string;

/** The default client. It is also `globalThis.iot`, which `iot.global.d.ts` declares. */
export const iot: DefaultClient;

export default iot;
