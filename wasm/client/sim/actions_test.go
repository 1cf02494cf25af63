package sim

import (
	"fmt"
	"maps"
	"slices"
	"time"

	"iot.wasm/wasm/client"
	"iot.wasm/wasm/mqtt"
)

// call records a pending call and returns its token.
func (u *user) call(description string) mqtt.Token {
	u.token++
	u.pending[u.token] = description
	return u.token
}

// act makes a random call, reloads the page, suspends the page, or does nothing.
func (u *user) act() {
	switch p := u.w.rand.Float64(); {
	case p < 0.55:
		u.publish()
	case p < 0.60:
		for range 40 {
			u.publish()
		}
	case p < 0.72:
		u.subscribe()
	case p < 0.80:
		u.unsubscribe()
	case p < 0.805:
		u.do(func() { u.c.Disconnect(u.w.now, u.call("disconnect")) })
	case p < 0.82:
		u.do(func() { u.c.Reconnect(u.w.now); u.retryAt = 0 })
	case p < 0.822:
		u.reload()
	case p < 0.83:
		u.sleep(u.w.between(time.Second, 2*time.Minute))
	case p < 0.90:
		u.connect()
	}
}

func (u *user) connect() {
	u.do(func() {
		var o *client.Options
		if u.state == client.Idle || u.state == client.Closed {
			o = &u.options
			u.retryAt = 0
		}
		u.c.Connect(u.w.now, u.call("connect"), o)
	})
}

func (u *user) sleep(d time.Duration) {
	u.w.note("%s sleeps for %v", u.id, d)
	u.asleep = max(u.asleep, u.w.now+d)
}

func (u *user) publish() {
	qos := byte(u.w.rand.IntN(3))
	topic := topics[u.w.rand.IntN(len(topics))]
	u.do(func() {
		key := fmt.Sprint(topic, qos)
		u.numbers[key]++
		payload := fmt.Sprintf("%s %s q%d %d", topic, u.id, qos, u.numbers[key])
		token := u.call("publish " + payload)
		before := u.c.Stats().Queued
		retain := u.w.chance(0.1)
		sent := u.c.Publish(u.w.now, &mqtt.Outgoing{Token: token, Topic: []byte(topic), Payload: []byte(payload), QoS: qos, Retain: retain})
		if sent {
			u.settled(token)
		}
		if after := u.c.Stats().Queued; u.state != client.Connected && after > before && after > u.options.OfflineMessages {
			u.w.broken("%d messages are queued, at most %d are allowed", after, u.options.OfflineMessages)
		}
	})
}

// A sub is a subscription of the page.
type sub struct {
	filter         string
	token          mqtt.Token // of subscribe(); 0 after subscribe() has settled
	retainHandling byte
	retained, live map[string]bool // topics of the received messages
}

func (u *user) subscribe() {
	filter, qos := filters[u.w.rand.IntN(len(filters))], byte(u.w.rand.IntN(3))
	retain := []byte{0, 0, 0, 1, 2}[u.w.rand.IntN(5)]
	u.do(func() {
		token := u.call("subscribe " + filter)
		s := &sub{filter: filter, token: token, retainHandling: retain, retained: map[string]bool{}, live: map[string]bool{}}
		if id := u.c.Subscribe(u.w.now, token, mqtt.Subscription{Filter: filter, QoS: qos, RetainHandling: retain}, nil); id != 0 {
			u.subs[id] = s
		}
	})
}

// subscribed returns the topic filters of the page's subscriptions, sorted.
func (u *user) subscribed() []string {
	names := map[string]bool{}
	for _, s := range u.subs {
		names[s.filter] = true
	}
	return slices.Sorted(maps.Keys(names))
}

func (u *user) unsubscribe() {
	u.do(func() {
		ids := slices.Sorted(maps.Keys(u.subs))
		if len(ids) == 0 {
			return
		}
		id := ids[u.w.rand.IntN(len(ids))]
		filter := u.subs[id].filter
		token := u.call("unsubscribe " + filter)
		if u.w.chance(0.3) {
			u.c.UnsubscribeAll(u.w.now, token, filter)
			if slices.Contains(u.subscribed(), filter) {
				u.w.broken("unsubscribe(%q) has not ended all subscriptions", filter)
			}
		} else {
			u.c.Unsubscribe(u.w.now, token, id)
			if u.subs[id] != nil {
				u.w.broken("subscription %d has not ended", id)
			}
		}
	})
}
