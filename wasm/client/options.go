package client

import (
	"math"
	"time"

	"iot.wasm/wasm/mqtt"
	"iot.wasm/wasm/secret"
	"iot.wasm/wasm/sigv4"
)

// A Source says where the URL of an attempt comes from.
type Source byte

const (
	// Unsigned uses the endpoint without a signature.
	Unsigned Source = iota
	// FromCredentials asks the Host for credentials and signs a URL with them.
	FromCredentials
	// FromURL asks the Host for a URL, which has been signed elsewhere.
	FromURL
	// FromBoth is an error: the page has given a URL and credentials.
	FromBoth
)

// Options are the options of connect(). [DefaultOptions] returns the defaults.
type Options struct {
	Endpoint string
	Region   string
	Source   Source
	// Fresh is true where a provider makes new credentials or a new URL for each
	// attempt. Another attempt is then of use after the service has refused one.
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

	// Quotas says whether AWS's quotas apply.
	Quotas Quotas
	// AckTimeout is how long the broker may take for an acknowledgement. After that
	// the client drops the connection and resumes it. 0: no bound.
	AckTimeout time.Duration
	// UnclaimedTimeout is how long the client holds a message of QoS 1 or 2 that
	// matches no subscription. After that it acknowledges and reports the message. 0:
	// at once.
	UnclaimedTimeout time.Duration
	// Authorizer is the part of the query for a custom authorizer, "" for none.
	Authorizer secret.String

	OfflineMessages   int
	OfflineBytes      int
	OfflineDropOldest bool
	OfflineQoS0       OfflineQoS0
}

// Quotas says whether AWS IoT Core's quotas apply: the client refuses what AWS would
// end the connection for, and keeps to the pace that AWS allows.
type Quotas byte

const (
	// QuotasByName applies the quotas if the endpoint or the URL is AWS's.
	QuotasByName Quotas = iota
	// AWSQuotas applies them.
	AWSQuotas
	// NoQuotas does not apply them.
	NoQuotas
)

// apply reports whether the quotas apply at the endpoint e.
func (q Quotas) apply(e sigv4.Endpoint) bool {
	return q == AWSQuotas || q == QuotasByName && e.IsAWS()
}

// OfflineQoS0 says what the client does with a QoS 0 message while there is no
// connection.
type OfflineQoS0 byte

const (
	// RejectQoS0 rejects it.
	RejectQoS0 OfflineQoS0 = iota
	// QueueQoS0 queues it with the other messages.
	QueueQoS0
	// DropQoS0 drops it, and resolves its promise.
	DropQoS0
)

const (
	// openTimeout bounds an attempt from opening the socket to CONNACK.
	openTimeout = 30 * time.Second
	// provideTimeout bounds the time that a provider of credentials or URLs takes.
	provideTimeout = 30 * time.Second
	// probeTimeout bounds the requests that find out why a socket did not open.
	probeTimeout = 10 * time.Second
	// wakeTimeout bounds the answer to the PINGREQ that follows a sleep.
	wakeTimeout = 5 * time.Second
	// maxPacket is the Maximum Packet Size of CONNECT, in bytes.
	maxPacket = 16 << 20
	// receiveMaximum is the Receive Maximum of CONNECT.
	receiveMaximum = 1024
	// topicAliases is the Topic Alias Maximum of CONNECT.
	topicAliases = 64
	// maxHeld bounds the bytes of outgoing messages that the client holds while it is
	// connected: unsent, in flight, and waiting.
	maxHeld = 64 << 20
	// filtersPerPacket is AWS's bound on the topic filters of a SUBSCRIBE.
	// https://docs.aws.amazon.com/general/latest/gr/iot-core.html
	filtersPerPacket = 8
)

// DefaultOptions returns the defaults of the public API.
func DefaultOptions() Options {
	return Options{
		KeepAlive: 120, CleanStart: true, SessionExpiry: 300,
		Reconnect: true, MinDelay: time.Second, MaxDelay: 2 * time.Minute, StableAfter: 30 * time.Second,
		OfflineMessages: 1000, OfflineBytes: 1 << 20,
		AckTimeout: time.Minute, UnclaimedTimeout: 10 * time.Second,
	}
}

// DefaultWill returns a will with the defaults of the public API.
func DefaultWill() mqtt.Will { return mqtt.Will{Delay: 5} }

const day = 24 * time.Hour

func (o *Options) password() []byte {
	if o.Password == "" {
		return nil
	}
	return []byte(o.Password.Reveal())
}

// Check returns the endpoint, or an error for the first member that is wrong. With
// FromURL the endpoint is zero.
func (o *Options) Check() (e sigv4.Endpoint, err *Error) {
	if err := o.check(); err != nil {
		return e, err
	}
	aws := o.Quotas == AWSQuotas
	if o.Source != FromURL {
		var err error
		if e, err = sigv4.ParseEndpoint(o.Endpoint, o.Region); err != nil {
			return e, badType("ERR_ENDPOINT", "%v", err)
		}
		if o.Source == FromCredentials && e.Region == "" {
			return e, badType("ERR_REGION", "region is needed: the endpoint's name does not contain it")
		}
		aws = o.Quotas.apply(e)
	}
	if aws {
		return e, o.quotas()
	}
	return e, nil
}

// check checks the members that do not depend on the endpoint.
func (o *Options) check() *Error {
	switch {
	case o.Authorizer != "" && o.Source != Unsigned:
		return badType("ERR_OPTION", "authorizer is for an endpoint without credentials: a custom authorizer replaces the signature, and a url has its own query")
	case o.Source == FromBoth, o.Source == FromURL && o.Endpoint != "":
		return badType("ERR_OPTION", "connect() takes either url or endpoint and credentials")
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
	case o.OfflineMessages < 0 || o.OfflineBytes < 0:
		return badRange("ERR_OPTION", "offline.maxMessages and offline.maxBytes must not be negative")
	case o.Username != nil && len(*o.Username) > math.MaxUint16, len(o.Password) > math.MaxUint16:
		return badRange("ERR_OPTION", "username and password may have 65,535 bytes each")
	}
	if e := checkUser("userProperties", o.User); e != nil {
		return e
	}
	if w := o.Will; w != nil {
		if w.Topic == "" {
			return badType("ERR_OPTION", "connect options.will needs a topic")
		}
		if err := mqtt.ValidTopic([]byte(w.Topic)); err != nil {
			return badType("ERR_TOPIC", "will.topic is not a topic: %v", err)
		}
		if w.QoS > 2 {
			return badRange("ERR_QOS", "will.qos is %d; it must be 0, 1 or 2", w.QoS)
		}
		if max(len(w.Payload), len(w.ContentType), len(w.ResponseTopic), len(w.CorrelationData)) > math.MaxUint16 {
			return badRange("ERR_OPTION", "will.payload, contentType, responseTopic and correlationData may have 65,535 bytes each")
		}
		if w.ResponseTopic != "" {
			if err := mqtt.ValidTopic([]byte(w.ResponseTopic)); err != nil {
				return badType("ERR_TOPIC", "will.responseTopic is not a topic: %v", err)
			}
		}
		if e := checkUser("will.userProperties", w.User); e != nil {
			return e
		}
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
