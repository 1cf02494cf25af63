package mqtt

// A Token identifies a request of the caller. The engine passes it back to the
// [Handler] when the request ends.
type Token uint32

// A Handler receives the events of an [Engine]. The engine calls it from within
// the engine's own methods. Except where stated, a Handler must not call the
// engine. It must not retain the slices that it receives.
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
	// Published reports the end of a message of QoS 1 or 2: the server has
	// acknowledged it, or r.Err is the reason why it will not.
	Published(token Token, r PublishResult)
	// Sent reports the end of a message of QoS 0 that was queued: it has been
	// handed to the network, or err is the reason why it will not be.
	Sent(token Token, err error)
	// Subscribed reports the end of a SUBSCRIBE. codes has one reason code for each
	// filter, in the order of the request. When err is not nil, codes is nil: the
	// connection was lost before the SUBACK (ErrConnectionLost), or the engine
	// ended it because the SUBACK did not come in time (ErrAckTimeout).
	Subscribed(token Token, codes []byte, reason string, err error)
	// Unsubscribed reports the end of an UNSUBSCRIBE, in the same way.
	Unsubscribed(token Token, codes []byte, reason string, err error)
	// Stopped reports that the engine has ended the connection, or that the server
	// has. The caller sends the rest of the output and closes the connection.
	Stopped(err *StopError)
}

// A PublishResult is the result of a message of QoS 1 or 2.
type PublishResult struct {
	Reason       Reason
	ReasonString string // "": none
	User         []UserPair
	// Err is not nil when the message was not acknowledged and will not be.
	Err error
}

// A StopError is the reason why a connection ended.
type StopError struct {
	Reason Reason
	// Local is true when the engine ended the connection with a DISCONNECT, and
	// false when the server ended it.
	Local  bool
	Detail string // "": none
}

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
