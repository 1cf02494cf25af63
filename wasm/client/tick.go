package client

import (
	"time"

	"iot.wasm/wasm/mqtt"
)

// Tick acts on everything that is due at the time now.
func (c *Client) Tick(now time.Duration) {
	c.now = now
	if c.stage == serving {
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
	if c.stage == resting || c.stage == serving || now < c.until {
		return
	}
	switch c.stage {
	case providing:
		c.lose(failure(PhaseCredentials, "ERR_CREDENTIALS_TIMEOUT", true,
			"the credentials or URL provider did not answer within %v", provideTimeout))
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

// Deadline returns the time at which Tick is due, [mqtt.Never] if it is not.
func (c *Client) Deadline() time.Duration {
	switch c.stage {
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

// stalled reports whether the network has taken no byte of the output during the
// acknowledgement timeout.
func (c *Client) stalled() bool {
	t := c.options.AckTimeout
	return t > 0 && c.engine.Unsent() > 0 && c.window.room() == 0 && c.now-c.window.moved > t
}
