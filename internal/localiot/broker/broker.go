// Package broker is the message broker of the local AWS IoT Core: mochi-mqtt with the limits, quotas
// and answers of AWS IoT, for clients that connect by WebSocket.
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

// listenerID is the name under which mochi-mqtt lists the clients.
const listenerID = "/mqtt"

// Options configure a Broker. All members are optional.
type Options struct {
	// MaximumQoS is the highest QoS that clients may use: 1, as with AWS IoT, or 2; 1 when zero.
	MaximumQoS byte

	// NoQuotas lifts the structural quotas of AWS IoT: the lengths of payloads, topics and client
	// ids, the depth of topics, and the number of subscriptions and of filters in a packet. The
	// limits that CONNACK announces stay.
	NoQuotas bool

	// RateQuotas enforces the rates of AWS IoT: 100 publishes a second on a connection, in both
	// directions together, and one CONNECT a second for a client id.
	RateQuotas bool

	// ConnectTimeout is how long a client may take to send its CONNECT; 30 s when zero.
	ConnectTimeout time.Duration

	// Now is the clock of the rate quotas; time.Now when nil.
	Now func() time.Time

	// RefuseConnect returns the reason code with which a CONNECT must be refused, and whether it
	// must. It may be nil.
	RefuseConnect func() (reason byte, ok bool)

	// Services own reserved topics. If several own a topic, the first one does.
	Services []Service

	// Logger receives a warning for each client that breaks the protocol. The Broker logs no payload
	// and no credential. When nil, warnings go to the standard error.
	Logger *slog.Logger
}

// Broker is a message broker. It must be closed.
type Broker struct {
	server   *mqtt.Server
	options  Options
	log      *slog.Logger
	connects connectRate

	// sessions is held while a session begins or ends. mochi-mqtt takes a session over, and ends it,
	// in several steps. Without the lock, ending the old session of a client that connects again
	// could remove the new session. A Conn holds the lock from OnSessionEstablish to CONNACK, and from
	// OnDisconnect to the end of Serve.
	sessions sync.Mutex

	// answers is held while a Service handles a request and its answers are sent.
	answers  sync.Mutex
	answerer *mqtt.Client // the client that mochi-mqtt regards as the publisher of answers
}

// New starts a Broker.
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
				MaximumClientWritesPending:   1 << 15, // beyond it, QoS 0 messages to the client are dropped
				MaximumInflight:              1 << 15, // beyond it, QoS 1 messages to the client are dropped
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
					// Otherwise mochi-mqtt copies the user properties of a PUBLISH to its PUBACK, with
					// reason code 0x01, which PUBACK does not have.
					NoInheritedPropertiesOnAck: true,
				},
			},
			ClientNetWriteBufferSize: 1, // each Write is one packet, as Conn requires
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

// Close stops the broker. Its connections must have ended.
func (b *Broker) Close() error { return b.server.Close() }
