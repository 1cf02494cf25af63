package sim

import (
	"flag"
	"fmt"
	"maps"
	"slices"
	"testing"
	"time"

	"iot.wasm/wasm/client"
	"iot.wasm/wasm/mqtt"
)

var (
	seeds = flag.Int("seeds", 1000, "how many worlds TestSim makes")
	seed  = flag.Uint64("seed", 0, "make the world of this seed alone")
)

func TestSim(t *testing.T) {
	if *seed != 0 {
		live(t, *seed)
		return
	}
	for s := range uint64(*seeds) {
		if live(t, s+1); t.Failed() {
			return // one is enough to look into
		}
	}
}

// A world has its troubles first, is busy a little longer, and then has time to come
// to rest.
const troubled, busy, end = 4 * time.Minute, 6 * time.Minute, 20 * time.Minute

// live runs the world of a seed to its end.
func live(t testing.TB, seed uint64) {
	w := newWorld(t, seed)
	defer w.report()
	b := newBroker(w)
	var users []*user
	for i := range 1 + w.rand.IntN(3) {
		u := newUser(w, b, fmt.Sprintf("user%d", i))
		users = append(users, u)
		u.connect()
	}
	b.acked = func(id, delivery string) {
		for _, u := range users {
			if u.id == id && !u.handled[delivery] {
				w.broken("%s acknowledged %s, which the page neither got nor was told of", id, delivery)
			}
		}
	}

	var act, trouble func()
	act = func() {
		users[w.rand.IntN(len(users))].act()
		if w.now < busy {
			w.after(w.between(0, 2*time.Second), act)
		}
	}
	trouble = func() {
		u := users[w.rand.IntN(len(users))]
		switch p := w.rand.Float64(); {
		case p < 0.35:
			if u.link != nil {
				w.note("%s: the link is cut", u.id)
				u.link.cut()
			}
		case p < 0.45:
			if u.link != nil {
				w.note("%s: the link goes half open", u.id)
				u.link.halfOpen()
			}
		case p < 0.55:
			b.restart(w.chance(0.5))
		case p < 0.65:
			b.refuse = append(b.refuse, []byte{0x88, 0x89, 0x97, 0x87, 0x9f}[w.rand.IntN(5)])
		case p < 0.70:
			b.mute++
		case p < 0.73:
			b.restart(w.chance(0.3))
			b.cut++
		case p < 0.83:
			b.silence(w.between(0, 2*time.Minute))
		case p < 0.88:
			u.wall += w.between(-time.Hour, time.Hour) // the clock of that machine is set
		}
		if w.now < troubled {
			w.after(w.between(time.Second, 40*time.Second), trouble)
		} else {
			b.refuse, b.mute, b.cut, b.silent = nil, 0, 0, 0
		}
	}
	act()
	trouble()
	w.run(busy + time.Minute)

	// All is well from here on: what was promised must come true.
	for _, u := range users {
		w.after(12*time.Minute, u.connect)
	}
	w.run(end)
	for pass := 0; pass < 30 && len(w.failed) == 0 && slices.ContainsFunc(users, func(u *user) bool { return !u.calm() }); pass++ {
		w.run(w.now + time.Minute)
	}
	for _, u := range users {
		if len(w.failed) > 0 {
			return
		}
		if !u.calm() {
			s := u.c.Stats()
			w.broken("%s does not come to rest: %s, %d in flight, %d queued, unsettled: %v", u.id, u.state, s.Inflight, s.Queued, u.asked)
			return
		}
		if u.link == nil || u.link.dead {
			w.broken("%s takes a dead link for a connection", u.id)
			return
		}
		session := b.sessions[u.id]
		if n := len(session.inflight) + len(session.queue); n > 0 {
			w.broken("%s leaves %d deliveries unacknowledged", u.id, n)
		}
		if n := len(session.received); n > 0 {
			w.broken("%s leaves %d QoS 2 messages without PUBREL", u.id, n)
		}
		got := slices.DeleteFunc(slices.Sorted(maps.Keys(session.filters)), func(f string) bool { return u.inherited[f] && !slices.Contains(u.subscribed(), f) })
		if want := u.subscribed(); !slices.Equal(got, want) {
			w.broken("the broker has the subscriptions %q of %s, who wants %q", got, u.id, want)
		}
		u.checkRetained(session)
		for _, payload := range u.resolved {
			if b.taken[payload] == 0 {
				w.broken("%q was lost", payload)
			}
		}
		u.do(func() { u.c.Disconnect(w.now, u.ask("disconnect")) })
		if len(u.asked) > 0 || u.c.Deadline() != mqtt.Never || u.state != client.Closed {
			w.broken("%s is disconnected, and left %v, deadline %v, %s", u.id, u.asked, u.c.Deadline(), u.state)
		}
	}
}

// calm: connected, and nothing under way.
func (u *user) calm() bool {
	s := u.c.Stats()
	return u.state == client.Connected && s.Inflight+s.Queued+len(u.asked) == 0 && u.w.now >= u.asleep
}
