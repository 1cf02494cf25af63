package client

import (
	"time"

	"iot.wasm/wasm/mqtt"
	"iot.wasm/wasm/secret"
	"iot.wasm/wasm/sigv4"
)

// stage is what a client is waiting for.
type stage byte

const (
	resting    stage = iota // connect()
	providing               // the page's credentials or URL
	opening                 // the socket
	handshake               // CONNACK
	serving                 // nothing: it is connected
	probing                 // the reason why the socket did not open
	backingOff              // the time of the next attempt
)

// A Client is one client of the public API. Make it with [New].
type Client struct {
	host Host
	rand func() float64

	engine   *mqtt.Engine
	options  Options
	endpoint sigv4.Endpoint // where options.Source is not FromURL
	stage    stage
	state    State
	attempt  uint32 // number of the last attempt, counted over all connections
	tries    int    // attempts since the last stable connection, for the back-off
	failures int    // failed attempts since the last connection, for maxAttempts
	until    time.Duration
	now      time.Duration // time of the current call

	pacer       pacer
	window      window
	skew        skew
	refusedKey  bool // the service refused the last credentials
	lastConnect time.Duration

	connectWaiters []mqtt.Token
	everConnected  bool
	connectedAt    time.Duration
	url            secret.String
	urlAt          time.Duration // when url was made
	bareProbe      Probe         // answer to the request without the query
	secretProbe    bool          // the request with the query is under way
	awsQuotas      bool          // AWS's quotas apply
	closeCode      int
	stop           *Error // why the engine ended the connection; nil: it did not
	blamed         bool   // the broker ended the connection because of a packet of ours

	subscriptions
	held      unclaimed
	listening bool // the page has a listener for the event message
	topics    topicCache
	live      uint64 // number of messages that were not retained
	delivery  Delivery
	stats     Stats
	secrets   secrets
}

// Stats counts what happened since the client was made.
type Stats struct {
	MessagesIn, MessagesOut uint64
	BytesIn, BytesOut       uint64
	Connects                uint64
	// RoundTrip is the time that the broker took for its last answer. 0: it has not
	// answered yet.
	RoundTrip time.Duration
	// Inflight is the number of messages without their last acknowledgement, Queued
	// the number of messages that wait to be sent.
	Inflight, Queued int
	// Subscriptions is the number of topic filters.
	Subscriptions int
}

// New makes a client. rand returns random numbers in [0,1), for the back-off and for
// the first packet identifier.
func New(host Host, rand func() float64) *Client {
	c := &Client{host: host, rand: rand, state: Idle}
	c.engine = mqtt.NewEngine((*events)(c), uint16(rand()*65536))
	c.subscriptions.init()
	return c
}

// State returns the state that the page sees.
func (c *Client) State() State { return c.state }

// Stats returns the counters.
func (c *Client) Stats() Stats {
	s := c.stats
	s.RoundTrip = c.engine.RoundTrip()
	s.Inflight = c.engine.Inflight()
	s.Queued, _ = c.engine.Waiting()
	s.Subscriptions = len(c.filters)
	return s
}

// Receive takes the bytes of a WebSocket message, or a part of it.
func (c *Client) Receive(now time.Duration, attempt uint32, data []byte) {
	c.now = now
	if attempt != c.attempt || (c.stage != handshake && c.stage != serving) {
		return
	}
	c.stats.BytesIn += uint64(len(data))
	if c.stage == serving {
		c.claim()
	}
	c.engine.Receive(now, data)
	c.afterEngine()
	if c.held.bytes > maxUnclaimed {
		c.expireHeld()
	}
}

// TextReceived reports a WebSocket text message, which MQTT forbids [MQTT-6.0.0-1].
func (c *Client) TextReceived(now time.Duration, attempt uint32) {
	c.now = now
	if attempt == c.attempt && (c.stage == handshake || c.stage == serving) {
		c.lose(failure(PhaseSession, "ERR_PROTOCOL", true, "the server sent a WebSocket text message; MQTT is binary"))
	}
}

// LastArrival reports when bytes last arrived, including bytes that Receive has not
// been given yet: while a page is busy they wait, and the broker is not silent.
func (c *Client) LastArrival(at time.Duration) {
	if c.stage == serving {
		c.engine.ReceivedAt(at)
	}
}

// afterEngine closes the connection if the engine has ended it.
func (c *Client) afterEngine() {
	if c.stop != nil {
		c.lose(c.stop)
	}
}

// Buffered reports how many bytes the socket has not sent yet: the browser's
// bufferedAmount.
func (c *Client) Buffered(now time.Duration, n int) {
	c.now = now
	if c.window.look(now, n) && n > 0 {
		c.engine.Draining(now)
	}
}

// Pending reports whether there is something to send, and whether the socket has
// room for it now.
func (c *Client) Pending() (something, now bool) {
	something = c.engine.Unsent() > 0
	now = something && c.window.room() > 0 || c.stage == serving && (c.dirty || c.held.stale)
	return something || now, now
}

// PrepareOutput appends to the output what the calls of this turn require:
// acknowledgements of messages that have found a recipient, SUBSCRIBE and
// UNSUBSCRIBE packets.
func (c *Client) PrepareOutput() {
	if c.stage == serving {
		c.claim()
		c.sendSubscriptions()
	}
}

// Output returns the bytes that may be given to the socket now, for one WebSocket
// message. They are valid until the next call. Flushed reports that the socket has
// them.
func (c *Client) Output() []byte {
	out := c.engine.Output()
	return out[:min(len(out), c.window.room())]
}

// Flushed reports that the first n bytes of Output have been given to the socket.
func (c *Client) Flushed(now time.Duration, n int) {
	c.now = now
	c.stats.BytesOut += uint64(n)
	c.window.gave(n)
	c.engine.Flushed(now, n)
}
