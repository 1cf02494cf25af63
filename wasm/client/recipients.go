package client

import "iot.wasm/wasm/mqtt"

const (
	// maxSeen bounds the memory for the topics of retained messages that one
	// subscription has received, in bytes. Beyond it, a subscription may receive a
	// retained message twice.
	maxSeen = 1 << 20
	// seenOverhead is about the memory of one topic beside its name, in bytes.
	seenOverhead = 100
)

// A broker sends retained messages for every SUBSCRIBE, and does not say for which
// one. A SUBSCRIBE for one subscription of the page therefore also brings retained
// messages that other subscriptions have received. history decides which retained
// messages are new to a subscription.
type history struct {
	order uint64 // position among the subscriptions of the client
	since uint64 // number of the client's last live message when the subscription began
	seen  map[string]struct{}
	bytes int // of seen
}

// renew begins a new history: the broker has no memory of this subscription.
func (c *Client) renew(s *subscription) {
	c.lastOrder++
	s.history = history{order: c.lastOrder, since: c.live}
}

// wants reports whether a retained message of the topic is new to s, and notes that
// s has received it.
func (c *Client) wants(s *subscription, t *Topic) bool {
	switch {
	case s.filter.options.RetainAsPublished:
		return true // RETAIN says how the message was published, not why it comes
	case s.retainHandling == retainNone:
		return false
	}
	if _, seen := s.seen[t.Name]; seen {
		return false
	}
	// A live message of the topic was newer, and a later subscription has requested
	// the retained one.
	if t.live > s.since && s.order < c.lastOrder {
		return false
	}
	if s.bytes += len(t.Name) + seenOverhead; s.bytes <= maxSeen {
		if s.seen == nil {
			s.seen = make(map[string]struct{})
		}
		s.seen[t.Name] = struct{}{}
	}
	return true
}

// route returns the topic with its current recipients.
func (c *Client) route(name []byte) *Topic {
	t, routed := c.topics.find(name, &c.router)
	if routed {
		for _, id := range t.Recipients {
			c.byID[id].filter.received = true
		}
	}
	return t
}

// deliver gives a message to its recipients.
func (c *Client) deliver(t *Topic, m *mqtt.Publish) {
	d := &c.delivery
	*d = Delivery{Topic: t, Message: m, Recipients: t.Recipients, Listeners: c.listening}
	if !m.Retain {
		c.live++
		t.live = c.live
	} else {
		chosen := c.chosen[:0]
		for _, id := range t.Recipients {
			if c.wants(c.byID[id], t) {
				chosen = append(chosen, id)
			}
		}
		c.chosen = chosen
		if len(chosen) < len(t.Recipients) {
			d.Recipients, d.Selected = chosen, true
		}
	}
	c.host.Message(d)
}
