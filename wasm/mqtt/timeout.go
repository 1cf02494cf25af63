package mqtt

import (
	"slices"
	"time"
)

// MaxExpiries is how often the acknowledgement of a message may time out, each
// time on a new connection. The engine then gives the message up, with
// ErrAckTimeout.
const MaxExpiries = 3

// minUploadRate, in bytes per second, is the slowest upload that the engine
// distinguishes from a dead connection.
const minUploadRate = 16 << 10

// transmitTime returns how long n bytes take at minUploadRate, in whole seconds.
func transmitTime(n int) time.Duration { return time.Duration(n/minUploadRate) * time.Second }

// timeouts bounds how long the server may take to acknowledge a packet.
type timeouts struct {
	timeout time.Duration // 0: no bound
	// nextCheck is when checkTimeouts examines the unacknowledged packets: not
	// later than the first of them is due. Never: there are none.
	nextCheck time.Duration
	grace     bool          // the last check was postponed; the next one is not
	lastAck   time.Duration // the last acknowledgement, or the start of the connection
	// unanswered is how many bytes were handed to the network since bytes last
	// arrived.
	unanswered int
}

// dueAt returns when the acknowledgement of a packet that is put into the output
// now is due. It allows for the time that the network needs to send the packet
// and the bytes before it.
func (e *Engine) dueAt(now time.Duration) time.Duration {
	if e.timeouts.timeout == 0 {
		return Never
	}
	due := now + e.timeouts.timeout + transmitTime(e.output.len()+e.unanswered)
	e.timeouts.nextCheck = min(e.timeouts.nextCheck, due)
	return due
}

// checkTimeouts ends the connection when the acknowledgement of a packet is
// overdue. The next connection retransmits the messages of the session.
func (e *Engine) checkTimeouts(now time.Duration) {
	t := &e.timeouts
	if now < t.nextCheck {
		return
	}
	// The acknowledgements may have arrived without having been processed: the
	// page was suspended, or Receive is pending.
	if e.receivePending || (now-t.nextCheck > timerLate && !t.grace) {
		t.nextCheck, t.grace = now+timerGrace, true
		return
	}
	t.nextCheck, t.grace = Never, false
	if e.countExpired(now) {
		e.failUnresponsive("the server acknowledged nothing for "+t.timeout.String(), t.lastAck+t.timeout <= now)
	}
}

// Stalled reports that the network has accepted no bytes for as long as the
// acknowledgement timeout. All unacknowledged packets expire, and the connection
// ends.
func (e *Engine) Stalled() {
	e.countExpired(e.now)
	e.failUnresponsive("the network accepted nothing for "+e.timeouts.timeout.String(), true)
}

// countExpired counts an expiry for each packet that is overdue, and reports
// whether there is one. It sets nextCheck to when the first of the others is due.
func (e *Engine) countExpired(now time.Duration) (found bool) {
	for _, p := range e.inflight {
		if p.state != statePublishSent && p.state != statePubrelSent {
			continue
		}
		if p.due <= now {
			p.expiries++
			found = true
		} else {
			e.timeouts.nextCheck = min(e.timeouts.nextCheck, p.due)
		}
	}
	for id, r := range e.requests {
		if r.due <= now {
			r.expired = true
			e.requests[id] = r
			found = true
		} else {
			e.timeouts.nextCheck = min(e.timeouts.nextCheck, r.due)
		}
	}
	return found
}

// failUnresponsive ends the connection and settles the messages that have expired
// MaxExpiries times. It first counts an expiry for each message that is not sent
// yet, and with all also for those that are sent and not due yet: nothing at all
// was acknowledged.
func (e *Engine) failUnresponsive(detail string, all bool) {
	for _, p := range e.inflight {
		if p.toResend() || all && p.due > e.now {
			p.expiries++
		}
	}
	for _, p := range e.queue.all() {
		p.expiries++
	}
	e.fail(&connectionFault{UnspecifiedError, detail})
	e.settleExpired()
}

func (e *Engine) settleExpired() {
	for _, p := range e.inflightInOrder() {
		if p.expiries >= MaxExpiries {
			e.markAbandoned(p)
			e.removeInflight(p)
			e.settle(p, ErrAckTimeout)
		}
	}
	e.resends = nil
	for _, p := range slices.Clone(e.queue.all()) {
		if p.expiries >= MaxExpiries {
			e.queue.remove(p.token)
			e.settle(p, ErrAckTimeout)
		}
	}
}
