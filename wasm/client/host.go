package client

import (
	"time"

	"iot.wasm/wasm/mqtt"
	"iot.wasm/wasm/secret"
)

// A Host performs the I/O of a [Client], and reports its results and events to the page.
// A method of the client may call methods of the Host before it returns. Therefore a
// method of the Host must not call the client. Slices and pointers that it receives are
// valid until it returns.
//
// Each attempt to connect has a number. The Host passes it back with each event of the
// attempt, so that the client can ignore events of earlier attempts.
type Host interface {
	// Provide requests credentials or a URL from the page. The Host reports the answer
	// by [Client.Provided] or [Client.ProviderFailed]. refused is true if the service
	// refused the credentials or the URL of the last attempt. The provider should then
	// fetch new ones instead of using a cache.
	Provide(attempt uint32, refused bool)
	// Open opens a WebSocket with the subprotocol mqtt. The Host reports the result by
	// [Client.Opened], [Client.OpenFailed] or [Client.SocketClosed].
	Open(attempt uint32, url secret.String)
	// Close sends last, and closes the socket of the attempt. It does nothing if the
	// attempt has no socket.
	Close(attempt uint32, last []byte)
	// Probe makes an HTTP(S) request to the ws(s) URL, to find out why the socket did
	// not open. The Host reports the result by [Client.Probed]. The first request of an
	// attempt has no query, because the query contains secrets.
	Probe(attempt uint32, url secret.String)

	// StateChanged reports an event of the connection to the page.
	StateChanged(c Change)
	// Message delivers a message to its recipients.
	Message(d *Delivery)
	// Unclaimed reports a message without a recipient to the page. Before that, the client
	// holds a message of QoS 1 or 2 for at most Options.UnclaimedTimeout.
	Unclaimed(t *Topic, m *mqtt.Publish)
	// Packet reports a packet on the wire to the page, after [Client.TracePackets]. out is
	// true for a packet of the client. size is the size of the packet in bytes. packet
	// contains at most its first 64 KiB, and no secret of the connection. The Host may keep
	// packet.
	Packet(out bool, packet []byte, size int)
	// Done resolves the promise of token if err is nil, and otherwise rejects it.
	Done(token mqtt.Token, err *Error)
	// ConnectDone resolves the promise of a connect().
	ConnectDone(token mqtt.Token, granted *mqtt.Connack)
	// PublishDone resolves the promise of a publish() of QoS 1 or 2.
	PublishDone(token mqtt.Token, r mqtt.PublishResult)
	// SubscribeDone resolves the promise of a subscribe() with the granted QoS.
	SubscribeDone(token mqtt.Token, qos byte)
	// SubscriptionEnded reports the end of a subscription whose subscribe() has resolved.
	// err is nil if unsubscribe() or disconnect() ended it.
	SubscriptionEnded(id uint32, err *Error)
}

// A State is the state of a client in the public API.
type State string

// The states of the public API.
const (
	Idle         State = "idle"         // before the first connect()
	Connecting   State = "connecting"   // without a connection since connect()
	Connected    State = "connected"    // CONNACK is received
	Reconnecting State = "reconnecting" // the connection is lost, and the client tries again
	Closed       State = "closed"       // after disconnect(), or an error without a retry
)

// A Change is an event of the connection.
type Change struct {
	Event string // connecting, connected, disconnected or closed
	State State  // the state after the event
	// Attempt is the number of the attempt since the last connection, from 1. The events
	// connecting and connected have it.
	Attempt int
	// Recovered is true if the broker has kept the session of the last connection. Only
	// the event connected has it.
	Recovered bool
	// Granted is the CONNACK. Only the event connected has it.
	Granted *mqtt.Connack
	// Err is the reason of the events disconnected and closed. It is nil after
	// disconnect().
	Err *Error
	// RetryIn is the time until the next attempt. It is negative if there is no next
	// attempt. Only the event disconnected has it.
	RetryIn time.Duration
}

// A Delivery is a message with its recipients.
type Delivery struct {
	Topic   *Topic
	Message *mqtt.Publish
	// Recipients contains the ids of the subscriptions that receive the message, in
	// ascending order. For a retained message, it may be a part of Topic.Recipients, or
	// empty: the other subscriptions have received the message before, or do not request
	// retained messages.
	Recipients []uint32
	// Selected is true if Recipients is only a part of Topic.Recipients.
	Selected bool
	// Listeners is true if the listeners of the event "message" receive the message.
	Listeners bool
}
