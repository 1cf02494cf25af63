package client

import (
	"math"
	"time"

	"iot.wasm/wasm/mqtt"
	"iot.wasm/wasm/secret"
	"iot.wasm/wasm/sigv4"
)

// A Source says where the URL of the next attempt comes from.
type Source byte

// Unsigned: the endpoint as it is. FromCredentials: the Host is asked for
// credentials, which sign the endpoint. FromURL: the Host is asked for a URL
// that somebody else has signed.
const (
	Unsigned Source = iota
	FromCredentials
	FromURL
)

// Options is what a page connects with. [DefaultOptions] has what holds where
// the page says nothing.
type Options struct {
	Endpoint string
	Region   string
	Source   Source
	// Fresh: each attempt gets credentials or a URL of its own, so that one the
	// service refused is worth another try.
	Fresh bool

	ClientID      string
	Username      *string
	Password      secret.String // bytes; "" for none
	KeepAlive     int           // seconds
	CleanStart    bool
	SessionExpiry int64 // seconds
	Will          *mqtt.Will
	User          []mqtt.UserPair

	Reconnect   bool
	MinDelay    time.Duration
	MaxDelay    time.Duration
	StableAfter time.Duration
	MaxAttempts int // 0: no bound

	// Quotas says whether AWS's quotas are kept.
	Quotas Quotas
	// AckTimeout is how long the broker may take for an acknowledgement, before the
	// connection is dropped and resumed. 0: no bound.
	AckTimeout time.Duration
	// UnclaimedTimeout is how long a message of QoS 1 or 2 that matches no
	// subscription is held before it is acknowledged and reported. 0: not at all.
	UnclaimedTimeout time.Duration
	// Authorizer is a custom authorizer's part of the query, "" for none.
	Authorizer secret.String

	OfflineMessages   int
	OfflineBytes      int
	OfflineDropOldest bool
	OfflineQoS0       OfflineQoS0
}

// Quotas says whether what AWS IoT Core would end the connection for is refused,
// and messages keep to its pace.
type Quotas byte

// QuotasByName: if the endpoint or the URL is AWS's.
const (
	QuotasByName Quotas = iota
	AWSQuotas
	NoQuotas
)

// OfflineQoS0 is what becomes of a QoS 0 message while there is no connection.
type OfflineQoS0 byte

// Reject it, queue it with the others, or drop it and say nothing.
const (
	RejectQoS0 OfflineQoS0 = iota
	QueueQoS0
	DropQoS0
)

const (
	// openTimeout bounds an attempt from the socket to CONNACK.
	openTimeout = 30 * time.Second
	// resolveTimeout bounds how long the page may take to come up with
	// credentials or a URL.
	resolveTimeout = 30 * time.Second
	// probeTimeout bounds the look into why a socket did not open.
	probeTimeout = 10 * time.Second
	// wakeTimeout is how long a connection has to answer after a sleep.
	wakeTimeout = 5 * time.Second
	// maxPacket is the largest packet we take, in bytes.
	maxPacket = 16 << 20
	// receiveMaximum is how many QoS 1 and 2 messages we let be unacknowledged.
	receiveMaximum = 1024
	// topicAliases is how many topics the server may abbreviate.
	topicAliases = 64
	// maxHeld bounds, in bytes, what is held of messages while connected: on
	// their way out, in flight, and waiting.
	maxHeld = 64 << 20
	// filtersPerPacket is AWS's bound on a SUBSCRIBE.
	// https://docs.aws.amazon.com/general/latest/gr/iot-core.html
	filtersPerPacket = 8
)

// DefaultOptions are those of the public API's contract.
func DefaultOptions() Options {
	return Options{
		KeepAlive: 120, CleanStart: true, SessionExpiry: 300,
		Reconnect: true, MinDelay: time.Second, MaxDelay: 2 * time.Minute, StableAfter: 30 * time.Second,
		OfflineMessages: 1000, OfflineBytes: 1 << 20,
		AckTimeout: time.Minute, UnclaimedTimeout: 10 * time.Second,
	}
}

const day = 24 * time.Hour

func (o *Options) password() []byte {
	if o.Password == "" {
		return nil
	}
	return []byte(o.Password.Reveal())
}

// Check reports the first thing that is wrong with o, or nil.
func (o *Options) Check() *Error {
	switch {
	case o.Endpoint == "" && o.Source != FromURL:
		return badType("ERR_OPTION", "connect() needs an endpoint (xxxxxxxx-ats.iot.<region>.amazonaws.com, or a wss:// URL), or a url")
	case o.ClientID == "" || len(o.ClientID) > math.MaxUint16:
		return badRange("ERR_OPTION", "clientId must have between 1 and 65,535 bytes of UTF-8")
	case o.KeepAlive < 0 || o.KeepAlive > math.MaxUint16:
		return badRange("ERR_OPTION", "keepAlive is %d; it must be between 0 (off) and 65,535 seconds", o.KeepAlive)
	case o.SessionExpiry < 0 || o.SessionExpiry > math.MaxUint32:
		return badRange("ERR_OPTION", "sessionExpiry is %d; it must be between 0 and 4,294,967,295 seconds", o.SessionExpiry)
	case o.MinDelay <= 0 || o.MaxDelay < o.MinDelay || o.MaxDelay > day:
		return badRange("ERR_OPTION", "reconnect.minDelayMs must be more than 0, and maxDelayMs between it and a day (86,400,000)")
	case o.StableAfter < 0 || o.StableAfter > day:
		return badRange("ERR_OPTION", "reconnect.stableAfterMs must be between 0 and a day (86,400,000)")
	case o.MaxAttempts < 0:
		return badRange("ERR_OPTION", "reconnect.maxAttempts must not be negative")
	case o.AckTimeout < 0 || o.AckTimeout > day || o.UnclaimedTimeout < 0 || o.UnclaimedTimeout > day:
		return badRange("ERR_OPTION", "ackTimeoutMs and unclaimedTimeoutMs must be between 0 (off) and a day (86,400,000)")
	case o.Authorizer != "" && o.Source != Unsigned:
		return badType("ERR_OPTION", "authorizer is for an endpoint without credentials: a custom authorizer takes the place of a signature, and a url carries its own query")
	case o.OfflineMessages < 0 || o.OfflineBytes < 0:
		return badRange("ERR_OPTION", "offline.maxMessages and offline.maxBytes must not be negative")
	case o.Username != nil && len(*o.Username) > math.MaxUint16, len(o.Password) > math.MaxUint16:
		return badRange("ERR_OPTION", "username and password may have 65,535 bytes each")
	}
	if e := checkUser("userProperties", o.User); e != nil {
		return e
	}
	if w := o.Will; w != nil {
		if err := mqtt.ValidTopic([]byte(w.Topic)); err != nil {
			return badType("ERR_TOPIC", "will.topic is not a topic: %v", err)
		}
		if w.QoS > 2 {
			return badRange("ERR_QOS", "will.qos is %d; it must be 0, 1 or 2", w.QoS)
		}
		if len(w.Payload) > math.MaxUint16 || len(w.ContentType) > math.MaxUint16 {
			return badRange("ERR_OPTION", "will.payload and will.contentType may have 65,535 bytes each")
		}
		if e := checkUser("will.userProperties", w.User); e != nil {
			return e
		}
	}
	aws := o.Quotas == AWSQuotas
	if o.Source != FromURL {
		e, err := sigv4.ParseEndpoint(o.Endpoint, o.Region)
		if err != nil {
			return badType("ERR_ENDPOINT", "%v", err)
		}
		if o.Source == FromCredentials && e.Region == "" {
			return badType("ERR_REGION", "region is needed: the endpoint's name does not tell it")
		}
		aws = aws || o.Quotas == QuotasByName && e.IsAWS()
	}
	if aws {
		return o.quotas()
	}
	return nil
}

func checkUser(name string, pairs []mqtt.UserPair) *Error {
	for _, p := range pairs {
		if len(p.Name) > math.MaxUint16 || len(p.Value) > math.MaxUint16 {
			return badRange("ERR_OPTION", "%s: names and values may have 65,535 bytes each", name)
		}
	}
	return nil
}
