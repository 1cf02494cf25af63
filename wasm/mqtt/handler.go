package mqtt

// A Token identifies a request of the caller. The engine passes it back to the
// [Handler] when the request ends.
type Token uint32

// A Handler receives the events of an [Engine]. The engine calls it during calls of
// the engine's methods. A Handler must not call the engine, except where stated, and
// must not retain the slices that it receives.
type Handler interface {
	// Connected reports a CONNACK that accepts the connection. The Handler may call
	// [Engine.Subscribe] and [Engine.Unsubscribe]; their packets are sent before
	// queued messages.
	Connected(ack *Connack)
	// Refused reports a CONNACK with a failure. A call of Stopped follows.
	Refused(ack *Connack)
	// Message delivers a received message. The engine acknowledges a message of
	// QoS 1 or 2 when Message returns true. Otherwise the caller acknowledges it
	// later, by [Engine.Acknowledge] with m.Ticket. A message of QoS 1 may be
	// delivered more than once.
	Message(m *Publish) (accepted bool)
	// NeedsPayload reports whether Message needs all bytes of the payload of m, for example
	// for a Clone. The engine calls it before Message if it does not have all bytes
	// ([Publish.Missing]). The result true delays the message until it has them.
	NeedsPayload(m *Publish) bool
	// Published reports the result of a message of QoS 1 or 2. r.Err is nil when the
	// server has acknowledged the message. r.Reason may then be a failure.
	Published(token Token, r PublishResult)
	// Sent reports the result of a message of QoS 0 that was queued. err is nil when
	// the message has been passed to the network.
	Sent(token Token, err error)
	// Subscribed reports the result of a SUBSCRIBE. codes has one reason code for each
	// filter, in the order of the request. reason is the reason string of the SUBACK;
	// "": none. When err is not nil, codes is nil. err is ErrConnectionLost when the
	// connection was lost before the SUBACK, and ErrAckTimeout when the SUBACK was not
	// received in time.
	Subscribed(token Token, codes []byte, reason string, err error)
	// Unsubscribed reports the result of an UNSUBSCRIBE. Its parameters are those of
	// Subscribed.
	Unsubscribed(token Token, codes []byte, reason string, err error)
	// Stopped reports that the engine or the server has ended the connection. The
	// caller must then send the rest of the output, close the connection, and call
	// [Engine.Lost].
	Stopped(err *StopError)
}

// A PublishResult is the result of a message of QoS 1 or 2.
type PublishResult struct {
	Reason       Reason
	ReasonString string // "": none
	User         []UserPair
	// Err is not nil when the engine gives up the message without an acknowledgement.
	Err error
}

// A StopError is the reason why a connection ended.
type StopError struct {
	Reason Reason
	// Local is true when the engine ended the connection, and false when the server
	// ended it.
	Local  bool
	Detail string // "": none
}

// Error returns which side ended the connection, the reason code, and Detail.
func (e *StopError) Error() string {
	s := "the server ended the connection: "
	if e.Local {
		s = "the client ended the connection: "
	}
	s += e.Reason.String()
	if e.Detail != "" {
		s += ": " + e.Detail
	}
	return s
}
