package mqtt

import (
	"slices"
	"time"
)

// MaxExpiries is how often a message or request is sent and not acknowledged
// before it is given up.
const MaxExpiries = 3

// slowestLink, in bytes per second, is the slowest upload that is not taken for
// a dead connection.
const slowestLink = 16 << 10

// transit is how long n bytes take on the slowest link, in whole seconds.
func transit(n int) time.Duration { return time.Duration(n/slowestLink) * time.Second }

// timeouts bounds how long the server may take for an acknowledgement.
type timeouts struct {
	timeout time.Duration // 0: no bound
	// check is when the unacknowledged packets are looked at next: not later than
	// the earliest of them is due. Never: there are none.
	check    time.Duration
	grace    bool          // the last check was late, and the next one decides
	answered time.Duration // when an acknowledgement came last, or the connection began
	// Bytes handed to the network since the server was heard last.
	unheard int
}

// dueAt is when a packet that is put into the output now must have been
// acknowledged. It counts what the network has to carry before it.
func (e *Engine) dueAt(now time.Duration) time.Duration {
	if e.timeouts.timeout == 0 {
		return Never
	}
	due := now + e.timeouts.timeout + transit(e.output.len()+e.unheard)
	e.timeouts.check = min(e.timeouts.check, due)
	return due
}

// tickTimeouts ends the connection when the server has not acknowledged in time.
// The next one sends again what the session keeps.
func (e *Engine) tickTimeouts(now time.Duration) {
	t := &e.timeouts
	if now < t.check {
		return
	}
	// After a sleep, or while received bytes wait for the page, the
	// acknowledgements may be here already.
	if e.unreceived || (now-t.check > late && !t.grace) {
		t.check, t.grace = now+catchUp, true
		return
	}
	t.check, t.grace = Never, false
	if e.expire(now) {
		// What is in flight and not due yet has a share in the silence only if nothing
		// at all was acknowledged.
		e.endSilence("the server acknowledged nothing for "+t.timeout.String(), t.answered+t.timeout <= now)
	}
}

// Stalled says that the network has taken nothing for as long as an
// acknowledgement may take. Everything that waits for the server has expired.
func (e *Engine) Stalled() {
	e.expire(e.now)
	e.endSilence("the network took nothing for "+e.timeouts.timeout.String(), true)
}

// expire counts what was due by now, and finds out when the rest is due.
func (e *Engine) expire(now time.Duration) (found bool) {
	for _, o := range e.inflight {
		if o.state != sent && o.state != released {
			continue
		}
		if o.due <= now {
			o.expiries++
			found = true
		} else {
			e.timeouts.check = min(e.timeouts.check, o.due)
		}
	}
	for id, c := range e.control {
		if c.due <= now {
			c.expired = true
			e.control[id] = c
			found = true
		} else {
			e.timeouts.check = min(e.timeouts.check, c.due)
		}
	}
	return found
}

// endSilence ends the connection, and gives up what has expired too often.
// What waits has expired too, and with all what is in flight and not due yet.
func (e *Engine) endSilence(why string, all bool) {
	for _, o := range e.inflight {
		waits := o.state == resend || o.state == rerelease
		if waits || all && o.due > e.now {
			o.expiries++
		}
	}
	for _, o := range e.queue.list[e.queue.head:] {
		o.expiries++
	}
	e.fail(&connectionError{UnspecifiedError, why})
	e.giveUpExpired()
}

// giveUpExpired settles what has expired too often.
func (e *Engine) giveUpExpired() {
	for _, o := range e.ordered() {
		if o.expiries >= MaxExpiries {
			e.abandoned(o)
			e.landed(o)
			e.settle(o, ErrAckTimeout)
		}
	}
	e.again = nil
	waiting := slices.Clone(e.queue.list[e.queue.head:])
	for _, o := range waiting {
		if o.expiries >= MaxExpiries {
			e.queue.remove(o.token)
			e.settle(o, ErrAckTimeout)
		}
	}
}
