package client

import (
	"slices"
	"time"

	"iot.wasm/wasm/mqtt"
)

const (
	// maxUnclaimed bounds, in bytes, the messages that are held for a subscription.
	maxUnclaimed = 16 << 20
	// maxLeft is how many filters that the page has unsubscribed from are remembered.
	maxLeft = 256
)

// unclaimed holds the messages of QoS 1 and 2 that match no subscription yet. A
// session that is resumed brings its stored messages right behind CONNACK, before
// the page can have subscribed. To acknowledge them then would lose them.
type unclaimed struct {
	list  []heldMessage
	bytes int
	// stale: a subscription has come that may match messages in the list.
	stale bool
	// left are the filters that the page has unsubscribed from. What still comes
	// for them is reported at once.
	left []string // oldest first
}

// heldMessage is a message in memory of its own.
type heldMessage struct {
	mqtt.Publish
	until time.Duration
	// lost: the connection that it came on is gone, so it is not to be acknowledged.
	lost bool
}

// Message takes a message that has arrived. It reports whether the message has
// been handed on, so that it may be acknowledged.
func (ev *events) Message(m *mqtt.Publish) bool {
	c := (*Client)(ev)
	c.stats.MessagesIn++
	c.pacer.spend(1, len(m.Packet))
	t := c.topics.find(m.Topic, &c.router)
	switch {
	case len(t.Filters) > 0 || c.listening:
		c.host.Message(t, m)
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

// Listen says that the page has a listener for all messages, which is a recipient
// for those that match no subscription.
func (c *Client) Listen(now time.Duration) {
	c.now = now
	c.listening = true
	c.held.stale = true
}

// claim hands on the held messages that match a subscription by now.
func (c *Client) claim() {
	if !c.held.stale {
		return
	}
	c.held.stale = false
	c.settleHeld(func(h *heldMessage) bool {
		t := c.topics.find(h.Topic, &c.router)
		if len(t.Filters) == 0 && !c.listening {
			return false
		}
		c.host.Message(t, &h.Publish)
		return true
	})
}

// expireHeld gives up the held messages whose time is over, and the oldest ones
// beyond the bound.
func (c *Client) expireHeld() {
	c.settleHeld(func(h *heldMessage) bool {
		t := c.topics.find(h.Topic, &c.router)
		if h.until > c.now && c.held.bytes <= maxUnclaimed && !t.unclaimed {
			return false
		}
		// No other message of the topic is held: until the page subscribes to
		// something else it would only delay the acknowledgements of all others.
		t.unclaimed = true
		c.host.Unclaimed(t, &h.Publish)
		return true
	})
}

// settleHeld removes and acknowledges the held messages for which done is true.
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

// until is when the first held message is given up.
func (u *unclaimed) until() time.Duration {
	if len(u.list) == 0 {
		return mqtt.Never
	}
	return u.list[0].until
}

// loseHeld: the connection is gone. The server sends the held messages again if
// it keeps the session, which the next CONNACK says.
func (c *Client) loseHeld() {
	for i := range c.held.list {
		c.held.list[i].lost = true
	}
}

// resumeHeld follows CONNACK. In the same session the messages come again. Those
// of a session that is gone do not, so they are held anew. Where it may be either,
// QoS 1 messages may come twice and QoS 2 messages must not.
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

// leave remembers a filter that the page has unsubscribed from.
func (u *unclaimed) leave(filter string) {
	u.forget(filter)
	if len(u.left) == maxLeft {
		u.forget(u.left[0])
	}
	u.left = append(u.left, filter)
}

// forget: the page subscribes to the filter, or it was left too long ago.
func (u *unclaimed) forget(filter string) {
	if i := slices.Index(u.left, filter); i >= 0 {
		u.left = slices.Delete(u.left, i, i+1)
	}
}

// unwanted reports whether the page has unsubscribed from what the topic matches.
func (u *unclaimed) unwanted(topic string) bool {
	return slices.ContainsFunc(u.left, func(filter string) bool { return mqtt.Match(filter, topic) })
}
