package client

import (
	"time"

	"iot.wasm/wasm/mqtt"
	"iot.wasm/wasm/secret"
	"iot.wasm/wasm/sigv4"
)

// A stage is a step of an attempt to connect.
type stage byte

const (
	inactive   stage = iota // before connect(), and after the client has closed
	providing               // the page provides credentials or a URL
	opening                 // the socket opens
	handshake               // CONNECT is sent, CONNACK is not received
	connected               // CONNACK is received
	probing                 // HTTP requests find out why the socket did not open
	backingOff              // the client waits before the next attempt
)

// A Client is one client of the public API. Make it with [New].
//
// Methods with the parameter attempt report an event of one attempt to connect. They do
// nothing if another attempt has started since. Methods with the parameter token settle
// the promise of the token by a method of the [Host], immediately or later. Exceptions
// are stated.
type Client struct {
	host Host
	rand func() float64

	engine   *mqtt.Engine
	options  Options
	endpoint sigv4.Endpoint // the zero value if options.Source is FromURL
	stage    stage
	stageEnd time.Duration // when the stage times out, or the back-off ends
	state    State
	attempt  uint32        // number of the last attempt, counted over all connections
	tries    int           // back-offs since the last stable connection
	failures int           // failed attempts since the last connection, for maxAttempts
	now      time.Duration // time of the current call

	pacer       pacer
	window      window
	skew        skew
	lastConnect time.Duration // when the last attempt started
	// credentialsRefused is true if the service answered HTTP 403 to the last attempt,
	// until the broker accepts a connection.
	credentialsRefused bool

	connectWaiters []mqtt.Token // of the pending calls of connect()
	everConnected  bool         // the broker has accepted a connection since connect()
	connectedAt    time.Duration
	url            secret.String // of the attempt
	urlAt          time.Duration // when the client signed or received url
	bareProbe      Probe         // answer to the request without the query
	secretProbe    bool          // the client has made the request with the query
	awsQuotas      bool          // AWS's quotas apply
	closeCode      int           // of the last socket
	stopErr        *Error        // why the engine ended the connection; nil if it did not
	messageBlamed  bool          // the broker ended the connection because of a message of the client

	subscriptions
	held      unclaimed
	listening bool // the page has a listener for the event "message"
	topics    topicCache
	live      uint64 // the number of received live messages: those without RETAIN
	delivery  Delivery
	stats     Stats
	secrets   secrets
	tracing   bool // the page has a listener for the event "packet"
	sent      wire
	received  wire
}

// Stats contains the counters of a client. They start at 0 in [New].
type Stats struct {
	// MessagesIn counts received messages. MessagesOut counts messages that the client
	// has sent (QoS 0) or that the broker has acknowledged (QoS 1 and 2).
	MessagesIn, MessagesOut uint64
	// BytesIn and BytesOut count the bytes of all packets.
	BytesIn, BytesOut uint64
	// Connects counts the connections that the broker has accepted.
	Connects uint64
	// RoundTrip is the time between the last measured packet and the broker's answer. 0
	// means that there is no measurement yet.
	RoundTrip time.Duration
	// Inflight is the number of sent messages of QoS 1 and 2 whose last acknowledgement
	// is pending.
	Inflight int
	// Queued is the number of messages that are not sent yet.
	Queued int
	// Subscriptions is the number of topic filters with a subscription.
	Subscriptions int
}

// New returns a client without a connection. rand returns random numbers in [0,1), for
// the back-off and for the first packet identifier.
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

// Receive processes a part of a WebSocket message: data, which rest further bytes follow.
// It copies the bytes that it needs after the call. The result is the number of processed
// bytes of the message. The next part begins after them: see [mqtt.Engine.ReceivePart].
func (c *Client) Receive(now time.Duration, attempt uint32, data []byte, rest int) (processed int) {
	c.now = now
	if attempt != c.attempt || (c.stage != handshake && c.stage != connected) {
		return len(data) + rest
	}
	if c.tracing {
		c.trace(&c.received, false, data)
		rest = 0 // a packet record has bytes of the payload, and data must not be traced again
	}
	if c.held.recheck && c.stage == connected {
		c.deliverHeld() // before the messages in data
	}
	processed = c.engine.ReceivePart(now, data, rest)
	c.stats.BytesIn += uint64(processed)
	c.checkStopped()
	if c.held.bytes > maxUnclaimed {
		c.expireHeld()
	}
	return processed
}

// TextReceived reports a WebSocket text message. It ends the connection, because MQTT
// allows only binary messages [MQTT-6.0.0-1].
func (c *Client) TextReceived(now time.Duration, attempt uint32) {
	c.now = now
	if attempt == c.attempt && (c.stage == handshake || c.stage == connected) {
		c.lose(failure(PhaseSession, "ERR_PROTOCOL", true, "the server sent a WebSocket text message; MQTT is binary"))
	}
}

// LastArrival reports the time at which bytes last arrived at the page. While the page
// is busy, Receive gets those bytes later. Without LastArrival, the client would assume
// that the broker is silent.
func (c *Client) LastArrival(at time.Duration) {
	if c.stage == connected {
		c.engine.ReceivedAt(at)
	}
}

// checkStopped closes the socket if the engine has ended the connection.
func (c *Client) checkStopped() {
	if c.stopErr != nil {
		c.lose(c.stopErr)
	}
}

// Buffered reports the bufferedAmount of the socket: the number of bytes that the socket
// has accepted and not sent yet.
func (c *Client) Buffered(now time.Duration, n int) {
	c.now = now
	if c.window.look(now, n) && n > 0 {
		c.engine.Draining(now)
	}
}

// Pending reports whether there are packets to send (unsent), and whether the caller must
// call PrepareOutput and Output at the end of this turn (now). If only unsent is true,
// too many bytes wait in the socket.
func (c *Client) Pending() (unsent, now bool) {
	unsent = c.engine.Unsent() > 0
	now = unsent && c.window.room() > 0 || c.stage == connected && (c.dirty || c.held.recheck)
	return unsent || now, now
}

// Full reports whether the caller should send the output now instead of at the end of the
// turn: the output is full, and the socket accepts bytes. The engine would queue the next
// message, which costs one more copy.
func (c *Client) Full() bool { return c.engine.Full() && c.window.room() > 0 }

// PrepareOutput appends SUBSCRIBE and UNSUBSCRIBE packets to the output, and delivers and
// acknowledges held messages that now have a recipient. The client collects these during
// a turn, so that it sends few packets.
func (c *Client) PrepareOutput() {
	if c.stage == connected {
		c.deliverHeld()
		c.sendSubscriptions()
	}
}

// Output returns the bytes that the caller may pass to the socket now, in one WebSocket
// message. They are valid until the next call of a method. The caller then calls
// Flushed, and Output again until it returns no bytes.
func (c *Client) Output() []byte {
	out := c.engine.Output()
	return out[:min(len(out), c.window.room())]
}

// Flushed reports that the caller has passed the first n bytes of Output to the socket.
func (c *Client) Flushed(now time.Duration, n int) {
	c.now = now
	c.stats.BytesOut += uint64(n)
	c.window.gave(n)
	if c.tracing {
		c.trace(&c.sent, true, c.engine.Output()[:n])
	}
	c.engine.Flushed(now, n)
}
