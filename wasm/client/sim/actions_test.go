package sim

import (
	"fmt"
	"maps"
	"slices"
	"time"

	"iot.wasm/wasm/client"
	"iot.wasm/wasm/mqtt"
)

func (u *user) ask(what string) mqtt.Token {
	u.token++
	u.asked[u.token] = what
	return u.token
}

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
		u.do(func() { u.c.Disconnect(u.w.now, u.ask("disconnect")) })
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
		u.c.Connect(u.w.now, u.ask("connect"), o)
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
		token := u.ask("publish " + payload)
		_, _, before, _ := u.c.Stats()
		sent := u.c.Publish(u.w.now, &mqtt.Outgoing{Token: token, Topic: []byte(topic), Payload: []byte(payload), QoS: qos})
		if sent {
			u.settled(token)
		}
		if _, _, after, _ := u.c.Stats(); u.state != client.Connected && after > before && after > u.options.OfflineMessages {
			u.w.broken("%d messages are queued, at most %d are allowed", after, u.options.OfflineMessages)
		}
	})
}

func (u *user) subscribe() {
	filter, qos := filters[u.w.rand.IntN(len(filters))], byte(u.w.rand.IntN(3))
	u.do(func() {
		token := u.ask("subscribe " + filter)
		u.subscribing = true
		defer func() { u.subscribing = false }()
		if id := u.c.Subscribe(u.w.now, token, mqtt.Subscription{Filter: filter, QoS: qos}, nil); id != 0 {
			u.refs[filter]++
			u.idOf[filter] = id
		}
	})
}

func (u *user) unsubscribe() {
	u.do(func() {
		held := slices.Sorted(maps.Keys(u.refs))
		if len(held) == 0 {
			return
		}
		filter, all := held[u.w.rand.IntN(len(held))], u.w.chance(0.3)
		if u.refs[filter]--; u.refs[filter] == 0 || all {
			delete(u.refs, filter)
		}
		u.c.Unsubscribe(u.w.now, u.ask("unsubscribe "+filter), u.idOf[filter], all)
	})
}
