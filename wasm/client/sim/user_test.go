package sim

import (
	"bytes"
	"time"

	"iot.wasm/wasm/client"
	"iot.wasm/wasm/mqtt"
)

var (
	topics  = []string{"t/0", "t/1", "u/long/enough"}
	filters = []string{"t/0", "t/+", "u/#", "#", "t/1", "u/long/enough", "+/long/+", "a", "b", "c", "d", "e"}
)

// A user is a page with a client and a browser. It is the client's Host.
type user struct {
	w       *world
	b       *broker
	id      string
	c       *client.Client
	options client.Options

	effects []func()      // the effects of calls to the Host, which run later in the turn
	inside  bool          // a method of the client is running
	asleep  time.Duration // the page does not run before this time
	backlog []func()      // events for a sleeping page
	timerAt time.Duration
	timer   int // the number of the current timer

	link    *link
	open    bool // the socket is open
	state   client.State
	retryAt time.Duration // the earliest time of the next attempt
	wall    time.Duration // how far the machine's time of day is ahead of the simulated time

	token     mqtt.Token
	pending   map[mqtt.Token]string // descriptions of the pending calls
	numbers   map[string]int        // by topic and QoS: the number of the last published message
	subs      map[uint32]*sub       // the subscriptions of the page by id
	received  map[string]int        // by delivery: how often this page has received it
	ordered   map[string]int        // by topic and QoS: the number of the last delivery
	handled   map[string]bool       // deliveries that any page of the user has received
	timeouts  int                   // acknowledgement timeouts after the faults
	inherited map[string]bool       // filters of the session from earlier pages

	tracing      bool      // the client reports the packets
	wire, traced [2][]byte // the bytes of the socket, and those of the reported packets: received, sent
	frameRest    []byte    // the bytes of the received WebSocket message that the client does not have
}

func newUser(w *world, b *broker, id string) *user {
	u := &user{
		w: w, b: b, id: id, state: client.Idle, timerAt: mqtt.Never,
		pending: map[mqtt.Token]string{}, numbers: map[string]int{},
		subs: map[uint32]*sub{}, received: map[string]int{}, ordered: map[string]int{}, handled: map[string]bool{}, inherited: map[string]bool{},
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
	if w.chance(0.3) { // silentUntil must not apply: an unanswered call would stay pending
		o.AckTimeout = 0
		b.spared[id] = true
	}
	o.UnclaimedTimeout = time.Duration(w.rand.IntN(3)) * 5 * time.Second
	u.options = o
	return u
}

func (u *user) newClient() *client.Client {
	c := client.New(u, u.w.rand.Float64)
	if u.tracing = u.w.chance(0.5); u.tracing {
		c.TracePackets()
	}
	return c
}

// reload replaces the page and its client. The broker keeps the session, whose messages may
// arrive before the new page subscribes.
func (u *user) reload() {
	u.w.note("%s reloads the page", u.id)
	if l := u.link; l != nil {
		u.link, u.open = nil, false
		l.closeByClient()
	}
	if s := u.b.sessions[u.id]; s != nil {
		clear(s.received) // the new page does not release these messages
		for f := range s.filters {
			u.inherited[f] = true
		}
	}
	u.c = u.newClient()
	u.effects, u.backlog, u.timerAt, u.retryAt = nil, nil, mqtt.Never, 0
	u.timer++
	u.state = client.Idle
	clear(u.pending)
	clear(u.subs)
	clear(u.received)
	clear(u.ordered)
	u.connect()
}

// do calls f in the page, now or when the page wakes up.
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

// enter runs a turn of the page's event loop: it calls f, runs the effects, and sends the
// client's output.
func (u *user) enter(f func()) {
	if u.inside {
		u.w.broken("the Host calls the client during another call to the client")
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
			u.w.broken("the client has %d bytes of output without a socket", len(out))
			return
		}
		n := len(out)
		if u.w.chance(0.1) {
			n = 1 + u.w.rand.IntN(n) // a WebSocket message may end anywhere
		}
		u.link.clientSends(out[:n])
		u.wire[1] = append(u.wire[1], out[:n]...)
		u.c.Flushed(u.w.now, n)
		if n < len(out) && u.w.chance(0.5) { // the socket is full
			u.w.after(u.w.between(0, 100*time.Millisecond), func() { u.do(func() {}) })
			break
		}
	}
	u.checkPackets()
	u.arm()
}

// checkPackets checks that the client has reported the complete packets on the wire.
func (u *user) checkPackets() {
	if !u.tracing {
		u.wire = [2][]byte{}
		return
	}
	for i, name := range []string{"received", "sent"} {
		n := len(u.traced[i])
		if n > len(u.wire[i]) || !bytes.Equal(u.traced[i], u.wire[i][:n]) {
			u.w.broken("the client reports %s packets with the bytes %x, the wire has %x", name, u.traced[i], u.wire[i])
		}
		rest := u.wire[i][min(n, len(u.wire[i])):]
		if len(rest) > 1 && len(rest) >= 2+int(rest[1]) && rest[1] < 128 {
			u.w.broken("the client does not report a %s packet: %x", name, rest)
		}
		u.wire[i], u.traced[i] = bytes.Clone(rest), nil
	}
}

// arm sets the timer for the client's deadline.
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
		delay += u.w.between(0, time.Minute) // the timer is late
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
