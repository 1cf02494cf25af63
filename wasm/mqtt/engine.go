package mqtt

import (
	"math"
	"time"
)

// A Token is the caller's own name for something it asked for, given back when
// that has ended.
type Token uint32

// A Handler is told what happens on an [Engine]. It is called from within the
// engine's methods, must not call them, and must not keep slices it is given.
type Handler interface {
	// Connected: the server has accepted. It may call Subscribe and Unsubscribe, whose
	// packets go ahead of the messages that wait.
	Connected(ack *Connack)
	// Refused: the server's CONNACK carried a failure. Stopped follows.
	Refused(ack *Connack)
	// Message: one has arrived, once for each time the server counts as a
	// delivery. A message of QoS 1 or 2 is acknowledged when Message returns true,
	// or later by [Engine.Acknowledge] with the message's Ticket.
	Message(m *Publish) (taken bool)
	// Published: a QoS 1 or 2 message has been acknowledged, or given up.
	Published(token Token, r PublishResult)
	// Sent: a message of QoS 0 that had been waiting is on its way, or given up.
	Sent(token Token, err error)
	// Subscribed: codes has one reason code for each filter asked for. It is nil,
	// and err is set, where the connection was lost before the answer came
	// (ErrConnectionLost) or was ended because it did not come (ErrAckTimeout).
	Subscribed(token Token, codes []byte, reason string, err error)
	// Unsubscribed: likewise.
	Unsubscribed(token Token, codes []byte, reason string, err error)
	// Stopped: send what Output still holds, then close the connection.
	Stopped(why *StopError)
}

// A PublishResult is how a QoS 1 or 2 message ended.
type PublishResult struct {
	Reason       Reason
	ReasonString string
	User         []UserPair
	// Err is set when no acknowledgement came and none will.
	Err error
}

// A StopError says why the engine is done with a connection.
type StopError struct {
	Reason Reason
	// Local is true where we found the fault and told the server so, false
	// where the server sent a DISCONNECT.
	Local  bool
	Detail string
}

func (e *StopError) Error() string {
	who := "the server ended the connection: "
	if e.Local {
		who = "the connection was ended: "
	}
	if e.Detail == "" {
		return who + e.Reason.String()
	}
	return who + e.Reason.String() + ": " + e.Detail
}

type connState byte

const (
	offline    connState = iota // no connection
	connecting                  // CONNECT sent
	connected                   // CONNACK received
	stopped                     // DISCONNECT sent or received
)

// An Engine is one MQTT client: a session, and the connection that serves it at
// the moment. Times are offsets on the caller's own monotonic clock.
//
// Messages that are published while there is no connection, beyond what the
// server lets be in flight, or faster than the network takes them, wait in the
// engine; how many is for the caller to bound, by Waiting and Held.
type Engine struct {
	handler Handler
	state   connState
	options ConnectOptions
	granted Connack

	output
	acks acknowledgements
	timeouts
	partly []byte // the beginning of a packet whose rest has not come
	whole  []byte // a packet that was put together in the last Receive
	input  Publish

	now                    time.Duration // of the call that is being served
	lastSent, lastReceived time.Duration
	unreceived             bool          // bytes have come that Receive was not given yet
	pingAt                 time.Duration // when the PINGREQ went that is unanswered
	pinging                bool
	pingTimeout            time.Duration
	pingGrace              time.Duration // a late timer waits until then for bytes

	gate func(size int) bool // see Gate
	roundTrip
	session
	aliasIn  [][]byte
	aliasOut aliases

	// Flow control towards us: what we have not acknowledged, and of that, what
	// the acknowledgements in the output will cover.
	unacked, acking int
	generation      uint32 // counts connections
	// A CONNECT went unanswered: if the server had lost the session, it has made
	// a new one then, and the next CONNACK will call that one present.
	doubt bool
	// What received tells of connections before this one may be of another session.
	suspect uint32
}

// NewEngine makes an engine that reports to h. lastID is the packet identifier
// before the first it uses: by chance, for a client that might resume a session
// which another page has left half done.
func NewEngine(h Handler, lastID uint16) *Engine {
	return &Engine{handler: h, session: newSession(lastID)}
}

// Open begins a connection: CONNECT goes into Output. What a former connection
// left unfinished is taken up if the server still knows the session.
func (e *Engine) Open(now time.Duration, o ConnectOptions) {
	e.state = connecting
	e.generation++
	e.options = o
	e.output.reset()
	e.bulk = appendConnect(e.bulk, &e.options)
	e.partly = e.partly[:0]
	e.now, e.lastSent, e.lastReceived, e.unreceived = now, now, now, false
	e.pinging, e.pingGrace = false, 0
	e.timeouts = timeouts{timeout: o.AckTimeout, check: Never, answered: now}
	e.roundTrip.id = 0
	e.unacked, e.acking = 0, 0
	e.aliasIn = make([][]byte, int(o.TopicAliasMaximum)+1)
	e.aliasOut.reset(0)
	e.acks.reset()
	e.session.disconnected()
}

// Lost tells the engine that its connection is gone. The session stays.
func (e *Engine) Lost() {
	e.doubt = e.doubt || e.state == connecting
	e.state = offline
	e.settleLeft(ErrConnectionLost)
	e.output.reset()
	e.partly = e.partly[:0]
	e.acks.reset()
	e.session.disconnected()
	e.failControl(ErrConnectionLost)
}

// Gate has open asked before each PUBLISH is sent, with its size in bytes. While
// it says no, messages wait; Pump tries them again. nil: no gate.
func (e *Engine) Gate(open func(size int) bool) { e.gate = open }

// passes asks the gate.
func (e *Engine) passes(m *Outgoing) bool {
	return e.gate == nil || e.gate(len(m.Topic)+len(m.Properties)+len(m.Payload)+8)
}

// Pump sends of what waits as much as may go now.
func (e *Engine) Pump(now time.Duration) {
	e.now = now
	e.pump()
}

// Granted is what the last successful CONNACK said.
func (e *Engine) Granted() *Connack { return &e.granted }

// Disconnect ends the connection in an orderly way, so that the server
// publishes no will.
func (e *Engine) Disconnect() {
	if e.state == connecting || e.state == connected {
		e.bulk = appendDisconnect(e.bulk, Success)
		e.state = stopped
	}
}

// fail answers what the server did wrong [MQTT-4.13.1-1].
func (e *Engine) fail(err *connectionError) {
	if e.state == connecting || e.state == connected {
		e.bulk = appendDisconnect(e.bulk, err.Reason)
	}
	e.stop(&StopError{Reason: err.Reason, Local: true, Detail: err.Detail})
}

func (e *Engine) stop(why *StopError) {
	if e.state == stopped || e.state == offline {
		return
	}
	e.state = stopped
	e.handler.Stopped(why)
}

// Never is the deadline of an engine that waits for nothing.
const Never = time.Duration(math.MaxInt64)
