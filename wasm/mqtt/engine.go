package mqtt

import (
	"math"
	"time"
)

type connState byte

const (
	offline    connState = iota // no connection
	connecting                  // CONNECT sent
	connected                   // CONNACK received
	stopped                     // ended by the client or the server; Lost was not called yet
)

// Never is the deadline of an engine without a running timer.
const Never = time.Duration(math.MaxInt64)

// An Engine is an MQTT client: one session, and its current connection. All times
// are offsets on the caller's monotonic clock.
//
// The engine queues a message when there is no connection, when the server's
// Receive Maximum is reached, when the output is full, or when the function of
// [Engine.Gate] returns false. The engine does not limit the queue. The caller must
// limit it, by means of [Engine.Waiting] and [Engine.Held].
type Engine struct {
	handler Handler
	state   connState
	options ConnectOptions
	granted Connack

	output
	acks ackQueue
	timeouts
	partial   []byte // the received part of an incomplete packet
	assembled []byte // the packet that the last Receive assembled from parts
	inbound   Publish
	minSkip   int // minSkip, except in tests

	now                    time.Duration // the time of the current call
	lastSent, lastReceived time.Duration
	receivePending         bool          // ReceivedAt has reported bytes that Receive has not processed
	pinging                bool          // a PINGREQ was sent, and no bytes have arrived since
	pingAt                 time.Duration // the time of that PINGREQ
	pingTimeout            time.Duration // the timeout of that PINGREQ, from pingAt
	pingGrace              time.Duration // the end of the extended timeout after a late timer; 0: none

	gate func(size int) bool // see Gate
	roundTrip
	session
	inboundAliases  [][]byte
	outboundAliases topicAliases

	// unacked counts the received messages that count against the client's Receive
	// Maximum. ackedInOutput counts those whose acknowledgement is in the output.
	unacked, ackedInOutput int
	generation             uint32 // incremented for each connection

	// sessionUncertain is true after a CONNECT without a CONNACK. The server may
	// have replaced the session. Its next CONNACK may then report the replacement as
	// present.
	sessionUncertain bool
	// uncertainBefore is the first generation whose entries in receivedQoS2 are
	// known to belong to the current session.
	uncertainBefore uint32
}

// NewEngine returns an engine that reports events to h. The first packet identifier
// is the one after lastID. If another page may have used the session, choose lastID
// at random, because identifiers of that page may still be in use.
func NewEngine(h Handler, lastID uint16) *Engine {
	return &Engine{handler: h, session: newSession(lastID), minSkip: minSkip}
}

// Open starts a connection: it puts a CONNECT into the output. The caller must call
// Lost before it opens another connection. If the server has kept the session, the
// engine continues the deliveries of the previous connection.
func (e *Engine) Open(now time.Duration, o ConnectOptions) {
	e.state = connecting
	e.generation++
	e.options = o
	e.output.reset()
	e.bulk = appendConnect(e.bulk, &e.options)
	e.partial = e.partial[:0]
	e.now, e.lastSent, e.lastReceived, e.receivePending = now, now, now, false
	e.pinging, e.pingGrace = false, 0
	e.timeouts = timeouts{timeout: o.AckTimeout, nextCheck: Never, lastAck: now}
	e.roundTrip.reset()
	e.unacked, e.ackedInOutput = 0, 0
	e.inboundAliases = make([][]byte, int(o.TopicAliasMaximum)+1)
	e.outboundAliases.reset(0)
	e.acks.reset()
	e.session.resetConnection()
}

// Lost reports that the connection is closed. The session and the queue remain.
// Pending requests fail. A QoS 0 message fails if it was queued, and its packet was in
// the output and was not sent.
func (e *Engine) Lost() {
	e.sessionUncertain = e.sessionUncertain || e.state == connecting
	e.state = offline
	e.settleQoS0(ErrConnectionLost)
	e.output.reset()
	e.partial = e.partial[:0]
	e.acks.reset()
	e.session.resetConnection()
	e.failRequests(ErrConnectionLost)
}

// Gate sets a function that the engine calls before it sends a PUBLISH. size is the
// approximate size of the packet in bytes. If the function returns false, the message
// stays queued until a later call of the engine, such as Pump. nil removes the
// function.
func (e *Engine) Gate(open func(size int) bool) { e.gate = open }

func (e *Engine) gateAllows(m *Outgoing) bool {
	return e.gate == nil || e.gate(len(m.Topic)+len(m.Properties)+len(m.Payload)+8)
}

// Pump sends the queued messages that may be sent now.
func (e *Engine) Pump(now time.Duration) {
	e.now = now
	e.pump()
}

// Granted returns the last CONNACK that accepted a connection. Before the first such
// CONNACK, the result is zero.
func (e *Engine) Granted() *Connack { return &e.granted }

// Disconnect puts a DISCONNECT with reason code 0x00 into the output, so that the
// server does not publish the will.
func (e *Engine) Disconnect() {
	if e.state == connecting || e.state == connected {
		e.bulk = appendDisconnect(e.bulk, Success)
		e.state = stopped
	}
}

// fail ends the connection because of a fault. It puts a DISCONNECT with the reason
// code into the output [MQTT-4.13.1-1].
func (e *Engine) fail(f *connectionFault) {
	if e.state == connecting || e.state == connected {
		e.bulk = appendDisconnect(e.bulk, f.Reason)
	}
	e.stop(&StopError{Reason: f.Reason, Local: true, Detail: f.Detail})
}

// stop reports the end of the connection to the Handler, once.
func (e *Engine) stop(err *StopError) {
	if e.state == stopped || e.state == offline {
		return
	}
	e.state = stopped
	e.handler.Stopped(err)
}
