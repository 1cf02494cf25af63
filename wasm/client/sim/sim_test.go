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
	seeds = flag.Int("seeds", 1000, "the number of simulations of TestSim")
	seed  = flag.Uint64("seed", 0, "the only `seed` to simulate")
)

func TestSim(t *testing.T) {
	if *seed != 0 {
		simulate(t, *seed)
		return
	}
	for s := range uint64(*seeds) {
		if simulate(t, s+1); t.Failed() {
			return
		}
	}
}

// A simulation schedules new faults before the time faulty, and new calls before the time busy.
// It ends at the time end, or up to 30 minutes later if users are not idle at the time end.
const faulty, busy, end = 4 * time.Minute, 6 * time.Minute, 20 * time.Minute

// simulate runs the simulation of a seed and checks the rules.
func simulate(t testing.TB, seed uint64) {
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
				w.broken("%s acknowledged %s, which the page has not received", id, delivery)
			}
		}
	}

	var act, fault func()
	act = func() {
		users[w.rand.IntN(len(users))].act()
		if w.now < busy {
			w.after(w.between(0, 2*time.Second), act)
		}
	}
	fault = func() {
		u := users[w.rand.IntN(len(users))]
		switch p := w.rand.Float64(); {
		case p < 0.35:
			if u.link != nil {
				w.note("%s: the link is cut", u.id)
				u.link.cut()
			}
		case p < 0.45:
			if u.link != nil {
				w.note("%s: the link becomes half-open", u.id)
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
			u.wall += w.between(-time.Hour, time.Hour) // the time of day is changed
		}
		if w.now < faulty {
			w.after(w.between(time.Second, 40*time.Second), fault)
		} else {
			b.refuse, b.mute, b.cut, b.silentUntil = nil, 0, 0, 0
		}
	}
	act()
	fault()
	w.run(busy + time.Minute)

	// Without faults, all calls settle and all messages arrive.
	for _, u := range users {
		w.after(12*time.Minute, u.connect)
	}
	w.run(end)
	for pass := 0; pass < 30 && len(w.failed) == 0 && slices.ContainsFunc(users, func(u *user) bool { return !u.idle() }); pass++ {
		w.run(w.now + time.Minute)
	}
	for _, u := range users {
		if len(w.failed) > 0 {
			return
		}
		if !u.idle() {
			s := u.c.Stats()
			w.broken("%s does not become idle: %s, %d messages in flight, %d queued, pending calls: %v", u.id, u.state, s.Inflight, s.Queued, u.pending)
			return
		}
		if u.link == nil || u.link.dead {
			w.broken("%s is connected without a working link", u.id)
			return
		}
		session := b.sessions[u.id]
		if n := len(session.inflight) + len(session.queue); n > 0 {
			w.broken("%s has not acknowledged %d deliveries", u.id, n)
		}
		if n := len(session.received); n > 0 {
			w.broken("%s has not released %d messages of QoS 2", u.id, n)
		}
		got := slices.DeleteFunc(slices.Sorted(maps.Keys(session.filters)), func(f string) bool { return u.inherited[f] && !slices.Contains(u.subscribed(), f) })
		if want := u.subscribed(); !slices.Equal(got, want) {
			w.broken("the session of %s has the filters %q, want %q", u.id, got, want)
		}
		u.checkRetained(session)
		u.do(func() { u.c.Disconnect(w.now, u.call("disconnect")) })
		if len(u.pending) > 0 || u.c.Deadline() != mqtt.Never || u.state != client.Closed {
			w.broken("after disconnect(), %s has the pending calls %v, the deadline %v and the state %s", u.id, u.pending, u.c.Deadline(), u.state)
		}
	}
}

// idle reports whether the page is awake and connected, without a pending call or message.
func (u *user) idle() bool {
	s := u.c.Stats()
	return u.state == client.Connected && s.Inflight+s.Queued+len(u.pending) == 0 && u.w.now >= u.asleep
}
