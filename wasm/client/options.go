package client

import (
	"math"
	"time"

	"iot.wasm/wasm/mqtt"
	"iot.wasm/wasm/secret"
	"iot.wasm/wasm/sigv4"
)

// A Source is the origin of the URL of an attempt.
type Source byte

const (
	// Unsigned uses the endpoint without a signature.
	Unsigned Source = iota
	// FromCredentials requests credentials from the page, and signs a URL with them.
	FromCredentials
	// FromURL requests a URL from the page, for example a signed one.
	FromURL
	// FromBoth means that the page has passed a URL and credentials. Check rejects it.
	FromBoth
)

// Options contains the options of connect(). [DefaultOptions] returns the defaults,
// [Options.Check] checks the bounds.
type Options struct {
	// Endpoint is a host name, or a ws:// or wss:// URL. With FromURL it is empty.
	Endpoint string
	// Region is the AWS region. It may be empty if Endpoint contains it, or if the
	// client does not sign.
	Region string
	Source Source
	// Fresh is true if the page provides new credentials or a new URL for each attempt.
	// The client then retries after the service has refused them.
	Fresh bool

	ClientID      string          // 1 to 65,535 bytes
	Username      *string         // at most 65,535 bytes; nil: none
	Password      secret.String   // binary data, at most 65,535 bytes; "": none
	KeepAlive     int             // 0 to 65,535 seconds; 0: off
	CleanStart    bool            // of the first connection; later ones resume the session
	SessionExpiry int64           // 0 to 4,294,967,295 seconds
	Will          *mqtt.Will      // nil: none
	User          []mqtt.UserPair // the user properties of CONNECT

	Reconnect   bool          // the client tries again after a loss or a failure
	MinDelay    time.Duration // the least delay of the back-off, more than 0
	MaxDelay    time.Duration // the largest delay, from MinDelay to a day
	StableAfter time.Duration // the age at which a connection resets the back-off, 0 to a day
	MaxAttempts int           // failed attempts after which the client closes; 0: no limit

	// Quotas determines whether AWS's quotas apply.
	Quotas Quotas
	// AckTimeout is the time within which the broker must acknowledge a packet, at most
	// a day. Then the client ends the connection, and reconnects. 0: no limit.
	AckTimeout time.Duration
	// UnclaimedTimeout is the time for which the client holds a message of QoS 1 or 2
	// without a recipient, at most a day. Then the client reports the message and
	// acknowledges it. 0: the client reports the message immediately.
	//
	// If the client closes and connects to the same session again, it waits the same
	// time for the page to subscribe again. Then it unsubscribes from the other topic
	// filters of the session.
	UnclaimedTimeout time.Duration
	// Authorizer is the part of the query for a custom authorizer. "": none.
	Authorizer secret.String

	// OfflineMessages and OfflineBytes limit the queue while there is no connection.
	// OfflineBytes counts the bytes of topics, properties and payloads.
	OfflineMessages, OfflineBytes int
	// OfflineDropOldest is true if a new message replaces the oldest messages of a full
	// queue. Otherwise the client rejects the new message.
	OfflineDropOldest bool
	OfflineQoS0       OfflineQoS0
}

// Quotas determines whether the quotas of AWS IoT Core apply. The client then rejects
// calls for which AWS would end the connection, and limits its rate of messages.
type Quotas byte

const (
	// QuotasByName applies the quotas if the host name of the endpoint or URL is AWS's.
	QuotasByName Quotas = iota
	// AWSQuotas applies the quotas.
	AWSQuotas
	// NoQuotas does not apply the quotas.
	NoQuotas
)

// apply reports whether the quotas apply at the endpoint e.
func (q Quotas) apply(e sigv4.Endpoint) bool {
	return q == AWSQuotas || q == QuotasByName && e.IsAWS()
}

// OfflineQoS0 determines how the client handles a QoS 0 message without a connection.
type OfflineQoS0 byte

const (
	// RejectQoS0 rejects the message.
	RejectQoS0 OfflineQoS0 = iota
	// QueueQoS0 queues the message with those of QoS 1 and 2.
	QueueQoS0
	// DropQoS0 drops the message, and resolves its promise.
	DropQoS0
)

const (
	// openTimeout limits the time from opening the socket to CONNACK.
	openTimeout = 30 * time.Second
	// provideTimeout limits the time in which the page provides credentials or a URL.
	provideTimeout = 30 * time.Second
	// probeTimeout limits the time of each request of [Host.Probe].
	probeTimeout = 10 * time.Second
	// wakeTimeout limits the time of the answer to the PINGREQ that Wake sends.
	wakeTimeout = 5 * time.Second
	// maxPacket is the Maximum Packet Size of CONNECT, in bytes.
	maxPacket = 16 << 20
	// receiveMaximum is the Receive Maximum of CONNECT.
	receiveMaximum = 1024
	// topicAliases is the Topic Alias Maximum of CONNECT.
	topicAliases = 64
	// maxHeld limits the outgoing messages that the engine holds on a connection:
	// queued, in flight and in the output. It is in bytes.
	maxHeld = 64 << 20
	// filtersPerPacket is AWS's quota of topic filters in a SUBSCRIBE. The client also
	// uses it for UNSUBSCRIBE.
	// https://docs.aws.amazon.com/general/latest/gr/iot-core.html
	filtersPerPacket = 8
)

// DefaultOptions returns the defaults of the public API. The caller must set ClientID
// and, unless Source is FromURL, Endpoint.
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

// password returns the password for CONNECT, nil for none.
func (o *Options) password() []byte {
	if o.Password == "" {
		return nil
	}
	return []byte(o.Password.Reveal())
}

// Check checks the options, and returns the parsed endpoint. With FromURL the endpoint is
// the zero value. The error is a TypeError, a RangeError, or an IotError with the code
// ERR_QUOTA, and names the first member that is not valid.
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

// check checks all members except those that depend on the endpoint: the endpoint
// itself, the region, and AWS's quotas.
func (o *Options) check() *Error {
	switch {
	case o.Authorizer != "" && o.Source != Unsigned:
		return badType("ERR_OPTION", "authorizer is for an endpoint without credentials: a custom authorizer replaces the signature, and a url has its own query")
	case o.Source == FromBoth, o.Source == FromURL && o.Endpoint != "":
		return badType("ERR_OPTION", "connect() takes url, or endpoint and credentials")
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
		return badRange("ERR_OPTION", "username or password exceeds 65,535 bytes")
	}
	if e := checkUser("userProperties", o.User); e != nil {
		return e
	}
	if w := o.Will; w != nil {
		if w.Topic == "" {
			return badType("ERR_OPTION", "will needs a topic")
		}
		if err := mqtt.ValidTopic([]byte(w.Topic)); err != nil {
			return badType("ERR_TOPIC", "will.topic is not a topic: %v", err)
		}
		if w.QoS > 2 {
			return badRange("ERR_QOS", "will.qos is %d; it must be 0, 1 or 2", w.QoS)
		}
		if max(len(w.Payload), len(w.ContentType), len(w.ResponseTopic), len(w.CorrelationData)) > math.MaxUint16 {
			return badRange("ERR_OPTION", "will.payload, contentType, responseTopic or correlationData exceeds 65,535 bytes")
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

// checkUser checks the lengths of user properties. name is the option that contains them.
func checkUser(name string, pairs []mqtt.UserPair) *Error {
	for _, p := range pairs {
		if len(p.Name) > math.MaxUint16 || len(p.Value) > math.MaxUint16 {
			return badRange("ERR_OPTION", "%s: a name or value exceeds 65,535 bytes", name)
		}
	}
	return nil
}
