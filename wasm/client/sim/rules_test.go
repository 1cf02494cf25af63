package sim

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"iot.wasm/wasm/client"
	"iot.wasm/wasm/mqtt"
)

var legal = map[client.State][]client.State{
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
	if !slices.Contains(legal[u.state], c.State) {
		u.w.broken("%s -> %s", u.state, c.State)
	}
	u.state = c.State
	if s := u.b.sessions[u.id]; c.Granted != nil && !c.Granted.SessionPresent && s != nil {
		s.heard = true
	}
	if c.Err != nil && strings.Contains(c.Err.Message, "X-Amz-") {
		u.w.broken("an error shows a signed URL: %v", c.Err)
	}
	if c.Err != nil && c.Err.Code == "ERR_ACK_TIMEOUT" && u.w.now > busy+90*time.Second {
		// One may be due to a link that stalls again and again.
		if u.unanswered++; u.unanswered > 1 {
			u.w.broken("%s waits for acknowledgements, though all is well", u.id)
		}
	}
	if c.Event == "disconnected" && c.RetryIn > 0 {
		if c.RetryIn < u.options.MinDelay || c.RetryIn > u.options.MaxDelay {
			u.w.broken("it will try again in %v", c.RetryIn)
		}
		u.retryAt = u.w.now + c.RetryIn
	}
	if c.Event == "closed" {
		clear(u.refs)
	}
}

// deliveryOf is the broker's name for a delivery.
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
	for f := range u.refs {
		if mqtt.Match(f, t.Name) {
			u.w.broken("a message to %s is reported as unclaimed, though %q is subscribed", t.Name, f)
		}
	}
}

// handle notes a delivery that the page got, or was told of.
func (u *user) handle(t *client.Topic, m *mqtt.Publish) {
	name := deliveryOf(m)
	u.delivered[name]++
	u.handled[name] = true
	if m.QoS == 2 && u.delivered[name] > 1 {
		u.w.broken("the QoS 2 delivery %s came %d times", name, u.delivered[name])
	}
	if u.delivered[name] == 1 {
		var n int
		_, _ = fmt.Sscanf(name, "d%d", &n)
		key := fmt.Sprint(t.Name, m.QoS)
		if n < u.ordered[key] {
			u.w.broken("delivery %d came after %d", n, u.ordered[key])
		}
		u.ordered[key] = n
	}
}

func (u *user) Message(t *client.Topic, m *mqtt.Publish) {
	u.handle(t, m)
	var want []string
	for _, f := range slices.Sorted(maps.Keys(u.refs)) {
		if mqtt.Match(f, t.Name) {
			want = append(want, f)
		}
	}
	var got []string
	for _, id := range t.Filters {
		for f, i := range u.idOf {
			if i == id && u.refs[f] > 0 {
				got = append(got, f)
			}
		}
	}
	if slices.Sort(got); !slices.Equal(got, want) {
		u.w.broken("a message to %s goes to %q, want %q", t.Name, got, want)
	}
}

// settled checks that what was asked for is settled once.
func (u *user) settled(k mqtt.Token) string {
	what, ok := u.asked[k]
	if !ok {
		u.w.broken("token %d of %s is settled twice, or was never given", k, u.id)
	}
	delete(u.asked, k)
	return what
}

func (u *user) Done(k mqtt.Token, err *client.Error) {
	what := u.settled(k)
	if payload, ok := strings.CutPrefix(what, "publish "); ok && err != nil {
		u.rejected[payload] = true
	}
	if filter, ok := strings.CutPrefix(what, "subscribe "); ok && err != nil && u.refs[filter] > 0 {
		u.w.note("%s: subscribe %s: %v", u.id, filter, err)
		if !u.subscribing {
			u.drop(filter)
		}
	}
}

func (u *user) ConnectDone(k mqtt.Token, _ *mqtt.Connack) { u.settled(k) }

func (u *user) PublishDone(k mqtt.Token, r mqtt.PublishResult) {
	payload := strings.TrimPrefix(u.settled(k), "publish ")
	if u.b.taken[payload] == 0 {
		u.w.broken("%q is said to be delivered, and the broker never saw it", payload)
	}
	u.resolved = append(u.resolved, payload)
}

func (u *user) SubscribeDone(k mqtt.Token, _ uint32, _ byte) { u.settled(k) }

func (u *user) SubscriptionEnded(id uint32, err *client.Error) {
	for filter, i := range u.idOf {
		if i == id {
			delete(u.refs, filter)
		}
	}
}

// drop takes back one subscription.
func (u *user) drop(filter string) {
	if u.refs[filter]--; u.refs[filter] <= 0 {
		delete(u.refs, filter)
	}
}
