package client

import "time"

// backOff counts an attempt, and returns the delay before the next one. The delay is
// random between MinDelay and a limit. The limit doubles with each attempt, up to
// MaxDelay (exponential back-off with full jitter).
func (c *Client) backOff() time.Duration {
	c.tries++
	limit := c.options.MinDelay
	for i := 0; i < c.tries && limit < c.options.MaxDelay; i++ {
		limit *= 2
	}
	limit = min(limit, c.options.MaxDelay)
	return c.options.MinDelay + time.Duration(c.rand()*float64(limit-c.options.MinDelay))
}
