package mqtt

import (
	"errors"
	"slices"
	"time"
)

// Results of messages and requests without an acknowledgement.
var (
	ErrConnectionLost = errors.New("the connection was lost before an answer")
	ErrSessionLost    = errors.New("the server has lost the session: the QoS 2 message may or may not have arrived")
	ErrDropped        = errors.New("the message was dropped from the queue")
	ErrAckTimeout     = errors.New("the server did not acknowledge in time")
)

type publishState byte

const (
	stateQueued        publishState = iota // without a packet identifier
	stateResendPublish                     // PUBLISH sent on an earlier connection only
	statePublishSent                       // PUBLISH sent on this connection
	stateResendPubrel                      // PUBREC received, PUBREL not sent on this connection
	statePubrelSent                        // PUBREL sent on this connection
)

// pendingPublish is a message that is queued or in flight: the server has not
// completed its acknowledgement.
type pendingPublish struct {
	token  Token
	seq    uint64 // the order of retransmission; see inflightInOrder
	id     uint16
	qos    byte
	retain bool
	state  publishState

	buf                []byte // topic, properties and payload
	topicEnd, propsEnd int    // offsets in buf

	pubrecResult *PublishResult // the result in a PUBREC with a reason code or properties
	bulkEnd      uint64         // the position at which the PUBLISH ends in bulk; see output
	due          time.Duration  // when the acknowledgement is due
	expiries     int            // the number of times that it was not received in time
}

// toResend reports whether p is in flight, and was last sent on an earlier connection.
func (p *pendingPublish) toResend() bool {
	return p.state == stateResendPublish || p.state == stateResendPubrel
}

func (p *pendingPublish) message() Outgoing {
	return Outgoing{
		Token: p.token, QoS: p.qos, Retain: p.retain,
		Topic: p.buf[:p.topicEnd], Properties: p.buf[p.topicEnd:p.propsEnd], Payload: p.buf[p.propsEnd:],
	}
}

// session is the state that remains when a connection ends (section 4.1).
type session struct {
	inflight map[uint16]*pendingPublish
	requests map[uint16]pendingRequest
	// abandonedIDs has the packet identifiers of QoS 2 messages that the engine gave
	// up in flight. The server may wait for a PUBREL.
	abandonedIDs map[uint16]bool
	// receivedQoS2 has the packet identifiers of received QoS 2 messages for which no
	// PUBREL was received. Its values are the generation of the connection on which the
	// message was received last.
	receivedQoS2 map[uint16]uint32
	queue        messageQueue      // the messages in stateQueued
	resends      []*pendingPublish // the messages in flight that must be sent again, in order
	quotaUsed    int               // the number of messages in flight that were sent on this connection
	freeList     []*pendingPublish // for reuse

	inflightBytes int
	lastPacketID  uint16 // the packet identifier that was assigned last
	nextSeq       uint64
}

// maxPacketIDs is the number of packet identifiers: 1 to 65,535.
const maxPacketIDs = 65_535

func newSession(lastID uint16) session {
	return session{
		lastPacketID: lastID,
		inflight:     make(map[uint16]*pendingPublish),
		requests:     make(map[uint16]pendingRequest),
		abandonedIDs: make(map[uint16]bool),
		receivedQoS2: make(map[uint16]uint32),
	}
}

// newPacketID returns an unused packet identifier [MQTT-2.2.1-3]. ok is false when
// all are in use.
func (s *session) newPacketID() (id uint16, ok bool) {
	if len(s.inflight)+len(s.requests)+len(s.abandonedIDs) >= maxPacketIDs {
		return 0, false
	}
	for {
		s.lastPacketID++
		_, message := s.inflight[s.lastPacketID]
		_, request := s.requests[s.lastPacketID]
		if s.lastPacketID != 0 && !message && !request && !s.abandonedIDs[s.lastPacketID] {
			return s.lastPacketID, true
		}
	}
}

func (s *session) allocPublish() *pendingPublish {
	if n := len(s.freeList); n > 0 {
		p := s.freeList[n-1]
		s.freeList = s.freeList[:n-1]
		return p
	}
	return new(pendingPublish)
}

// recycle makes p available to allocPublish. The caller must not use p afterwards.
func (s *session) recycle(p *pendingPublish) {
	const maxFree, maxBuffer = 256, 4096
	if len(s.freeList) < maxFree && cap(p.buf) <= maxBuffer {
		*p = pendingPublish{buf: p.buf[:0]}
		s.freeList = append(s.freeList, p)
	}
}

// resetConnection removes the state of the connection that has ended.
func (s *session) resetConnection() {
	s.quotaUsed = 0
	s.resends = s.resends[:0]
}

// inflightInOrder returns the messages in flight: PUBLISHes in the order in which
// they were first sent [MQTT-4.6.0-1], and PUBRELs in the order of the PUBRECs
// [MQTT-4.6.0-4]. The result uses the memory of resends, so the caller must not use
// the old value of resends.
func (s *session) inflightInOrder() []*pendingPublish {
	keys := make([]int, 0, len(s.inflight))
	for id, p := range s.inflight {
		keys = append(keys, int(p.seq)<<16|int(id))
	}
	slices.Sort(keys)
	list := s.resends[:0]
	for _, k := range keys {
		list = append(list, s.inflight[uint16(k)])
	}
	return list
}

// resume prepares retransmission: the server has kept the session, and messages in
// flight are sent again with their packet identifiers [MQTT-4.4.0-1].
func (e *Engine) resume() {
	e.resends = e.inflightInOrder()
	for _, p := range e.resends {
		p.bulkEnd = 0
		switch p.state {
		case statePublishSent:
			p.state = stateResendPublish
		case statePubrelSent:
			p.state = stateResendPubrel
		}
	}
}

// failUncertainQoS2 gives up the QoS 2 messages whose PUBREC has not been received.
// The server may have replaced the session, and a retransmission might then deliver a
// message twice.
func (e *Engine) failUncertainQoS2() {
	e.resends = slices.DeleteFunc(e.resends, func(p *pendingPublish) bool {
		lost := p.qos == 2 && p.state == stateResendPublish
		if lost {
			e.markAbandoned(p)
			e.removeInflight(p)
			e.settle(p, ErrSessionLost)
		}
		return lost
	})
}

// discardSession discards the session state, because the server has no session
// [MQTT-3.2.2-5]. QoS 1 messages in flight return to the front of the queue. QoS 2
// messages in flight fail: they may have been delivered, and a retransmission might
// deliver them twice.
func (e *Engine) discardSession() {
	clear(e.receivedQoS2)
	list := e.inflightInOrder()
	e.resends = nil
	clear(e.inflight)
	e.inflightBytes = 0
	var requeued []*pendingPublish
	for _, p := range list {
		if p.qos == 1 {
			p.id, p.state = 0, stateQueued
			requeued = append(requeued, p)
		} else {
			e.settle(p, ErrSessionLost)
		}
	}
	e.queue.prepend(requeued)
}

// Waiting returns the number of queued messages, and the sum of the sizes of their
// topics, properties and payloads in bytes.
func (e *Engine) Waiting() (messages, bytes int) { return e.queue.len(), e.queue.bytes }

// Held returns the approximate number of bytes of memory that published messages use:
// queued messages, messages in flight, and the output.
func (e *Engine) Held() int {
	const overhead = 128 // bytes for each message
	return e.queue.bytes + e.inflightBytes + e.output.len() + overhead*(e.queue.len()+len(e.inflight))
}

// Inflight returns the number of QoS 1 and 2 messages that have been sent and whose
// acknowledgement is not complete.
func (e *Engine) Inflight() int { return len(e.inflight) }

// DropOldest removes the oldest message from the queue, and reports ErrDropped as its
// result. It returns false if the queue is empty.
func (e *Engine) DropOldest() bool {
	p := e.queue.pop()
	if p == nil {
		return false
	}
	e.settle(p, ErrDropped)
	return true
}

// Cancel removes the message with this token from the queue, and returns false if the
// queue does not contain it. The engine reports no result for a removed message.
func (e *Engine) Cancel(token Token) bool {
	p := e.queue.remove(token)
	if p == nil {
		return false
	}
	e.recycle(p)
	return true
}

// AbandonSent gives up all messages in flight, and reports err as their result. The
// caller must not call it while there is a connection.
func (e *Engine) AbandonSent(err error) {
	for _, p := range e.inflightInOrder() {
		e.markAbandoned(p)
		e.removeInflight(p)
		e.settle(p, err)
	}
	e.session.resetConnection()
}

// Abandon gives up all messages, queued or in flight, and reports err as their result.
// The engine keeps the identifiers of received QoS 2 messages, so that a resumed
// session delivers none of them twice. The caller must not call Abandon while there is
// a connection.
func (e *Engine) Abandon(err error) {
	e.AbandonSent(err)
	for p := e.queue.pop(); p != nil; p = e.queue.pop() {
		e.settle(p, err)
	}
}

// markAbandoned records the packet identifier of a QoS 2 message that is given up.
// The server may have received the message. It then counts the message against its
// Receive Maximum until the client sends a PUBREL.
func (e *Engine) markAbandoned(p *pendingPublish) {
	if p.qos == 2 {
		e.abandonedIDs[p.id] = true
	}
}

// releaseAbandoned sends a PUBREL for each QoS 2 message that the engine gave up in
// the current session. If the server has not stored the packet identifier, it answers
// with the reason code 0x92, which has no further effect.
func (e *Engine) releaseAbandoned() {
	for _, id := range sortedIDs(e.abandonedIDs) {
		e.queueAck(typePubrel, uint16(id), Success)
	}
}

func (e *Engine) removeInflight(p *pendingPublish) {
	delete(e.inflight, p.id)
	e.inflightBytes -= len(p.buf)
}

// settle reports err to the Handler as the result of a message.
func (e *Engine) settle(p *pendingPublish, err error) {
	if p.qos == 0 {
		e.handler.Sent(p.token, err)
	} else {
		e.handler.Published(p.token, PublishResult{Err: err})
	}
	e.recycle(p)
}
