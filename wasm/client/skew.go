package client

import "time"

const (
	// maxSkew is how far a clock may be off before AWS refuses its signatures, less
	// something for the way there.
	maxSkew = 4 * time.Minute
	// largestSkew is the largest difference that is believed. A wrong time zone is
	// within it; a Date header that is off by years is not.
	largestSkew = 24 * time.Hour
)

// skew is how far the service's clock is ahead of this machine's. It is measured
// by the Date header of a refusal, used for the next attempt, and kept only if
// that one's signature is accepted.
type skew struct {
	ahead     time.Duration
	confirmed bool
	// retried: since the last connection, an attempt has followed a measurement at
	// once. After that, attempts wait their time.
	retried bool
}

// accepted: the service took the signature of this attempt.
func (s *skew) accepted() { s.confirmed, s.retried = s.ahead != 0, false }

// failed: this attempt ended before its signature was accepted.
func (s *skew) failed() {
	if !s.confirmed {
		s.ahead = 0
	}
}

// refused returns the skew for the next attempt after the service refused the
// signature, and whether the clock may have been the reason.
func (s *skew) refused(p Probe) (next time.Duration, clock bool) {
	off := p.Skew - s.ahead
	if p.Dated && max(off, -off) > maxSkew && max(p.Skew, -p.Skew) <= largestSkew {
		return p.Skew, true
	}
	return 0, false
}
