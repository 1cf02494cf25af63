package sim

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"iot.wasm/wasm/client"
	"iot.wasm/wasm/mqtt"
)

// nextStates are the allowed next states of each state.
var nextStates = map[client.State][]client.State{
	client.Idle:         {client.Connecting},
	client.Connecting:   {client.Connecting, client.Connected, client.Closed},
	client.Connected:    {client.Reconnecting, client.Closed},
	client.Reconnecting: {client.Reconnecting, client.Connected, client.Closed},
	client.Closed:       {client.Closed, client.Connecting},
}

func (u *user) StateChanged(c client.Change) {
	text := c.Event
	if c.Err != nil {
		text += ": " + c.Err.Error()
	}
	u.w.note("%s %s -> %s, %s", u.id, u.state, c.State, text)
	if !slices.Contains(nextStates[u.state], c.State) {
		u.w.broken("the state changes from %s to %s", u.state, c.State)
	}
	u.state = c.State
	if s := u.b.sessions[u.id]; c.Granted != nil && !c.Granted.SessionPresent && s != nil {
		s.confirmed = true
	}
	if c.Err != nil && strings.Contains(c.Err.Message, "X-Amz-") {
		u.w.broken("an error contains a signed URL: %v", c.Err)
	}
	if c.Err != nil && c.Err.Code == "ERR_ACK_TIMEOUT" && u.w.now > busy+90*time.Second {
		// One timeout is allowed, because repeated stalls of a link may cause it.
		if u.timeouts++; u.timeouts > 1 {
			u.w.broken("%s has acknowledgement timeouts without a fault", u.id)
		}
	}
	if c.Event == "disconnected" && c.RetryIn > 0 {
		if c.RetryIn < u.options.MinDelay || c.RetryIn > u.options.MaxDelay {
			u.w.broken("the back-off is %v, want %v to %v", c.RetryIn, u.options.MinDelay, u.options.MaxDelay)
		}
		u.retryAt = u.w.now + c.RetryIn
	}
	if c.Event == "connected" && !c.Recovered {
		for _, s := range u.subs {
			clear(s.retained)
			clear(s.live)
		}
	}
	if c.Event == "closed" && len(u.subs) > 0 {
		u.w.broken("the client is closed with %d subscriptions", len(u.subs))
	}
}

// deliveryOf returns the name of the delivery that contains a message.
func deliveryOf(m *mqtt.Publish) (name string) {
	for p, rest, ok := mqtt.NextProperty(m.Properties); ok; p, rest, ok = mqtt.NextProperty(rest) {
		if string(p.Data) == "delivery" {
			name = string(p.Value)
		}
	}
	return name
}

func (u *user) Unclaimed(t *client.Topic, m *mqtt.Publish) {
	u.handle(t, m)
	for _, s := range u.subs {
		if mqtt.Match(s.filter, t.Name) {
			u.w.broken("a message to %s is reported as unclaimed, although the page subscribes to %q", t.Name, s.filter)
		}
	}
}

// handle checks a delivery that the page has received, in a handler or in the event
// unclaimed.
func (u *user) handle(t *client.Topic, m *mqtt.Publish) {
	name := deliveryOf(m)
	if m.Missing > len(u.frameRest) {
		u.w.broken("the page does not have %d of the missing %d bytes of %s", m.Missing-len(u.frameRest), m.Missing, name)
		return
	}
	if payload := string(m.Payload) + string(u.frameRest[:m.Missing]); payload != u.b.payloads[name] {
		u.w.broken("the payload of %s has %d bytes and differs from the %d bytes that the broker has sent", name, len(payload), len(u.b.payloads[name]))
	}
	u.received[name]++
	u.handled[name] = true
	if m.QoS == 2 && u.received[name] > 1 {
		u.w.broken("the page has received the QoS 2 delivery %s %d times", name, u.received[name])
	}
	if u.received[name] == 1 {
		var n int
		_, _ = fmt.Sscanf(name, "d%d", &n)
		key := fmt.Sprint(t.Name, m.QoS)
		if n < u.ordered[key] {
			u.w.broken("delivery %d arrived after delivery %d", n, u.ordered[key])
		}
		u.ordered[key] = n
	}
}

func (u *user) Message(d *client.Delivery) {
	topic := d.Topic.Name
	u.handle(d.Topic, d.Message)
	if !slices.IsSorted(d.Recipients) || d.Selected != (len(d.Recipients) != len(d.Topic.Recipients)) {
		u.w.broken("recipients %v of %v, selected: %v", d.Recipients, d.Topic.Recipients, d.Selected)
	}
	for _, id := range d.Recipients {
		if s := u.subs[id]; s == nil || !mqtt.Match(s.filter, topic) {
			u.w.broken("a message to %s has the recipient %d, whose filter does not match", topic, id)
			return
		}
	}
	newest := uint32(0)
	for id := range u.subs {
		newest = max(newest, id)
	}
	for id, s := range u.subs {
		if !mqtt.Match(s.filter, topic) {
			continue
		}
		recipient := slices.Contains(d.Recipients, id)
		switch {
		case !d.Message.Retain:
			if !recipient {
				u.w.broken("the subscription %d to %q does not receive a live message to %s", id, s.filter, topic)
			}
			s.live[topic] = true
		case recipient && (s.retained[topic] || s.retainHandling == 2):
			u.w.broken("the subscription %d to %q receives a retained message to %s twice, or despite its Retain Handling", id, s.filter, topic)
		case recipient && s.live[topic] && id < newest:
			u.w.broken("the subscription %d to %q receives a retained message to %s after a live one", id, s.filter, topic)
		case !recipient && s.retainHandling != 2 && !s.retained[topic] && !s.live[topic]:
			u.w.broken("the subscription %d to %q does not receive a retained message to %s", id, s.filter, topic)
		case recipient:
			s.retained[topic] = true
		}
	}
}

// checkRetained checks that each subscription with Retain Handling 0 has received each
// retained message of QoS 1 or 2 that matches it, or a live message to the topic.
func (u *user) checkRetained(session *session) {
	for id, s := range u.subs {
		for topic, m := range u.b.retained {
			if s.retainHandling == 0 && mqtt.Match(s.filter, topic) && min(m.qos, session.filters[s.filter]) > 0 && !s.retained[topic] && !s.live[topic] {
				u.w.broken("the subscription %d to %q has never received the retained message %q", id, s.filter, m.payload)
			}
		}
	}
}

// settled checks that a call settles once, and returns its description.
func (u *user) settled(k mqtt.Token) string {
	call, ok := u.pending[k]
	if !ok {
		u.w.broken("token %d of %s is settled twice, or is unknown", k, u.id)
	}
	delete(u.pending, k)
	return call
}

func (u *user) Done(k mqtt.Token, err *client.Error) {
	u.settled(k)
	for id, s := range u.subs {
		if s.token == k {
			u.w.note("%s: subscribe %s: %v", u.id, s.filter, err)
			delete(u.subs, id)
		}
	}
}

func (u *user) ConnectDone(k mqtt.Token, _ *mqtt.Connack) { u.settled(k) }

func (u *user) PublishDone(k mqtt.Token, r mqtt.PublishResult) {
	payload := strings.TrimPrefix(u.settled(k), "publish ")
	if u.b.accepted[payload] == 0 {
		u.w.broken("publish() of %q resolved, although the broker has not accepted the message", payload)
	}
}

func (u *user) SubscribeDone(k mqtt.Token, _ byte) {
	u.settled(k)
	for _, s := range u.subs {
		if s.token == k {
			s.token = 0
		}
	}
}

func (u *user) SubscriptionEnded(id uint32, err *client.Error) {
	if u.subs[id] == nil {
		u.w.broken("the end of subscription %d is reported twice", id)
	}
	delete(u.subs, id)
}
