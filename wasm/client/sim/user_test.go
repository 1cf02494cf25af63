package sim

import (
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strings"
	"time"

	"iot.wasm/wasm/client"
	"iot.wasm/wasm/mqtt"
	"iot.wasm/wasm/secret"
	"iot.wasm/wasm/sigv4"
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

	token       mqtt.Token
	asked       map[mqtt.Token]string // what is not settled yet
	numbers     map[string]int        // messages per topic
	resolved    []string              // QoS 1 and 2 messages said to be delivered
	rejected    map[string]bool
	refs        map[string]int // subscriptions by filter, as the page counts them
	idOf        map[string]uint32
	delivered   map[string]int // since the page was loaded
	ordered     map[string]int
	handled     map[string]bool // handed to the page, or reported, at any time
	subscribing bool
	unanswered  int
	inherited   map[string]bool // filters that the session has of an earlier page
}

func newUser(w *world, b *broker, id string) *user {
	u := &user{
		w: w, b: b, id: id, state: client.Idle, timerAt: mqtt.Never,
		asked: map[mqtt.Token]string{}, numbers: map[string]int{}, rejected: map[string]bool{},
		refs: map[string]int{}, idOf: map[string]uint32{}, delivered: map[string]int{}, ordered: map[string]int{}, handled: map[string]bool{}, inherited: map[string]bool{},
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
	clear(u.refs)
	clear(u.idOf)
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

// ---- what the user does

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

// ---- what the client wants done: it is done when the call has returned

func (u *user) later(f func()) { u.effects = append(u.effects, f) }

func (u *user) Resolve(attempt uint32, _ bool) {
	u.later(func() {
		c := u.c
		delay := u.w.between(0, time.Second)
		if u.w.chance(0.02) {
			delay = u.w.between(time.Second, 2*time.Minute)
		}
		if u.w.chance(0.01) {
			return // never
		}
		u.w.after(delay, func() {
			u.do(func() {
				if u.c != c {
					return // the page was reloaded meanwhile
				}
				if u.w.chance(0.03) {
					u.c.Unresolved(u.w.now, attempt, "", "no reason", true)
					return
				}
				life := u.w.between(time.Second, time.Hour)
				if u.w.chance(0.05) {
					life = -time.Second
				}
				c := sigv4.Credentials{AccessKeyID: "AKID", SecretAccessKey: "secret", SessionToken: "token", Expiration: u.clock().Add(life)}
				u.c.Resolved(u.w.now, attempt, client.Resolution{Credentials: &c}, u.clock())
			})
		})
	})
}

// clock is the time of day on the user's machine.
func (u *user) clock() time.Time {
	return time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC).Add(u.w.now + u.wall)
}

func (u *user) Open(attempt uint32, address secret.String) {
	u.later(func() {
		w, c := u.w, u.c
		if u.link != nil {
			w.broken("a second socket")
		}
		if w.now < u.retryAt {
			w.broken("an attempt %v too early", u.retryAt-w.now)
		}
		query, err := url.Parse(address.Reveal())
		if err != nil {
			w.broken("open: %v", err)
			return
		}
		if signed := query.Query().Get("X-Amz-Date"); signed != u.clock().UTC().Format("20060102T150405Z") {
			w.broken("a stale signature: of %s, at %s", signed, u.clock().UTC().Format("20060102T150405Z"))
		}
		l := &link{w: w}
		u.link, u.attempt, u.open = l, attempt, false
		l.toClient = func(b []byte) {
			u.do(func() {
				if u.link == l {
					u.c.Receive(w.now, attempt, b)
				}
			})
		}
		l.clientGone = func(code int) {
			u.do(func() {
				if u.link == l {
					u.link, u.open = nil, false
				}
				if u.c == c {
					u.c.SocketClosed(w.now, attempt, code)
				}
			})
		}
		l.brokerGone = func() {}
		switch {
		case w.chance(0.03): // refused
			l.closed = true
			w.after(w.between(0, time.Second), func() { l.clientGone(1006) })
		case w.chance(0.01): // nothing at all
		default:
			w.after(w.between(0, time.Second), func() {
				if l.closed {
					return
				}
				u.b.accept(l)
				u.do(func() {
					if u.link == l {
						u.open = true
						u.c.Opened(w.now, attempt)
					}
				})
			})
		}
	})
}

func (u *user) Close(attempt uint32, last []byte) {
	u.later(func() {
		if u.link == nil {
			return
		}
		if u.open && len(last) > 0 {
			u.link.clientSends(last)
		}
		l := u.link
		u.link, u.open = nil, false
		l.closeByClient()
	})
}

func (u *user) Probe(attempt uint32, _ secret.String) {
	u.later(func() {
		if u.w.chance(0.1) {
			return
		}
		p := client.Probe{}
		if u.w.chance(0.5) {
			p = client.Probe{Status: 403, Code: "InvalidSignatureException"}
		}
		c := u.c
		u.w.after(u.w.between(0, time.Second), func() {
			u.do(func() {
				if u.c == c {
					c.Probed(u.w.now, attempt, p)
				}
			})
		})
	})
}

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
