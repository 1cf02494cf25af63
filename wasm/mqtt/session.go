package mqtt

import (
	"errors"
	"slices"
	"time"
)

// Why something that was asked for will not be answered.
var (
	ErrConnectionLost = errors.New("the connection was lost before the answer came")
	ErrSessionLost    = errors.New("the server has lost the session: whether the QoS 2 message arrived cannot be known")
	ErrDropped        = errors.New("the message was dropped from the queue")
	ErrAckTimeout     = errors.New("the server did not acknowledge in time")
)

type outState byte

const (
	waiting   outState = iota // has no packet identifier yet
	resend                    // PUBLISH went on a former connection, not on this one
	sent                      // PUBLISH is on its way
	rerelease                 // PUBREL is due, and has not gone on this connection
	released                  // PUBREL is on its way (QoS 2)
)

// outgoing is a message that the server has not taken over yet. Its buffer
// holds topic, properties and payload, one behind the other.
type outgoing struct {
	token  Token
	seq    uint64
	id     uint16
	qos    byte
	retain bool
	state  outState
	buf    []byte
	t, p   int            // where the topic ends, and the properties
	rec    *PublishResult // what PUBREC said, where that was more than success

	end      uint64        // where in the output of this connection the PUBLISH ends
	due      time.Duration // when the acknowledgement must have come
	expiries int           // how often it did not
}

func (o *outgoing) topic() []byte   { return o.buf[:o.t] }
func (o *outgoing) props() []byte   { return o.buf[o.t:o.p] }
func (o *outgoing) payload() []byte { return o.buf[o.p:] }

// control is a SUBSCRIBE or UNSUBSCRIBE that has not been answered.
type control struct {
	token   Token
	answer  packetType
	filters int
	due     time.Duration // when the answer must have come
	expired bool          // it did not
}

// session is what outlives a connection (section 4.1).
type session struct {
	inflight map[uint16]*outgoing
	control  map[uint16]control
	orphans  map[uint16]bool   // of QoS 2 messages that were given up: PUBREL is due
	received map[uint16]uint32 // QoS 2 arrivals without PUBREL, and on which connection they came
	queue    fifo              // waiting, in order
	again    []*outgoing       // in flight, to be sent once more, in order
	onWire   int               // in flight, and sent on this connection
	free     []*outgoing

	inflightBytes int
	lastID        uint16 // the last one given
	nextSeq       uint64
}

// maxPacketIDs is the number of packet identifiers: 1 to 65,535.
const maxPacketIDs = 65_535

func newSession(lastID uint16) session {
	return session{
		lastID:   lastID,
		inflight: make(map[uint16]*outgoing),
		control:  make(map[uint16]control),
		orphans:  make(map[uint16]bool),
		received: make(map[uint16]uint32),
	}
}

// newID is a packet identifier that nothing uses [MQTT-2.2.1-3]; ok is false
// when all are in use.
func (s *session) newID() (id uint16, ok bool) {
	if len(s.inflight)+len(s.control)+len(s.orphans) >= maxPacketIDs {
		return 0, false
	}
	for {
		s.lastID++
		_, message := s.inflight[s.lastID]
		_, control := s.control[s.lastID]
		if s.lastID != 0 && !message && !control && !s.orphans[s.lastID] {
			return s.lastID, true
		}
	}
}

func (s *session) alloc() *outgoing {
	if n := len(s.free); n > 0 {
		o := s.free[n-1]
		s.free = s.free[:n-1]
		return o
	}
	return new(outgoing)
}

func (s *session) release(o *outgoing) {
	const keep, big = 256, 4096
	if len(s.free) < keep && cap(o.buf) <= big {
		*o = outgoing{buf: o.buf[:0]}
		s.free = append(s.free, o)
	}
}

// disconnected: nothing is on the wire any more.
func (s *session) disconnected() {
	s.onWire = 0
	s.again = s.again[:0]
}

// ordered lists what is in flight: messages in the order they were first sent
// [MQTT-4.6.0-1], and PUBRELs in the order of the PUBRECs [MQTT-4.6.0-4].
func (s *session) ordered() []*outgoing {
	keys := make([]int, 0, len(s.inflight))
	for id, o := range s.inflight {
		keys = append(keys, int(o.seq)<<16|int(id))
	}
	slices.Sort(keys)
	list := s.again[:0]
	for _, k := range keys {
		list = append(list, s.inflight[uint16(k)])
	}
	return list
}

// resume: the server has kept the session, so what is in flight is sent again
// with its own identifiers [MQTT-4.4.0-1].
func (e *Engine) resume() {
	e.again = e.ordered()
	for _, o := range e.again {
		o.end = 0
		switch o.state {
		case sent:
			o.state = resend
		case released:
			o.state = rerelease
		}
	}
}

// giveUpQoS2: the session may be another than the one that knows which messages
// have arrived, and to send them again might deliver them twice. Those that
// PUBREC has taken are safe.
func (e *Engine) giveUpQoS2() {
	e.again = slices.DeleteFunc(e.again, func(o *outgoing) bool {
		lost := o.qos == 2 && o.state == resend
		if lost {
			e.abandoned(o)
			e.landed(o)
			e.settle(o, ErrSessionLost)
		}
		return lost
	})
}

// restart: the server has no session, so ours is void too [MQTT-3.2.2-5].
// QoS 1 messages go again as new ones, ahead of those that wait; a QoS 2
// message might have arrived, and to send it again might deliver it twice.
func (e *Engine) restart() {
	clear(e.received)
	list := e.ordered()
	e.again = nil
	clear(e.inflight)
	e.inflightBytes = 0
	var anew []*outgoing
	for _, o := range list {
		if o.qos == 1 {
			o.id, o.state = 0, waiting
			anew = append(anew, o)
		} else {
			e.settle(o, ErrSessionLost)
		}
	}
	e.queue.prepend(anew)
}

// failControl gives up the SUBSCRIBEs and UNSUBSCRIBEs that are unanswered: a
// new connection asks anew.
func (e *Engine) failControl(err error) {
	ids := make([]uint32, 0, len(e.control))
	for id := range e.control {
		ids = append(ids, uint32(id))
	}
	slices.Sort(ids) // the order of a map would not replay
	for _, id := range ids {
		c := e.control[uint16(id)]
		delete(e.control, uint16(id))
		why := err
		if c.expired {
			why = ErrAckTimeout
		}
		if c.answer == typeSuback {
			e.handler.Subscribed(c.token, nil, "", why)
		} else {
			e.handler.Unsubscribed(c.token, nil, "", why)
		}
	}
}

// Waiting is how many messages, and how many bytes of theirs, wait for a
// connection or for the server's Receive Maximum.
func (e *Engine) Waiting() (messages, bytes int) { return e.queue.len(), e.queue.bytes }

// Held is about how many bytes the engine holds of what was published: what
// waits, what is in flight, and what is to be sent.
func (e *Engine) Held() int {
	const each = 128 // what the keeping of a message costs beside its own bytes
	return e.queue.bytes + e.inflightBytes + e.output.len() + each*(e.queue.len()+len(e.inflight))
}

// Inflight is how many messages of QoS 1 and 2 have been sent and not been
// acknowledged.
func (e *Engine) Inflight() int { return len(e.inflight) }

// DropOldest gives up the message that has waited longest, and reports whether
// there was one.
func (e *Engine) DropOldest() bool {
	o := e.queue.pop()
	if o == nil {
		return false
	}
	e.settle(o, ErrDropped)
	return true
}

// Cancel takes a message out of those that wait, and reports whether it was
// there. The Handler does not hear of it.
func (e *Engine) Cancel(token Token) bool {
	o := e.queue.remove(token)
	if o == nil {
		return false
	}
	e.release(o)
	return true
}

// AbandonSent gives up every message that has been sent and not been
// acknowledged.
func (e *Engine) AbandonSent(err error) {
	for _, o := range e.ordered() {
		e.abandoned(o)
		e.landed(o)
		e.settle(o, err)
	}
	e.session.disconnected()
}

// abandoned notes that o is given up. The server may have begun its QoS 2 flow, and
// would count it against its Receive Maximum for ever.
func (e *Engine) abandoned(o *outgoing) {
	if o.qos == 2 {
		e.orphans[o.id] = true
	}
}

// releaseOrphans ends the QoS 2 flows of messages that were given up, in a session
// that goes on. A server that does not know one says so, and no harm is done.
func (e *Engine) releaseOrphans() {
	ids := make([]uint32, 0, len(e.orphans))
	for id := range e.orphans {
		ids = append(ids, uint32(id))
	}
	slices.Sort(ids) // the order of a map would not replay
	for _, id := range ids {
		e.answer(typePubrel, uint16(id), Success)
	}
}

// Abandon gives up every message that has not been acknowledged. What has
// arrived stays known, so that a session that is resumed delivers nothing twice.
func (e *Engine) Abandon(err error) {
	e.AbandonSent(err)
	for o := e.queue.pop(); o != nil; o = e.queue.pop() {
		e.settle(o, err)
	}
}

// landed: o is in flight no more.
func (e *Engine) landed(o *outgoing) {
	delete(e.inflight, o.id)
	e.inflightBytes -= len(o.buf)
}

func (e *Engine) settle(o *outgoing, err error) {
	if o.qos == 0 {
		e.handler.Sent(o.token, err)
	} else {
		e.handler.Published(o.token, PublishResult{Err: err})
	}
	e.release(o)
}

// fifo is a queue of messages that is cheap at both ends.
type fifo struct {
	list  []*outgoing
	head  int
	bytes int
	qos0  int // how many of them
}

func (q *fifo) len() int { return len(q.list) - q.head }

func (q *fifo) count(o *outgoing, n int) {
	q.bytes += n * len(o.buf)
	if o.qos == 0 {
		q.qos0 += n
	}
}

func (q *fifo) push(o *outgoing) {
	if q.head > 64 && q.head > len(q.list)/2 {
		n := copy(q.list, q.list[q.head:])
		clear(q.list[n:])
		q.list, q.head = q.list[:n], 0
	}
	q.list = append(q.list, o)
	q.count(o, 1)
}

// prepend puts list, in its order, before what is there.
func (q *fifo) prepend(list []*outgoing) {
	q.list, q.head = slices.Concat(list, q.list[q.head:]), 0
	for _, o := range list {
		q.count(o, 1)
	}
}

func (q *fifo) remove(token Token) *outgoing {
	i := slices.IndexFunc(q.list[q.head:], func(o *outgoing) bool { return o.token == token })
	if i < 0 {
		return nil
	}
	o := q.list[q.head+i]
	q.list = slices.Delete(q.list, q.head+i, q.head+i+1)
	q.count(o, -1)
	return o
}

func (q *fifo) peek() *outgoing {
	if q.len() == 0 {
		return nil
	}
	return q.list[q.head]
}

func (q *fifo) pop() *outgoing {
	o := q.peek()
	if o == nil {
		return nil
	}
	q.list[q.head] = nil
	q.head++
	if q.head == len(q.list) {
		q.list, q.head = q.list[:0], 0
	}
	q.count(o, -1)
	return o
}
