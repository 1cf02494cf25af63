package client

import "time"

const (
	// maxSkew is the difference of clocks that AWS accepts, five minutes, less the time
	// of the request.
	maxSkew = 4 * time.Minute
	// largestSkew is the largest difference that the client corrects. It covers a wrong
	// time zone, and excludes a Date header that is off by years.
	largestSkew = 24 * time.Hour
)

// skew is the difference between the service's clock and this machine's. The Date
// header of a refusal gives it. It is used for the next attempt, and kept only if
// the service accepts that signature.
type skew struct {
	ahead     time.Duration
	confirmed bool
	// retried is true after an attempt followed a measurement at once, until the next
	// connection. Further attempts wait for their back-off.
	retried bool
}

// accepted notes that the service accepted the signature of this attempt.
func (s *skew) accepted() { s.confirmed, s.retried = s.ahead != 0, false }

// failed notes that this attempt ended before its signature was accepted.
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
