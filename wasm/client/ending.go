package client

import (
	"slices"
	"time"

	"iot.wasm/wasm/mqtt"
)

// lose ends the attempt or the connection because of err, and decides what
// comes next.
func (c *Client) lose(err *Error) {
	o := &c.options
	if c.phase != serving {
		c.failures++
		c.clock.failed()
	}
	c.drop()
	if !err.Retryable || !o.Reconnect || (o.MaxAttempts > 0 && c.failures >= o.MaxAttempts) {
		c.close(err)
		return
	}
	delay := c.backOff()
	c.wait(backingOff, delay)
	c.change(c.trying(), Change{Event: "disconnected", Err: err, RetryIn: delay})
}

// drop lets go of the socket, with what the engine still has to say.
func (c *Client) drop() {
	if c.phase == serving && c.now-c.connectedAt >= c.options.StableAfter {
		c.tries = 0
	}
	if c.phase == opening || c.phase == handshake || c.phase == serving {
		last := slices.Clone(c.engine.AllOutput())
		c.engine.FlushedAll()
		c.stats.BytesOut += uint64(len(last))
		c.host.Close(c.attempt, last)
	}
	c.engine.Lost()
	c.loseHeld()
	if c.blamed {
		c.engine.AbandonSent(c.stop)
	}
	c.stop, c.blamed = nil, false
	c.phase = resting
}

// backOff is the wait before the next attempt: exponential, with full jitter
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

// close ends the client's life until the next connect(): nothing that was asked
// for stays open.
func (c *Client) close(err *Error) {
	c.phase = resting
	c.url, c.options.Password, c.options.Authorizer = "", "", ""
	c.clock, c.secrets = skew{}, nil
	c.held.list, c.held.bytes = nil, 0 // the server has them still
	settle := err
	if err == nil {
		settle = errClosed(PhaseSession)
	}
	c.engine.Abandon(settle)
	waiters := c.connectWaiters
	c.connectWaiters = nil
	for _, token := range waiters {
		c.host.Done(token, settle)
	}
	c.endSubscriptions(err, settle)
	if err != nil {
		c.change(Closed, Change{Event: "disconnected", Err: err, RetryIn: -1})
	}
	c.change(Closed, Change{Event: "closed", Err: err, RetryIn: -1})
}

// Disconnect ends the connection in an orderly way: the broker publishes no
// will. It may be called at any time, and again.
func (c *Client) Disconnect(now time.Duration, token mqtt.Token) {
	c.now = now
	if c.phase != resting {
		c.engine.Disconnect()
		c.drop()
		c.close(nil)
	} else { // subscriptions may wait for a connect()
		c.endSubscriptions(nil, errClosed(PhaseSubscribe))
	}
	c.host.Done(token, nil)
}

// Wake says that the page has come back from something that a connection may not
// have lived through: sleep, a lost network, the back/forward cache. A wait ends
// at once, and a connection has to show that it lives.
func (c *Client) Wake(now time.Duration) {
	c.now = now
	switch c.phase {
	case serving:
		c.engine.Ping(now, wakeTimeout)
	case backingOff:
		c.begin()
	}
}

// Reconnect drops a connection that is thought dead, and tries again at once.
func (c *Client) Reconnect(now time.Duration) {
	c.now = now
	switch c.phase {
	case serving:
		c.drop()
		c.change(Reconnecting, Change{Event: "disconnected", RetryIn: 0,
			Err: failure(PhaseSession, "ERR_RECONNECT", true, "reconnect() was called")})
		c.begin()
	case backingOff:
		c.begin()
	}
}
