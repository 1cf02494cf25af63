package client

import "time"

const (
	// acceptedSkew is a difference of clocks with which AWS accepts a signature. AWS
	// allows five minutes. The other minute is for the duration of the request.
	acceptedSkew = 4 * time.Minute
	// largestSkew is the largest difference that the client corrects. It allows a wrong
	// time zone, but not a Date header that is wrong by years.
	largestSkew = 24 * time.Hour
)

// skew is the difference between the clocks of the service and of this machine. The
// client measures it by the Date header of a refusal, and corrects the next signature.
// It keeps the difference only if the service accepts that signature.
type skew struct {
	ahead     time.Duration // how far the clock of the service is ahead
	confirmed bool          // the service has accepted a signature with this difference
	// retried is true after an attempt that followed a measurement without a back-off.
	// Later attempts wait for the back-off, until the service accepts a signature.
	retried bool
}

// accepted records that the service has accepted the signature of the attempt.
func (s *skew) accepted() { s.confirmed, s.retried = s.ahead != 0, false }

// failed records that the attempt has ended, and discards a difference that the service
// has not confirmed.
func (s *skew) failed() {
	if !s.confirmed {
		s.ahead = 0
	}
}

// refused returns the difference for the next attempt, after the service has refused a
// signature. clock reports whether the clock may be the reason of the refusal.
func (s *skew) refused(p Probe) (next time.Duration, clock bool) {
	off := p.Skew - s.ahead
	if p.Dated && max(off, -off) > acceptedSkew && max(p.Skew, -p.Skew) <= largestSkew {
		return p.Skew, true
	}
	return 0, false
}
