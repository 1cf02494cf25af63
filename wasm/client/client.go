package client

import (
	"context"
	"errors"
	"time"

	"iot.wasm/wasm/mqtt"
	"iot.wasm/wasm/sigv4"
)

// A Host does what a [Client] decides. Its methods are called from within the
// client's, and must not call them. Every attempt has a number, so that an
// answer that comes too late is known for what it is.
type Host interface {
	// Resolve asks the page for credentials or a URL; the answer goes to
	// Resolved or Unresolved.
	Resolve(attempt uint32)
	// Open starts a WebSocket with the subprotocol mqtt; what becomes of it goes
	// to Opened, Receive and SocketClosed.
	Open(attempt uint32, url sigv4.Secret)
	// Close ends the socket of the attempt, if it has one, after sending last.
	Close(attempt uint32, last []byte)
	// Probe asks for the URL by HTTPS to learn why no socket opened; the answer
	// goes to Probed.
	Probe(attempt uint32, url sigv4.Secret)

	// StateChanged tells the page.
	StateChanged(c Change)
	// Message hands one to the page.
	Message(t *Topic, m *mqtt.Publish)
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

	engine  *mqtt.Engine
	options Options
	phase   phase
	state   State
	attempt uint32 // counts for ever: names sockets and questions
	tries   int    // since the last stable connection
	until   time.Duration
	now     time.Duration // of the call that is being served

	connectWaiters []mqtt.Token
	everConnected  bool
	connectedAt    time.Duration
	url            sigv4.Secret
	probed         bool // this outage has been looked into
	closeCode      int
	stop           *Error // the engine has ended the connection, because of this

	subscriptions
	topics topicCache
	stats  Stats
}

// Stats counts, since the client was made.
type Stats struct {
	MessagesIn, MessagesOut uint64
	BytesIn, BytesOut       uint64
	Connects                uint64
}

// New makes a client. rand returns numbers in [0,1), for the jitter.
func New(host Host, rand func() float64) *Client {
	c := &Client{host: host, rand: rand, state: Idle}
	c.engine = mqtt.NewEngine((*events)(c))
	c.subscriptions.init()
	return c
}

// State is the one the page sees.
func (c *Client) State() State { return c.state }

// Stats are the counters, and what is under way.
func (c *Client) Stats() (s Stats, inflight, queued, subscriptions int) {
	queued, _ = c.engine.Waiting()
	return c.stats, c.engine.Inflight(), queued, len(c.byFilter)
}

// Connect starts connecting. On a client that is connecting or connected,
// options must be nil: the call then waits for what is under way.
func (c *Client) Connect(now time.Duration, token mqtt.Token, options *Options) {
	c.now = now
	active := c.phase != resting
	switch {
	case active && options != nil:
		c.host.Done(token, failure(PhaseConnect, "ERR_ALREADY_CONNECTED", false,
			"the client is %s with other options; disconnect() first, or make a new IotClient", c.state))
		return
	case !active && options == nil:
		c.host.Done(token, badType("ERR_OPTION", "connect() needs options the first time"))
		return
	case c.phase == serving:
		c.host.ConnectDone(token, c.engine.Granted())
		return
	case active:
		c.connectWaiters = append(c.connectWaiters, token)
		return
	}
	if err := options.Check(); err != nil {
		c.host.Done(token, err)
		return
	}
	c.options = *options
	c.connectWaiters = append(c.connectWaiters, token)
	c.tries, c.everConnected, c.probed = 0, false, false
	c.begin()
}

// begin starts an attempt.
func (c *Client) begin() {
	c.attempt++
	c.tries++
	c.closeCode, c.stop, c.url = 0, nil, ""
	state := Connecting
	if c.everConnected {
		state = Reconnecting
	}
	c.change(state, Change{Event: "connecting", Attempt: c.tries})
	if c.options.Source == Unsigned {
		e, _ := sigv4.ParseEndpoint(c.options.Endpoint, c.options.Region)
		c.open(sigv4.Secret(e.URL()))
		return
	}
	c.wait(resolving, resolveTimeout)
	c.host.Resolve(c.attempt)
}

func (c *Client) wait(p phase, d time.Duration) {
	c.phase, c.until = p, c.now+d
}

func (c *Client) change(s State, ev Change) {
	c.state = s
	ev.State = s
	c.host.StateChanged(ev)
}

// A Resolution is the page's answer to Resolve: one of the two.
type Resolution struct {
	Credentials *sigv4.Credentials
	URL         sigv4.Secret
}

// Resolved takes the answer to Resolve. wall is the time of day, for the
// signature.
func (c *Client) Resolved(now time.Duration, attempt uint32, r Resolution, wall time.Time) {
	c.now = now
	if c.phase != resolving || attempt != c.attempt {
		return
	}
	if c.options.Source == FromURL {
		e, err := sigv4.ParseEndpoint(r.URL.Reveal(), "")
		if err != nil || r.URL == "" {
			c.lose(failure(PhaseCredentials, "ERR_URL", c.options.Fresh, "url is not a ws:// or wss:// URL"))
			return
		}
		c.open(sigv4.Secret(e.URL()))
		return
	}
	if r.Credentials == nil {
		c.lose(failure(PhaseCredentials, "ERR_CREDENTIALS", c.options.Fresh, "the credentials provider returned no credentials"))
		return
	}
	if err := r.Credentials.Check(); err != nil {
		c.lose(failure(PhaseCredentials, "ERR_CREDENTIALS", c.options.Fresh, "%v", err))
		return
	}
	if exp := r.Credentials.Expiration; !exp.IsZero() && !exp.After(wall) {
		c.lose(failure(PhaseCredentials, "ERR_CREDENTIALS_EXPIRED", c.options.Fresh,
			"the credentials expired at %s; give connect() a function that fetches new ones", exp.UTC().Format(time.RFC3339)))
		return
	}
	e, err := sigv4.ParseEndpoint(c.options.Endpoint, c.options.Region)
	if err == nil {
		var url sigv4.Secret
		if url, err = sigv4.Presign(context.Background(), e, *r.Credentials, wall, 0); err == nil {
			c.open(url)
			return
		}
	}
	c.lose(failure(PhaseSign, "ERR_SIGN", false, "%v", err))
}

// Unresolved takes the failure of Resolve.
func (c *Client) Unresolved(now time.Duration, attempt uint32, why string, retryable bool) {
	c.now = now
	if c.phase == resolving && attempt == c.attempt {
		c.lose(failure(PhaseCredentials, "ERR_CREDENTIALS", retryable, "the page could not get credentials or a URL: %s", why))
	}
}

func (c *Client) open(url sigv4.Secret) {
	c.url = url
	c.wait(opening, openTimeout)
	c.host.Open(c.attempt, url)
}

// Opened: the socket of the attempt has opened.
func (c *Client) Opened(now time.Duration, attempt uint32) {
	c.now = now
	if c.phase != opening || attempt != c.attempt {
		return
	}
	c.phase = handshake // within the time the socket was given
	o := &c.options
	c.engine.Open(now, mqtt.ConnectOptions{
		ClientID: o.ClientID, Username: o.Username, Password: o.Password,
		KeepAlive: uint16(o.KeepAlive), CleanStart: o.CleanStart && !c.everConnected, SessionExpiry: uint32(o.SessionExpiry),
		ReceiveMaximum: receiveMaximum, MaximumPacketSize: maxPacket, TopicAliasMaximum: topicAliases,
		Will: o.Will, User: o.User,
	})
}

// SocketClosed: the socket of the attempt has closed, with the WebSocket close
// code that the browser gives.
func (c *Client) SocketClosed(now time.Duration, attempt uint32, code int) {
	c.now = now
	if attempt != c.attempt {
		return
	}
	c.closeCode = code
	switch c.phase {
	case opening:
		if c.probed {
			c.lose(explain(Probe{}, code, &c.options))
			return
		}
		c.probed = true
		c.wait(probing, probeTimeout)
		c.host.Probe(attempt, c.url)
	case handshake:
		e := failure(PhaseConnect, "ERR_NO_CONNACK", true, "the connection was closed before the broker answered CONNECT: "+
			"the client id may not be allowed by the policy, or the broker does not speak MQTT 5")
		e.CloseCode = code
		c.lose(e)
	case serving:
		e := failure(PhaseSession, "ERR_CONNECTION_LOST", true, "the connection was lost (WebSocket close code %d)", code)
		e.CloseCode = code
		c.lose(e)
	}
}

// Text: the server sent a text message, which MQTT does not know
// [MQTT-6.0.0-1].
func (c *Client) Text(now time.Duration, attempt uint32) {
	c.now = now
	if attempt == c.attempt && (c.phase == handshake || c.phase == serving) {
		c.lose(failure(PhaseSession, "ERR_PROTOCOL", true, "the server sent a WebSocket text message; MQTT is binary"))
	}
}

// Probed takes the answer to Probe.
func (c *Client) Probed(now time.Duration, attempt uint32, p Probe) {
	c.now = now
	if c.phase == probing && attempt == c.attempt {
		c.lose(explain(p, c.closeCode, &c.options))
	}
}

// Receive takes a WebSocket message.
func (c *Client) Receive(now time.Duration, attempt uint32, data []byte) {
	c.now = now
	if attempt != c.attempt || (c.phase != handshake && c.phase != serving) {
		return
	}
	c.stats.BytesIn += uint64(len(data))
	c.engine.Receive(now, data)
	c.afterEngine()
}

// afterEngine closes what the engine has ended.
func (c *Client) afterEngine() {
	if c.stop != nil {
		c.lose(c.stop)
	}
}

// lose ends the attempt or the connection because of err, and decides what
// comes next.
func (c *Client) lose(err *Error) {
	o := &c.options
	if c.phase == serving && c.now-c.connectedAt >= o.StableAfter {
		c.tries = 0
	}
	c.drop()
	if !err.Retryable || !o.Reconnect || (o.MaxAttempts > 0 && c.tries >= o.MaxAttempts) {
		c.close(err)
		return
	}
	delay := c.backOff()
	c.wait(backingOff, delay)
	state := Connecting
	if c.everConnected {
		state = Reconnecting
	}
	c.change(state, Change{Event: "disconnected", Attempt: c.tries, Err: err, RetryIn: delay})
}

// drop lets go of the socket, with what the engine still has to say.
func (c *Client) drop() {
	if c.phase == opening || c.phase == handshake || c.phase == serving {
		last := append([]byte(nil), c.engine.Output()...)
		c.stats.BytesOut += uint64(len(last))
		c.host.Close(c.attempt, last)
	}
	c.stop = nil
	c.engine.Lost()
	c.phase = resting
}

// backOff is the wait before the next attempt: exponential, with full jitter
// above the least delay.
func (c *Client) backOff() time.Duration {
	limit := c.options.MinDelay
	for i := 0; i < max(c.tries, 1) && limit < c.options.MaxDelay; i++ {
		limit *= 2
	}
	limit = min(limit, c.options.MaxDelay)
	return c.options.MinDelay + time.Duration(c.rand()*float64(limit-c.options.MinDelay))
}

// close ends the client's life until the next connect(): nothing that was asked
// for stays open.
func (c *Client) close(err *Error) {
	c.phase = resting
	settle := err
	if err == nil {
		settle = errClosed(PhaseSession)
	}
	c.engine.Abandon(settle)
	waiters := c.connectWaiters
	c.connectWaiters = nil
	for _, token := range waiters {
		c.host.Done(token, settle)
	}
	c.endSubscriptions(err, settle)
	if err != nil {
		c.change(Closed, Change{Event: "disconnected", Err: err, RetryIn: -1})
	}
	c.change(Closed, Change{Event: "closed", Err: err, RetryIn: -1})
}

// Disconnect ends the connection in an orderly way: the broker publishes no
// will. It may be called at any time, and again.
func (c *Client) Disconnect(now time.Duration, token mqtt.Token) {
	c.now = now
	if c.phase != resting {
		c.engine.Disconnect(nil)
		c.drop()
		c.close(nil)
	}
	c.host.Done(token, nil)
}

// Reconnect drops a connection that is thought dead, and tries again at once.
func (c *Client) Reconnect(now time.Duration) {
	c.now = now
	switch c.phase {
	case serving:
		c.drop()
		c.change(Reconnecting, Change{Event: "disconnected", RetryIn: 0,
			Err: failure(PhaseSession, "ERR_RECONNECT", true, "reconnect() was called")})
		c.begin()
	case backingOff:
		c.begin()
	}
}

// Tick lets the client act on the time.
func (c *Client) Tick(now time.Duration) {
	c.now = now
	if c.phase == serving {
		c.engine.Tick(now)
		c.afterEngine()
	}
	if c.phase == resting || c.phase == serving || now < c.until {
		return
	}
	switch c.phase {
	case resolving:
		c.lose(failure(PhaseCredentials, "ERR_CREDENTIALS_TIMEOUT", true,
			"the credentials or URL provider did not answer within %v", resolveTimeout))
	case opening:
		c.lose(failure(PhaseOpen, "ERR_OPEN_TIMEOUT", true, "the WebSocket did not open within %v", openTimeout))
	case handshake:
		c.lose(failure(PhaseConnect, "ERR_CONNACK_TIMEOUT", true, "the broker did not answer CONNECT within %v", openTimeout))
	case probing:
		c.lose(explain(Probe{}, c.closeCode, &c.options))
	case backingOff:
		c.begin()
	}
}

// Deadline is when Tick wants to be called next, [mqtt.Never] if not at all.
func (c *Client) Deadline() time.Duration {
	switch c.phase {
	case resting:
		return mqtt.Never
	case serving:
		return c.engine.Deadline()
	}
	return c.until
}

// Output ends a turn of the page's event loop: it returns what is to be sent
// now, in one WebSocket message, good until the next call. Flushed says that it
// has been sent.
func (c *Client) Output() []byte {
	if c.phase == serving {
		c.sendSubscriptions()
	}
	return c.engine.Output()
}

// Flushed says that Output has been handed to the socket.
func (c *Client) Flushed(now time.Duration) {
	c.stats.BytesOut += uint64(len(c.engine.Output()))
	c.engine.Flushed(now)
}

// Publish takes a message. It reports true when a message of QoS 0 is in Output;
// otherwise the token is settled, now or later.
func (c *Client) Publish(now time.Duration, m *mqtt.Outgoing) bool {
	c.now = now
	done, err := c.publish(m)
	switch {
	case err != nil:
		c.host.Done(m.Token, err)
	case done:
		c.stats.MessagesOut++
	}
	return done
}

func (c *Client) publish(m *mqtt.Outgoing) (bool, *Error) {
	if err := mqtt.CheckOutgoing(m); err != nil {
		return false, invalidMessage(m, err)
	}
	if c.phase == resting {
		return false, errNotConnected
	}
	size := len(m.Topic) + len(m.Properties) + len(m.Payload)
	messages, bytes := c.engine.Waiting()
	if c.phase == serving {
		if m.QoS > 0 && bytes+size > maxBacklog && bytes > 0 {
			return false, failure(PhasePublish, "ERR_QUEUE_FULL", true, "%d messages wait for acknowledgements; await publish() before the next", messages)
		}
	} else {
		switch {
		case m.QoS == 0 && c.options.OfflineQoS0 == RejectQoS0:
			return false, failure(PhasePublish, "ERR_OFFLINE_QOS0", true,
				"there is no connection just now, and QoS 0 is not queued; use qos: 1, or offline: {qos0: \"queue\"}")
		case m.QoS == 0 && c.options.OfflineQoS0 == DropQoS0:
			c.host.Done(m.Token, nil)
			return false, nil
		}
		for messages+1 > c.options.OfflineMessages || bytes+size > c.options.OfflineBytes {
			if !c.options.OfflineDropOldest || size > c.options.OfflineBytes || !c.engine.DropOldest() {
				return false, failure(PhasePublish, "ERR_QUEUE_FULL", true,
					"%d messages wait for a connection already (offline.maxMessages, offline.maxBytes)", messages)
			}
			messages, bytes = c.engine.Waiting()
		}
	}
	done, err := c.engine.Publish(m)
	if err != nil {
		return false, publishError(err)
	}
	return done, nil
}

func invalidMessage(m *mqtt.Outgoing, err error) *Error {
	switch {
	case mqtt.ValidTopic(m.Topic) != nil:
		return badType("ERR_TOPIC", "topic is not one that can be published to: %v", err)
	case m.QoS > 2:
		return badRange("ERR_QOS", "%v", err)
	case errors.Is(err, mqtt.ErrTooLarge):
		return badRange("ERR_PACKET_TOO_LARGE", "the message is larger than MQTT allows (268,435,455 bytes)")
	}
	return badType("ERR_OPTION", "publish options: %v", err)
}

// events are what the engine reports to a client.
type events Client

func (ev *events) Connected(ack *mqtt.Connack) {
	c := (*Client)(ev)
	c.phase = serving
	c.connectedAt = c.now
	c.probed = false
	c.stats.Connects++
	recovered := c.everConnected && ack.SessionPresent
	c.everConnected = true
	c.resubscribe(ack.SessionPresent)
	waiters := c.connectWaiters
	c.connectWaiters = nil
	c.change(Connected, Change{Event: "connected", Attempt: c.tries, Granted: ack, Recovered: recovered})
	for _, token := range waiters {
		c.host.ConnectDone(token, ack)
	}
}

func (ev *events) Refused(ack *mqtt.Connack) { ev.stop = refused(ack) }

func (ev *events) Stopped(why *mqtt.StopError) {
	if ev.stop == nil {
		ev.stop = ended(why)
	}
}

func (ev *events) Message(m *mqtt.Publish) {
	ev.stats.MessagesIn++
	ev.host.Message(ev.topics.find(m.Topic, &ev.router), m)
}

func (ev *events) Published(token mqtt.Token, r mqtt.PublishResult) {
	if r.Err != nil {
		ev.host.Done(token, publishError(r.Err))
		return
	}
	ev.stats.MessagesOut++
	if r.Reason.Failed() {
		e := failure(PhasePublish, "ERR_PUBLISH_REFUSED", false, "the broker refused the message, %v", r.Reason)
		switch r.Reason {
		case mqtt.NotAuthorized:
			e.Message += "; the AWS IoT policy must allow iot:Publish to this topic (and iot:RetainPublish for retain)"
		}
		if r.ReasonString != "" {
			e.Message += ": " + r.ReasonString
		}
		e.Reason = r.Reason
		ev.host.Done(token, e)
		return
	}
	ev.host.PublishDone(token, r)
}

func (ev *events) Sent(token mqtt.Token, err error) {
	if err != nil {
		ev.host.Done(token, publishError(err))
		return
	}
	ev.stats.MessagesOut++
	ev.host.Done(token, nil)
}
