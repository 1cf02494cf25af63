package client

import (
	"time"

	"iot.wasm/wasm/mqtt"
)

// Tick runs the timers that are due at the time now.
func (c *Client) Tick(now time.Duration) {
	c.now = now
	if c.stage == connected {
		if c.held.until() <= now {
			c.expireHeld()
		}
		if len(c.inherited) > 0 && c.inheritedUntil <= now {
			c.unsubscribeInherited()
		}
		c.engine.Tick(now)
		if c.awsQuotas {
			c.pacer.refill(now)
			c.engine.Pump(now)
		}
		if c.stalled() {
			c.engine.Stalled()
		}
		c.checkStopped()
	}
	if c.stage == inactive || c.stage == connected || now < c.stageEnd {
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
		c.openRefused(Probe{})
	case backingOff:
		c.begin()
	}
}

// Deadline returns the time at which the caller must call Tick. [mqtt.Never] means that
// no timer runs. Each call of another method may change it.
func (c *Client) Deadline() time.Duration {
	switch c.stage {
	case inactive:
		return mqtt.Never
	case connected:
		due := min(c.engine.Deadline(), c.held.until())
		if len(c.inherited) > 0 {
			due = min(due, c.inheritedUntil)
		}
		if c.engine.Unsent() > 0 && c.window.room() == 0 {
			due = min(due, c.now+lookAgain)
		}
		if n, _ := c.engine.Waiting(); n > 0 && c.awsQuotas {
			if wait := c.pacer.wait(); wait > 0 {
				due = min(due, c.pacer.at+wait+time.Millisecond)
			}
		}
		return due
	}
	return c.stageEnd
}

// stalled reports whether the window is full, and the socket has sent no byte for longer
// than the acknowledgement timeout.
func (c *Client) stalled() bool {
	t := c.options.AckTimeout
	return t > 0 && c.engine.Unsent() > 0 && c.window.room() == 0 && c.now-c.window.moved > t
}
