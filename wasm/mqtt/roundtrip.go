package mqtt

import "time"

// roundTrip measures the time between a packet and its acknowledgement. It measures
// one packet at a time.
type roundTrip struct {
	id     uint16        // the packet identifier of the current measurement; 0: none
	sent   bool          // the packet has been passed to the network
	sentAt time.Duration // when the packet was passed to the network
	pinged bool          // a PINGREQ is unanswered
	pingAt time.Duration // the time of the first unanswered PINGREQ
	last   time.Duration // the last result; 0: none
}

// measure starts a measurement, unless one is running.
func (r *roundTrip) measure(id uint16) {
	if r.id == 0 {
		r.id, r.sent = id, false
	}
}

func (r *roundTrip) flushed(now time.Duration) {
	if !r.sent {
		r.sent, r.sentAt = true, now
	}
}

func (r *roundTrip) acknowledged(id uint16, now time.Duration) {
	if id == r.id && r.sent {
		// The clock of a browser is coarse, and a last of 0 means that there is no result.
		r.last, r.id = max(now-r.sentAt, 1), 0
	}
}

func (r *roundTrip) ping(now time.Duration) {
	if !r.pinged {
		r.pinged, r.pingAt = true, now
	}
}

// answered processes a PINGRESP. A PINGRESP without a PINGREQ is no measurement.
func (r *roundTrip) answered(now time.Duration) {
	if r.pinged {
		r.last, r.pinged = max(now-r.pingAt, 1), false
	}
}

// reset ends the measurements when a connection begins, and keeps the last result.
func (r *roundTrip) reset() { r.id, r.pinged = 0, false }

// RoundTrip returns the time between the last measured PUBLISH, SUBSCRIBE,
// UNSUBSCRIBE or PINGREQ and its acknowledgement. It returns 0 before the first
// measurement. The time includes the processing of the packet by the server.
func (e *Engine) RoundTrip() time.Duration { return e.roundTrip.last }
