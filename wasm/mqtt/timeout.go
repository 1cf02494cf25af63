package mqtt

import (
	"slices"
	"time"
)

// MaxExpiries is the number of timeouts of a message, each on another connection,
// after which the engine gives up the message. The result is ErrAckTimeout.
const MaxExpiries = 3

// minUploadRate is the upload rate, in bytes per second, that the timeouts assume. On a
// slower network, the engine may end the connection during an upload.
const minUploadRate = 16 << 10

// transmitTime returns the transmission time of n bytes at minUploadRate, rounded down
// to whole seconds.
func transmitTime(n int) time.Duration { return time.Duration(n/minUploadRate) * time.Second }

// timeouts is the state of the acknowledgement timeout.
type timeouts struct {
	timeout time.Duration // 0: no bound
	// nextCheck is when checkTimeouts examines the unacknowledged packets. It is not
	// later than the earliest time at which an acknowledgement is due. Never: no packet
	// is unacknowledged.
	nextCheck time.Duration
	grace     bool          // the last check was postponed, so the next check is not
	lastAck   time.Duration // the time of the last acknowledgement, or of Open
	// unanswered is the number of bytes that were passed to the network since bytes
	// last arrived.
	unanswered int
}

// dueAt returns when the acknowledgement of the last packet in the output is due. The
// time includes the transmission of the packet and of the bytes before it.
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
	// The engine may not have processed acknowledgements that have arrived, because the
	// page was suspended or a call of Receive is pending.
	if e.receivePending || (now-t.nextCheck > timerLate && !t.grace) {
		t.nextCheck, t.grace = now+timerGrace, true
		return
	}
	t.nextCheck, t.grace = Never, false
	if e.countExpired(now) {
		e.failUnresponsive("the server acknowledged nothing for "+t.timeout.String(), t.lastAck+t.timeout <= now)
	}
}

// Stalled reports that the network has accepted no bytes during the acknowledgement
// timeout. The engine counts a timeout for each queued or unacknowledged message, and
// ends the connection.
func (e *Engine) Stalled() {
	e.countExpired(e.now)
	e.failUnresponsive("the network accepted nothing for "+e.timeouts.timeout.String(), true)
}

// countExpired counts an expiry for each packet whose acknowledgement is overdue, and
// reports whether there is one. It sets nextCheck to the earliest time at which another
// acknowledgement is due.
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

// failUnresponsive ends the connection, and gives up the messages that have expired
// MaxExpiries times. Before that, it counts an expiry for each message that has not
// been sent on this connection. If all is set, it also counts an expiry for each sent
// message that is not due yet, because the server acknowledged no packet.
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

// settleExpired gives up the messages that have expired MaxExpiries times.
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
