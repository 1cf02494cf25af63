package mqtt

import "time"

const (
	// late is how far behind its deadline a timer may wake before we take it
	// that the page was asleep or throttled.
	late = 2 * time.Second
	// catchUp is how long the bytes that queued up meanwhile then get to arrive.
	catchUp = 5 * time.Second
)

// The PINGREQ goes after half a keep-alive of silence in either direction, so
// that a timer that slips by up to another half still keeps the connection
// (browsers wake a hidden page's timers once a minute).
func (e *Engine) pingDue() time.Duration {
	return min(e.lastSent, e.lastReceived) + e.keepAlive()/2
}

func (e *Engine) keepAlive() time.Duration {
	return time.Duration(e.granted.KeepAlive) * time.Second
}

// Heard says that bytes came at the time, though Receive is still to take them.
func (e *Engine) Heard(at time.Duration) {
	if at > e.lastReceived {
		e.lastReceived = at
		e.pinging = false
	}
}

// Deadline is when Tick wants to be called next, Never if not at all.
func (e *Engine) Deadline() time.Duration {
	switch {
	case e.state != connected:
		return Never
	case e.pinging:
		return max(e.pingAt+e.pingTimeout, e.grace)
	case e.granted.KeepAlive == 0:
		return Never
	}
	return e.pingDue()
}

// Tick lets the engine act on the time: send a PINGREQ, or notice that the
// server has been silent for too long [MQTT-3.1.2-20].
func (e *Engine) Tick(now time.Duration) {
	due := e.Deadline()
	if due > now {
		return
	}
	switch {
	case !e.pinging:
		e.Ping(now, e.keepAlive()/2)
	case e.grace == 0 && now-due > late:
		e.grace = now + catchUp
	default:
		e.fail(&WireError{KeepAliveTimeout, "nothing came from the server, not even an answer to PINGREQ"})
	}
}
