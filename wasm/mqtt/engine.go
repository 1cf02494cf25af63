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
	// Connected: the server has accepted. Resumed says whether it had kept the
	// session.
	Connected(ack *Connack)
	// Refused: the server's CONNACK carried a failure. Stopped follows.
	Refused(ack *Connack)
	// Message: one has arrived, once for each time the server counts as a
	// delivery.
	Message(m *Publish)
	// Published: a QoS 1 or 2 message has been acknowledged, or given up.
	Published(token Token, r PublishResult)
	// Sent: a message of QoS 0 that had been waiting is on its way, or given up.
	Sent(token Token, err error)
	// Subscribed: codes has one reason code for each filter asked for. It is nil,
	// and reason an error's text, where the connection was lost before the answer.
	Subscribed(token Token, codes []byte, reason string)
	// Unsubscribed: likewise.
	Unsubscribed(token Token, codes []byte, reason string)
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
// Messages of QoS 1 and 2 that are published while there is no connection, or
// beyond what the server lets be in flight, wait in the engine; how many is for
// the caller to bound, by Waiting and Held.
type Engine struct {
	handler Handler
	state   connState
	options ConnectOptions
	granted Connack

	out    []byte // to be sent
	partly []byte // the beginning of a packet whose rest has not come
	whole  []byte // a packet that was put together in the last Receive
	input  Publish

	lastSent, lastReceived time.Duration
	pingAt                 time.Duration // when the PINGREQ went that is unanswered
	pinging                bool
	pingTimeout            time.Duration
	grace                  time.Duration // a late timer waits until then for bytes

	gate func(size int) bool // see Gate
	roundTrip
	session
	aliasIn  [][]byte
	aliasOut aliases

	// Flow control towards us: what we have not acknowledged, and of that, what
	// the acknowledgements in out will cover.
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
	e.out = appendConnect(e.out[:0], &e.options)
	e.partly = e.partly[:0]
	e.lastSent, e.lastReceived = now, now
	e.pinging, e.grace = false, 0
	e.roundTrip.id = 0
	e.unacked, e.acking = 0, 0
	e.aliasIn = make([][]byte, int(o.TopicAliasMaximum)+1)
	e.aliasOut.reset(0)
	e.session.disconnected()
}

// Lost tells the engine that its connection is gone. The session stays.
func (e *Engine) Lost() {
	e.doubt = e.doubt || e.state == connecting
	e.state = offline
	e.out, e.partly = e.out[:0], e.partly[:0]
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
func (e *Engine) Pump() { e.pump() }

// Granted is what the last successful CONNACK said.
func (e *Engine) Granted() *Connack { return &e.granted }

// Output is what is to be sent, in order; its packets may share a WebSocket
// message. It stays good until the next call to the engine.
func (e *Engine) Output() []byte { return e.out }

// Flushed says that the first n bytes of Output have been handed to the network.
func (e *Engine) Flushed(now time.Duration, n int) {
	if n == 0 {
		return
	}
	e.lastSent = now
	if n < len(e.out) {
		e.out = e.out[:copy(e.out, e.out[n:])]
		return
	}
	e.roundTrip.flushed(now)
	e.unacked -= e.acking
	e.acking = 0
	const keep = 1 << 20
	if cap(e.out) > keep {
		e.out = nil
	}
	e.out = e.out[:0]
}

// Disconnect ends the connection in an orderly way, so that the server
// publishes no will.
func (e *Engine) Disconnect() {
	if e.state == connecting || e.state == connected {
		e.out = appendDisconnect(e.out, Success)
		e.state = stopped
	}
}

// fail answers what the server did wrong [MQTT-4.13.1-1].
func (e *Engine) fail(err *WireError) {
	if e.state == connecting || e.state == connected {
		e.out = appendDisconnect(e.out, err.Reason)
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
