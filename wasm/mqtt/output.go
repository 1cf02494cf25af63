package mqtt

import "time"

const (
	// maxPriority is the size of the stream priority, in bytes, above which the engine
	// ends the connection. If the server reads acknowledgements, the stream does not
	// reach this size: PUBRELs or PUBCOMPs for all packet identifiers have 262,140
	// bytes.
	maxPriority = 1 << 20
	// maxBulk is the size of bulk, in bytes, from which messages stay queued. Larger
	// WebSocket messages cost a browser more for each byte.
	maxBulk = 64 << 10
	// maxMerged is the largest size of both streams, in bytes, at which they are copied
	// into one WebSocket message.
	maxMerged = 64 << 10
	// maxIdleCapacity is the capacity that an empty buffer may keep.
	maxIdleCapacity = 1 << 20
)

// output holds the packets to send, in two streams. The stream priority is sent
// first, so that a long upload does not delay acknowledgements and PINGREQs.
type output struct {
	priority []byte // PUBACK, PUBREC, PUBREL, PUBCOMP and PINGREQ, in order
	bulk     []byte // all other packets, and some PUBRELs (see sendPubrel), in order
	// unfinished is the number of bytes at the front of bulk that belong to a partly
	// sent packet. These bytes must be sent before priority.
	unfinished int
	merged     []byte // the buffer of all

	// bulkSent is the number of bytes of bulk that have been sent on this connection.
	// A position in bulk is the number of bytes since the start of the connection.
	bulkSent  uint64
	qos0Sends []qos0Send // the queued QoS 0 messages in bulk, in order
	pubrelEnd uint64     // the position at which the last PUBREL in bulk ends

	// The result of the last call of next begins with nextBulk bytes of bulk. Then
	// nextPriority bytes of priority follow, and then further bytes of bulk.
	nextBulk, nextPriority int
}

// qos0Send is a QoS 0 message in bulk for which the engine must call Handler.Sent.
type qos0Send struct {
	token Token
	end   uint64 // the position at which the PUBLISH ends in bulk
}

func (o *output) len() int { return len(o.priority) + len(o.bulk) }

// next returns the bytes to send next. They are valid until the output changes.
func (o *output) next() []byte {
	o.nextBulk, o.nextPriority = 0, len(o.priority)
	switch {
	case len(o.priority) == 0:
		return o.bulk
	case len(o.bulk) == 0:
		return o.priority
	case o.len() <= maxMerged:
		o.nextBulk = o.unfinished
		return o.all()
	case o.unfinished > 0:
		o.nextBulk, o.nextPriority = o.unfinished, 0
		return o.bulk[:o.unfinished]
	}
	return o.priority
}

// all returns all bytes to send, in order.
func (o *output) all() []byte {
	o.merged = append(append(append(o.merged[:0], o.bulk[:o.unfinished]...), o.priority...), o.bulk[o.unfinished:]...)
	return o.merged
}

// take removes the first n bytes of the last result of next.
func (o *output) take(n int) {
	k := min(n, o.nextBulk)
	o.takeBulk(k)
	p := min(n-k, o.nextPriority)
	o.priority = removeFront(o.priority, p)
	o.takeBulk(n - k - p)
	o.nextBulk, o.nextPriority = o.nextBulk-k, o.nextPriority-p
}

// takeBulk removes the first n bytes of bulk.
func (o *output) takeBulk(n int) {
	n = min(n, len(o.bulk))
	if n < len(o.bulk) {
		start := o.unfinished // the offset of the next packet in bulk
		for start < n {
			remaining, used := readVarint(o.bulk[start+1:])
			start += 1 + used + int(remaining)
		}
		o.unfinished = start - n
	} else {
		o.unfinished = 0
	}
	o.bulk = removeFront(o.bulk, n)
	o.bulkSent += uint64(n)
}

// removeFront removes the first n bytes of b in place. It returns nil instead of a
// large empty buffer, so that the memory is freed.
func removeFront(b []byte, n int) []byte {
	if n == len(b) && cap(b) > maxIdleCapacity {
		return nil
	}
	return b[:copy(b, b[n:])]
}

func (o *output) reset() {
	o.priority, o.bulk = o.priority[:0], o.bulk[:0]
	o.unfinished, o.nextBulk, o.nextPriority, o.bulkSent, o.pubrelEnd = 0, 0, 0, 0, 0
	o.qos0Sends = o.qos0Sends[:0]
	if cap(o.merged) > maxIdleCapacity {
		o.merged = nil
	}
}

// Output returns the bytes to send next. It is empty when there are none. The bytes
// are valid until the next call of the engine. They may contain several packets, and
// may begin or end within a packet.
func (e *Engine) Output() []byte { return e.output.next() }

// Unsent returns the number of bytes in the output, including bytes that Output does
// not return yet.
func (e *Engine) Unsent() int { return e.output.len() }

// Full reports whether the output is so large that messages stay queued.
func (e *Engine) Full() bool { return len(e.bulk) >= maxBulk }

// Unfinished returns the number of bytes at the start of the output that belong to a
// packet whose first bytes have been sent.
func (e *Engine) Unfinished() int { return e.unfinished }

// AllOutput returns all bytes in the output, for a connection that ends. The bytes
// are valid until the next call of the engine.
func (e *Engine) AllOutput() []byte { return e.output.all() }

// Flushed reports that the first n bytes of the last Output have been passed to the
// network. The engine may then put queued messages into the output.
func (e *Engine) Flushed(now time.Duration, n int) {
	if n == 0 {
		return
	}
	e.now, e.lastSent = now, now
	e.output.take(n)
	e.noteSent(n)
	if len(e.priority) == 0 {
		e.unacked -= e.ackedInOutput
		e.ackedInOutput = 0
	}
	if len(e.bulk) == 0 {
		e.roundTrip.flushed(now)
	}
	e.settleQoS0(nil)
	if len(e.bulk) < maxBulk {
		e.pump()
	}
}

// FlushedAll reports that the result of AllOutput has been passed to the network. The
// next call of the engine must be Lost.
func (e *Engine) FlushedAll() {
	e.bulkSent += uint64(len(e.bulk))
	e.settleQoS0(nil)
}

// settleQoS0 reports the result of the QoS 0 messages that have been sent. If err is
// not nil, it reports err for all QoS 0 messages in bulk.
func (e *Engine) settleQoS0(err error) {
	n := 0
	for ; n < len(e.qos0Sends) && (err != nil || e.qos0Sends[n].end <= e.bulkSent); n++ {
		e.handler.Sent(e.qos0Sends[n].token, err)
	}
	if n > 0 {
		e.qos0Sends = e.qos0Sends[:copy(e.qos0Sends, e.qos0Sends[n:])]
	}
}

// queueAck puts an acknowledgement into the output.
func (e *Engine) queueAck(t packetType, id uint16, r Reason) {
	e.priority = appendAck(e.priority, t, id, r)
}

// checkAckBacklog returns a fault when the server requests acknowledgements and
// does not read them.
func (e *Engine) checkAckBacklog() *connectionFault {
	if len(e.priority) > maxPriority {
		return violation(QuotaExceeded, "the server does not read acknowledgements: %d bytes wait", len(e.priority))
	}
	return nil
}
