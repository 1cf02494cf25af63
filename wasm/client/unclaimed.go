package client

import (
	"slices"
	"time"

	"iot.wasm/wasm/mqtt"
)

const (
	// maxUnclaimed limits the held messages, in bytes.
	maxUnclaimed = 16 << 20
	// maxEnded is the largest length of unclaimed.ended.
	maxEnded = 256
)

// unclaimed holds messages of QoS 1 and 2 that have no recipient yet. A broker sends the
// stored messages of a resumed session directly after CONNACK, before the page can
// subscribe. If the client acknowledged them then, they would be lost.
type unclaimed struct {
	list  []heldMessage
	bytes int // of the packets in list
	// recheck is true after Subscribe or Listen: a held message may have a recipient now.
	recheck bool
	// ended contains topic filters from which the page has unsubscribed, oldest first.
	// The client does not hold messages that match one.
	ended []string
}

// heldMessage is a copy of a message that the client holds.
type heldMessage struct {
	mqtt.Publish
	until time.Duration // when the client reports it
	// lost is true if the connection of the message was lost. The client cannot
	// acknowledge such a message.
	lost bool
}

// Message delivers, reports or holds a received message. It returns false if the client
// holds the message, and true if the engine may acknowledge it.
func (ev *events) Message(m *mqtt.Publish) bool {
	c := (*Client)(ev)
	c.stats.MessagesIn++
	c.pacer.spend(1, len(m.Packet)+m.Missing)
	t := c.route(m)
	switch {
	case len(t.Recipients) > 0 || c.listening:
		c.deliver(t, m)
		return true
	case !c.holds(t, m):
		c.host.Unclaimed(t, m)
		return true
	}
	held := heldMessage{Publish: m.Clone(), until: c.now + c.options.UnclaimedTimeout}
	c.held.list = append(c.held.list, held)
	c.held.bytes += len(held.Packet)
	return false
}

// holds reports whether the client holds a message that has no recipient.
func (c *Client) holds(t *Topic, m *mqtt.Publish) bool {
	return m.QoS > 0 && !t.unclaimed && c.options.UnclaimedTimeout != 0 && !c.held.matchesEnded(t.Name)
}

// NeedsPayload reports whether Message would hold the message.
func (ev *events) NeedsPayload(m *mqtt.Publish) bool {
	c := (*Client)(ev)
	t := c.route(m)
	return len(t.Recipients) == 0 && !c.listening && c.holds(t, m)
}

// Listen reports that the page has a listener for the event "message". From then on the
// listener is a recipient of every message.
func (c *Client) Listen(now time.Duration) {
	c.now = now
	c.listening = true
	c.held.recheck = true
}

// deliverHeld delivers the held messages that have a recipient now.
func (c *Client) deliverHeld() {
	if !c.held.recheck {
		return
	}
	c.held.recheck = false
	c.settleHeld(func(h *heldMessage) bool {
		t := c.route(&h.Publish)
		if len(t.Recipients) == 0 && !c.listening {
			return false
		}
		c.deliver(t, &h.Publish)
		return true
	})
}

// expireHeld reports the held messages whose time is over. It also reports the oldest ones
// until the others are within maxUnclaimed.
func (c *Client) expireHeld() {
	c.settleHeld(func(h *heldMessage) bool {
		t := c.route(&h.Publish)
		if h.until > c.now && c.held.bytes <= maxUnclaimed && !t.unclaimed {
			return false
		}
		// The client does not hold later messages of the topic, because held messages
		// delay the acknowledgements behind them. The next change of the subscriptions
		// resets unclaimed.
		t.unclaimed = true
		c.host.Unclaimed(t, &h.Publish)
		return true
	})
}

// settleHeld calls done for each held message. It removes and acknowledges the messages
// for which done returns true.
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

// until returns the time at which the client reports the first held message.
func (u *unclaimed) until() time.Duration {
	if len(u.list) == 0 {
		return mqtt.Never
	}
	return u.list[0].until
}

// markHeldLost marks the held messages after the loss of the connection. The broker
// retransmits them if it keeps the session.
func (c *Client) markHeldLost() {
	for i := range c.held.list {
		c.held.list[i].lost = true
	}
}

// resumeHeld drops the held messages that the broker will retransmit after CONNACK, and
// restarts the time of the others.
//
//   - If the broker has resumed the session, it retransmits all messages.
//   - If the broker has no session, it retransmits no message.
//   - If the broker has a session that may be another one, it may retransmit the
//     messages. resumeHeld then drops those of QoS 2, because the client must not deliver
//     them twice.
func (c *Client) resumeHeld(ack *mqtt.Connack) {
	c.held.list = slices.DeleteFunc(c.held.list, func(h heldMessage) bool {
		drop := ack.SameSession || ack.SessionPresent && h.QoS == 2
		if drop {
			c.held.bytes -= len(h.Packet)
		}
		return drop
	})
	for i := range c.held.list {
		c.held.list[i].until = c.now + c.options.UnclaimedTimeout
	}
}

// unsubscribed records that the page has unsubscribed from a topic filter.
func (u *unclaimed) unsubscribed(filter string) {
	u.subscribed(filter)
	if len(u.ended) == maxEnded {
		u.subscribed(u.ended[0])
	}
	u.ended = append(u.ended, filter)
}

// subscribed removes a topic filter from ended.
func (u *unclaimed) subscribed(filter string) {
	if i := slices.Index(u.ended, filter); i >= 0 {
		u.ended = slices.Delete(u.ended, i, i+1)
	}
}

// matchesEnded reports whether the topic matches a topic filter from which the page has
// unsubscribed.
func (u *unclaimed) matchesEnded(topic string) bool {
	return slices.ContainsFunc(u.ended, func(filter string) bool { return mqtt.Match(filter, topic) })
}
