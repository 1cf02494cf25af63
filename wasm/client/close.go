package client

import (
	"slices"
	"time"

	"iot.wasm/wasm/mqtt"
)

// lose ends the attempt or the connection with the error err. Then it closes the client,
// or waits for the next attempt.
func (c *Client) lose(err *Error) {
	o := &c.options
	if c.stage != connected {
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
	c.change(c.attemptState(), Change{Event: "disconnected", Err: err, RetryIn: delay})
}

// drop sends the rest of the output if the socket is open, closes the socket, and makes the
// client inactive.
func (c *Client) drop() {
	if c.stage == connected && c.now-c.connectedAt >= c.options.StableAfter {
		c.tries = 0
	}
	if c.stage == opening || c.stage == handshake || c.stage == connected {
		var last []byte
		if c.closeCode == 0 { // the socket is open
			last = slices.Clone(c.engine.AllOutput())
			if c.tracing {
				c.trace(&c.sent, true, last)
			}
			c.engine.FlushedAll()
			c.stats.BytesOut += uint64(len(last))
		}
		c.host.Close(c.attempt, last)
	}
	c.engine.Lost()
	c.markHeldLost()
	if c.messageBlamed {
		c.engine.AbandonSent(c.stopErr)
	}
	c.stopErr, c.messageBlamed = nil, false
	c.stage = inactive
}

// close settles every promise and ends every subscription. err is nil after
// disconnect().
func (c *Client) close(err *Error) {
	c.stage = inactive
	c.url, c.options.Password, c.options.Authorizer = "", "", ""
	c.skew, c.secrets = skew{}, nil
	c.held.list, c.held.bytes = nil, 0 // the broker keeps them, as they are not acknowledged
	pending := err                     // rejects the pending promises
	if err == nil {
		pending = errClosed(PhaseSession)
	}
	c.engine.Abandon(pending)
	waiters := c.connectWaiters
	c.connectWaiters = nil
	for _, token := range waiters {
		c.host.Done(token, pending)
	}
	c.endSubscriptions(pending, err)
	if err != nil {
		c.change(Closed, Change{Event: "disconnected", Err: err, RetryIn: -1})
	}
	c.change(Closed, Change{Event: "closed", Err: err, RetryIn: -1})
}

// Disconnect closes the client. On a connection it sends DISCONNECT, so that the broker
// does not publish the will. The caller may call it in every state.
func (c *Client) Disconnect(now time.Duration, token mqtt.Token) {
	c.now = now
	if c.stage != inactive {
		c.engine.Disconnect()
		c.drop()
		c.close(nil)
	} else { // subscribe() before connect() may be pending
		c.endSubscriptions(errClosed(PhaseSubscribe), nil)
	}
	c.host.Done(token, nil)
}

// Wake reports that the page or the network has resumed: after a suspension of the
// machine, from the back/forward cache, or when the browser is online again. A client
// that waits before the next attempt starts it now. A connected client sends PINGREQ,
// because the connection may be dead.
func (c *Client) Wake(now time.Duration) {
	c.now = now
	switch c.stage {
	case connected:
		c.engine.Ping(now, wakeTimeout)
	case backingOff:
		c.begin()
	}
}

// Reconnect closes the connection and starts a new attempt. A client that waits before
// the next attempt starts it now. In other stages Reconnect does nothing.
func (c *Client) Reconnect(now time.Duration) {
	c.now = now
	switch c.stage {
	case connected:
		c.drop()
		c.change(Reconnecting, Change{Event: "disconnected", RetryIn: 0,
			Err: failure(PhaseSession, "ERR_RECONNECT", true, "reconnect() was called")})
		c.begin()
	case backingOff:
		c.begin()
	}
}
