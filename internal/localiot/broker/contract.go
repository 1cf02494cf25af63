package broker

import "time"

// Authorizer decides what the client of one connection may do. It is safe for concurrent use, and its
// methods do not block.
type Authorizer interface {
	// Connect reports whether the client may connect with a client id. persistent states whether the
	// CONNECT continues or begins a persistent session; will states whether it has a will. The Broker
	// calls Connect once, before all other methods.
	Connect(clientID string, persistent, will bool) bool

	// Publish reports whether the client may publish to a topic. The Broker also calls it for the will.
	Publish(topic string, retain bool) bool

	// Subscribe reports whether the client may subscribe to a filter. The filter of a shared subscription
	// is passed without $share and the group.
	Subscribe(filter string) bool

	// Receive reports whether the client may receive a message. The Broker calls it for each message
	// before it sends the message.
	Receive(topic string) bool
}

// ConnOptions describe the connection below MQTT. All members are optional.
type ConnOptions struct {
	// Authorizer limits what the client may do. Nil allows everything.
	Authorizer Authorizer

	// Login, if not nil, is called with the user name and the password of the CONNECT. It returns the
	// Authorizer of the connection. If it returns an error, the Broker refuses the CONNECT with 0x87, and
	// logs the error, which must not contain a secret.
	Login func(clientID, username string, password []byte) (Authorizer, error)

	// Principal and Address identify the client in events and logs. Address is an IP address. Neither may
	// contain a secret.
	Principal, Address string

	// Until is the time at which the Broker closes the connection. The zero time is no limit.
	Until time.Time

	// Refresh, if not nil, is called for each packet from the client. If it returns false, the Broker
	// closes the connection with 0x87.
	Refresh func() bool
}

// Explainer is an optional interface of an Authorizer.
type Explainer interface {
	// Refusal describes the last request that Connect, Publish or Subscribe refused, for the log: the
	// action, the resource and the reason.
	Refusal() string
}

// Limited is an optional interface of the Authorizer that Login returns.
type Limited interface {
	// Until is the time at which the Broker closes the connection; see ConnOptions.Until.
	Until() time.Time

	// Principal identifies the client in events and logs; see ConnOptions.Principal.
	Principal() string
}

// ClientInfo describes the connection of a client.
type ClientInfo struct {
	ClientID, Principal, Address string

	// SessionID is a random UUID of the connection.
	SessionID string

	// Version increases with each connection of the client id.
	Version int64
}

// Observer gets the events of connections, each in the order of the connection's packets. The events of
// two connections of one client id may arrive in any order; ClientInfo.Version orders them. The methods
// may call the Broker.
type Observer interface {
	Connected(c ClientInfo)

	// Disconnected gets AWS's disconnectReason ("Lifecycle events"), and whether the client sent a
	// DISCONNECT or closed the WebSocket.
	Disconnected(c ClientInfo, reason string, clientInitiated bool)

	// ConnectFailed gets a CONNECT that the Authorizer or Login refused. ClientInfo.Version is 0.
	ConnectFailed(c ClientInfo)

	Subscribed(c ClientInfo, filters []string)
	Unsubscribed(c ClientInfo, filters []string)
}

// Publication is a message that a service or the HTTP API publishes.
type Publication struct {
	Topic   string
	Payload []byte
	QoS     byte
	Retain  bool

	ContentType, ResponseTopic string
	CorrelationData            []byte
	MessageExpiry              uint32 // seconds; 0 is none
	PayloadFormat              byte   // 1: the payload is UTF-8
	UserProperties             [][2]string
}

// RetainedMessage is a retained message. The caller must not change its content.
type RetainedMessage struct {
	Publication
	LastModified time.Time
}

// RetainedSummary describes a retained message.
type RetainedSummary struct {
	Topic        string
	PayloadSize  int // bytes
	QoS          byte
	LastModified time.Time
}
