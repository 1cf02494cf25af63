package sim

import (
	"time"

	"iot.wasm/wasm/client"
	"iot.wasm/wasm/mqtt"
)

var (
	topics  = []string{"t/0", "t/1", "u/long/enough"}
	filters = []string{"t/0", "t/+", "u/#", "#", "t/1", "u/long/enough", "+/long/+", "a", "b", "c", "d", "e"}
)

// user is a page with its client, its browser, and somebody who presses every
// button.
type user struct {
	w       *world
	b       *broker
	id      string
	c       *client.Client
	options client.Options

	effects []func()
	inside  bool
	asleep  time.Duration // until then nothing runs in the page
	backlog []func()
	timerAt time.Duration
	timer   int

	link    *link
	attempt uint32
	open    bool // the socket has opened
	state   client.State
	retryAt time.Duration // no attempt before
	wall    time.Duration // how far this machine's clock is off the world's

	token      mqtt.Token
	asked      map[mqtt.Token]string // what is not settled yet
	numbers    map[string]int        // messages per topic
	resolved   []string              // QoS 1 and 2 messages said to be delivered
	rejected   map[string]bool
	subs       map[uint32]*sub // the subscriptions of the page, by id
	delivered  map[string]int  // since the page was loaded
	ordered    map[string]int
	handled    map[string]bool // handed to the page, or reported, at any time
	unanswered int
	inherited  map[string]bool // filters that the session has of an earlier page
}

func newUser(w *world, b *broker, id string) *user {
	u := &user{
		w: w, b: b, id: id, state: client.Idle, timerAt: mqtt.Never,
		asked: map[mqtt.Token]string{}, numbers: map[string]int{}, rejected: map[string]bool{},
		subs: map[uint32]*sub{}, delivered: map[string]int{}, ordered: map[string]int{}, handled: map[string]bool{}, inherited: map[string]bool{},
	}
	u.c = u.newClient()
	o := client.DefaultOptions()
	o.Endpoint, o.Region, o.Source, o.Fresh, o.ClientID = "sim-ats.iot.eu-west-1.amazonaws.com", "", client.FromCredentials, true, id
	o.KeepAlive = 60
	o.OfflineMessages, o.OfflineBytes = 30, 2000
	o.OfflineDropOldest = w.chance(0.3)
	o.OfflineQoS0 = client.OfflineQoS0(w.rand.IntN(3))
	o.StableAfter = 10 * time.Second
	o.MaxDelay = 20 * time.Second
	o.CleanStart = w.chance(0.5)
	o.Quotas = client.NoQuotas
	o.AckTimeout = w.between(45*time.Second, time.Minute)
	if w.chance(0.3) { // then the broker is to answer
		o.AckTimeout = 0
		b.spared[id] = true
	}
	o.UnclaimedTimeout = time.Duration(w.rand.IntN(3)) * 5 * time.Second
	u.options = o
	return u
}

func (u *user) newClient() *client.Client {
	return client.New(u, u.w.rand.Float64)
}

// reload replaces the page and its client. The session stays with the broker, and
// what it holds may come before the new page has subscribed.
func (u *user) reload() {
	u.w.note("%s reloads the page", u.id)
	if l := u.link; l != nil {
		u.link, u.open = nil, false
		l.closeByClient()
	}
	if s := u.b.sessions[u.id]; s != nil {
		clear(s.received) // the new page knows nothing of these flows
		for f := range s.filters {
			u.inherited[f] = true
		}
	}
	u.c = u.newClient()
	u.effects, u.backlog, u.timerAt, u.retryAt = nil, nil, mqtt.Never, 0
	u.timer++
	u.state = client.Idle
	u.attempt = 0
	clear(u.asked)
	clear(u.subs)
	clear(u.delivered)
	clear(u.ordered)
	u.connect()
}

// do runs something in the page: at once, or when it wakes.
func (u *user) do(f func()) {
	if u.w.now < u.asleep {
		if len(u.backlog) == 0 {
			u.w.after(u.asleep-u.w.now, u.wake)
		}
		u.backlog = append(u.backlog, f)
		return
	}
	u.enter(f)
}

func (u *user) wake() {
	list := u.backlog
	u.backlog = nil
	for _, f := range list {
		u.do(f)
	}
}

// enter is a turn of the page's event loop: a call into the client, what it
// wants done, and what it has to send.
func (u *user) enter(f func()) {
	if u.inside {
		u.w.broken("a call into the client from within it")
	}
	u.inside = true
	f()
	u.inside = false
	for len(u.effects) > 0 {
		e := u.effects[0]
		u.effects = u.effects[1:]
		e()
	}
	if u.link != nil && u.open {
		u.c.Buffered(u.w.now, len(u.link.up.pending))
	}
	u.c.PrepareOutput()
	for out := u.c.Output(); len(out) > 0; out = u.c.Output() {
		if u.link == nil || !u.open {
			u.w.broken("%d bytes to send without a socket", len(out))
			return
		}
		n := len(out)
		if u.w.chance(0.1) {
			n = 1 + u.w.rand.IntN(n) // a WebSocket message may end anywhere
		}
		u.link.clientSends(out[:n])
		u.c.Flushed(u.w.now, n)
		if n < len(out) && u.w.chance(0.5) { // the socket is full: it goes on later
			u.w.after(u.w.between(0, 100*time.Millisecond), func() { u.do(func() {}) })
			break
		}
	}
	u.arm()
}

func (u *user) arm() {
	at := u.c.Deadline()
	if at >= u.timerAt || at == mqtt.Never {
		return
	}
	u.timerAt = at
	u.timer++
	n := u.timer
	delay := max(0, at-u.w.now)
	if u.w.chance(0.05) {
		delay += u.w.between(0, time.Minute) // a timer that slips
	}
	u.w.after(delay, func() {
		u.do(func() {
			if n == u.timer {
				u.timerAt = mqtt.Never
				u.c.Tick(u.w.now)
			}
		})
	})
}
