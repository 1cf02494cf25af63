package client

import (
	"time"

	"iot.wasm/wasm/mqtt"
	"iot.wasm/wasm/secret"
)

// A Host does what a [Client] decides. Its methods are called from within the
// client's, and must not call them. Every attempt has a number, so that an
// answer that comes too late is known for what it is.
type Host interface {
	// Resolve asks the page for credentials or a URL; the answer goes to
	// Resolved or Unresolved. refused says that the service did not take the last
	// ones, so that a provider should not give them again.
	Resolve(attempt uint32, refused bool)
	// Open starts a WebSocket with the subprotocol mqtt; what becomes of it goes
	// to Opened, Receive and SocketClosed.
	Open(attempt uint32, url secret.String)
	// Close ends the socket of the attempt, if it has one, after sending last.
	Close(attempt uint32, last []byte)
	// Probe asks for the URL by HTTPS to learn why no socket opened; the answer
	// goes to Probed. The first request of an attempt is for the address without
	// its query, so that no secret is in it.
	Probe(attempt uint32, url secret.String)

	// StateChanged tells the page.
	StateChanged(c Change)
	// Message hands one to the page.
	Message(t *Topic, m *mqtt.Publish)
	// Unclaimed tells the page of a message that matched no subscription in time,
	// and is acknowledged without one.
	Unclaimed(t *Topic, m *mqtt.Publish)
	// Done settles what the page asked for under the token; err is nil where it
	// succeeded.
	Done(token mqtt.Token, err *Error)
	// ConnectDone settles a connect().
	ConnectDone(token mqtt.Token, granted *mqtt.Connack)
	// PublishDone settles a publish() of QoS 1 or 2 that was acknowledged.
	PublishDone(token mqtt.Token, r mqtt.PublishResult)
	// SubscribeDone settles a subscribe().
	SubscribeDone(token mqtt.Token, filter uint32, qos byte)
	// SubscriptionEnded: the broker no longer grants a filter that it had
	// granted.
	SubscriptionEnded(filter uint32, err *Error)
}

// A State is what the page sees as the client's state.
type State string

// The states of the public API.
const (
	Idle         State = "idle"
	Connecting   State = "connecting"
	Connected    State = "connected"
	Reconnecting State = "reconnecting"
	Closed       State = "closed"
)

// A Change is an event for the page.
type Change struct {
	Event     string // connecting, connected, disconnected or closed
	State     State  // the one after it
	Attempt   int
	Recovered bool
	Granted   *mqtt.Connack
	Err       *Error
	RetryIn   time.Duration // negative: it will not try again
}

// phase is what the client waits for.
type phase byte

const (
	resting    phase = iota // connect()
	resolving               // the page's credentials
	opening                 // the socket
	handshake               // CONNACK
	serving                 // anything
	probing                 // the reason for a refusal
	backingOff              // the time of the next attempt
)

// A Client is one client of the public API. Make it with [New].
type Client struct {
	host Host
	rand func() float64

	engine   *mqtt.Engine
	options  Options
	phase    phase
	state    State
	attempt  uint32 // counts for ever: names sockets and questions
	tries    int    // since the last stable connection: for the back-off
	failures int    // since the last connection: for the bound
	until    time.Duration
	now      time.Duration // of the call that is being served

	pacer       pacer
	window      window
	clock       skew
	refusedKey  bool // the last credentials were refused
	lastConnect time.Duration

	connectWaiters []mqtt.Token
	everConnected  bool
	connectedAt    time.Duration
	url            secret.String
	urlAt          time.Duration // when it was made
	bareProbe      Probe         // what the request without a query brought to light
	secretProbe    bool          // the request with the query is on its way
	awsQuotas      bool          // AWS's quotas are on
	closeCode      int
	stop           *Error // the engine has ended the connection, because of this
	blamed         bool   // and the broker says that it was for what we sent

	subscriptions
	held      unclaimed
	listening bool // the page has a listener for all messages
	topics    topicCache
	stats     Stats
	secrets   secrets
}

// Stats counts, since the client was made.
type Stats struct {
	MessagesIn, MessagesOut uint64
	BytesIn, BytesOut       uint64
	Connects                uint64
	// RoundTrip is how long the broker took for its last answer, 0 before there
	// was one.
	RoundTrip time.Duration
}

// New makes a client. rand returns numbers in [0,1), for the jitter.
func New(host Host, rand func() float64) *Client {
	c := &Client{host: host, rand: rand, state: Idle}
	c.engine = mqtt.NewEngine((*events)(c), uint16(rand()*65536))
	c.subscriptions.init()
	return c
}

// State is the one the page sees.
func (c *Client) State() State { return c.state }

// Stats are the counters, and what is under way.
func (c *Client) Stats() (s Stats, inflight, queued, subscriptions int) {
	queued, _ = c.engine.Waiting()
	c.stats.RoundTrip = c.engine.RoundTrip()
	return c.stats, c.engine.Inflight(), queued, len(c.byFilter)
}

// Receive takes a WebSocket message.
func (c *Client) Receive(now time.Duration, attempt uint32, data []byte) {
	c.now = now
	if attempt != c.attempt || (c.phase != handshake && c.phase != serving) {
		return
	}
	c.stats.BytesIn += uint64(len(data))
	if c.phase == serving {
		c.claim()
	}
	c.engine.Receive(now, data)
	c.afterEngine()
	if c.held.bytes > maxUnclaimed {
		c.expireHeld()
	}
}

// Heard says when bytes last came from the broker that Receive may not have been
// given yet: a busy page lets them wait, and the broker is not silent.
func (c *Client) Heard(at time.Duration) {
	if c.phase == serving {
		c.engine.ReceivedAt(at)
	}
}

// afterEngine closes what the engine has ended.
func (c *Client) afterEngine() {
	if c.stop != nil {
		c.lose(c.stop)
	}
}

// Buffered says how many bytes the socket has not sent yet: the browser's
// bufferedAmount.
func (c *Client) Buffered(now time.Duration, n int) {
	c.now = now
	if c.window.look(now, n) && n > 0 {
		c.engine.Draining(now)
	}
}

// Pending reports whether there is something to send that the socket has room for,
// and waiting whether there is something to send at all.
func (c *Client) Pending() (now, waiting bool) {
	waiting = c.engine.Unsent() > 0
	now = waiting && c.window.room() > 0 || c.phase == serving && (c.dirty || c.held.stale)
	return now, waiting
}

// PrepareOutput puts into the output what the turn asked for: acknowledgements of
// messages that have found a recipient, and subscriptions.
func (c *Client) PrepareOutput() {
	if c.phase == serving {
		c.claim()
		c.sendSubscriptions()
	}
}

// Output returns what may be handed to the socket now, for one WebSocket message.
// It is good until the next call. Flushed says that it has been handed over.
func (c *Client) Output() []byte {
	out := c.engine.Output()
	return out[:min(len(out), c.window.room())]
}

// Flushed says that the first n bytes of Output have been handed to the socket.
func (c *Client) Flushed(now time.Duration, n int) {
	c.now = now
	c.stats.BytesOut += uint64(n)
	c.window.gave(n)
	c.engine.Flushed(now, n)
}
