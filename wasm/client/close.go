package client

import (
	"slices"
	"time"

	"iot.wasm/wasm/mqtt"
)

// lose ends the attempt or the connection because of err, and either closes the
// client or waits for the next attempt.
func (c *Client) lose(err *Error) {
	o := &c.options
	if c.stage != serving {
		c.failures++
		c.skew.failed()
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

// drop sends the rest of the output and closes the socket.
func (c *Client) drop() {
	if c.stage == serving && c.now-c.connectedAt >= c.options.StableAfter {
		c.tries = 0
	}
	if c.stage == opening || c.stage == handshake || c.stage == serving {
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
	c.stage = resting
}

// close settles every promise and ends every subscription. err is nil after
// disconnect().
func (c *Client) close(err *Error) {
	c.stage = resting
	c.url, c.options.Password, c.options.Authorizer = "", "", ""
	c.skew, c.secrets = skew{}, nil
	c.held.list, c.held.bytes = nil, 0 // unacknowledged: the server still has them
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

// Disconnect closes the connection with DISCONNECT, so that the broker publishes no
// will. It may be called in every state.
func (c *Client) Disconnect(now time.Duration, token mqtt.Token) {
	c.now = now
	if c.stage != resting {
		c.engine.Disconnect()
		c.drop()
		c.close(nil)
	} else { // subscriptions may wait for a connect()
		c.endSubscriptions(nil, errClosed(PhaseSubscribe))
	}
	c.host.Done(token, nil)
}

// Wake reports that the page resumed after sleep, after the loss of the network, or
// from the back/forward cache. The client ends a back-off, or sends PINGREQ.
func (c *Client) Wake(now time.Duration) {
	c.now = now
	switch c.stage {
	case serving:
		c.engine.Ping(now, wakeTimeout)
	case backingOff:
		c.begin()
	}
}

// Reconnect drops the connection and connects again at once.
func (c *Client) Reconnect(now time.Duration) {
	c.now = now
	switch c.stage {
	case serving:
		c.drop()
		c.change(Reconnecting, Change{Event: "disconnected", RetryIn: 0,
			Err: failure(PhaseSession, "ERR_RECONNECT", true, "reconnect() was called")})
		c.begin()
	case backingOff:
		c.begin()
	}
}
