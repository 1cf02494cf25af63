package mqtt

import "time"

// roundTrip measures how long the server takes to answer, by one packet
// identifier at a time.
type roundTrip struct {
	id   uint16 // that is being measured, 0 for none
	gone bool   // it has left
	at   time.Duration
	last time.Duration // 0: nothing has been measured yet
}

func (r *roundTrip) asked(id uint16) {
	if r.id == 0 {
		r.id, r.gone = id, false
	}
}

func (r *roundTrip) flushed(now time.Duration) {
	if !r.gone {
		r.gone, r.at = true, now
	}
}

func (r *roundTrip) answered(id uint16, now time.Duration) {
	if id == r.id && r.gone {
		r.last, r.id = max(now-r.at, 1), 0 // a browser's clock is coarse
	}
}

// RoundTrip is how long the server took for its last answer to a packet that
// was measured (PUBLISH, SUBSCRIBE, UNSUBSCRIBE or PINGREQ), its own work
// included; 0 before there was one.
func (e *Engine) RoundTrip() time.Duration { return e.roundTrip.last }
