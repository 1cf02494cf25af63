package client

import (
	"slices"
	"strings"
	"time"

	"iot.wasm/wasm/mqtt"
)

// subscriptions contains the subscriptions of the page. A lost connection does not end
// them.
type subscriptions struct {
	router    mqtt.Router // the ids of the subscriptions, by topic filter
	filters   map[string]*filter
	byID      map[uint32]*subscription
	lastID    uint32
	lastOrder uint64    // see history.order
	selected  []uint32  // memory for Delivery.Recipients of a retained message
	dirty     bool      // a SUBSCRIBE or UNSUBSCRIBE is due
	removals  []removal // the UNSUBSCRIBEs that are due
	// inherited contains topic filters of subscriptions that ended when the client
	// closed. The broker's session may still have them. The page may subscribe to them
	// again until inheritedUntil, and then the client unsubscribes from the others.
	inherited      []removal
	inheritedUntil time.Duration

	batches   map[mqtt.Token]batch
	lastBatch mqtt.Token
}

func (s *subscriptions) init() {
	s.filters = make(map[string]*filter)
	s.byID = make(map[uint32]*subscription)
	s.batches = make(map[mqtt.Token]batch)
}

// Subscribe makes a subscription and returns its id. The id is 0 if the client has
// rejected the promise of token. user contains the user properties of the SUBSCRIBE.
//
// Subscriptions to the same topic filter share a subscription at the broker, with the
// user properties of the first one. The client sends another SUBSCRIBE only if a later
// subscription needs a higher QoS, or retained messages that the broker has already sent.
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
		c.held.subscribed(o.Filter)
		if c.cancelRemoval(o.Filter) {
			f.state = uncertain
		}
	} else {
		if err := f.contradicts(&o); err != nil {
			c.host.Done(token, err)
			return 0
		}
		f.join(&o)
	}
	c.dirty, c.held.recheck = true, true
	c.lastID++
	s := &subscription{id: c.lastID, filter: f, retainHandling: o.RetainHandling}
	c.resetHistory(s)
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

// SubscribeNow is like Subscribe, but rejects the promise if the client is neither
// connected nor connecting.
func (c *Client) SubscribeNow(now time.Duration, token mqtt.Token, o mqtt.Subscription, user []mqtt.UserPair) (id uint32) {
	if c.stage == inactive {
		c.host.Done(token, errNotConnected)
		return 0
	}
	return c.Subscribe(now, token, o, user)
}

// cancelRemoval cancels the UNSUBSCRIBE of a topic filter, unless a promise is pending for
// it. It reports whether there was one.
func (c *Client) cancelRemoval(filter string) (found bool) {
	match := func(r removal) bool {
		same := r.filter == filter && r.token == 0
		found = found || same
		return same
	}
	c.removals = slices.DeleteFunc(c.removals, match)
	c.inherited = slices.DeleteFunc(c.inherited, match)
	return found
}

// checkSubscription checks the arguments of Subscribe.
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

// Unsubscribe ends the subscription with that id. If it is the last one to its topic
// filter, the client sends UNSUBSCRIBE, and the UNSUBACK settles the promise. In all other
// cases, and without a connection, the promise resolves immediately.
func (c *Client) Unsubscribe(now time.Duration, token mqtt.Token, id uint32) {
	c.now = now
	s := c.byID[id]
	if s == nil {
		c.host.Done(token, nil)
		return
	}
	c.unsubscribe(token, s.filter, []*subscription{s})
}

// UnsubscribeAll ends all subscriptions to a topic filter, as Unsubscribe does.
func (c *Client) UnsubscribeAll(now time.Duration, token mqtt.Token, filter string) {
	c.now = now
	f := c.filters[filter]
	if f == nil {
		c.host.Done(token, nil)
		return
	}
	c.unsubscribe(token, f, slices.Clone(f.members))
}

// unsubscribe ends some or all members of f.
func (c *Client) unsubscribe(token mqtt.Token, f *filter, members []*subscription) {
	name := f.options.Filter
	last := len(members) == len(f.members)
	if last {
		c.held.unsubscribed(name)
	}
	for _, s := range members {
		c.remove(s, failure(PhaseSubscribe, "ERR_UNSUBSCRIBED", false, "unsubscribe(%q) was called before the broker answered", name), nil)
	}
	switch {
	case !last, f.state == absent:
		c.host.Done(token, nil)
	case c.stage == connected:
		c.removals = append(c.removals, removal{name, token})
		c.dirty = true
	default: // the next connection sends UNSUBSCRIBE, if the broker keeps the session
		c.removals = append(c.removals, removal{name, 0})
		c.host.Done(token, nil)
	}
}

// remove ends s. If the promise of its subscribe() is pending, remove rejects it with the
// error pending. Otherwise it reports the end with the error err, which may be nil.
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

// removeAll calls remove for all members of f.
func (c *Client) removeAll(f *filter, pending, err *Error) {
	for _, s := range slices.Clone(f.members) {
		c.remove(s, pending, err)
	}
}

// refuse ends the members of f whose subscribe() is pending, with the error err. It ends
// the other members, too, unless the broker has an earlier subscription to the filter.
func (c *Client) refuse(f *filter, err *Error) {
	if !f.state.atBroker() {
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

// ids returns the ids of all subscriptions in ascending order.
func (s *subscriptions) ids() []uint32 {
	ids := make([]uint32, 0, len(s.byID))
	for id := range s.byID {
		ids = append(ids, id)
	}
	slices.Sort(ids)
	return ids
}

// inOrder returns all topic filters in the order of their first subscriptions.
func (s *subscriptions) inOrder() (list []*filter) {
	for _, id := range s.ids() {
		if m := s.byID[id]; m.filter.members[0] == m {
			list = append(list, m.filter)
		}
	}
	return list
}

// endSubscriptions ends all subscriptions when the client closes. It passes pending and
// err to remove.
func (c *Client) endSubscriptions(pending, err *Error) {
	for _, f := range c.inOrder() {
		if f.state != absent {
			c.inherited = append(c.inherited, removal{f.options.Filter, 0})
		}
		c.removeAll(f, pending, err)
	}
	for i, r := range c.removals {
		if r.token != 0 {
			c.host.Done(r.token, nil)
			c.removals[i].token = 0
		}
	}
	clear(c.batches)
}
