package client

import "iot.wasm/wasm/mqtt"

const (
	// maxSeen limits the memory of history.seen, in bytes. A subscription with more topics
	// may receive a retained message twice.
	maxSeen = 1 << 20
	// seenOverhead is the approximate memory of a topic in history.seen without its name,
	// in bytes.
	seenOverhead = 100
)

// A history determines which retained messages are new to a subscription of the page.
//
// A broker sends the retained messages of a topic filter after each SUBSCRIBE, and a
// retained message does not contain the SUBSCRIBE that requested it. So a SUBSCRIBE for
// one subscription repeats retained messages that other subscriptions have received.
type history struct {
	order uint64              // increases with each subscription of the client
	since uint64              // Client.live at the start of the subscription
	seen  map[string]struct{} // topics of received retained messages
	bytes int                 // the memory of seen
}

// resetHistory starts a history, for a subscription that is new to the broker.
func (c *Client) resetHistory(s *subscription) {
	c.lastOrder++
	s.history = history{order: c.lastOrder, since: c.live}
}

// receivesRetained reports whether s receives a message of t that has RETAIN, and records
// the topic.
func (c *Client) receivesRetained(s *subscription, t *Topic) bool {
	switch {
	case s.filter.options.RetainAsPublished:
		return true // RETAIN is the publisher's flag, also in a live message [MQTT-3.3.1-13]
	case s.retainHandling == retainNone:
		return false
	}
	if _, seen := s.seen[t.Name]; seen {
		return false
	}
	// s has received a newer live message of the topic. The client has requested the
	// retained message for a later subscription.
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

// route returns the topic of a message with its current recipients. If they may have
// changed, it also sets filter.received of each recipient.
func (c *Client) route(m *mqtt.Publish) *Topic {
	t := c.topics.find(m.Topic, m.TopicHash)
	if t.version != c.router.Version() {
		c.determineRecipients(t)
	}
	return t
}

func (c *Client) determineRecipients(t *Topic) {
	t.route(&c.router)
	for _, id := range t.Recipients {
		c.byID[id].filter.received = true
	}
}

// deliver determines the recipients of a message of t, and passes it to the Host.
func (c *Client) deliver(t *Topic, m *mqtt.Publish) {
	d := &c.delivery
	d.Topic, d.Message, d.Recipients, d.Selected, d.Listeners = t, m, t.Recipients, false, c.listening
	if !m.Retain {
		c.live++
		t.live = c.live
	} else {
		selected := c.selected[:0]
		for _, id := range t.Recipients {
			if c.receivesRetained(c.byID[id], t) {
				selected = append(selected, id)
			}
		}
		c.selected = selected
		if len(selected) < len(t.Recipients) {
			d.Recipients, d.Selected = selected, true
		}
	}
	c.host.Message(d)
}
