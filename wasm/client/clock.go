package client

import (
	"time"

	"iot.wasm/wasm/mqtt"
)

// Tick lets the client act on the time.
func (c *Client) Tick(now time.Duration) {
	c.now = now
	if c.phase == serving {
		if c.held.until() <= now {
			c.expireHeld()
		}
		if len(c.inherited) > 0 && c.leaveAt <= now {
			c.leaveInherited()
		}
		c.engine.Tick(now)
		if c.awsQuotas {
			c.pacer.refill(now)
			c.engine.Pump(now)
		}
		if c.stalled() {
			c.engine.Stalled()
		}
		c.afterEngine()
	}
	if c.phase == resting || c.phase == serving || now < c.until {
		return
	}
	switch c.phase {
	case resolving:
		c.lose(failure(PhaseCredentials, "ERR_CREDENTIALS_TIMEOUT", true,
			"the credentials or URL provider did not answer within %v", resolveTimeout))
	case opening:
		c.lose(failure(PhaseOpen, "ERR_OPEN_TIMEOUT", true, "the WebSocket did not open within %v", openTimeout))
	case handshake:
		c.lose(failure(PhaseConnect, "ERR_CONNACK_TIMEOUT", true, "the broker did not answer CONNECT within %v", openTimeout))
	case probing:
		c.refused(Probe{})
	case backingOff:
		c.begin()
	}
}

// Deadline is when Tick wants to be called next, [mqtt.Never] if not at all.
func (c *Client) Deadline() time.Duration {
	switch c.phase {
	case resting:
		return mqtt.Never
	case serving:
		due := min(c.engine.Deadline(), c.held.until())
		if len(c.inherited) > 0 {
			due = min(due, c.leaveAt)
		}
		if c.engine.Unsent() > 0 && c.window.room() == 0 {
			due = min(due, c.now+lookAgain)
		}
		if n, _ := c.engine.Waiting(); n > 0 && c.awsQuotas {
			if wait := c.pacer.open(); wait > 0 {
				due = min(due, c.pacer.at+wait+time.Millisecond)
			}
		}
		return due
	}
	return c.until
}

// stalled reports whether the network has taken nothing of what is to be sent for
// as long as an acknowledgement may take.
func (c *Client) stalled() bool {
	t := c.options.AckTimeout
	return t > 0 && c.engine.Unsent() > 0 && c.window.room() == 0 && c.now-c.window.moved > t
}
