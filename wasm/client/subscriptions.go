package client

import (
	"slices"
	"strings"
	"time"

	"iot.wasm/wasm/mqtt"
)

// subscriptions are the subscriptions of the page. They outlive connections.
type subscriptions struct {
	router    mqtt.Router // topic → ids of subscriptions
	filters   map[string]*filter
	byID      map[uint32]*subscription
	lastID    uint32
	lastOrder uint64
	chosen    []uint32 // memory for the recipients of a retained message
	dirty     bool     // a SUBSCRIBE or UNSUBSCRIBE is due
	leaving   []leaving
	// inherited are the topic filters that the broker's session has from before the
	// client was closed. The page may subscribe to them again until leaveAt. Then the
	// client unsubscribes from them.
	inherited []leaving
	leaveAt   time.Duration

	batches   map[mqtt.Token]batch
	lastBatch mqtt.Token
}

func (s *subscriptions) init() {
	s.filters = make(map[string]*filter)
	s.byID = make(map[uint32]*subscription)
	s.batches = make(map[mqtt.Token]batch)
}

// Subscribe makes a subscription and returns its id, which is 0 if an error has
// settled the token. Subscriptions to the same topic filter share it. The client
// sends another SUBSCRIBE where a later one needs a higher QoS, or retained messages
// that the broker has already sent.
func (c *Client) Subscribe(now time.Duration, token mqtt.Token, o mqtt.Subscription, user []mqtt.UserPair) (id uint32) {
	c.now = now
	if err := c.checkSubscription(&o, user); err != nil {
		c.host.Done(token, err)
		return 0
	}
	f := c.filters[o.Filter]
	if f == nil {
		f = &filter{options: o, user: user, retain: o.RetainHandling}
		c.filters[o.Filter] = f
		c.held.forget(o.Filter)
		if c.rejoins(o.Filter) {
			f.state = uncertain
		}
	} else {
		if err := f.contradicts(&o); err != nil {
			c.host.Done(token, err)
			return 0
		}
		f.join(&o)
	}
	c.dirty, c.held.stale = true, true
	c.lastID++
	s := &subscription{id: c.lastID, filter: f, retainHandling: o.RetainHandling}
	c.renew(s)
	f.members = append(f.members, s)
	c.byID[s.id] = s
	c.router.Add(o.Filter, s.id)
	if f.state == granted {
		c.host.SubscribeDone(token, f.qos)
	} else {
		s.token = token
	}
	return s.id
}

// SubscribeNow is like Subscribe, but fails where there is neither a connection nor
// an attempt to connect.
func (c *Client) SubscribeNow(now time.Duration, token mqtt.Token, o mqtt.Subscription, user []mqtt.UserPair) (id uint32) {
	if c.stage == resting {
		c.host.Done(token, errNotConnected)
		return 0
	}
	return c.Subscribe(now, token, o, user)
}

// rejoins removes the topic filter from the lists of those to unsubscribe from, and
// reports whether it was there.
func (c *Client) rejoins(filter string) (found bool) {
	match := func(l leaving) bool {
		same := l.filter == filter && l.token == 0
		found = found || same
		return same
	}
	c.leaving = slices.DeleteFunc(c.leaving, match)
	c.inherited = slices.DeleteFunc(c.inherited, match)
	return found
}

func (c *Client) checkSubscription(o *mqtt.Subscription, user []mqtt.UserPair) *Error {
	if err := mqtt.ValidFilter(o.Filter); err != nil {
		return badType("ERR_FILTER", "filter is not a topic filter: %v", err)
	}
	switch {
	case o.QoS > 2:
		return badRange("ERR_QOS", "qos is %d; it must be 0, 1 or 2", o.QoS)
	case o.RetainHandling > retainNone:
		return badRange("ERR_OPTION", "retainHandling is %d; it must be 0, 1 or 2", o.RetainHandling)
	case o.NoLocal && strings.HasPrefix(o.Filter, "$share/"):
		return badType("ERR_OPTION", "noLocal cannot be used with a shared subscription") // [MQTT-3.8.3-4]
	}
	if c.awsQuotas {
		others := len(c.filters)
		if c.filters[o.Filter] != nil {
			others--
		}
		if err := quotaOfSubscription(o, others); err != nil {
			return err
		}
	}
	return checkUser("userProperties", user)
}

// Unsubscribe ends the subscription with that id. The last subscription to a topic
// filter causes an UNSUBSCRIBE, whose answer settles the token.
func (c *Client) Unsubscribe(now time.Duration, token mqtt.Token, id uint32) {
	c.now = now
	s := c.byID[id]
	if s == nil {
		c.host.Done(token, nil)
		return
	}
	c.unsubscribe(token, s.filter, []*subscription{s})
}

// UnsubscribeAll ends all subscriptions to the topic filter.
func (c *Client) UnsubscribeAll(now time.Duration, token mqtt.Token, filter string) {
	c.now = now
	f := c.filters[filter]
	if f == nil {
		c.host.Done(token, nil)
		return
	}
	c.unsubscribe(token, f, slices.Clone(f.members))
}

func (c *Client) unsubscribe(token mqtt.Token, f *filter, members []*subscription) {
	name := f.options.Filter
	last := len(members) == len(f.members)
	if last {
		c.held.leave(name)
	}
	for _, s := range members {
		c.remove(s, failure(PhaseSubscribe, "ERR_UNSUBSCRIBED", false, "unsubscribe(%q) was called before the broker answered", name), nil)
	}
	switch {
	case !last, f.state == absent:
		c.host.Done(token, nil)
	case c.stage == serving:
		c.leaving = append(c.leaving, leaving{name, token})
		c.dirty = true
	default: // the broker may keep the session
		c.leaving = append(c.leaving, leaving{name, 0})
		c.host.Done(token, nil)
	}
}

// remove ends s: with the error pending if its subscribe() is unsettled, else by
// reporting the end with err.
func (c *Client) remove(s *subscription, pending, err *Error) {
	f := s.filter
	c.router.Remove(f.options.Filter, s.id)
	delete(c.byID, s.id)
	f.members = slices.DeleteFunc(f.members, func(m *subscription) bool { return m == s })
	if len(f.members) == 0 && c.filters[f.options.Filter] == f {
		delete(c.filters, f.options.Filter)
	}
	if s.token != 0 {
		c.host.Done(s.token, pending)
	} else {
		c.host.SubscriptionEnded(s.id, err)
	}
}

// removeAll ends all members of f.
func (c *Client) removeAll(f *filter, pending, err *Error) {
	for _, s := range slices.Clone(f.members) {
		c.remove(s, pending, err)
	}
}

// refuse fails the pending subscribe() calls of f. If the broker has the
// subscription as it was before, the others stay. Else all end.
func (c *Client) refuse(f *filter, err *Error) {
	if !f.state.held() {
		c.removeAll(f, err, err)
		return
	}
	f.state, f.options.QoS, f.retain = granted, f.qos, retainNone
	for _, s := range slices.Clone(f.members) {
		if s.token != 0 {
			c.remove(s, err, nil)
		}
	}
}

// ids returns the ids of the subscriptions in ascending order.
func (s *subscriptions) ids() []uint32 {
	ids := make([]uint32, 0, len(s.byID))
	for id := range s.byID {
		ids = append(ids, id)
	}
	slices.Sort(ids)
	return ids
}

// inOrder returns the topic filters in the order of their first subscriptions.
func (s *subscriptions) inOrder() (list []*filter) {
	for _, id := range s.ids() {
		if m := s.byID[id]; m.filter.members[0] == m {
			list = append(list, m.filter)
		}
	}
	return list
}

// endSubscriptions ends all subscriptions when the client closes. why is nil after
// disconnect(); settle rejects pending promises.
func (c *Client) endSubscriptions(why, settle *Error) {
	for _, f := range c.inOrder() {
		if f.state != absent {
			c.inherited = append(c.inherited, leaving{f.options.Filter, 0})
		}
		c.removeAll(f, settle, why)
	}
	for i, l := range c.leaving {
		if l.token != 0 {
			c.host.Done(l.token, nil)
			c.leaving[i].token = 0
		}
	}
	clear(c.batches)
}
