package client

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"iot.wasm/wasm/mqtt"
)

// leaving is a topic filter whose UNSUBSCRIBE is due.
type leaving struct {
	filter string
	token  mqtt.Token // 0: no promise waits for the answer
}

// A batch is the content of one SUBSCRIBE or UNSUBSCRIBE without an answer.
type batch struct {
	filters []*filter
	leaves  []leaving
}

func (c *Client) newBatch(b batch) mqtt.Token {
	c.lastBatch++
	c.batches[c.lastBatch] = b
	return c.lastBatch
}

// sendSubscriptions appends to the output the UNSUBSCRIBE and SUBSCRIBE packets that
// are due, in as few packets as AWS allows.
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
	var plain []*filter
	for _, f := range c.inOrder() {
		if !f.state.due() {
			continue
		}
		if err := c.notGranted(f.options.Filter); err != nil {
			c.refuse(f, err)
		} else if len(f.user) > 0 { // user properties belong to the packet, not to a filter in it
			c.sendSubscribe([]*filter{f})
		} else {
			plain = append(plain, f)
		}
	}
	for len(plain) > 0 {
		n := min(filtersPerPacket, len(plain))
		c.sendSubscribe(plain[:n])
		plain = plain[n:]
	}
}

// notGranted returns an error where CONNACK excludes such a topic filter. A broker
// ends the connection of a client that uses one.
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

// sendSubscribe sends the filters in one packet, or in more where the broker's
// Maximum Packet Size requires it.
func (c *Client) sendSubscribe(filters []*filter) {
	filters = slices.Clone(filters)
	var list []mqtt.Subscription
	for _, f := range filters {
		o := f.options
		o.RetainHandling = f.retain
		list = append(list, o)
	}
	token := c.newBatch(batch{filters: filters})
	err := c.engine.Subscribe(c.now, token, list, filters[0].user)
	if err != nil {
		delete(c.batches, token)
	}
	if errors.Is(err, mqtt.ErrTooLarge) && len(filters) > 1 {
		half := len(filters) / 2
		c.sendSubscribe(filters[:half])
		c.sendSubscribe(filters[half:])
		return
	}
	for _, f := range filters {
		if err != nil {
			c.refuse(f, failure(PhaseSubscribe, "ERR_SUBSCRIBE", false, "the SUBSCRIBE could not be sent: %v", err))
			continue
		}
		f.sent(token)
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

// resubscribe follows a CONNACK. Where the broker has no session, or perhaps another
// one than before, all topic filters are due again. Where it has none, there is
// nothing to unsubscribe from.
func (c *Client) resubscribe(ack *mqtt.Connack) {
	c.dirty = true
	c.leaveAt = c.now + c.options.UnclaimedTimeout
	if !ack.SessionPresent {
		c.inherited = nil
	}
	for _, f := range c.filters {
		f.received = true
		if !ack.SameSession {
			f.reconnected(ack.SessionPresent)
		}
	}
	if ack.SameSession || ack.SessionPresent {
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
	for i, f := range b.filters {
		name := f.options.Filter
		if c.filters[name] != f { // all its subscriptions have ended
			continue
		}
		switch {
		case lost != nil:
			if !f.lost(token) || !errors.Is(lost, mqtt.ErrAckTimeout) {
				continue
			}
			if f.expiries++; f.expiries == mqtt.MaxExpiries {
				c.refuse(f, ackTimeout(PhaseSubscribe))
				if c.filters[name] != f { // the broker may have the subscription all the same
					c.leaving = append(c.leaving, leaving{name, 0})
				}
			}
		case mqtt.Reason(codes[i]).Failed():
			if f.batch == token && !f.state.due() {
				c.refuse(f, refusedFilter(name, mqtt.Reason(codes[i]), c.secrets.redact(reason)))
			}
		case f.answered(token, codes[i]):
			for _, s := range f.members {
				if s.token != 0 {
					token := s.token
					s.token = 0
					c.host.SubscribeDone(token, f.qos)
				}
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

func (ev *events) Unsubscribed(token mqtt.Token, codes []byte, reason string, lost error) {
	c := (*Client)(ev)
	b := c.batches[token]
	delete(c.batches, token)
	for i, l := range b.leaves {
		var err *Error
		if lost != nil {
			if c.filters[l.filter] == nil { // the broker may still have the subscription
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

// leaveInherited makes an UNSUBSCRIBE due for the inherited topic filters.
func (c *Client) leaveInherited() {
	c.leaving = append(c.leaving, c.inherited...)
	c.inherited = nil
	c.dirty = true
}
