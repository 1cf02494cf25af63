/**
 * iot: publish and subscribe to AWS IoT Core, or any MQTT 5 broker, from a web page.
 *
 * Durations are in seconds, unless a name ends in `Ms`: those are in milliseconds. Sizes are
 * in bytes. What a default is, is said where it is not "none".
 *
 * No method throws at once: all errors come as rejections. An argument that is not right
 * rejects with {@link ArgumentError}, which is a `TypeError` or a `RangeError`; an abort with
 * the signal's own reason; everything else with {@link IotError}. `matches()`, `stats()` and
 * `reconnect()` answer at once, and never fail.
 *
 * Written for TypeScript 5.3 and later, with the library "dom" or "webworker", and ES2022.
 */

// ---- bytes ------------------------------------------------------------------------------

/** Bytes that are read and left as they are: a buffer, or a view of one, of whatever kind. */
export type Bytes = ArrayBuffer | ArrayBufferView;

/**
 * A `Uint8Array` with an `ArrayBuffer` of its own, which every API of the browser takes. Since
 * TypeScript 5.7 that is written `Uint8Array<ArrayBuffer>`; before, it could not be said.
 */
export type OwnBytes = ReturnType<Uint8ArrayConstructor["of"]>;

/**
 * What makes `await using` work, where TypeScript knows of it (the library "esnext.disposable")
 * and the browser has `Symbol.asyncDispose`. Elsewhere it has no members.
 */
export type AsyncDisposableWhereKnown = {
  [key in SymbolConstructor["asyncDispose" & keyof SymbolConstructor]]: () => Promise<void>;
};

// ---- credentials ------------------------------------------------------------------------

/** The names are those of the AWS SDK for JavaScript v3, so what its providers return fits. */
export interface Credentials {
  /** The id of the key, like `ASIA…` or `AKIA…`. */
  accessKeyId: string;
  /** The key itself. A long-lived one does not belong in a page. */
  secretAccessKey: string;
  /** Comes with temporary keys, and only with them. */
  sessionToken?: string | undefined;
  /** Until when they are good. Expired ones are not sent: the attempt ends with `ERR_CREDENTIALS_EXPIRED`. */
  expiration?: Date | undefined;
}

/** What a {@link CredentialsProvider} or {@link UrlProvider} is told about the attempt. */
export interface ProviderOptions {
  /** True when the service has refused what was given last, so a cached answer is of no use. Default false. */
  forceRefresh?: boolean;
  /** Never given. Providers of the AWS SDK declare it, and are accepted here because of that. */
  callerClientConfig?: never;
}

/**
 * Called before every attempt to connect, and given 30 seconds (`ERR_CREDENTIALS_TIMEOUT`). When it
 * throws, it is called again with back-off, unless the error's `retryable` is false: then the client
 * closes. What it threw is the `cause` of the error that the page gets. Only the message and `code`
 * of an {@link IotError} are repeated, because other texts may contain a secret.
 */
export type CredentialsProvider = (options?: ProviderOptions) => Credentials | PromiseLike<Credentials>;

/**
 * Returns a `wss://` URL that something else has signed, such as a backend that keeps the keys.
 * Called, timed and repeated as a {@link CredentialsProvider} is.
 */
export type UrlProvider = (options?: ProviderOptions) => string | URL | PromiseLike<string | URL>;

/** An AWS IoT custom authorizer. It travels in the URL's query, as browsers set no headers on a WebSocket. */
export interface CustomAuthorizer {
  /** The authorizer's name; without it, AWS uses the account's default one. */
  name?: string | undefined;
  /** The name of the parameter that carries the token, as set up in AWS. */
  tokenKeyName?: string | undefined;
  /** The token; sent only with `tokenKeyName`. */
  token?: string | undefined;
  /** The token's signature in Base64, where the authorizer wants one. */
  tokenSignature?: string | undefined;
}

// ---- connecting -------------------------------------------------------------------------

/** Where to connect, as whom, and what to do when that fails. Needs `endpoint` or `url`. */
export interface ConnectOptions {
  /** `xxxxxxxx-ats.iot.eu-west-1.amazonaws.com`, or a whole `wss://host[:port][/path]` URL. The path is `/mqtt` by default. */
  endpoint?: string | undefined;
  /** The AWS region to sign for. Default: read from an amazonaws.com endpoint; needed with a custom domain (`ERR_REGION`). */
  region?: string | undefined;
  /** Signs the URL with SigV4, afresh for each attempt. Leave it out for a broker that wants no signature. */
  credentials?: Credentials | CredentialsProvider | undefined;
  /** A signed URL made elsewhere, instead of `endpoint` and `credentials`. One that is fixed is good for about five minutes. */
  url?: string | URL | UrlProvider | undefined;
  /** An AWS IoT custom authorizer. It takes the place of a signature, so it cannot be combined with `credentials` or `url`. */
  authorizer?: CustomAuthorizer | undefined;
  /** The user name in CONNECT, at most 65,535 bytes of UTF-8. */
  username?: string | undefined;
  /** The password in CONNECT, at most 65,535 bytes. */
  password?: string | Bytes | undefined;

  /**
   * Between 1 and 65,535 bytes of UTF-8; AWS takes 128. Default: `iot-` and a random part, which
   * stays through reconnects and a reload of the tab, and is another in a duplicate of the tab.
   */
  clientId?: string | undefined;
  /**
   * Seconds, 0 (off) to 65,535. Default 120: with a ping after half of it, the one timer a minute
   * that a background tab has is enough.
   */
  keepAlive?: number | undefined;
  /** Whether the first connection begins a new session. Default true. Reconnects always resume theirs. */
  cleanStart?: boolean | undefined;
  /** Seconds that the broker keeps the session after the connection is lost, 0 to 4,294,967,295 (for ever). Default 300. */
  sessionExpiry?: number | undefined;
  /**
   * Milliseconds that the broker may take for an acknowledgement (PUBACK, PUBREC, PUBCOMP, SUBACK,
   * UNSUBACK), 0 (no bound) to 86,400,000 (a day). Default 60000. After that, the connection is dropped
   * and resumed, and what was not acknowledged is sent again. A call whose message has been sent three
   * times without an answer rejects with `ERR_ACK_TIMEOUT`. The time is longer while a slow network
   * (16 KiB a second or more) still carries the bytes in front of the message.
   */
  ackTimeoutMs?: number | undefined;
  /**
   * Milliseconds that a message of QoS 1 or 2 waits, unacknowledged, when it matches no subscription,
   * 0 (not at all) to 86,400,000 (a day). Default 10000. A subscription that matches it gets it. After
   * that time the message is acknowledged, and the event `unclaimed` reports it. At most 16 MiB wait.
   */
  unclaimedTimeoutMs?: number | undefined;
  /** What the broker publishes if the connection ends without `disconnect()`. */
  will?: Will | undefined;
  /** Sent with CONNECT. */
  userProperties?: UserPropertiesInit | undefined;

  /** How to reconnect; false: one attempt, and the client closes when a connection is lost. Default: for ever. */
  reconnect?: false | ReconnectOptions | undefined;
  /** What `publish()` does while there is no connection. Default: queue QoS 1 and 2, reject QoS 0. */
  offline?: OfflineOptions | undefined;
  /**
   * "aws": what AWS IoT Core would close the connection for is refused before it leaves (`ERR_QUOTA`),
   * and messages keep to its pace. Default: "aws" where the endpoint or the `url` is an amazonaws.com
   * address, else "none".
   */
  quotas?: "aws" | "none" | undefined;
  /** Aborts the attempt and, as long as it lasts, the connection. */
  signal?: AbortSignal | undefined;
}

/** The message that the broker publishes in the client's place. */
export interface Will {
  /** Where to; without wildcards. */
  topic: string;
  /** At most 65,535 bytes. Default: empty. */
  payload?: Payload | undefined;
  /** Default 0. */
  qos?: QoS | undefined;
  /** Whether the broker keeps it for later subscribers. Default false. */
  retain?: boolean | undefined;
  /** Seconds that the broker waits before it publishes it, 0 to 4,294,967,295. Default 5, so that a reload of the page sends none. */
  delay?: number | undefined;
  /** The payload's MIME type, or what you agree on; at most 65,535 bytes. */
  contentType?: string | undefined;
  /** Sent with the message. */
  userProperties?: UserPropertiesInit | undefined;
}

/**
 * Exponential back-off with full jitter: after the n-th failure in a row, a random time between
 * `minDelayMs` and 2ⁿ times that, up to `maxDelayMs`. When the browser is back online, it is at once.
 */
export interface ReconnectOptions {
  /** Milliseconds, more than 0. Default 1000. */
  minDelayMs?: number | undefined;
  /** Milliseconds, from `minDelayMs` to 86,400,000 (a day). Default 120000. */
  maxDelayMs?: number | undefined;
  /** Milliseconds, 0 to 86,400,000: after a connection of that length, the delays begin again at `minDelayMs`. Default 30000. */
  stableAfterMs?: number | undefined;
  /** After so many failed attempts in a row the client closes. Default 0: no bound. */
  maxAttempts?: number | undefined;
}

/** Bounds of what waits for a connection. */
export interface OfflineOptions {
  /** How many messages may wait. Default 1000. */
  maxMessages?: number | undefined;
  /** How many bytes of topics, properties and payloads may wait. Default 1,048,576 (1 MiB). */
  maxBytes?: number | undefined;
  /**
   * At a bound, "reject" the new message (`ERR_QUEUE_FULL`), or "drop-oldest", whose promise
   * rejects (`ERR_DROPPED`). Default "reject".
   */
  overflow?: "reject" | "drop-oldest" | undefined;
  /**
   * A message of QoS 0: "reject" it (`ERR_OFFLINE_QOS0`), "queue" it with the others, or "drop" it,
   * as if it had been sent. Default "reject".
   */
  qos0?: "reject" | "queue" | "drop" | undefined;
}

/** What the broker granted in CONNACK, or MQTT's default where it said nothing. */
export interface Connection {
  /** The client id in use: the one asked for, or one that the broker assigned. */
  readonly clientId: string;
  /** Whether the broker had a session of this client id. */
  readonly sessionPresent: boolean;
  /** Seconds, the one in force; 0: off. */
  readonly keepAlive: number;
  /** Seconds, the one in force; 4,294,967,295: for ever. */
  readonly sessionExpiry: number;
  /** How many messages of QoS 1 and 2 the broker takes before it has acknowledged the first. */
  readonly receiveMaximum: number;
  /** The highest QoS to publish with; AWS IoT Core has 1. */
  readonly maximumQoS: QoS;
  /** Bytes of the largest packet that the broker takes; 4,294,967,295: no bound. */
  readonly maximumPacketSize: number;
  /** How many topics may be abbreviated on their way to the broker, which happens by itself. */
  readonly topicAliasMaximum: number;
  /** Whether `retain` may be used. */
  readonly retainAvailable: boolean;
  /** Whether `+` and `#` may be used in filters. */
  readonly wildcardSubscriptionAvailable: boolean;
  /** Whether `$share/…` filters may be used. */
  readonly sharedSubscriptionAvailable: boolean;
  /** Whether the broker knows subscription identifiers, of which this client has no need. */
  readonly subscriptionIdentifierAvailable: boolean;
  /** What the broker sent along; empty where nothing. */
  readonly userProperties: UserProperties;
}

/**
 * "idle" before the first `connect()`; "connecting" until the first CONNACK; "reconnecting" after a
 * loss; "closed" after `disconnect()`, or an error that no retry would mend.
 */
export type State = "idle" | "connecting" | "connected" | "reconnecting" | "closed";

// ---- messages ---------------------------------------------------------------------------

/** 0: at most once. 1: at least once. 2: exactly once, which AWS IoT Core does not have. */
export type QoS = 0 | 1 | 2;

/** What is published: text as UTF-8, bytes as they are, a value as JSON, or nothing. Nothing is turned into JSON unasked. */
export type Payload = string | Bytes | JsonPayload | null;

/** A value to be sent as `JSON.stringify` writes it, like `{ json: { on: true } }`. */
export interface JsonPayload {
  /** Anything that JSON can say; what it cannot, such as undefined or a function, rejects with `ERR_PAYLOAD`. */
  readonly json: unknown;
  /** Never there. It keeps out what has a `json()` method of its own: a `Response`, or a {@link Message}, whose `payload` you mean. */
  readonly text?: never;
}

/** Pairs of name and value, as MQTT keeps their order and duplicates. */
export type UserProperties = ReadonlyArray<readonly [name: string, value: string]>;

/** User properties to send: pairs, or an object of strings. Names and values have at most 65,535 bytes each. */
export type UserPropertiesInit = UserProperties | Readonly<Record<string, string>>;

/** How a message is published, and what goes with it. */
export interface PublishOptions {
  /** Default 0. */
  qos?: QoS | undefined;
  /** Whether the broker keeps it for later subscribers. Default false. */
  retain?: boolean | undefined;
  /** The payload's MIME type, or what you agree on; at most 65,535 bytes. */
  contentType?: string | undefined;
  /** Marks the payload as UTF-8 text. Default false. */
  utf8?: boolean | undefined;
  /** Where an answer is expected; at most 65,535 bytes. */
  responseTopic?: string | undefined;
  /** What an answer has to carry, so that it is known by it; at most 65,535 bytes. */
  correlationData?: Bytes | undefined;
  /** Seconds after which the broker no longer delivers it, 0 to 4,294,967,295. Default: never. */
  messageExpiry?: number | undefined;
  /** Sent with the message. */
  userProperties?: UserPropertiesInit | undefined;
  /** Takes back a message that still waits, and ends the waiting for one that has left, which may arrive all the same. */
  signal?: AbortSignal | undefined;
}

/** What the broker said to a message. */
export interface PublishResult {
  /** 0; or 16, which means that nobody is subscribed. Always 0 with QoS 0. */
  readonly reasonCode: number;
  /** The broker's words, if it had any. */
  readonly reasonString?: string;
  /** What the broker sent along, if anything. */
  readonly userProperties?: UserProperties;
}

/** How a request is published, and how long its reply may take. */
export interface RequestOptions extends PublishOptions {
  /** Milliseconds to wait for the reply. Default 30000. */
  timeoutMs?: number | undefined;
  /** Where the reply is expected; the client subscribes to it. Default `iot/replies/<client id>`. */
  responseTopic?: string | undefined;
}

/** A message that has arrived. */
export interface Message {
  /** The topic it was published to. */
  readonly topic: string;
  /**
   * Yours to keep and to change. It may be a view of more bytes than its own: to
   * transfer it to a worker, transfer `payload.slice().buffer`.
   */
  readonly payload: OwnBytes;
  /** The QoS it was delivered with. */
  readonly qos: QoS;
  /** Whether the broker had kept it; with `retainAsPublished`, whether it was published with `retain`. */
  readonly retain: boolean;
  /** Whether the broker may have delivered it before. */
  readonly duplicate: boolean;
  /** The payload's type, where the publisher said it. */
  readonly contentType: string | undefined;
  /** Whether the publisher marked the payload as UTF-8 text. */
  readonly utf8: boolean;
  /** Where the publisher expects an answer, if it does. */
  readonly responseTopic: string | undefined;
  /** What the answer has to carry, if anything. A copy, which is yours. */
  readonly correlationData: OwnBytes | undefined;
  /** Seconds that it would have lived on, where the publisher bounded them. */
  readonly messageExpiry: number | undefined;
  /** What the publisher sent along; empty where nothing. */
  readonly userProperties: UserProperties;
  /** The payload as text. What is not UTF-8 in it becomes U+FFFD. */
  text(): string;
  /** The payload as JSON; throws a `SyntaxError` where it is none. `T` is what you trust it to be: nothing checks it. */
  json<T = unknown>(): T;
  /**
   * Publishes to `responseTopic`, with the same correlation data. Rejects as `publish()` does, and
   * with a `TypeError` where the message has no `responseTopic`.
   */
  reply(payload?: Payload, options?: PublishOptions): Promise<PublishResult>;
}

// ---- subscribing ------------------------------------------------------------------------

/** How to subscribe, and how long. Where several share a filter, the broker gets the first one's options and the highest QoS. */
export interface SubscribeOptions {
  /** The highest QoS to deliver with. Default 0. */
  qos?: QoS | undefined;
  /** Whether to leave out what this client publishes itself. Default false; not with `$share/…`. */
  noLocal?: boolean | undefined;
  /** Whether `retain` of a message is as it was published, rather than whether the broker had kept it. Default false. */
  retainAsPublished?: boolean | undefined;
  /** Retained messages: 0 sends them, 1 only if the subscription is new to the session, 2 not at all. Default 0. */
  retainHandling?: 0 | 1 | 2 | undefined;
  /** Sent with SUBSCRIBE. */
  userProperties?: UserPropertiesInit | undefined;
  /** How many messages may wait for the iterator, at least 1; beyond, the oldest go and `slowconsumer` fires. Default 1000. */
  bufferSize?: number | undefined;
  /**
   * How many bytes of memory those messages may keep, at least 1; beyond, the oldest go in the same way.
   * A message that is larger than that is kept alone. Default 16,777,216 (16 MiB).
   */
  bufferBytes?: number | undefined;
  /** The subscription's lifetime: an abort ends it, as with `addEventListener`. */
  signal?: AbortSignal | undefined;
}

/** Gets the messages of a subscription, one at a time. A promise that it returns is not waited for. */
export type MessageHandler = (message: Message) => void;

/**
 * Lives through reconnects, until it is ended. Two subscriptions to one filter share one SUBSCRIBE,
 * and each gets every message; overlapping filters each get their own. Without a handler, iterate it:
 * `for await (const message of subscription)`. Leaving the loop ends it; an error that ends it is thrown.
 */
export interface Subscription extends AsyncIterable<Message>, AsyncDisposableWhereKnown {
  /** As it was given to `subscribe()`. */
  readonly filter: string;
  /** What the broker granted. */
  readonly qos: QoS;
  /** How many messages have come. */
  readonly received: number;
  /** How many messages the iterator was too slow for. */
  readonly dropped: number;
  /** Resolves when it has ended: with the error that ended it, or undefined. Never rejects. */
  readonly closed: Promise<IotError | undefined>;
  /**
   * Ends it; the last one of a filter sends UNSUBSCRIBE. May be called again. Rejects with
   * `ERR_UNSUBSCRIBE_REFUSED` or `ERR_SUBSCRIBE`; it has ended even so.
   */
  unsubscribe(): Promise<void>;
}

// ---- events -----------------------------------------------------------------------------

/** The events of a client, each with its `detail`. */
export interface IotEvents {
  /** An attempt begins. */
  connecting: ConnectingDetail;
  /** CONNACK has come, and subscriptions are being restored. */
  connected: ConnectedDetail;
  /** An attempt has failed, or a connection is lost. */
  disconnected: DisconnectedDetail;
  /** The client rests until the next `connect()`. */
  closed: ClosedDetail;
  /** A message has arrived, whatever subscription it was for. */
  message: Message;
  /**
   * A message has arrived that matches no subscription, and none came for it within
   * `unclaimedTimeoutMs`. A message of QoS 1 or 2 is acknowledged now. Messages of QoS 0, and those for
   * a filter that was unsubscribed from, are reported at once. While `message` has a listener, that is
   * the recipient, and this event does not fire.
   */
  unclaimed: Message;
  /** An iterator is slower than its messages come, so the oldest have gone. */
  slowconsumer: SlowConsumerDetail;
  /** A handler has thrown. Delivery goes on. */
  handlererror: HandlerErrorDetail;
}

/** The detail of `connecting`. */
export interface ConnectingDetail {
  /** Which attempt since the last connection: 1 is the first. */
  readonly attempt: number;
}

/** The detail of `connected`: what the broker granted, and how it came to that. */
export interface ConnectedDetail extends Connection {
  /** Which attempt it was: 1 is the first. */
  readonly attempt: number;
  /** Whether the broker had kept the session of before, with what it had queued. */
  readonly recovered: boolean;
}

/** The detail of `disconnected`. */
export interface DisconnectedDetail {
  /** Says why, in words that a person can act on. */
  readonly error: IotError;
  /** Milliseconds until the next attempt; undefined when there will be none, and `closed` follows. */
  readonly retryInMs: number | undefined;
}

/** The detail of `closed`. */
export interface ClosedDetail {
  /** What no retry would mend; undefined after `disconnect()`. */
  readonly error: IotError | undefined;
}

/** The detail of `slowconsumer`. */
export interface SlowConsumerDetail {
  /** The subscription's filter. */
  readonly filter: string;
  /** How many messages that subscription has lost so far. */
  readonly dropped: number;
}

/** The detail of `handlererror`. */
export interface HandlerErrorDetail {
  /** What the handler threw. It is also reported as any uncaught error of the page is. */
  readonly error: unknown;
  /** The subscription's filter. */
  readonly filter: string;
}

/** An event of a client. */
export interface IotEvent<K extends keyof IotEvents = keyof IotEvents> extends CustomEvent<IotEvents[K]> {
  /** The event's name. */
  readonly type: K;
}

/** What listens to events of the name `K`: a function, or an object with the method `handleEvent`. */
export type IotEventListener<K extends keyof IotEvents> =
  | ((this: IotClient, event: IotEvent<K>) => void)
  | {
      /** Called for each event. */
      handleEvent(event: IotEvent<K>): void;
    };

// ---- the client -------------------------------------------------------------------------

/** Counters since the client was made, and what is under way. */
export interface Stats {
  /** Messages that have arrived. */
  readonly messagesIn: number;
  /** Messages that have left (QoS 0) or been answered (QoS 1 and 2). */
  readonly messagesOut: number;
  /** Bytes of MQTT that have arrived. */
  readonly bytesIn: number;
  /** Bytes of MQTT that have left. */
  readonly bytesOut: number;
  /** Messages of QoS 1 and 2 that have left and are not acknowledged. */
  readonly inflight: number;
  /** Messages that wait to leave. */
  readonly queued: number;
  /** Filters that are subscribed to. */
  readonly subscriptions: number;
  /** Connections that the broker has accepted. */
  readonly connects: number;
  /** Milliseconds that the broker took to answer last; undefined before it has. */
  readonly roundTripMs?: number | undefined;
}

/** One MQTT client. Several on a page share one wasm. */
export class IotClient extends EventTarget {
  /** The options are those of the first `connect()` without any, and are looked at there. */
  constructor(options?: ConnectOptions);

  /** What the client is doing. */
  readonly state: State;
  /** What the broker granted; undefined while there is no connection. */
  readonly connection: Connection | undefined;

  /**
   * Resolves after CONNACK. Without options, those of last time hold, or the constructor's. While
   * connecting or connected, it waits for the same; with other options, it rejects with
   * `ERR_ALREADY_CONNECTED`.
   *
   * As long as it reconnects, only what no retry would mend rejects it: `ERR_LOAD`, `ERR_VERSION`,
   * `ERR_NO_WASM`, `ERR_CSP`, `ERR_WEBSOCKET`, `ERR_PROTOCOL_VERSION`, `ERR_CLIENT_ID`,
   * `ERR_BAD_PASSWORD`, `ERR_NOT_AUTHORIZED`, `ERR_SUPERSEDED`, `ERR_QUOTA`, `ERR_CLOSED`, and with
   * fixed credentials or a fixed URL what is wrong with those. With `reconnect: false`, or after
   * `maxAttempts`, every error of the attempt.
   */
  connect(options?: ConnectOptions): Promise<Connection>;

  /**
   * Resolves with QoS 0 when the message is handed to the socket, with QoS 1 at PUBACK, with QoS 2 at
   * PUBCOMP. It always settles. Without a connection, see {@link OfflineOptions}. An MQTT packet has at
   * most 268,435,455 bytes; AWS takes payloads of 131,072 (128 KiB). A buffer may be used again at once.
   *
   * Rejects with `ERR_NOT_CONNECTED`, `ERR_OFFLINE_QOS0`, `ERR_QUEUE_FULL`, `ERR_DROPPED`, `ERR_QUOTA`,
   * `ERR_PACKET_TOO_LARGE`, `ERR_QOS_NOT_SUPPORTED`, `ERR_RETAIN_NOT_SUPPORTED`, `ERR_PUBLISH_REFUSED`,
   * `ERR_PUBLISH`, `ERR_SESSION_LOST`, `ERR_ACK_TIMEOUT`, `ERR_CONNECTION_LOST`, `ERR_CLOSED` or what closed the client;
   * and with `ERR_TOPIC`, `ERR_PAYLOAD`, `ERR_QOS`, `ERR_UNICODE`, `ERR_OPTION` for what is given to it.
   */
  publish(topic: string, payload?: Payload, options?: PublishOptions): Promise<PublishResult>;

  /**
   * Resolves when the broker has granted it. `+`, `#` and `$share/<name>/…` may be used. Without a
   * handler, messages wait for whoever iterates the subscription. It may be called before
   * `connect()`: it then waits for the connection. With `cleanStart: false` that is the order in which
   * no stored message has to wait for its subscription.
   *
   * Rejects with `ERR_QUOTA`, `ERR_SUBSCRIBE_REFUSED`, `ERR_SUBSCRIBE`, `ERR_ACK_TIMEOUT`,
   * `ERR_UNSUBSCRIBED`, `ERR_CLOSED` or what closed the client; and with `ERR_FILTER`, `ERR_QOS`,
   * `ERR_UNICODE`, `ERR_OPTION` for what is given to it.
   */
  subscribe(filter: string, options?: SubscribeOptions): Promise<Subscription>;
  /** The same, with a handler that gets each message. What it throws fires `handlererror`. */
  subscribe(filter: string, handler: MessageHandler, options?: SubscribeOptions): Promise<Subscription>;

  /** Ends every subscription to the filter; does nothing where there is none. Rejects with `ERR_UNSUBSCRIBE_REFUSED` or `ERR_SUBSCRIBE`. */
  unsubscribe(filter: string): Promise<void>;

  /**
   * MQTT 5's request and response: publishes with a response topic and correlation data, and resolves
   * with the one reply that carries them. The response topic is subscribed to once for each client.
   *
   * Rejects as `publish()` and `subscribe()` do; with `ERR_REQUEST_TIMEOUT` where no reply comes in
   * time; and, with QoS 1 or 2, with `ERR_NO_RESPONDER` where the broker says that nobody is subscribed.
   */
  request(topic: string, payload?: Payload, options?: RequestOptions): Promise<Message>;

  /** Sends DISCONNECT, so that no will is published, and closes the client. What is pending rejects with `ERR_CLOSED`. May be called at any time, and again. */
  disconnect(): Promise<void>;

  /** Drops a connection that is thought dead, or ends the wait for the next attempt, and tries again at once. */
  reconnect(): void;

  /** The counters as they stand. */
  stats(): Stats;

  /** Listens to an event of {@link IotEvents}. For events of your own, the client is an `EventTarget` like any other. */
  addEventListener<K extends keyof IotEvents>(type: K, listener: IotEventListener<K> | null, options?: AddEventListenerOptions | boolean): void;

  /** Stops listening. */
  removeEventListener<K extends keyof IotEvents>(type: K, listener: IotEventListener<K> | null, options?: EventListenerOptions | boolean): void;
}

/** With `await using`, a client disconnects at the end of its scope. */
export interface IotClient extends AsyncDisposableWhereKnown {}

/** The default client, which has everything else that is exported as its properties. */
export interface DefaultClient extends IotClient {
  /** Makes another client. */
  readonly IotClient: typeof IotClient;
  /** For `instanceof`, and to throw from a provider. */
  readonly IotError: typeof IotError;
  /** Loads the wasm ahead of the first call. */
  readonly load: typeof load;
  /** Whether a topic matches a filter. */
  readonly matches: typeof matches;
  /** The signed URL alone. */
  readonly presign: typeof presign;
  /** The version of iot. */
  readonly version: typeof version;
}

// ---- errors -----------------------------------------------------------------------------

/** What was going on when an error arose. */
export type Phase = "load" | "credentials" | "sign" | "open" | "connect" | "subscribe" | "publish" | "session";

/** The codes of {@link ArgumentError}: what the caller got wrong. The README says more about each. */
export type ArgumentErrorCode =
  // an option is unknown, of the wrong type, or out of bounds
  | "ERR_OPTION"
  // what should be an endpoint, a region, a topic, a filter, a QoS or a payload is none
  | "ERR_ENDPOINT"
  | "ERR_REGION"
  | "ERR_TOPIC"
  | "ERR_FILTER"
  | "ERR_QOS"
  | "ERR_PAYLOAD"
  // text with a lone surrogate or U+0000, which MQTT cannot carry
  | "ERR_UNICODE"
  // more bytes than an MQTT packet has room for
  | "ERR_PACKET_TOO_LARGE"
  // presign() cannot sign with what it was given
  | "ERR_SIGN";

/** The codes of {@link IotError}: what went wrong in the world. They are stable; the README says more about each. */
export type IotErrorCode =
  // the wasm: it does not load, is of another build, has no browser to run it, or has a defect
  | "ERR_LOAD"
  | "ERR_VERSION"
  | "ERR_NO_WASM"
  | "ERR_CRASHED"
  // the page's own policy forbids the wasm or the endpoint
  | "ERR_CSP"
  // the provider fails, is slow, or returns nonsense
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
  // no socket: no network, a wrong endpoint, a proxy, or a browser that opens none
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
  // a message cannot be kept, or nobody knows whether it arrived
  | "ERR_OFFLINE_QOS0"
  | "ERR_QUEUE_FULL"
  | "ERR_DROPPED"
  | "ERR_SESSION_LOST"
  // AWS IoT Core would close the connection for it
  | "ERR_QUOTA"
  // the broker does not take a message or filter
  | "ERR_PACKET_TOO_LARGE"
  | "ERR_QOS_NOT_SUPPORTED"
  | "ERR_RETAIN_NOT_SUPPORTED"
  | "ERR_PUBLISH"
  | "ERR_PUBLISH_REFUSED"
  | "ERR_SUBSCRIBE"
  | "ERR_SUBSCRIBE_REFUSED"
  | "ERR_UNSUBSCRIBED"
  | "ERR_UNSUBSCRIBE_REFUSED"
  // a request has no reply, or nobody to give one
  | "ERR_REQUEST_TIMEOUT"
  | "ERR_NO_RESPONDER"
  // a call at the wrong time
  | "ERR_NOT_CONNECTED"
  | "ERR_ALREADY_CONNECTED"
  | "ERR_CLOSED";

/** An argument that is not right: the caller's mistake, which no retry mends. */
export type ArgumentError = (TypeError | RangeError) & {
  /** Stable, and listed in the README. */
  readonly code: ArgumentErrorCode;
};

/** What an {@link IotError} is made of. */
export interface IotErrorInit {
  /** One of {@link IotErrorCode}, or one of your own. */
  code: IotErrorCode | (string & {});
  /** What was going on. */
  phase: Phase;
  /** Whether another attempt may help. Default false. */
  retryable?: boolean | undefined;
  /** MQTT's reason code, 128 to 255, where the broker gave one. */
  reasonCode?: number | undefined;
  /** The WebSocket's close code, like 1006, where the socket closed. */
  closeCode?: number | undefined;
  /** The error behind this one. */
  cause?: unknown;
}

/** What goes wrong in the world. `message` says what to do about it, and holds no key, token or signed URL. */
export class IotError extends Error {
  /** A credentials provider may throw one: with `retryable: false` to make the client give up. */
  constructor(message: string, init: IotErrorInit);
  /** Stable, and listed in the README; other parts, such as cognito.js, have codes of their own. */
  readonly code: IotErrorCode | (string & {});
  /** What was going on. */
  readonly phase: Phase;
  /** Whether another attempt may help. */
  readonly retryable: boolean;
  /** MQTT's reason code, 128 to 255, where the broker gave one. */
  readonly reasonCode?: number;
  /** The WebSocket's close code, like 1006, where the socket closed. */
  readonly closeCode?: number;
}

// ---- the module -------------------------------------------------------------------------

/** A `WebAssembly.Module`, and not just anything: TypeScript's own type of it has no members, and fits all. */
export interface CompiledModule extends WebAssembly.Module {
  /** Never there. It keeps out bytes that are still to be compiled. */
  readonly byteLength?: never;
}

/** Where the wasm comes from. */
export interface LoadOptions {
  /** An address, or what was fetched or compiled already. Default: `iot.wasm` beside the script. */
  wasm?: string | URL | CompiledModule | Response | PromiseLike<Response> | undefined;
  /** What the wasm must be, like `sha384-…`, as with Subresource Integrity. Only where `wasm` is an address, or left out. */
  integrity?: string | undefined;
}

/**
 * Loads the wasm ahead of the first call. Called twice, it loads once; after a failure it can be
 * called again. Rejects with `ERR_LOAD`, `ERR_VERSION`, `ERR_NO_WASM`, `ERR_CSP` or `ERR_OPTION`.
 */
export function load(options?: LoadOptions): Promise<void>;

/** What is signed, and with what. */
export interface PresignOptions {
  /** As for `connect()`. */
  endpoint: string;
  /** The AWS region. Default: read from an amazonaws.com endpoint. */
  region?: string | undefined;
  /** The credentials themselves, not a provider. */
  credentials: Credentials;
  /** The time of the signature. Default: now. */
  date?: Date | undefined;
  /**
   * Seconds, 1 to 604,800 (seven days), for X-Amz-Expires. Default 0: it is left out. AWS IoT Core takes
   * the URL for about five minutes, whatever this says.
   */
  expires?: number | undefined;
}

/**
 * The signed `wss://…/mqtt?X-Amz-…` URL. Treat it as a secret. Rejects as `load()` does, and with
 * `ERR_ENDPOINT`, `ERR_REGION`, `ERR_SIGN` or `ERR_OPTION`.
 */
export function presign(options: PresignOptions): Promise<string>;

/** Whether `topic` matches `filter`, by MQTT's rules; false where either is not valid. */
export function matches(filter: string, topic: string): boolean;

/** The version of iot, like "0.1.0". */
export const version: string;

/** The default client. It is also `globalThis.iot`, which `iot.global.d.ts` declares. */
export const iot: DefaultClient;

export default iot;
