package localiot

import (
	"sync/atomic"
	"time"
)

// clock is the clock of a Server: that of the machine, plus the skew that a fault sets.
type clock struct {
	skew atomic.Int64 // a time.Duration
}

func (c *clock) now() time.Time { return time.Now().Add(time.Duration(c.skew.Load())) }
