package localiot

import (
	"sync/atomic"
	"time"
)

// clock is the clock of a Server. It shows the time of the machine plus skew. The fault ClockSkew sets
// skew.
type clock struct {
	skew atomic.Int64 // a time.Duration
}

func (c *clock) now() time.Time { return time.Now().Add(time.Duration(c.skew.Load())) }
