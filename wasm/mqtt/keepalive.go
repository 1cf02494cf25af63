package mqtt

import "time"

const (
	// timerLate is the delay of a timer above which the engine assumes that the
	// page was suspended or throttled.
	timerLate = 2 * time.Second
	// timerGrace is the delay after a late timer before the engine ends the connection.
	// In this time it can process bytes that arrived during the suspension.
	timerGrace = 5 * time.Second
	// maxUnanswered is the number of bytes passed to the network, since bytes last
	// arrived, at which the engine sends a PINGREQ. With it, the engine detects a dead
	// connection during a long upload.
	maxUnanswered = 512 << 10
)

// pingDue returns when the next PINGREQ is due: half a keep-alive after the last
// bytes were sent, or after the last bytes were received, whichever is earlier. The
// second half of the keep-alive allows for late timers, because browsers run the
// timers of a hidden page only once a minute.
func (e *Engine) pingDue() time.Duration {
	return min(e.lastSent, e.lastReceived) + e.keepAlive()/2
}

func (e *Engine) keepAlive() time.Duration {
	return time.Duration(e.granted.KeepAlive) * time.Second
}

// noteSent counts n bytes that have been passed to the network, and sends a PINGREQ
// at maxUnanswered.
func (e *Engine) noteSent(n int) {
	e.unanswered += n
	if e.unanswered >= maxUnanswered && e.granted.KeepAlive > 0 && !e.pinging {
		e.Ping(e.now, e.keepAlive()/2)
	}
}

// noteReceived records that bytes have arrived.
func (e *Engine) noteReceived() {
	e.pinging = false
	e.unanswered = 0
}

// ReceivedAt reports that bytes have arrived that the caller has not passed to
// Receive yet. at is the time of their arrival.
func (e *Engine) ReceivedAt(at time.Duration) {
	if at > e.lastReceived {
		e.lastReceived, e.receivePending = at, true
		e.noteReceived()
	}
}

// Draining reports that the network has sent some of the bytes that were passed to
// it, and not all. The server cannot answer a PINGREQ that the network has not sent,
// so Draining restarts the timeout of the PINGREQ.
func (e *Engine) Draining(now time.Duration) {
	if e.pinging {
		e.pingAt = max(e.pingAt, now)
	}
}

// Deadline returns the time at which the caller must call Tick. It returns [Never]
// when no timer runs. The result may change with every call of the engine.
func (e *Engine) Deadline() time.Duration {
	if e.state != connected {
		return Never
	}
	return min(e.keepAliveDue(), e.timeouts.nextCheck)
}

func (e *Engine) keepAliveDue() time.Duration {
	switch {
	case e.pinging:
		return max(e.pingAt+e.pingTimeout, e.pingGrace)
	case e.granted.KeepAlive == 0:
		return Never
	}
	return e.pingDue()
}

// Tick runs the timers that are due. It sends a PINGREQ, or ends the connection
// when the server did not answer the PINGREQ [MQTT-3.1.2-20] or did not
// acknowledge a packet within the timeout.
func (e *Engine) Tick(now time.Duration) {
	if e.state != connected {
		return
	}
	e.now = now
	e.checkTimeouts(now)
	due := e.keepAliveDue()
	if due > now || e.state != connected {
		return
	}
	switch {
	case !e.pinging:
		e.Ping(now, e.keepAlive()/2)
	case e.pingGrace == 0 && now-due > timerLate:
		e.pingGrace = now + timerGrace
	default:
		e.fail(&connectionFault{KeepAliveTimeout, "the server did not answer a PINGREQ"})
	}
}

// Ping sends a PINGREQ. The connection ends when nothing arrives within timeout. Ping
// adds the transmission time of the bytes that were passed to the network since bytes
// last arrived. It does nothing without a connection, or when the timeout of an
// earlier PINGREQ ends at the same time or sooner.
func (e *Engine) Ping(now, timeout time.Duration) {
	timeout += transmitTime(e.unanswered) // the network sends those bytes first
	if e.state == connected && (!e.pinging || e.pingAt+e.pingTimeout > now+timeout) {
		e.priority = appendPingreq(e.priority)
		e.pinging, e.pingAt, e.pingTimeout, e.pingGrace = true, now, timeout, 0
		e.roundTrip.ping(now)
	}
}
