// Package broker implements the message broker of the local AWS IoT Core. It runs mochi-mqtt with the
// limits, the quotas and the reason codes of AWS IoT. Clients connect by WebSocket.
package broker

import (
	"errors"
	"log/slog"
	"math"
	"os"
	"sync"
	"time"

	mqtt "github.com/mochi-mqtt/server/v2"
)

// Limits of AWS IoT Core that CONNACK announces, or that apply to CONNECT ("AWS IoT Core message broker
// and protocol limits and quotas").
const (
	receiveMaximum    = 100
	topicAliasMaximum = 8
	maximumPacketSize = 149504 // bytes
	maxSessionExpiry  = 604800 // s
	minKeepAlive      = 30     // s
	maxKeepAlive      = 1200   // s
	maxClientID       = 128    // bytes
)

// listenerID is the name of the listener that mochi-mqtt stores for each client.
const listenerID = "/mqtt"

// Options configure a Broker. All members are optional.
type Options struct {
	// MaximumQoS is the highest QoS that clients may use, 1 or 2. Zero means 1, as with AWS IoT.
	MaximumQoS byte

	// NoQuotas turns off the structural quotas of AWS IoT: the lengths of payloads, topics and client
	// ids, the depth of topics, the number of subscriptions, the number of filters in a packet, and
	// the rule that a client id does not begin with $. The limits that CONNACK announces still apply.
	NoQuotas bool

	// RateQuotas enforces the rates of AWS IoT: 100 publishes a second on a connection, in both
	// directions together, and one CONNECT a second for a client id.
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

	// Logger logs a warning for each client that breaks the protocol. The Broker logs no payload and
	// no credential. If Logger is nil, the Broker writes warnings to the standard error.
	Logger *slog.Logger
}

// Broker is a message broker. The caller of New must call Close.
type Broker struct {
	server   *mqtt.Server
	options  Options
	log      *slog.Logger
	connects connectRate

	// sessions is held while a session begins or ends. mochi-mqtt takes several steps to begin or end
	// a session. Without the lock, the end of an old session could remove the new session of the same
	// client. A Conn holds the lock from OnSessionEstablish to CONNACK, and from OnDisconnect to the
	// end of Serve.
	sessions sync.Mutex

	// answers is held while a Service handles a request and its answers are sent.
	answers  sync.Mutex
	answerer *mqtt.Client // the client that mochi-mqtt regards as the publisher of answers
}

// New starts a Broker. It returns an error if MaximumQoS is above 2.
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
		server: mqtt.New(&mqtt.Options{
			Logger: slog.New(redactingHandler{o.Logger.Handler()}),
			Capabilities: &mqtt.Capabilities{
				MaximumClients:               math.MaxInt64,
				MaximumClientWritesPending:   1 << 15, // above this number, mochi-mqtt drops QoS 0 messages to the client
				MaximumInflight:              1 << 15, // above this number, mochi-mqtt drops QoS 1 messages to the client
				MaximumSessionExpiryInterval: maxSessionExpiry,
				MaximumPacketSize:            maximumPacketSize,
				ReceiveMaximum:               receiveMaximum,
				TopicAliasMaximum:            topicAliasMaximum,
				MaximumQos:                   o.MaximumQoS,
				MinimumProtocolVersion:       4,
				RetainAvailable:              1,
				WildcardSubAvailable:         1,
				SharedSubAvailable:           1,
				Compatibilities: mqtt.Compatibilities{
					// By default mochi-mqtt copies the user properties of a PUBLISH to its PUBACK, and sets
					// reason code 0x01, which is not valid in a PUBACK.
					NoInheritedPropertiesOnAck: true,
				},
			},
			ClientNetWriteBufferSize: 1, // mochi-mqtt then passes one packet to each Write, as Conn requires
			SysTopicResendInterval:   math.MaxInt32,
		}),
	}
	b.answerer = b.server.NewClient(nil, listenerID, answerOrigin, true)
	if err := b.server.AddHook(&hook{broker: b}, nil); err != nil {
		return nil, err
	}
	if err := b.server.Serve(); err != nil {
		return nil, err
	}
	return b, nil
}

// Close stops the broker. The caller must end all connections first.
func (b *Broker) Close() error { return b.server.Close() }
