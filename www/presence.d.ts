/**
 * The clients that are connected to AWS IoT Core, by its lifecycle events.
 *
 * Source: AWS IoT Core Developer Guide, "Lifecycle events".
 */
import type { AsyncDisposableWhereKnown, IotClient, IotError } from "./iot.js";

/** A client has connected or disconnected. */
export interface PresenceEvent {
  /** The id of the client. */
  readonly clientId: string;
  /** Whether the client is connected. */
  readonly connected: boolean;
  /**
   * Whether events of the client may be missing, because the broker has lost the session of this page since. The next event
   * of the client has the value false.
   */
  readonly stale: boolean;
  /** The number of the connection. The connection and its end have the same number, and later connections have higher numbers. */
  readonly versionNumber: number;
  /** The approximate time of the event, in milliseconds since 1970. */
  readonly timestamp: number;
  /** The id of the connection's session in AWS IoT. */
  readonly sessionIdentifier?: string;
  /** The credentials of the client, for example the id of its certificate. */
  readonly principalIdentifier?: string;
  /** The IP address of the client. */
  readonly ipAddress?: string;
  /** Whether the client has sent DISCONNECT. Only if it is not connected. */
  readonly clientInitiatedDisconnect?: boolean;
  /** The reason of AWS IoT for the end of the connection, like "CONNECTION_LOST". Only if the client is not connected. */
  readonly disconnectReason?: string;
}

/** The events of {@link Presence}. */
export interface PresenceEvents {
  /** A client has connected or disconnected, or its event has become stale. */
  change: CustomEvent<PresenceEvent>;
  /**
   * An earlier connection of a connected client has ended, for example because the client has connected again with the same id
   * ("DUPLICATE_CLIENTID"). The detail is the event of the end. Its `versionNumber` is lower than that of the client in the
   * map, which does not change. If the broker sends the event twice, it occurs twice.
   */
  replaced: CustomEvent<PresenceEvent>;
  /** A subscription has ended with an error. The map does not change any more. */
  error: CustomEvent<PresenceErrorDetail>;
}

/** A listener for the event `K`: a function, or an object with the method `handleEvent`. */
export type PresenceEventListener<K extends keyof PresenceEvents> =
  | ((this: Presence, event: PresenceEvents[K]) => void)
  | {
      /** The method that is called for each event. */
      handleEvent(event: PresenceEvents[K]): void;
    };

/** The detail of the event `error`. */
export interface PresenceErrorDetail {
  /** The error that ended the subscription. */
  readonly error: IotError;
}

/** The options of `changes()`. */
export interface PresenceChangesOptions {
  /** An abort ends the loop, without an error. */
  signal?: AbortSignal | undefined;
}

/**
 * The clients that are connected. AWS IoT publishes an event when a client connects or disconnects. It has no list of the
 * connected clients, so the map contains the clients whose events were received since `presence()`. Events may arrive out of
 * order and twice; an older event does not change the map.
 *
 * The two subscriptions last through reconnects. They end when `close()` is called or the client closes.
 */
export interface Presence extends EventTarget, AsyncDisposableWhereKnown {
  /** The connected clients by their ids, in the order of their events. The map stores the last events of at most 10,000 clients, and drops those with the oldest event. */
  readonly clients: ReadonlyMap<string, PresenceEvent>;
  /** A promise that resolves when the broker has granted the subscriptions. It rejects as `subscribe()` of the client does, for example with `ERR_SUBSCRIBE_REFUSED`. */
  readonly ready: Promise<void>;

  /** Returns the events from now on, each of which has changed the map. Up to 1 MiB of events wait for the loop; above this bound, the oldest ones are dropped. */
  changes(options?: PresenceChangesOptions): AsyncIterableIterator<PresenceEvent>;

  /** Ends the subscriptions and loops. */
  close(): Promise<void>;

  /** Adds a listener for an event of {@link PresenceEvents}. */
  addEventListener<K extends keyof PresenceEvents>(type: K, listener: PresenceEventListener<K> | null, options?: AddEventListenerOptions | boolean): void;

  /** Removes a listener. */
  removeEventListener<K extends keyof PresenceEvents>(type: K, listener: PresenceEventListener<K> | null, options?: EventListenerOptions | boolean): void;
}

/**
 * Follows the connected clients. The policy must allow `iot:Subscribe` and `iot:Receive` for `$aws/events/presence/…`. Throws a
 * `TypeError` (`ERR_OPTION`) if the argument is not a client.
 */
export function presence(client: IotClient): Presence;
