package mqtt

import "time"

const (
	// timerLate is the delay of a timer above which the engine assumes that the
	// page was suspended or throttled.
	timerLate = 2 * time.Second
	// timerGrace is how long the engine then waits for bytes that arrived in the
	// meantime.
	timerGrace = 5 * time.Second
	// maxUnanswered is how many bytes may be handed to the network before the
	// engine requires a sign of life from the server. It detects a dead connection
	// during a long upload.
	maxUnanswered = 512 << 10
)

// pingDue returns when the next PINGREQ is due: after half a keep-alive without
// traffic in one of the directions. The other half tolerates a late timer:
// browsers run timers of a hidden page once a minute.
func (e *Engine) pingDue() time.Duration {
	return min(e.lastSent, e.lastReceived) + e.keepAlive()/2
}

func (e *Engine) keepAlive() time.Duration {
	return time.Duration(e.granted.KeepAlive) * time.Second
}

// noteSent counts n bytes that have been handed to the network.
func (e *Engine) noteSent(n int) {
	e.unanswered += n
	if e.unanswered >= maxUnanswered && e.granted.KeepAlive > 0 && !e.pinging {
		e.Ping(e.now, e.keepAlive()/2)
	}
}

// noteReceived records a sign of life: bytes have arrived.
func (e *Engine) noteReceived() {
	e.pinging = false
	e.unanswered = 0
}

// ReceivedAt reports that bytes arrived at the given time which the caller has not
// passed to Receive yet.
func (e *Engine) ReceivedAt(at time.Duration) {
	if at > e.lastReceived {
		e.lastReceived, e.receivePending = at, true
		e.noteReceived()
	}
}

// Draining reports that the network has sent bytes and has more to send. Until it
// has sent them, the server cannot answer a PINGREQ behind them, so that the
// timeout of the PINGREQ restarts.
func (e *Engine) Draining(now time.Duration) {
	if e.pinging {
		e.pingAt = max(e.pingAt, now)
	}
}

// Deadline returns when the caller has to call Tick, [Never] when no timer runs.
// It may change with every call of the engine.
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
		e.fail(&connectionFault{KeepAliveTimeout, "the server sent nothing, not even a PINGRESP"})
	}
}

// Ping sends a PINGREQ. The connection ends when nothing arrives within timeout.
// Ping does nothing when an earlier PINGREQ has a timeout that ends sooner.
func (e *Engine) Ping(now, timeout time.Duration) {
	timeout += transmitTime(e.unanswered) // the network sends those bytes first
	if e.state == connected && (!e.pinging || e.pingAt+e.pingTimeout > now+timeout) {
		e.priority = appendPingreq(e.priority)
		e.pinging, e.pingAt, e.pingTimeout, e.pingGrace = true, now, timeout, 0
	}
}
