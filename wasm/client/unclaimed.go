package client

import (
	"slices"
	"time"

	"iot.wasm/wasm/mqtt"
)

const (
	// maxUnclaimed bounds, in bytes, the messages that are held for a subscription.
	maxUnclaimed = 16 << 20
	// maxLeft bounds the topic filters in unclaimed.left.
	maxLeft = 256
)

// unclaimed holds messages of QoS 1 and 2 that match no subscription yet. After a
// session is resumed, its stored messages arrive directly after CONNACK, before the
// page can have subscribed. An acknowledgement at that time would lose them.
type unclaimed struct {
	list  []heldMessage
	bytes int
	// stale is true after a subscription was made that may match held messages.
	stale bool
	// left are topic filters that the page has unsubscribed from, oldest first. A
	// message that still arrives for one is reported at once.
	left []string
}

// heldMessage is a copy of a message.
type heldMessage struct {
	mqtt.Publish
	until time.Duration
	// lost is true after the message's connection was lost. Such a message is not
	// acknowledged.
	lost bool
}

// Message takes a received message. It reports whether the message may be
// acknowledged, as it has been delivered or reported.
func (ev *events) Message(m *mqtt.Publish) bool {
	c := (*Client)(ev)
	c.stats.MessagesIn++
	c.pacer.spend(1, len(m.Packet))
	t := c.route(m.Topic)
	switch {
	case len(t.Recipients) > 0 || c.listening:
		c.deliver(t, m)
		return true
	case m.QoS == 0 || t.unclaimed || c.options.UnclaimedTimeout == 0 || c.held.unwanted(t.Name):
		c.host.Unclaimed(t, m)
		return true
	}
	held := heldMessage{Publish: m.Clone(), until: c.now + c.options.UnclaimedTimeout}
	c.held.list = append(c.held.list, held)
	c.held.bytes += len(held.Packet)
	return false
}

// Listen reports that the page has a listener for the event message. It is a
// recipient of every message.
func (c *Client) Listen(now time.Duration) {
	c.now = now
	c.listening = true
	c.held.stale = true
}

// claim delivers the held messages that match a subscription now.
func (c *Client) claim() {
	if !c.held.stale {
		return
	}
	c.held.stale = false
	c.settleHeld(func(h *heldMessage) bool {
		t := c.route(h.Topic)
		if len(t.Recipients) == 0 && !c.listening {
			return false
		}
		c.deliver(t, &h.Publish)
		return true
	})
}

// expireHeld reports the held messages whose time is over, and the oldest messages
// beyond the bound.
func (c *Client) expireHeld() {
	c.settleHeld(func(h *heldMessage) bool {
		t := c.route(h.Topic)
		if h.until > c.now && c.held.bytes <= maxUnclaimed && !t.unclaimed {
			return false
		}
		// Further messages of the topic are not held until the page subscribes to
		// something: they would delay the acknowledgements of all others.
		t.unclaimed = true
		c.host.Unclaimed(t, &h.Publish)
		return true
	})
}

// settleHeld removes and acknowledges the held messages for which done returns true.
func (c *Client) settleHeld(done func(*heldMessage) bool) {
	c.held.list = slices.DeleteFunc(c.held.list, func(h heldMessage) bool {
		if !done(&h) {
			return false
		}
		c.held.bytes -= len(h.Packet)
		if !h.lost {
			c.engine.Acknowledge(h.Ticket)
		}
		return true
	})
}

// until returns the time at which the first held message expires.
func (u *unclaimed) until() time.Duration {
	if len(u.list) == 0 {
		return mqtt.Never
	}
	return u.list[0].until
}

// loseHeld follows the loss of the connection. The server retransmits the held
// messages if it keeps the session.
func (c *Client) loseHeld() {
	for i := range c.held.list {
		c.held.list[i].lost = true
	}
}

// resumeHeld follows CONNACK. In the same session the server retransmits the
// messages, so the copies are dropped. If the session is gone, the copies are held
// further. If it may be either, copies of QoS 2 are dropped, as they must not be
// delivered twice.
func (c *Client) resumeHeld(ack *mqtt.Connack) {
	c.held.list = slices.DeleteFunc(c.held.list, func(h heldMessage) bool {
		again := ack.SameSession || ack.SessionPresent && h.QoS == 2
		if again {
			c.held.bytes -= len(h.Packet)
		}
		return again
	})
	for i := range c.held.list {
		c.held.list[i].until = c.now + c.options.UnclaimedTimeout
	}
}

// leave notes that the page has unsubscribed from the topic filter.
func (u *unclaimed) leave(filter string) {
	u.forget(filter)
	if len(u.left) == maxLeft {
		u.forget(u.left[0])
	}
	u.left = append(u.left, filter)
}

// forget undoes leave.
func (u *unclaimed) forget(filter string) {
	if i := slices.Index(u.left, filter); i >= 0 {
		u.left = slices.Delete(u.left, i, i+1)
	}
}

// unwanted reports whether the topic matches a topic filter that the page has
// unsubscribed from.
func (u *unclaimed) unwanted(topic string) bool {
	return slices.ContainsFunc(u.left, func(filter string) bool { return mqtt.Match(filter, topic) })
}
