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

// pingEvery is how many bytes may be handed to the network before the server has
// to show that it lives. So a dead connection is noticed though much is sent.
const pingEvery = 512 << 10

// sentSince counts bytes that have been handed to the network.
func (e *Engine) sentSince(n int) {
	e.unheard += n
	if e.unheard >= pingEvery && e.granted.KeepAlive > 0 && !e.pinging {
		e.Ping(e.now, e.keepAlive()/2)
	}
}

// heardServer: bytes have come, which is a sign of life.
func (e *Engine) heardServer() {
	e.pinging = false
	e.unheard = 0
}

// Heard says that bytes came at the time, though Receive is still to take them.
func (e *Engine) ReceivedAt(at time.Duration) {
	if at > e.lastReceived {
		e.lastReceived, e.unreceived = at, true
		e.heardServer()
	}
}

// Draining says that the network has taken bytes and has more to take. While it
// does, the peer lives, and a PINGREQ behind those bytes cannot be answered yet.
func (e *Engine) Draining(now time.Duration) {
	if e.pinging {
		e.pingAt = max(e.pingAt, now)
	}
}

// Deadline is when Tick wants to be called next, Never if not at all.
func (e *Engine) Deadline() time.Duration {
	if e.state != connected {
		return Never
	}
	return min(e.keepAliveDue(), e.timeouts.check)
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

// Tick lets the engine act on the time: send a PINGREQ, or notice that the
// server has been silent for too long [MQTT-3.1.2-20] or acknowledges nothing.
func (e *Engine) Tick(now time.Duration) {
	if e.state != connected {
		return
	}
	e.now = now
	e.tickTimeouts(now)
	due := e.keepAliveDue()
	if due > now || e.state != connected {
		return
	}
	switch {
	case !e.pinging:
		e.Ping(now, e.keepAlive()/2)
	case e.pingGrace == 0 && now-due > late:
		e.pingGrace = now + catchUp
	default:
		e.fail(&connectionError{KeepAliveTimeout, "nothing came from the server, not even an answer to PINGREQ"})
	}
}
