/**
 * iot: publish and subscribe to AWS IoT Core, or to any MQTT 5 broker, from a web page.
 *
 * Durations are in seconds. Durations whose name ends in `Ms` are in milliseconds. Sizes are in
 * bytes. Members have no default unless one is stated.
 *
 * No method throws: all errors are rejections of the promise that the method returns. An argument
 * that is not valid rejects with {@link ArgumentError}, which is a `TypeError` or a `RangeError`. An
 * abort rejects with the signal's reason. Everything else rejects with {@link IotError}. `matches()`,
 * `stats()` and `reconnect()` return no promise and never fail.
 *
 * For TypeScript 5.3 and later, with the library "dom" or "webworker", and ES2022.
 */

// ---- bytes ------------------------------------------------------------------------------

/** A buffer, or a view of a buffer, of any kind. The client reads the bytes and does not change them. */
export type Bytes = ArrayBuffer | ArrayBufferView;

/**
 * A `Uint8Array` over an `ArrayBuffer`. Every browser API accepts it. TypeScript 5.7 and later write
 * this type as `Uint8Array<ArrayBuffer>`; earlier versions have no notation for it.
 */
export type OwnBytes = ReturnType<Uint8ArrayConstructor["of"]>;

/**
 * The member that `await using` needs, if TypeScript declares `Symbol.asyncDispose` (library
 * "esnext.disposable"). Otherwise the type has no members. The member exists at run time only if the
 * browser has `Symbol.asyncDispose`.
 */
export type AsyncDisposableWhereKnown = {
  [key in SymbolConstructor["asyncDispose" & keyof SymbolConstructor]]: () => Promise<void>;
};

// ---- credentials ------------------------------------------------------------------------

/** AWS credentials. The names are those of the AWS SDK for JavaScript v3, so the results of its providers fit. */
export interface Credentials {
  /** The id of the access key, like `ASIA…` or `AKIA…`. */
  accessKeyId: string;
  /** The secret access key. Do not put a long-lived key into a page. */
  secretAccessKey: string;
  /** The session token. Temporary credentials have one, long-lived credentials do not. */
  sessionToken?: string | undefined;
  /** When the credentials expire. The client does not use expired credentials: the attempt fails with `ERR_CREDENTIALS_EXPIRED`. */
  expiration?: Date | undefined;
}

/** The argument of a {@link CredentialsProvider} or {@link UrlProvider}. */
export interface ProviderOptions {
  /** True if the service refused the credentials or URL of the last attempt, so the provider must not return a cached value. Default false. */
  forceRefresh?: boolean;
  /** The client never sets it. Providers of the AWS SDK declare this member; it is here so that they fit. */
  callerClientConfig?: never;
}

/**
 * Returns credentials. The client calls it before every connection attempt and waits at most 30
 * seconds (`ERR_CREDENTIALS_TIMEOUT`). If it throws, the client calls it again after the back-off,
 * unless the `retryable` of the thrown error is false: then the client closes.
 *
 * The thrown error is the `cause` of the page's error. The page's error repeats the message and `code`
 * only if the thrown error is an {@link IotError}, because other messages may contain a secret.
 */
export type CredentialsProvider = (options?: ProviderOptions) => Credentials | PromiseLike<Credentials>;

/**
 * Returns a `wss://` URL that is already signed, for example by a backend that holds the keys. The
 * client calls it, limits its time and repeats it as it does with a {@link CredentialsProvider}.
 */
export type UrlProvider = (options?: ProviderOptions) => string | URL | PromiseLike<string | URL>;

/**
 * An AWS IoT custom authorizer. The client sends it in the query of the URL, because a browser cannot
 * set headers on a WebSocket.
 */
export interface CustomAuthorizer {
  /** The name of the authorizer. Default: the default authorizer of the AWS account. */
  name?: string | undefined;
  /** The name of the query parameter for the token, as configured in AWS. */
  tokenKeyName?: string | undefined;
  /** The token. The client sends it only if `tokenKeyName` is set. */
  token?: string | undefined;
  /** The signature of the token in Base64, if the authorizer requires one. */
  tokenSignature?: string | undefined;
}

// ---- connecting -------------------------------------------------------------------------

/** The options of `connect()`. Either `endpoint` or `url` is required. */
export interface ConnectOptions {
  /** A host name like `xxxxxxxx-ats.iot.eu-west-1.amazonaws.com`, or a URL `wss://host[:port][/path]`. The default path is `/mqtt`. */
  endpoint?: string | undefined;
  /** The AWS region for the signature. Default: read from an amazonaws.com endpoint. Required for a custom domain (`ERR_REGION`). */
  region?: string | undefined;
  /** Credentials, or a function that returns them. The client signs a new URL with SigV4 for each attempt. Default: the URL is not signed. */
  credentials?: Credentials | CredentialsProvider | undefined;
  /**
   * A signed URL, or a function that returns one, instead of `endpoint` and `credentials`. AWS IoT Core
   * accepts a signed URL for about five minutes, so a fixed URL does not survive a reconnect.
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
   * random digits. The default stays the same through reconnects and a reload of the tab. A duplicate of
   * the tab gets another one.
   */
  clientId?: string | undefined;
  /**
   * The keep-alive interval in seconds, 0 (off) to 65,535. Default 120. The client sends PINGREQ after
   * half of the interval, so the default also works in a background tab, where timers run once a minute.
   */
  keepAlive?: number | undefined;
  /** Whether the first connection starts a new session (MQTT's Clean Start). Default true. Reconnects always resume the session. */
  cleanStart?: boolean | undefined;
  /** How many seconds the broker keeps the session after the connection ends, 0 to 4,294,967,295 (no end). Default 300. */
  sessionExpiry?: number | undefined;
  /**
   * How many milliseconds the client waits for an acknowledgement (PUBACK, PUBREC, PUBCOMP, SUBACK,
   * UNSUBACK), 0 (no limit) to 86,400,000 (a day). Default 60000. After that the client drops the
   * connection, resumes the session and retransmits. It sends a packet at most three times; then the
   * call rejects with `ERR_ACK_TIMEOUT`. The time is extended while a slow network (16 KiB a second or
   * more) still carries the bytes that were sent before the packet.
   */
  ackTimeoutMs?: number | undefined;
  /**
   * How many milliseconds the client holds a message of QoS 1 or 2 that matches no subscription, 0 (not
   * at all) to 86,400,000 (a day). Default 10000. A subscription that matches the message and is made in
   * that time receives it. After that the client acknowledges the message and fires `unclaimed`. The
   * client holds at most 16 MiB of such messages.
   */
  unclaimedTimeoutMs?: number | undefined;
  /** The message that the broker publishes if the connection ends without `disconnect()`. */
  will?: Will | undefined;
  /** The user properties of CONNECT. */
  userProperties?: UserPropertiesInit | undefined;

  /** How to reconnect. With false the client makes one attempt, and closes when a connection is lost. Default: reconnect without a limit. */
  reconnect?: false | ReconnectOptions | undefined;
  /** What `publish()` does without a connection. Default: queue messages of QoS 1 and 2, reject messages of QoS 0. */
  offline?: OfflineOptions | undefined;
  /**
   * With "aws" the client refuses calls for which AWS IoT Core would close the connection (`ERR_QUOTA`),
   * and keeps messages within the rates of AWS IoT Core by delaying them. Default: "aws" if `endpoint` or
   * `url` is an amazonaws.com address, otherwise "none".
   */
  quotas?: "aws" | "none" | undefined;
  /** Aborts the connection attempt. If the client is connected, an abort disconnects it. */
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
  /** How many seconds the broker waits before it publishes the message, 0 to 4,294,967,295. Default 5, so that a reload of the page publishes no will. */
  delay?: number | undefined;
  /** Whether the payload is declared as UTF-8 text. Default false. */
  utf8?: boolean | undefined;
  /** The lifetime of the message in seconds after its publication, 0 to 4,294,967,295. Default: no limit. */
  messageExpiry?: number | undefined;
  /** The content type of the payload, for example a MIME type; at most 65,535 bytes of UTF-8. */
  contentType?: string | undefined;
  /** The topic for a reply, without wildcards. */
  responseTopic?: string | undefined;
  /** Data that identifies the request to the recipient of the reply, at most 65,535 bytes. */
  correlationData?: Bytes | undefined;
  /** The user properties of the message. */
  userProperties?: UserPropertiesInit | undefined;
}

/**
 * Exponential back-off with full jitter. After n failures in a row the delay is a random time between
 * `minDelayMs` and 2ⁿ × `minDelayMs`, at most `maxDelayMs`. The client tries again at once when the
 * browser is online again.
 */
export interface ReconnectOptions {
  /** The shortest delay in milliseconds, more than 0. Default 1000. */
  minDelayMs?: number | undefined;
  /** The longest delay in milliseconds, from `minDelayMs` to 86,400,000 (a day). Default 120000. */
  maxDelayMs?: number | undefined;
  /** After a connection that lasted this many milliseconds, 0 to 86,400,000, the delays start at `minDelayMs` again. Default 30000. */
  stableAfterMs?: number | undefined;
  /** The client closes after this number of failed attempts in a row. Default 0: no limit. */
  maxAttempts?: number | undefined;
}

/** What `publish()` does without a connection, and the bounds of the queue. */
export interface OfflineOptions {
  /** How many messages the queue holds at most. Default 1000. */
  maxMessages?: number | undefined;
  /** How many bytes of topics, properties and payloads the queue holds at most. Default 1,048,576 (1 MiB). */
  maxBytes?: number | undefined;
  /**
   * What happens when the queue is full. "reject" rejects the new message (`ERR_QUEUE_FULL`).
   * "drop-oldest" drops the oldest message, whose promise rejects (`ERR_DROPPED`). Default "reject".
   */
  overflow?: "reject" | "drop-oldest" | undefined;
  /**
   * What happens to a message of QoS 0. "reject" rejects it (`ERR_OFFLINE_QOS0`). "queue" queues it with
   * the others. "drop" drops it, and its promise resolves. Default "reject".
   */
  qos0?: "reject" | "queue" | "drop" | undefined;
}

/** What the broker granted in CONNACK. A value that CONNACK omits has MQTT's default. */
export interface Connection {
  /** The client id: the one that the client sent, or one that the broker assigned. */
  readonly clientId: string;
  /** Whether the broker had a session for this client id. */
  readonly sessionPresent: boolean;
  /** The keep-alive interval in force, in seconds; 0 means off. */
  readonly keepAlive: number;
  /** How many seconds the broker keeps the session after the connection ends; 4,294,967,295 means no end. */
  readonly sessionExpiry: number;
  /** How many messages of QoS 1 and 2 may be unacknowledged by the broker at a time. */
  readonly receiveMaximum: number;
  /** The highest QoS that the broker accepts in PUBLISH. AWS IoT Core has 1. */
  readonly maximumQoS: QoS;
  /** The size in bytes of the largest packet that the broker accepts; 4,294,967,295 means no limit. */
  readonly maximumPacketSize: number;
  /** How many topic aliases the client may use when it publishes. The client assigns them automatically. */
  readonly topicAliasMaximum: number;
  /** Whether the broker accepts messages with `retain`. */
  readonly retainAvailable: boolean;
  /** Whether the broker accepts filters with `+` and `#`. */
  readonly wildcardSubscriptionAvailable: boolean;
  /** Whether the broker accepts `$share/…` filters. */
  readonly sharedSubscriptionAvailable: boolean;
  /** Whether the broker accepts subscription identifiers. The client does not use them. */
  readonly subscriptionIdentifierAvailable: boolean;
  /** The user properties of CONNACK; empty if there are none. */
  readonly userProperties: UserProperties;
}

/**
 * The state of a client. "idle": before the first `connect()`. "connecting": until the first CONNACK.
 * "connected": after CONNACK. "reconnecting": after the loss of a connection. "closed": after
 * `disconnect()`, or after an error for which the client does not retry.
 */
export type State = "idle" | "connecting" | "connected" | "reconnecting" | "closed";

// ---- messages ---------------------------------------------------------------------------

/** The quality of service. 0: at most once. 1: at least once. 2: exactly once; AWS IoT Core does not support it. */
export type QoS = 0 | 1 | 2;

/**
 * A payload to publish: a string (sent as UTF-8), bytes, `{ json: value }`, or null for an empty payload.
 * Other values reject with `ERR_PAYLOAD`; the client does not convert them to JSON.
 */
export type Payload = string | Bytes | JsonPayload | null;

/** A payload that `JSON.stringify` serialises, like `{ json: { on: true } }`. */
export interface JsonPayload {
  /** Any value that can be serialised as JSON. Other values, such as undefined or a function, reject with `ERR_PAYLOAD`. */
  readonly json: unknown;
  /**
   * Never present. It excludes objects that have a `json()` method: a `Response`, or a {@link Message}
   * (publish its `payload` instead).
   */
  readonly text?: never;
}

/** User properties: pairs of a name and a value. MQTT keeps the order, and a name may occur more than once. */
export type UserProperties = ReadonlyArray<readonly [name: string, value: string]>;

/** User properties to send: pairs, or an object of strings. Each name and each value has at most 65,535 bytes of UTF-8. */
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
  /** The topic for a response, at most 65,535 bytes of UTF-8. */
  responseTopic?: string | undefined;
  /** The data by which the requester recognises the response, at most 65,535 bytes. */
  correlationData?: Bytes | undefined;
  /** After how many seconds the broker stops delivering the message, 0 to 4,294,967,295. Default: no expiry. */
  messageExpiry?: number | undefined;
  /** The user properties of the message. */
  userProperties?: UserPropertiesInit | undefined;
  /** An abort rejects the promise. It also removes a message that waits to be sent. A message that was sent may still arrive. */
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
  /** How many milliseconds to wait for the reply, 0 to 2,147,483,647. Default 30000. */
  timeoutMs?: number | undefined;
  /** The topic for the reply. The client subscribes to it. Default `iot/replies/<client id>`. */
  responseTopic?: string | undefined;
}

/** A received message. */
export interface Message {
  /** The topic to which the message was published. */
  readonly topic: string;
  /**
   * The payload. You may keep and change it. It may be a view of a larger buffer: to transfer it to a
   * worker, transfer `payload.slice().buffer`.
   */
  readonly payload: OwnBytes;
  /** The QoS with which the broker delivered the message. */
  readonly qos: QoS;
  /**
   * Whether the message is a retained one. With the option `retainAsPublished`: whether it was published
   * with `retain`.
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
  /** The correlation data for a response, if the publisher set it. A copy, which you may keep and change. */
  readonly correlationData: OwnBytes | undefined;
  /** How many seconds were left until the message expired, if the publisher set an expiry. */
  readonly messageExpiry: number | undefined;
  /** The user properties of the message; empty if there are none. */
  readonly userProperties: UserProperties;
  /** Returns the payload as text. Bytes that are not UTF-8 become U+FFFD. */
  text(): string;
  /** Parses the payload as JSON. Throws a `SyntaxError` if it is not JSON. `T` is not checked. */
  json<T = unknown>(): T;
  /**
   * Publishes to `responseTopic` with the correlation data of this message. Rejects as `publish()` does,
   * and with a `TypeError` (`ERR_OPTION`) if the message has no `responseTopic`.
   */
  reply(payload?: Payload, options?: PublishOptions): Promise<PublishResult>;
}

// ---- subscribing ------------------------------------------------------------------------

/**
 * The options of `subscribe()`. Subscriptions with the same filter share one SUBSCRIBE. It has the options
 * of the first of them and the highest QoS. A later one with another `noLocal` or `retainAsPublished`
 * rejects with `ERR_OPTION`.
 */
export interface SubscribeOptions {
  /** The highest QoS with which the broker delivers messages. Default 0. */
  qos?: QoS | undefined;
  /** Whether to exclude messages that this client publishes. Default false. Not allowed with `$share/…`. */
  noLocal?: boolean | undefined;
  /** Whether `retain` of a message is the publisher's flag, and not whether the message is a retained one. Default false. */
  retainAsPublished?: boolean | undefined;
  /** When the broker sends retained messages. 0: always. 1: if the session has no subscription to the filter. 2: never. Default 0. */
  retainHandling?: 0 | 1 | 2 | undefined;
  /** The user properties of SUBSCRIBE. */
  userProperties?: UserPropertiesInit | undefined;
  /** How many messages may wait for the iterator, at least 1. At the bound the client drops the oldest one and fires `slowconsumer`. Default 1000. */
  bufferSize?: number | undefined;
  /**
   * How many bytes of memory the waiting messages may use, at least 1. At the bound the client drops the
   * oldest ones and fires `slowconsumer`. A single message may exceed the bound. Default 16,777,216 (16 MiB).
   */
  bufferBytes?: number | undefined;
  /** An abort ends the subscription, as it removes the listener of `addEventListener`. */
  signal?: AbortSignal | undefined;
}

/** Receives each message of a subscription. The client ignores the return value and does not wait for a returned promise. */
export type MessageHandler = (message: Message) => void;

/**
 * A subscription. It survives reconnects and lasts until it is ended. Several subscriptions to one filter
 * share one SUBSCRIBE, and each receives every message. A message that matches the filters of several
 * subscriptions is delivered to each of them.
 *
 * Without a handler, iterate over it: `for await (const message of subscription)`. Leaving the loop ends
 * the subscription. The loop throws the error that ended the subscription, if there is one.
 */
export interface Subscription extends AsyncIterable<Message>, AsyncDisposableWhereKnown {
  /** The filter that was passed to `subscribe()`. */
  readonly filter: string;
  /** The QoS that the broker granted. */
  readonly qos: QoS;
  /** How many messages the subscription has received. */
  readonly received: number;
  /** How many messages were dropped because the iterator was too slow. */
  readonly dropped: number;
  /** Resolves when the subscription has ended: with the error that ended it, or with undefined. Never rejects. */
  readonly closed: Promise<IotError | undefined>;
  /**
   * Ends the subscription. The client sends UNSUBSCRIBE with the last subscription to the filter. It may
   * be called more than once. Rejects with `ERR_UNSUBSCRIBE_REFUSED` or `ERR_SUBSCRIBE`; the subscription
   * has ended also in that case.
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
  /** The client closed. It does nothing until the next `connect()`. */
  closed: ClosedDetail;
  /** The client received a message. It fires for every message, whether or not a subscription matches. */
  message: Message;
  /**
   * The client received a message that matches no subscription, and no matching subscription was made
   * within `unclaimedTimeoutMs`. The client then acknowledges a message of QoS 1 or 2. For messages of
   * QoS 0, and for messages that match a filter that the page has unsubscribed from, the event fires at
   * once. It does not fire while the event `message` has a listener, because that listener receives the
   * message.
   */
  unclaimed: Message;
  /** The client dropped messages of a subscription because its iterator was too slow. */
  slowconsumer: SlowConsumerDetail;
  /** The handler of a subscription threw. Delivery continues. */
  handlererror: HandlerErrorDetail;
}

/** The detail of `connecting`. */
export interface ConnectingDetail {
  /** The number of attempts since the last connection, this one included: 1 is the first. */
  readonly attempt: number;
}

/** The detail of `connected`: what the broker granted, and how the connection was made. */
export interface ConnectedDetail extends Connection {
  /** The number of attempts since the last connection, this one included: 1 is the first. */
  readonly attempt: number;
  /** Whether the broker kept the session of the previous connection, with the messages that it queued. */
  readonly recovered: boolean;
}

/** The detail of `disconnected`. */
export interface DisconnectedDetail {
  /** Why the attempt failed or the connection ended. Its message contains advice. */
  readonly error: IotError;
  /** Milliseconds until the next attempt. undefined: there is no next attempt, and `closed` follows. */
  readonly retryInMs: number | undefined;
}

/** The detail of `closed`. */
export interface ClosedDetail {
  /** The error for which the client does not retry; undefined after `disconnect()`. */
  readonly error: IotError | undefined;
}

/** The detail of `slowconsumer`. */
export interface SlowConsumerDetail {
  /** The filter of the subscription. */
  readonly filter: string;
  /** How many messages the client has dropped for this subscription so far. */
  readonly dropped: number;
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

/** A listener for events of the name `K`: a function, or an object with the method `handleEvent`. */
export type IotEventListener<K extends keyof IotEvents> =
  | ((this: IotClient, event: IotEvent<K>) => void)
  | {
      /** Called for each event. */
      handleEvent(event: IotEvent<K>): void;
    };

// ---- the client -------------------------------------------------------------------------

/** Counters since the client was created, and current amounts. */
export interface Stats {
  /** The number of messages received. */
  readonly messagesIn: number;
  /** The number of messages sent (QoS 0) or acknowledged (QoS 1 and 2). */
  readonly messagesOut: number;
  /** The number of bytes of MQTT received. */
  readonly bytesIn: number;
  /** The number of bytes of MQTT sent. */
  readonly bytesOut: number;
  /** The number of messages of QoS 1 and 2 that were sent and are not acknowledged. */
  readonly inflight: number;
  /** The number of messages that wait to be sent. */
  readonly queued: number;
  /** The number of filters that the client subscribes to. */
  readonly subscriptions: number;
  /** The number of connections that the broker has accepted. */
  readonly connects: number;
  /** Milliseconds between the last packet that was answered and its answer; undefined before the first answer. */
  readonly roundTripMs?: number | undefined;
}

/** An MQTT client. All clients of a page share one WebAssembly instance. */
export class IotClient extends EventTarget {
  /** Creates a client. The options are used by the first `connect()` without options, which also reports errors in them. */
  constructor(options?: ConnectOptions);

  /** The current state. */
  readonly state: State;
  /** What the broker granted; undefined without a connection. */
  readonly connection: Connection | undefined;

  /**
   * Connects. Resolves after CONNACK. Without options, the options of the last call are used, or those of
   * the constructor. While the client is connecting or connected, a call with equal options, or without
   * options, waits for the same connection; a call with other options rejects with `ERR_ALREADY_CONNECTED`.
   *
   * While the client reconnects, the promise stays pending. It rejects only with an error for which the
   * client does not retry: `ERR_LOAD`, `ERR_VERSION`, `ERR_NO_WASM`, `ERR_CSP`, `ERR_WEBSOCKET`,
   * `ERR_PROTOCOL_VERSION`, `ERR_CLIENT_ID`, `ERR_BAD_PASSWORD`, `ERR_NOT_AUTHORIZED`, `ERR_SUPERSEDED`,
   * `ERR_QUOTA` or `ERR_CLOSED`; with fixed credentials or a fixed URL also with any error about those.
   * With `reconnect: false`, and after `maxAttempts`, it rejects with the error of the attempt.
   */
  connect(options?: ConnectOptions): Promise<Connection>;

  /**
   * Publishes a message. Resolves with QoS 0 when the message is passed to the socket, with QoS 1 at
   * PUBACK, with QoS 2 at PUBCOMP. The promise always settles. {@link OfflineOptions} determines what
   * happens without a connection. An MQTT packet has at most 268,435,455 bytes; AWS IoT Core accepts
   * payloads of at most 131,072 bytes (128 KiB). The client copies a buffer at the call, so the page may
   * reuse it.
   *
   * Rejects with `ERR_NOT_CONNECTED`, `ERR_OFFLINE_QOS0`, `ERR_QUEUE_FULL`, `ERR_DROPPED`, `ERR_QUOTA`,
   * `ERR_PACKET_TOO_LARGE`, `ERR_QOS_NOT_SUPPORTED`, `ERR_RETAIN_NOT_SUPPORTED`, `ERR_PUBLISH_REFUSED`,
   * `ERR_PUBLISH`, `ERR_SESSION_LOST`, `ERR_ACK_TIMEOUT`, `ERR_CONNECTION_LOST`, `ERR_CLOSED`, or with the
   * error that closed the client. Arguments that are not valid reject with `ERR_TOPIC`, `ERR_PAYLOAD`,
   * `ERR_QOS`, `ERR_UNICODE` or `ERR_OPTION`.
   */
  publish(topic: string, payload?: Payload, options?: PublishOptions): Promise<PublishResult>;

  /**
   * Subscribes to a filter. Resolves when the broker has granted it. The filter may contain `+` and `#`
   * and may have the form `$share/<name>/…`. Without a handler, messages wait for the iterator of the
   * subscription. Before `connect()`, the call waits for the connection. With `cleanStart: false`,
   * subscribe before `connect()`: then a stored message never waits for its subscription.
   *
   * Rejects with `ERR_QUOTA`, `ERR_SUBSCRIBE_REFUSED`, `ERR_SUBSCRIBE`, `ERR_ACK_TIMEOUT`,
   * `ERR_UNSUBSCRIBED`, `ERR_CLOSED`, or with the error that closed the client. Arguments that are not
   * valid reject with `ERR_FILTER`, `ERR_QOS`, `ERR_UNICODE` or `ERR_OPTION`.
   */
  subscribe(filter: string, options?: SubscribeOptions): Promise<Subscription>;
  /** Subscribes with a handler that receives each message. If the handler throws, `handlererror` fires. */
  subscribe(filter: string, handler: MessageHandler, options?: SubscribeOptions): Promise<Subscription>;

  /** Ends all subscriptions to the filter. Resolves also if there are none. Rejects with `ERR_UNSUBSCRIBE_REFUSED` or `ERR_SUBSCRIBE`. */
  unsubscribe(filter: string): Promise<void>;

  /**
   * Sends a request (MQTT 5's request and response): publishes a message with a response topic and
   * correlation data, and resolves with the first reply that has the same correlation data. The client
   * subscribes to each response topic once.
   *
   * Rejects as `publish()` and `subscribe()` do, with `ERR_REQUEST_TIMEOUT` if no reply arrives in time,
   * and with `ERR_NO_RESPONDER` if the broker acknowledges the request (QoS 1 or 2) with the reason code
   * 16, no subscribers.
   */
  request(topic: string, payload?: Payload, options?: RequestOptions): Promise<Message>;

  /**
   * Sends DISCONNECT, so that the broker publishes no will, and closes the client. Pending calls reject
   * with `ERR_CLOSED`. It may be called in any state, and more than once.
   */
  disconnect(): Promise<void>;

  /** Drops the connection and connects again at once. During the wait for the next attempt, it starts that attempt. */
  reconnect(): void;

  /** Returns the current counters. */
  stats(): Stats;

  /** Adds a listener for an event of {@link IotEvents}. For other events, the client behaves like any `EventTarget`. */
  addEventListener<K extends keyof IotEvents>(type: K, listener: IotEventListener<K> | null, options?: AddEventListenerOptions | boolean): void;

  /** Removes a listener. */
  removeEventListener<K extends keyof IotEvents>(type: K, listener: IotEventListener<K> | null, options?: EventListenerOptions | boolean): void;
}

/** With `await using`, the client disconnects at the end of the scope. */
export interface IotClient extends AsyncDisposableWhereKnown {}

/** The default client. All other exports are its properties. */
export interface DefaultClient extends IotClient {
  /** The class of a client, to create another one. */
  readonly IotClient: typeof IotClient;
  /** The class of an error, for `instanceof`, and for providers to throw. */
  readonly IotError: typeof IotError;
  /** Loads the wasm before the first call. */
  readonly load: typeof load;
  /** Whether a topic matches a filter. */
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
 * The codes of {@link ArgumentError}. docs/errors.md describes each code; the README of the npm package
 * repeats it.
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
 * The codes of {@link IotError}. They are stable. docs/errors.md describes each code; the README of the
 * npm package repeats it.
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

/** The error for an argument that is not valid. The same call always fails. */
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

/** The error for everything that is not an argument. `message` contains advice, and no key, token or signed URL. */
export class IotError extends Error {
  /** Creates an error. A credentials provider may throw one. With `retryable: false` the client then closes. */
  constructor(message: string, init: IotErrorInit);
  /** The stable code of the error. Other modules, such as cognito.js, have their own codes. */
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
  /** Never present. It excludes buffers, which are not compiled. */
  readonly byteLength?: never;
}

/** The options of `load()`. */
export interface LoadOptions {
  /** The URL of the wasm, a response that contains it, or the compiled module. Default: `iot.wasm` in the folder of the script. */
  wasm?: string | URL | CompiledModule | Response | PromiseLike<Response> | undefined;
  /** The hash of the wasm, like `sha384-…`, as in Subresource Integrity. Only allowed if `wasm` is a URL or omitted. */
  integrity?: string | undefined;
}

/**
 * Loads the wasm before the first call. A second call waits for the same download. After a failure it can
 * be called again. Rejects with `ERR_LOAD`, `ERR_VERSION`, `ERR_NO_WASM`, `ERR_CSP` or `ERR_OPTION`.
 */
export function load(options?: LoadOptions): Promise<void>;

/** The options of `presign()`. */
export interface PresignOptions {
  /** The endpoint, as for `connect()`. */
  endpoint: string;
  /** The AWS region. Default: read from an amazonaws.com endpoint. */
  region?: string | undefined;
  /** The credentials. A provider is not accepted. */
  credentials: Credentials;
  /** The time of the signature. Default: now. */
  date?: Date | undefined;
  /**
   * The value of X-Amz-Expires in seconds, 1 to 604,800 (seven days). Default 0: the parameter is omitted.
   * AWS IoT Core accepts the URL for about five minutes, whatever the value is.
   */
  expires?: number | undefined;
}

/**
 * Returns a signed URL, `wss://…/mqtt?X-Amz-…`. Treat it as a secret. Rejects as `load()` does, and with
 * `ERR_ENDPOINT`, `ERR_REGION`, `ERR_SIGN` or `ERR_OPTION`.
 */
export function presign(options: PresignOptions): Promise<string>;

/** Whether `topic` matches `filter` by MQTT's rules. Returns false if either is not valid. It does not need the wasm. */
export function matches(filter: string, topic: string): boolean;

/** The version of iot, like "0.1.0". */
export const version: string;

/** The default client. It is also `globalThis.iot`, which `iot.global.d.ts` declares. */
export const iot: DefaultClient;

export default iot;
