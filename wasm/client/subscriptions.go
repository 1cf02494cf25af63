package client

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"iot.wasm/wasm/mqtt"
)

type subState byte

const (
	wanted  subState = iota // to be asked for
	asked                   // SUBSCRIBE is on its way
	granted                 // the broker has it
)

// subscription is one filter of the page's, however many subscribe to it.
type subscription struct {
	id      uint32
	options mqtt.Subscription
	user    []mqtt.UserPair
	refs    int
	state   subState
	qos     byte
	batch   mqtt.Token // the SUBSCRIBE whose answer counts
	told    bool       // the broker may have heard of it
	held    bool       // the broker has it, at qos
	ever    bool       // it has been granted before
	perhaps bool       // the broker may have it already: no retained messages again
	late    bool       // somebody has joined who has not had the retained messages
	waiters []mqtt.Token
	// expiries is how often the broker did not answer the SUBSCRIBE in time.
	expiries int
}

// subscriptions is what the page wants to receive, whatever the connection does.
type subscriptions struct {
	router   mqtt.Router
	byFilter map[string]*subscription
	byID     map[uint32]*subscription
	lastID   uint32
	dirty    bool // something is wanted, or to be left
	leaving  []leaving
	// inherited are the filters that the session has of the time before close. The
	// page may subscribe to them again until leaveAt; then they are left.
	inherited []leaving
	leaveAt   time.Duration

	batches   map[mqtt.Token]batch
	lastBatch mqtt.Token
}

// leaving is a filter whose UNSUBSCRIBE has not gone yet.
type leaving struct {
	filter string
	token  mqtt.Token // 0: nobody waits
}

// batch is what one SUBSCRIBE or UNSUBSCRIBE on its way is about.
type batch struct {
	subs   []*subscription
	leaves []leaving
}

func (s *subscriptions) init() {
	s.byFilter = make(map[string]*subscription)
	s.byID = make(map[uint32]*subscription)
	s.batches = make(map[mqtt.Token]batch)
}

// Subscribe asks for a filter. Later calls for the same one share it: the QoS is
// raised where a later call asks for more, and where one comes after messages
// have, the broker is asked for those it retains again. It returns the filter's id, by
// which its messages are known, 0 where it was refused at once.
func (c *Client) Subscribe(now time.Duration, token mqtt.Token, o mqtt.Subscription, user []mqtt.UserPair) (filter uint32) {
	c.now = now
	if err := c.checkSubscription(&o, user); err != nil {
		c.host.Done(token, err)
		return 0
	}
	s := c.byFilter[o.Filter]
	if s == nil {
		c.lastID++
		s = &subscription{id: c.lastID, options: o, user: user}
		c.byFilter[o.Filter], c.byID[s.id] = s, s
		c.router.Add(o.Filter, s.id)
		c.held.forget(o.Filter)
		c.dirty, c.held.stale = true, true
		mine := func(l leaving) bool {
			found := l.filter == o.Filter && l.token == 0
			s.told = s.told || found
			return found
		}
		c.leaving = slices.DeleteFunc(c.leaving, mine)
		c.inherited = slices.DeleteFunc(c.inherited, mine)
	} else {
		if err := s.contradicts(&o); err != nil {
			c.host.Done(token, err)
			return 0
		}
		s.join(&o, c.topics.heard(s.id))
		c.dirty = true
	}
	s.refs++
	if s.state == granted {
		c.host.SubscribeDone(token, s.id, s.qos)
	} else {
		s.waiters = append(s.waiters, token)
	}
	return s.id
}

// SubscribeNow is Subscribe for a caller that does not wait for a connect().
func (c *Client) SubscribeNow(now time.Duration, token mqtt.Token, o mqtt.Subscription, user []mqtt.UserPair) (filter uint32) {
	if c.phase == resting {
		c.host.Done(token, errNotConnected)
		return 0
	}
	return c.Subscribe(now, token, o, user)
}

// contradicts: what the broker is told of a filter cannot be one thing for one
// subscription of the page's and another for the next.
func (s *subscription) contradicts(o *mqtt.Subscription) *Error {
	if o.NoLocal == s.options.NoLocal && o.RetainAsPublished == s.options.RetainAsPublished {
		return nil
	}
	return badType("ERR_OPTION", "another subscription to %q has noLocal: %t and retainAsPublished: %t, and the two share what the broker is asked for",
		o.Filter, s.options.NoLocal, s.options.RetainAsPublished)
}

// join takes up what a later subscription wants beyond what the broker has been
// asked for. heard: a message has come for the filter. Where none has, there is
// none retained, or it is on its way.
func (s *subscription) join(o *mqtt.Subscription, heard bool) {
	const none = 2 // of Retain Handling
	if o.RetainHandling != none && !strings.HasPrefix(o.Filter, "$share/") && (s.options.RetainHandling == none || s.state == granted && heard) {
		s.late = true
		s.state = wanted
	}
	if o.QoS > s.options.QoS {
		s.options.QoS = o.QoS
		s.state = wanted
	}
}

func (c *Client) checkSubscription(o *mqtt.Subscription, user []mqtt.UserPair) *Error {
	if err := mqtt.ValidFilter(o.Filter); err != nil {
		return badType("ERR_FILTER", "it is not a topic filter: %v", err)
	}
	switch {
	case o.QoS > 2:
		return badRange("ERR_QOS", "QoS is %d; it must be 0, 1 or 2", o.QoS)
	case o.RetainHandling > 2:
		return badRange("ERR_OPTION", "retainHandling is %d; it must be 0, 1 or 2", o.RetainHandling)
	case o.NoLocal && strings.HasPrefix(o.Filter, "$share/"):
		return badType("ERR_OPTION", "noLocal cannot be used with a shared subscription") // [MQTT-3.8.3-4]
	}
	if c.awsQuotas {
		before := len(c.byFilter)
		if c.byFilter[o.Filter] != nil {
			before--
		}
		if err := quotaOfSubscription(o, before); err != nil {
			return err
		}
	}
	return checkUser("userProperties", user)
}

// Unsubscribe takes back one Subscribe for the filter with that id; all takes
// back every one. The UNSUBSCRIBE goes with the last.
func (c *Client) Unsubscribe(now time.Duration, token mqtt.Token, id uint32, all bool) {
	c.now = now
	s := c.byID[id]
	if s == nil {
		c.host.Done(token, nil)
		return
	}
	if s.refs--; s.refs > 0 && !all {
		c.host.Done(token, nil)
		return
	}
	c.held.leave(s.options.Filter)
	c.forget(s, failure(PhaseSubscribe, "ERR_UNSUBSCRIBED", false, "unsubscribe(%q) was called before the broker answered", s.options.Filter))
	switch {
	case !s.told:
		c.host.Done(token, nil) // the broker cannot have heard of it
	case c.phase == serving:
		c.leaving = append(c.leaving, leaving{s.options.Filter, token})
		c.dirty = true
	default:
		c.leaving = append(c.leaving, leaving{s.options.Filter, 0}) // in case the session outlives this
		c.host.Done(token, nil)
	}
}

// forget drops s, and settles who waits for it with err.
func (c *Client) forget(s *subscription, err *Error) {
	c.router.Remove(s.options.Filter, s.id)
	delete(c.byID, s.id)
	if c.byFilter[s.options.Filter] == s {
		delete(c.byFilter, s.options.Filter)
	}
	for _, token := range s.waiters {
		c.host.Done(token, err)
	}
	s.waiters = nil
}

// sendSubscriptions puts into Output what the turn asked for: first what is to
// be left, then what is wanted, in as few packets as AWS allows.
func (c *Client) sendSubscriptions() {
	if !c.dirty {
		return
	}
	c.dirty = false
	left := c.leaving
	c.leaving = nil
	for len(left) > 0 {
		n := min(filtersPerPacket, len(left))
		c.sendUnsubscribe(left[:n])
		left = left[n:]
	}
	var plain []*subscription
	for _, id := range c.sortedIDs() {
		s := c.byID[id]
		if s.state != wanted {
			continue
		}
		if err := c.notGranted(s.options.Filter); err != nil {
			c.refuse(s, err)
		} else if len(s.user) > 0 { // they belong to the packet, so it has one of its own
			c.sendSubscribe([]*subscription{s})
		} else {
			plain = append(plain, s)
		}
	}
	for len(plain) > 0 {
		n := min(filtersPerPacket, len(plain))
		c.sendSubscribe(plain[:n])
		plain = plain[n:]
	}
}

// notGranted holds a filter against what CONNACK granted: a broker that has no
// such filters ends the connection of who asks for one.
func (c *Client) notGranted(filter string) *Error {
	g := c.engine.Granted()
	switch {
	case !g.WildcardAvailable && strings.ContainsAny(filter, "+#"):
		return failure(PhaseSubscribe, "ERR_SUBSCRIBE_REFUSED", false, "the broker has no wildcard subscriptions (see connection.wildcardSubscriptionAvailable): %q", filter)
	case !g.SharedAvailable && strings.HasPrefix(filter, "$share/"):
		return failure(PhaseSubscribe, "ERR_SUBSCRIBE_REFUSED", false, "the broker has no shared subscriptions (see connection.sharedSubscriptionAvailable): %q", filter)
	}
	return nil
}

func (c *Client) sortedIDs() []uint32 {
	ids := make([]uint32, 0, len(c.byID))
	for id := range c.byID {
		ids = append(ids, id)
	}
	slices.Sort(ids)
	return ids
}

func (c *Client) newBatch(b batch) mqtt.Token {
	c.lastBatch++
	c.batches[c.lastBatch] = b
	return c.lastBatch
}

// sendSubscribe asks for subs in one packet, or in more where the broker's
// Maximum Packet Size wants it.
func (c *Client) sendSubscribe(subs []*subscription) {
	subs = slices.Clone(subs)
	var list []mqtt.Subscription
	for _, s := range subs {
		o := s.options
		switch {
		case s.late:
			o.RetainHandling = 0
		case s.perhaps && o.RetainHandling == 0:
			o.RetainHandling = 1 // only if the subscription is new to it
		}
		list = append(list, o)
	}
	token := c.newBatch(batch{subs: subs})
	err := c.engine.Subscribe(c.now, token, list, subs[0].user)
	if err != nil {
		delete(c.batches, token)
	}
	if errors.Is(err, mqtt.ErrTooLarge) && len(subs) > 1 {
		half := len(subs) / 2
		c.sendSubscribe(subs[:half])
		c.sendSubscribe(subs[half:])
		return
	}
	for _, s := range subs {
		if err != nil {
			c.refuse(s, failure(PhaseSubscribe, "ERR_SUBSCRIBE", false, "the SUBSCRIBE could not be sent: %v", err))
			continue
		}
		s.state, s.batch, s.told, s.perhaps, s.late = asked, token, true, false, false
	}
}

func (c *Client) sendUnsubscribe(list []leaving) {
	list = slices.Clone(list)
	var filters []string
	for _, l := range list {
		filters = append(filters, l.filter)
	}
	token := c.newBatch(batch{leaves: list})
	err := c.engine.Unsubscribe(c.now, token, filters)
	if err == nil {
		return
	}
	delete(c.batches, token)
	if errors.Is(err, mqtt.ErrTooLarge) && len(list) > 1 {
		half := len(list) / 2
		c.sendUnsubscribe(list[:half])
		c.sendUnsubscribe(list[half:])
		return
	}
	for _, l := range list {
		if l.token != 0 {
			c.host.Done(l.token, failure(PhaseSubscribe, "ERR_SUBSCRIBE", false, "the UNSUBSCRIBE could not be sent: %v", err))
		}
	}
}

// resubscribe follows CONNACK: where the broker has no session, or perhaps
// another than before, all that is wanted is asked for again. Where it has none,
// there is nothing to be left.
func (c *Client) resubscribe(ack *mqtt.Connack) {
	c.dirty = true
	c.leaveAt = c.now + c.options.UnclaimedTimeout
	if !ack.SessionPresent {
		c.inherited = nil
	}
	if ack.SameSession {
		return
	}
	for _, s := range c.byID {
		s.state, s.held, s.perhaps = wanted, false, ack.SessionPresent
	}
	if ack.SessionPresent {
		return
	}
	for _, l := range c.leaving {
		if l.token != 0 {
			c.host.Done(l.token, nil)
		}
	}
	c.leaving = nil
}

func (ev *events) Subscribed(token mqtt.Token, codes []byte, reason string, lost error) {
	c := (*Client)(ev)
	b := c.batches[token]
	delete(c.batches, token)
	for i, s := range b.subs {
		if c.byID[s.id] != s { // unsubscribed meanwhile
			continue
		}
		last := s.batch == token && s.state == asked // and not wanted anew since, at a higher QoS
		switch {
		case lost != nil: // ask again
			if !last {
				continue
			}
			s.state = wanted
			if errors.Is(lost, mqtt.ErrAckTimeout) {
				if s.expiries++; s.expiries == mqtt.MaxExpiries {
					c.refuse(s, ackTimeout(PhaseSubscribe))
					if c.byID[s.id] != s { // the broker may have it all the same
						c.leaving = append(c.leaving, leaving{s.options.Filter, 0})
					}
				}
			}
		case mqtt.Reason(codes[i]).Failed():
			if last {
				c.refuse(s, refusedFilter(s.options.Filter, mqtt.Reason(codes[i]), c.secrets.redact(reason)))
			}
		default:
			s.qos, s.held, s.ever, s.expiries = codes[i], true, true, 0
			if !last {
				continue
			}
			s.state = granted
			waiters := s.waiters
			s.waiters = nil
			for _, token := range waiters {
				c.host.SubscribeDone(token, s.id, s.qos)
			}
		}
	}
}

func refusedFilter(filter string, r mqtt.Reason, words string) *Error {
	text := fmt.Sprintf("the broker refused the subscription to %q, %s", filter, saying(r, words))
	if r == mqtt.NotAuthorized {
		text += "; the AWS IoT policy must allow iot:Subscribe to this filter and iot:Receive for its topics"
	}
	err := failure(PhaseSubscribe, "ERR_SUBSCRIBE_REFUSED", transient(r), "%s", text)
	err.Reason = r
	return err
}

// refuse fails who waits for s. What the broker has granted before, and only not
// raised, stays; else that is its end.
func (c *Client) refuse(s *subscription, err *Error) {
	if s.held {
		s.state, s.options.QoS = granted, s.qos
		waiters := s.waiters
		s.waiters = nil
		s.refs -= len(waiters)
		for _, token := range waiters {
			c.host.Done(token, err)
		}
		return
	}
	c.forget(s, err)
	if s.ever {
		c.host.SubscriptionEnded(s.id, err)
	}
}

func (ev *events) Unsubscribed(token mqtt.Token, codes []byte, reason string, lost error) {
	c := (*Client)(ev)
	b := c.batches[token]
	delete(c.batches, token)
	for i, l := range b.leaves {
		var err *Error
		if lost != nil { // which the subscription may outlive
			if c.byFilter[l.filter] == nil {
				c.leaving = append(c.leaving, leaving{filter: l.filter})
			}
		} else if r := mqtt.Reason(codes[i]); r.Failed() {
			err = failure(PhaseSubscribe, "ERR_UNSUBSCRIBE_REFUSED", false, "the broker refused to end the subscription to %q, %v", l.filter, r)
			err.Reason = r
		}
		if l.token != 0 {
			c.host.Done(l.token, err)
		}
	}
}

// leaveInherited: what the page has not subscribed to again by now is left.
func (c *Client) leaveInherited() {
	c.leaving = append(c.leaving, c.inherited...)
	c.inherited = nil
	c.dirty = true
}

// endSubscriptions settles everything when the client closes.
func (c *Client) endSubscriptions(why, settle *Error) {
	for _, id := range c.sortedIDs() {
		s := c.byID[id]
		c.forget(s, settle)
		if s.ever {
			c.host.SubscriptionEnded(s.id, why)
		}
		if s.told {
			c.inherited = append(c.inherited, leaving{s.options.Filter, 0})
		}
	}
	for i, l := range c.leaving {
		if l.token != 0 {
			c.host.Done(l.token, nil)
			c.leaving[i].token = 0
		}
	}
	clear(c.batches)
}
