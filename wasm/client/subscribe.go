package client

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"iot.wasm/wasm/mqtt"
)

// A removal is a topic filter from which the client unsubscribes.
type removal struct {
	filter string
	token  mqtt.Token // of unsubscribe(); 0: no promise is pending
}

// A batch is the content of a SUBSCRIBE or UNSUBSCRIBE that the broker has not answered.
type batch struct {
	filters  []*filter
	removals []removal
}

// newBatch stores b, and returns the token that identifies it for the engine.
func (c *Client) newBatch(b batch) mqtt.Token {
	c.lastBatch++
	c.batches[c.lastBatch] = b
	return c.lastBatch
}

// sendSubscriptions appends the UNSUBSCRIBE and SUBSCRIBE packets that are due to the
// output. Each packet has at most filtersPerPacket topic filters.
func (c *Client) sendSubscriptions() {
	if !c.dirty {
		return
	}
	c.dirty = false
	removals := c.removals
	c.removals = nil
	for len(removals) > 0 {
		n := min(filtersPerPacket, len(removals))
		c.sendUnsubscribe(removals[:n])
		removals = removals[n:]
	}
	var plain []*filter
	for _, f := range c.inOrder() {
		if !f.state.due() {
			continue
		}
		if err := c.notGranted(f.options.Filter); err != nil {
			c.refuse(f, err)
		} else if len(f.user) > 0 { // its user properties must not apply to other filters
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

// notGranted returns an error if the CONNACK does not allow topic filters of this kind. A
// broker ends the connection of a client that uses one (sections 3.2.2.3.11 and
// 3.2.2.3.13).
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

// sendSubscribe sends a SUBSCRIBE for the filters. It sends several if one would exceed
// the broker's Maximum Packet Size.
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

// sendUnsubscribe sends an UNSUBSCRIBE, or several as sendSubscribe does.
func (c *Client) sendUnsubscribe(list []removal) {
	list = slices.Clone(list)
	var filters []string
	for _, r := range list {
		filters = append(filters, r.filter)
	}
	token := c.newBatch(batch{removals: list})
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
	for _, r := range list {
		if r.token != 0 {
			c.host.Done(r.token, failure(PhaseSubscribe, "ERR_SUBSCRIBE", false, "the UNSUBSCRIBE could not be sent: %v", err))
		}
	}
}

// resubscribe updates the subscriptions after a CONNACK. If the broker has no session, or
// perhaps another one than before, a SUBSCRIBE is due for all topic filters. If it has no
// session, no UNSUBSCRIBE is due.
func (c *Client) resubscribe(ack *mqtt.Connack) {
	c.dirty = true
	c.inheritedUntil = c.now + c.options.UnclaimedTimeout
	if !ack.SessionPresent {
		c.inherited = nil
	}
	for _, f := range c.filters {
		f.received = true
		if !ack.SameSession {
			f.reconnected(ack.SessionPresent)
		}
	}
	if ack.SessionPresent {
		return
	}
	for _, r := range c.removals {
		if r.token != 0 {
			c.host.Done(r.token, nil)
		}
	}
	c.removals = nil
}

func (ev *events) Subscribed(token mqtt.Token, codes []byte, reason string, lost error) {
	c := (*Client)(ev)
	b := c.batches[token]
	delete(c.batches, token)
	for i, f := range b.filters {
		name := f.options.Filter
		if c.filters[name] != f { // all subscriptions of f have ended
			continue
		}
		switch {
		case lost != nil:
			if !f.lost(token) || !errors.Is(lost, mqtt.ErrAckTimeout) {
				continue
			}
			if f.expiries++; f.expiries == mqtt.MaxExpiries {
				c.refuse(f, ackTimeout(PhaseSubscribe))
				if c.filters[name] != f { // the broker may nevertheless have the subscription
					c.removals = append(c.removals, removal{name, 0})
				}
			}
		case mqtt.Reason(codes[i]).Failed():
			if f.batch == token && !f.state.due() {
				c.refuse(f, subackError(name, mqtt.Reason(codes[i]), c.secrets.redact(reason)))
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

// subackError converts a failure in a SUBACK, with the broker's reason string.
func subackError(filter string, r mqtt.Reason, reason string) *Error {
	text := fmt.Sprintf("the broker refused the subscription to %q, %s", filter, reasonText(r, reason))
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
	for i, r := range b.removals {
		var err *Error
		if lost != nil {
			if c.filters[r.filter] == nil { // the broker may still have the subscription
				c.removals = append(c.removals, removal{filter: r.filter})
			}
		} else if code := mqtt.Reason(codes[i]); code.Failed() {
			err = failure(PhaseSubscribe, "ERR_UNSUBSCRIBE_REFUSED", false, "the broker refused to end the subscription to %q, %v", r.filter, code)
			err.Reason = code
		}
		if r.token != 0 {
			c.host.Done(r.token, err)
		}
	}
}

// unsubscribeInherited makes an UNSUBSCRIBE due for the inherited topic filters.
func (c *Client) unsubscribeInherited() {
	c.removals = append(c.removals, c.inherited...)
	c.inherited = nil
	c.dirty = true
}
