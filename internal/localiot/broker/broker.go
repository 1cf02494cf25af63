// Package broker implements the message broker of the local AWS IoT Core: MQTT 3.1, 3.1.1 and 5 over
// WebSocket, with the limits, the quotas and the reason codes of AWS IoT. It uses the decoders and the
// encoders of mochi-mqtt for packets.
package broker

import (
	"errors"
	"log/slog"
	"os"
	"sync"
	"time"

	"iot.wasm/internal/localiot/store"
)

// Limits of AWS IoT Core that CONNACK announces, or that apply to CONNECT ("AWS IoT Core message broker
// and protocol limits and quotas").
const (
	receiveMaximum    = 100 // in both directions
	topicAliasMaximum = 8
	maximumPacketSize = 149504 // bytes
	maxSessionExpiry  = 3600   // s; the default of the quota "persistent session expiry"
	maxMessageExpiry  = 604800 // s
	minKeepAlive      = 30     // s
	maxKeepAlive      = 1200   // s
	maxClientID       = 128    // bytes
)

// Bounds of this implementation. AWS IoT does not document its own bounds.
const (
	// maxUnsent is the size of the QoS 0 messages that wait for one connection, in bytes. Above it, the
	// Broker drops QoS 0 messages to the client.
	maxUnsent = 8 << 20

	// maxStored is the size of the QoS 1 and 2 messages of one session or of one shared subscription
	// that are not acknowledged, in bytes. Above it, the Broker drops messages to the session.
	maxStored = 16 << 20

	// maxStoredTotal is the size of the stored messages of all sessions, in bytes. A message that is
	// stored for many sessions counts once.
	maxStoredTotal = 256 << 20

	// maxRetained is the size of all retained messages, in bytes.
	maxRetained = 128 << 20

	// maxSessions is the number of sessions, with and without a connection.
	maxSessions = 100_000
)

// Options configure a Broker. All members are optional.
type Options struct {
	// MaximumQoS is the highest QoS that clients may use, 1 or 2. Zero means 1, as with AWS IoT.
	MaximumQoS byte

	// NoQuotas turns off the structural quotas of AWS IoT: the lengths of payloads, topics and client
	// ids, the depth of topics, the number of subscriptions, the number of filters in a packet, and
	// the rule that a client id does not begin with $. The limits that CONNACK announces still apply.
	NoQuotas bool

	// RateQuotas enforces the rates of AWS IoT: 100 publishes a second and 512 KiB a second on a
	// connection, in both directions together, 10 stored messages a second, and one CONNECT a second
	// for a client id.
	RateQuotas bool

	// ConnectTimeout is the maximum time from the handshake to the CONNECT. Zero means 30 s.
	ConnectTimeout time.Duration

	// Now is the clock of the rate quotas. Nil means time.Now.
	Now func() time.Time

	// RefuseConnect reports whether the Broker must refuse a CONNECT, and returns the reason code of
	// the CONNACK. It may be nil.
	RefuseConnect func() (reason byte, ok bool)

	// Services own reserved topics. If several own a topic, the first one does.
	Services []Service

	// Observer gets the events of all connections. It may be nil.
	Observer Observer

	// Store keeps retained messages and persistent sessions. New loads them. If Store is nil, the Broker
	// keeps them in memory only.
	Store *store.DB

	// Logger logs a warning for each client that breaks the protocol, and at the level Info one line for
	// each connect, refusal, subscribe, publish and disconnect. The Broker logs no payload and no
	// credential. If Logger is nil, the Broker writes warnings to the standard error.
	Logger *slog.Logger
}

// Broker is a message broker. The caller of New must call Close.
type Broker struct {
	options  Options
	log      *slog.Logger
	connects connectRate

	// answers is held while a Service handles a request and its answers are sent.
	answers sync.Mutex

	// mu guards the fields below, the sessions and their content. A goroutine that holds mu may lock
	// Conn.mu, but not answers.
	mu       sync.Mutex
	store    *store.DB // nil after Forget
	sessions map[string]*session
	filters  tree
	groups   map[string]*group // shared subscriptions, by their whole filter
	retained retainedMessages
	stored   int    // the size of the messages that sessions and groups store, in bytes
	sequence uint64 // of the last stored message
	matching uint64 // counts the calls of route

	// connections is the ClientInfo.Version of the last connection: the time in ms, but always increasing.
	// The versions of a client id thus increase across restarts.
	connections int64
	closed      bool
}

// New starts a Broker, and loads the state that Options.Store holds. It returns an error if MaximumQoS is
// above 2, or if the state cannot be loaded.
func New(o Options) (*Broker, error) {
	if o.MaximumQoS == 0 {
		o.MaximumQoS = 1
	}
	if o.MaximumQoS > 2 {
		return nil, errors.New("broker: Options.MaximumQoS is above 2")
	}
	if o.ConnectTimeout == 0 {
		o.ConnectTimeout = 30 * time.Second
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelWarn}))
	}
	b := &Broker{
		options:  o,
		log:      o.Logger,
		connects: connectRate{last: make(map[string]time.Time)},
		store:    o.Store,
		sessions: make(map[string]*session),
		groups:   make(map[string]*group),
		retained: retainedMessages{messages: make(map[string]*retained)},
	}
	if err := b.load(); err != nil {
		return nil, err
	}
	return b, nil
}

// Close stops the timers of the broker. The caller must end all connections first.
func (b *Broker) Close() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.closed = true
	for _, s := range b.sessions {
		s.stopTimers()
	}
	return nil
}
