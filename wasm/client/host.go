package client

import (
	"time"

	"iot.wasm/wasm/mqtt"
	"iot.wasm/wasm/secret"
)

// A Host carries out what a [Client] decides. The client calls its methods from
// within its own, so they must not call the client. Slices are valid until the
// method returns.
//
// Every attempt to connect has a number. It identifies the socket and the
// questions of the attempt, so that the client can ignore late answers.
type Host interface {
	// Provide asks the page for credentials or for a URL. The answer goes to
	// [Client.Provided] or [Client.ProviderFailed]. refused is true after the service
	// has refused the last answer: the provider should fetch a new one.
	Provide(attempt uint32, refused bool)
	// Open opens a WebSocket with the subprotocol mqtt. The outcome goes to
	// [Client.Opened], [Client.OpenFailed] or [Client.SocketClosed].
	Open(attempt uint32, url secret.String)
	// Close sends last and closes the socket of the attempt, if it has one.
	Close(attempt uint32, last []byte)
	// Probe requests the URL by HTTP(S) to find out why no socket opened. The answer
	// goes to [Client.Probed]. The first request of an attempt is for the URL without
	// its query, which holds the secrets.
	Probe(attempt uint32, url secret.String)

	// StateChanged reports a change of the connection's state to the page.
	StateChanged(c Change)
	// Message delivers a message.
	Message(d *Delivery)
	// Unclaimed reports a message that matched no subscription in time.
	Unclaimed(t *Topic, m *mqtt.Publish)
	// Done settles the promise of token, with an error unless err is nil.
	Done(token mqtt.Token, err *Error)
	// ConnectDone resolves the promise of a connect().
	ConnectDone(token mqtt.Token, granted *mqtt.Connack)
	// PublishDone resolves the promise of a publish() of QoS 1 or 2.
	PublishDone(token mqtt.Token, r mqtt.PublishResult)
	// SubscribeDone resolves the promise of a subscribe() with the granted QoS.
	SubscribeDone(token mqtt.Token, qos byte)
	// SubscriptionEnded ends a subscription whose promise had resolved. err is nil
	// when the page asked for the end.
	SubscriptionEnded(id uint32, err *Error)
}

// A State is the state of a client that the page sees.
type State string

// The states of the public API.
const (
	Idle         State = "idle"
	Connecting   State = "connecting"
	Connected    State = "connected"
	Reconnecting State = "reconnecting"
	Closed       State = "closed"
)

// A Change is an event about the connection.
type Change struct {
	Event     string // connecting, connected, disconnected or closed
	State     State  // the state after the event
	Attempt   int    // of a connecting or connected event: counted since the last connection
	Recovered bool   // of a connected event: the broker has kept the session
	Granted   *mqtt.Connack
	Err       *Error
	RetryIn   time.Duration // negative: the client will not try again
}

// A Delivery is a message with its recipients.
type Delivery struct {
	Topic   *Topic
	Message *mqtt.Publish
	// Recipients are the ids of the page's subscriptions that get the message, in
	// ascending order. It is Topic.Recipients where all of those get it. It may be
	// empty: a retained message that the subscriptions have received before.
	Recipients []uint32
	// Selected is true where Recipients is not Topic.Recipients.
	Selected bool
	// Listeners is true where listeners for the event message get it, too.
	Listeners bool
}
