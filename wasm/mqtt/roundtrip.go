package mqtt

import "time"

// roundTrip measures how long the server takes to answer. It measures one packet
// at a time.
type roundTrip struct {
	id     uint16        // the packet identifier that is measured, 0 for none
	left   bool          // the packet has been handed to the network
	leftAt time.Duration // when
	last   time.Duration // the last result; 0: none
}

// measure starts a measurement, unless one is running.
func (r *roundTrip) measure(id uint16) {
	if r.id == 0 {
		r.id, r.left = id, false
	}
}

func (r *roundTrip) flushed(now time.Duration) {
	if !r.left {
		r.left, r.leftAt = true, now
	}
}

func (r *roundTrip) acknowledged(id uint16, now time.Duration) {
	if id == r.id && r.left {
		r.last, r.id = max(now-r.leftAt, 1), 0 // the clock of a browser is coarse: never 0
	}
}

// RoundTrip returns the time between the last measured PUBLISH, SUBSCRIBE,
// UNSUBSCRIBE or PINGREQ and its answer, 0 before the first measurement. It
// includes the time that the server takes to process the packet.
func (e *Engine) RoundTrip() time.Duration { return e.roundTrip.last }
