package client

import "time"

// backOff returns the wait before the next attempt: exponential, with full jitter
// above the least delay.
func (c *Client) backOff() time.Duration {
	c.tries++
	limit := c.options.MinDelay
	for i := 0; i < c.tries && limit < c.options.MaxDelay; i++ {
		limit *= 2
	}
	limit = min(limit, c.options.MaxDelay)
	return c.options.MinDelay + time.Duration(c.rand()*float64(limit-c.options.MinDelay))
}
