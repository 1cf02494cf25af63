package sim

import (
	"time"
)

// A link is a WebSocket connection between a client and the broker. It delivers the bytes of
// both directions in order, but with a delay and in pieces of random sizes.
type link struct {
	w            *world
	up, down     stream // to the broker, to the client
	dead         bool   // half-open: no bytes arrive any more, and neither side is closed
	closed       bool
	toClient     func([]byte)
	toBroker     func([]byte)
	clientClosed func(code int) // reports the end of the link to the client
	brokerClosed func()         // reports the end of the link to the broker
}

// A stream contains the bytes of one direction that have not arrived.
type stream struct {
	pending []byte
	arrives time.Duration // when the next piece arrives
	waiting bool          // an event will deliver the next piece
}

func (l *link) send(s *stream, data []byte, deliver func([]byte)) {
	if l.closed || l.dead {
		return
	}
	s.pending = append(s.pending, data...)
	l.schedule(s, deliver)
}

func (l *link) schedule(s *stream, deliver func([]byte)) {
	if s.waiting || len(s.pending) == 0 {
		return
	}
	s.waiting = true
	delay := l.w.between(time.Millisecond, 80*time.Millisecond)
	if l.w.chance(0.01) {
		delay += l.w.between(0, 20*time.Second) // a stall
	}
	s.arrives = max(s.arrives, l.w.now+delay)
	l.w.after(s.arrives-l.w.now, func() {
		s.waiting = false
		if l.closed || l.dead || len(s.pending) == 0 {
			return
		}
		n := len(s.pending)
		if l.w.chance(0.3) {
			n = 1 + l.w.rand.IntN(n) // a piece may end anywhere
		}
		piece := append([]byte(nil), s.pending[:n]...)
		s.pending = append(s.pending[:0], s.pending[n:]...)
		deliver(piece)
		l.schedule(s, deliver)
	})
}

// clientSends sends bytes from the client to the broker, and brokerSends in the other
// direction.
func (l *link) clientSends(b []byte) { l.send(&l.up, b, func(p []byte) { l.toBroker(p) }) }
func (l *link) brokerSends(b []byte) { l.send(&l.down, b, func(p []byte) { l.toClient(p) }) }

// closeByClient closes the link. Usually the pending bytes of the client still arrive.
func (l *link) closeByClient() {
	if l.closed {
		return
	}
	if rest := l.up.pending; len(rest) > 0 && !l.dead && l.w.chance(0.8) {
		l.toBroker(rest)
	}
	l.closed = true
	if !l.dead {
		l.w.after(l.w.between(0, 100*time.Millisecond), l.brokerClosed)
	} else {
		l.w.after(l.w.between(time.Second, time.Minute), l.brokerClosed)
	}
}

// closeByBroker closes the link. Usually the pending bytes of the broker still arrive.
func (l *link) closeByBroker(code int) {
	if l.closed {
		return
	}
	if rest := l.down.pending; len(rest) > 0 && !l.dead && l.w.chance(0.8) {
		l.down.pending = nil
		l.toClient(rest)
	}
	if l.closed {
		return // the client has closed the link because of these bytes
	}
	l.closed = true
	if !l.dead {
		l.w.after(l.w.between(0, 100*time.Millisecond), func() { l.clientClosed(code) })
	}
}

// cut ends the link as a network failure does: both sides detect the end some time later.
func (l *link) cut() {
	if l.closed {
		return
	}
	l.closed = true
	l.w.after(l.w.between(0, time.Second), func() { l.clientClosed(1006) })
	l.w.after(l.w.between(0, 30*time.Second), l.brokerClosed)
}

// halfOpen makes the link lose all bytes. The broker detects that after a time.
func (l *link) halfOpen() {
	l.dead = true
	l.w.after(l.w.between(10*time.Second, 3*time.Minute), l.brokerClosed)
}
