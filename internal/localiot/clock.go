package localiot

import (
	"sync/atomic"
	"time"
)

// clock is the server's: the machine's, or another in tests, plus the skew that a fault gives it.
type clock struct {
	base func() time.Time
	skew atomic.Int64 // of time.Duration
}

func (c *clock) now() time.Time { return c.base().Add(time.Duration(c.skew.Load())) }
