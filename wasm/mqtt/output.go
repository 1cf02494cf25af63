package mqtt

import "time"

const (
	// maxPrompt bounds, in bytes, the acknowledgements that wait for the network.
	// A server that reads what it is sent never comes near it: all packet
	// identifiers together have 262,140 bytes of PUBREL or PUBCOMP.
	maxPrompt = 1 << 20
	// maxBulk is how many bytes of messages are encoded ahead of the network. The
	// rest waits as messages, behind which acknowledgements need not wait.
	maxBulk = 1 << 20
	// mergeable is how many bytes are copied so that both streams share one
	// WebSocket message.
	mergeable = 64 << 10
	// keepOutput is the capacity that an empty stream keeps.
	keepOutput = 1 << 20
)

// output is what is to be sent, as two streams of whole packets. What answers
// the server or shows that the client is alive goes ahead of messages, however
// many of them wait.
type output struct {
	prompt []byte // PUBACK, PUBREC, PUBREL, PUBCOMP and PINGREQ, in order
	bulk   []byte // all other packets, in order
	// cut is how many bytes at the front of bulk belong to a packet whose first
	// bytes have been sent. Nothing may come between.
	cut    int
	merged []byte
	// How many bytes of bulk have been taken, and the QoS 0 messages in it whose
	// senders wait for that.
	taken   uint64
	leaving []leaving
	// pubrelEnd is where in bulk the last PUBREL ends that had to go there.
	pubrelEnd uint64
	// What the last call of next returned: so many bytes of bulk, then so many of
	// prompt, then bulk again.
	head, middle int
}

// leaving is a message that has left when so many bytes of bulk have been taken.
type leaving struct {
	token Token
	end   uint64
}

func (o *output) len() int { return len(o.prompt) + len(o.bulk) }

// next returns what is to be sent next, good until the output changes.
func (o *output) next() []byte {
	o.head, o.middle = 0, len(o.prompt)
	switch {
	case len(o.prompt) == 0:
		return o.bulk
	case len(o.bulk) == 0:
		return o.prompt
	case o.len() <= mergeable:
		o.head = o.cut
		return o.all()
	case o.cut > 0:
		o.head, o.middle = o.cut, 0
		return o.bulk[:o.cut]
	}
	return o.prompt
}

// all returns everything that is to be sent.
func (o *output) all() []byte {
	o.merged = append(append(append(o.merged[:0], o.bulk[:o.cut]...), o.prompt...), o.bulk[o.cut:]...)
	return o.merged
}

// take removes the first n bytes of what next returned.
func (o *output) take(n int) {
	k := min(n, o.head)
	o.takeBulk(k)
	p := min(n-k, o.middle)
	o.prompt = rest(o.prompt, p)
	o.takeBulk(n - k - p)
	o.head, o.middle = o.head-k, o.middle-p
}

func (o *output) takeBulk(n int) {
	n = min(n, len(o.bulk))
	if n < len(o.bulk) {
		at := o.cut // the beginning of a packet
		for at < n {
			remaining, used := readVarint(o.bulk[at+1:])
			at += 1 + used + int(remaining)
		}
		o.cut = at - n
	} else {
		o.cut = 0
	}
	o.bulk = rest(o.bulk, n)
	o.taken += uint64(n)
}

// rest is b without its first n bytes, in the same memory.
func rest(b []byte, n int) []byte {
	if n == len(b) && cap(b) > keepOutput {
		return nil
	}
	return b[:copy(b, b[n:])]
}

func (o *output) reset() {
	o.prompt, o.bulk = o.prompt[:0], o.bulk[:0]
	o.cut, o.head, o.middle, o.taken, o.pubrelEnd = 0, 0, 0, 0, 0
	o.leaving = o.leaving[:0]
	if cap(o.merged) > keepOutput {
		o.merged = nil
	}
}

// Output is what is to be sent next; its packets may share a WebSocket message,
// and a packet may be cut. It stays good until the next call to the engine.
func (e *Engine) Output() []byte { return e.output.next() }

// Unsent is how many bytes are to be sent, those that Output does not return yet
// included.
func (e *Engine) Unsent() int { return e.output.len() }

// Rest is everything that is to be sent, for a connection that ends.
func (e *Engine) AllOutput() []byte { return e.output.all() }

// Flushed says that the first n bytes of Output have been handed to the network.
// Messages that waited for room may follow.
func (e *Engine) Flushed(now time.Duration, n int) {
	if n == 0 {
		return
	}
	e.now, e.lastSent = now, now
	e.output.take(n)
	e.sentSince(n)
	if len(e.prompt) == 0 {
		e.unacked -= e.acking
		e.acking = 0
	}
	if len(e.bulk) == 0 {
		e.roundTrip.flushed(now)
	}
	e.settleLeft(nil)
	if len(e.bulk) < maxBulk {
		e.pump()
	}
}

// FlushedRest says that Rest has been handed to the network.
func (e *Engine) FlushedAll() {
	e.taken += uint64(len(e.bulk))
	e.settleLeft(nil)
}

// settleLeft settles the QoS 0 messages that have been taken or, with an error, all
// that have not.
func (e *Engine) settleLeft(err error) {
	n := 0
	for ; n < len(e.leaving) && (err != nil || e.leaving[n].end <= e.taken); n++ {
		e.handler.Sent(e.leaving[n].token, err)
	}
	if n > 0 {
		e.leaving = e.leaving[:copy(e.leaving, e.leaving[n:])]
	}
}

// answer queues an acknowledgement.
func (e *Engine) answer(t packetType, id uint16, r Reason) {
	e.prompt = appendAck(e.prompt, t, id, r)
}

// tooManyAnswers reports a server that asks for acknowledgements and does not
// read them.
func (e *Engine) tooManyAnswers() *connectionError {
	if len(e.prompt) > maxPrompt {
		return violation(QuotaExceeded, "%d bytes of acknowledgements wait for the server to read them", len(e.prompt))
	}
	return nil
}
