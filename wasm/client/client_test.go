package client

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/eclipse/paho.golang/packets"

	"iot.wasm/wasm/mqtt"
	"iot.wasm/wasm/secret"
	"iot.wasm/wasm/sigv4"
)

// world is a Host, and the page, the browser and the broker behind it, in the
// test's hands and on the test's clock.
type world struct {
	*Client
	t       *testing.T
	now     time.Duration
	random  float64
	log     []string
	attempt uint32 // of the last question or socket
	url     string
	sockets int // open at the moment
	lastOut []byte
	probes  []string
	lastErr *Error
}

func newWorld(t *testing.T) *world {
	w := &world{t: t}
	w.Client = New(w, func() float64 { return w.random })
	return w
}

func (w *world) note(format string, args ...any) { w.log = append(w.log, fmt.Sprintf(format, args...)) }

func (w *world) Resolve(a uint32, refused bool) {
	w.attempt = a
	if refused {
		w.note("resolve anew")
		return
	}
	w.note("resolve")
}
func (w *world) Open(a uint32, url secret.String) {
	w.attempt, w.url = a, url.Reveal()
	w.sockets++
	if w.sockets > 1 {
		w.t.Error("two sockets at once")
	}
	w.note("open")
}
func (w *world) Close(a uint32, last []byte) {
	w.sockets = 0
	w.lastOut = last
	w.note("close")
}
func (w *world) Probe(a uint32, url secret.String) {
	w.attempt = a
	w.probes = append(w.probes, url.Reveal())
	if !strings.Contains(url.Reveal(), "?") {
		w.note("probe")
	}
}

// probed answers the request without a query, and the one with it if there is one.
func (w *world) probed(p Probe) {
	n := len(w.probes)
	if !strings.Contains(w.url, "?") {
		w.Probed(w.now, w.attempt, p)
		return
	}
	first := p
	first.Code, first.Message = "MissingAuthenticationToken", "of no use"
	w.Probed(w.now, w.attempt, first)
	if len(w.probes) > n {
		w.Probed(w.now, w.attempt, p)
	}
}
func (w *world) StateChanged(c Change) {
	s := c.Event
	if c.Err != nil {
		w.lastErr = c.Err
		s += " " + c.Err.Code
		if c.RetryIn >= 0 {
			s += fmt.Sprintf(" retry %v", c.RetryIn)
		}
	}
	if c.Recovered {
		s += " recovered"
	}
	w.note("%s[%s]", s, c.State)
}
func (w *world) Message(t *Topic, m *mqtt.Publish) {
	w.note("message %s=%s for %v", t.Name, m.Payload, t.Filters)
}
func (w *world) Unclaimed(t *Topic, m *mqtt.Publish) {
	w.note("unclaimed %s=%s", t.Name, m.Payload)
}
func (w *world) Done(k mqtt.Token, err *Error) {
	if err != nil {
		w.note("failed %d %s", k, err.Code)
		return
	}
	w.note("done %d", k)
}
func (w *world) ConnectDone(k mqtt.Token, g *mqtt.Connack)      { w.note("connected %d", k) }
func (w *world) PublishDone(k mqtt.Token, r mqtt.PublishResult) { w.note("published %d", k) }
func (w *world) SubscribeDone(k mqtt.Token, id uint32, qos byte) {
	w.note("subscribed %d=%d q%d", k, id, qos)
}
func (w *world) SubscriptionEnded(id uint32, err *Error) {
	if err != nil {
		w.note("ended %d %s", id, err.Code)
		return
	}
	w.note("ended %d", id)
}

func (w *world) hears(want string) {
	w.t.Helper()
	if got := strings.Join(w.log, "; "); got != want {
		w.t.Errorf("heard %q,\nwant  %q", got, want)
	}
	w.log = nil
}

// out returns what the client sends in this turn.
func (w *world) out() (list []*packets.ControlPacket) {
	w.t.Helper()
	w.Buffered(w.now, 0)
	w.PrepareOutput()
	for len(w.Output()) > 0 {
		list = append(list, decodeAll(w.t, w.Output())...)
		w.Flushed(w.now, len(w.Output()))
	}
	return list
}

func decodeAll(t *testing.T, b []byte) (list []*packets.ControlPacket) {
	t.Helper()
	if bytes.HasSuffix(b, []byte{0xe0, 0}) { // which paho cannot read
		b = append(bytes.Clone(b[:len(b)-2]), 0xe0, 1, 0)
	}
	for r := bytes.NewReader(b); r.Len() > 0; {
		cp, err := packets.ReadPacket(r)
		if err != nil {
			t.Fatal(err)
		}
		list = append(list, cp)
	}
	return list
}

// sends says what the client sends in this turn, packet by packet.
func (w *world) sends(want string) {
	w.t.Helper()
	var names []string
	for _, cp := range w.out() {
		name := cp.PacketType()
		switch c := cp.Content.(type) {
		case *packets.Subscribe:
			for _, s := range c.Subscriptions {
				name += fmt.Sprintf(" %s:%d", s.Topic, s.QoS)
				if s.RetainHandling != 0 {
					name += fmt.Sprintf("r%d", s.RetainHandling)
				}
			}
		case *packets.Unsubscribe:
			name += " " + strings.Join(c.Topics, " ")
		case *packets.Publish:
			name += " " + string(c.Payload)
		case *packets.Connect:
			name += fmt.Sprintf(" clean=%v", c.CleanStart)
		}
		names = append(names, name)
	}
	if got := strings.Join(names, "; "); got != want {
		w.t.Errorf("sent %q,\nwant %q", got, want)
	}
}

func (w *world) gets(kind byte, content packets.Packet) {
	w.t.Helper()
	cp := packets.NewControlPacket(kind)
	cp.Content = content
	var b bytes.Buffer
	if _, err := cp.WriteTo(&b); err != nil {
		w.t.Fatal(err)
	}
	w.Receive(w.now, w.attempt, b.Bytes())
}

func (w *world) connack(session bool) {
	w.t.Helper()
	w.gets(packets.CONNACK, &packets.Connack{SessionPresent: session, Properties: &packets.Properties{}})
}

// refuses answers CONNECT with a failure.
func (w *world) refuses(reason byte, words string) {
	w.t.Helper()
	w.gets(packets.CONNACK, &packets.Connack{ReasonCode: reason, Properties: &packets.Properties{ReasonString: words}})
}

func (w *world) tick(d time.Duration) {
	w.now += d
	w.Tick(w.now)
}

// lost: the socket closes by itself.
func (w *world) lost(code int) {
	w.sockets = 0
	w.SocketClosed(w.now, w.attempt, code)
}

func unsigned() Options {
	o := DefaultOptions()
	o.Endpoint, o.ClientID = "ws://127.0.0.1:9/mqtt", "c"
	return o
}

// online is a world that is connected.
func online(t *testing.T, edit func(*Options)) *world {
	t.Helper()
	w := newWorld(t)
	o := unsigned()
	if edit != nil {
		edit(&o)
	}
	w.Connect(0, 1, &o)
	w.Opened(0, w.attempt)
	w.sends("CONNECT clean=true")
	w.connack(false)
	w.hears("connecting[connecting]; open; connected[connected]; connected 1")
	return w
}

// again gets through the back-off and connects.
func (w *world) again(session bool) {
	w.t.Helper()
	w.tick(w.Deadline() - w.now)
	w.Opened(w.now, w.attempt)
	w.sends("CONNECT clean=false")
	w.connack(session)
}

func (w *world) pub(k mqtt.Token, qos byte, topic, payload string) {
	w.Publish(w.now, &mqtt.Outgoing{Token: k, Topic: []byte(topic), Payload: []byte(payload), QoS: qos})
}

func (w *world) sub(k mqtt.Token, filter string, qos byte) uint32 {
	return w.Subscribe(w.now, k, mqtt.Subscription{Filter: filter, QoS: qos}, nil)
}

func (w *world) suback(id uint16, codes ...byte) {
	w.gets(packets.SUBACK, &packets.Suback{PacketID: id, Reasons: codes, Properties: &packets.Properties{}})
}

var goodKey = sigv4.Credentials{AccessKeyID: "AKID", SecretAccessKey: "secret", SessionToken: "to/ken+"}

func TestSignsEveryAttemptAnew(t *testing.T) {
	w := newWorld(t)
	o := DefaultOptions()
	o.Endpoint, o.ClientID, o.Source, o.Fresh = "a-ats.iot.eu-west-1.amazonaws.com", "c", FromCredentials, true
	w.Connect(0, 1, &o)
	w.hears("connecting[connecting]; resolve")
	wall := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	w.Resolved(0, w.attempt, Resolution{Credentials: &goodKey}, wall)
	w.hears("open")
	for _, part := range []string{"wss://a-ats.iot.eu-west-1.amazonaws.com/mqtt?", "X-Amz-Date=20260102T030405Z", "%2Feu-west-1%2Fiotdevicegateway%2F", "&X-Amz-Security-Token=to%2Fken%2B"} {
		if !strings.Contains(w.url, part) {
			t.Errorf("the URL lacks %s: %s", part, w.url)
		}
	}
	w.Opened(0, w.attempt)
	w.connack(false)
	w.lost(1006)
	w.hears("connected[connected]; connected 1; close; disconnected ERR_CONNECTION_LOST retry 1s[reconnecting]")
	w.tick(time.Second)
	w.hears("connecting[reconnecting]; resolve")
	w.Resolved(w.now, w.attempt, Resolution{Credentials: &goodKey}, wall.Add(time.Hour))
	if !strings.Contains(w.url, "X-Amz-Date=20260102T040405Z") {
		t.Error("the second signature is not of its own time")
	}
}

func TestBadCredentials(t *testing.T) {
	past := goodKey
	past.Expiration = time.Unix(50, 0)
	for _, c := range []struct {
		name  string
		r     Resolution
		fresh bool
		want  string
	}{
		{"none", Resolution{}, true, "disconnected ERR_CREDENTIALS retry 1s[connecting]"},
		{"no key", Resolution{Credentials: &sigv4.Credentials{SecretAccessKey: "x"}}, true, "disconnected ERR_CREDENTIALS retry 1s[connecting]"},
		{"no secret, and no others to come", Resolution{Credentials: &sigv4.Credentials{AccessKeyID: "x"}}, false,
			"failed 1 ERR_CREDENTIALS; disconnected ERR_CREDENTIALS[closed]; closed ERR_CREDENTIALS[closed]"},
		{"expired", Resolution{Credentials: &past}, false,
			"failed 1 ERR_CREDENTIALS_EXPIRED; disconnected ERR_CREDENTIALS_EXPIRED[closed]; closed ERR_CREDENTIALS_EXPIRED[closed]"},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld(t)
			o := DefaultOptions()
			o.Endpoint, o.ClientID, o.Source, o.Fresh = "a.iot.eu-west-1.amazonaws.com", "c", FromCredentials, c.fresh
			w.Connect(0, 1, &o)
			w.log = nil
			w.Resolved(0, w.attempt, c.r, time.Unix(100, 0))
			w.hears(c.want)
		})
	}
}

func TestProviderThatFails(t *testing.T) {
	w := newWorld(t)
	o := DefaultOptions()
	o.Endpoint, o.ClientID, o.Source, o.Fresh = "a.iot.eu-west-1.amazonaws.com", "c", FromCredentials, true
	w.Connect(0, 1, &o)
	old := w.attempt
	w.log = nil
	w.tick(resolveTimeout)
	w.hears("disconnected ERR_CREDENTIALS_TIMEOUT retry 1s[connecting]")
	w.Resolved(w.now, old, Resolution{Credentials: &goodKey}, time.Unix(0, 0))
	w.hears("") // too late
	w.tick(time.Second)
	w.Resolved(w.now, old, Resolution{Credentials: &goodKey}, time.Unix(0, 0))
	w.hears("connecting[connecting]; resolve")
	w.Unresolved(w.now, w.attempt, "", "gone fishing", false)
	w.hears("failed 1 ERR_CREDENTIALS; disconnected ERR_CREDENTIALS[closed]; closed ERR_CREDENTIALS[closed]")
}

func TestURLProvider(t *testing.T) {
	w := newWorld(t)
	o := DefaultOptions()
	o.ClientID, o.Source, o.Fresh = "c", FromURL, true
	w.Connect(0, 1, &o)
	w.Resolved(0, w.attempt, Resolution{URL: "wss://Example.org/mqtt?X-Amz-Signature=abc%2B"}, time.Time{})
	if w.url != "wss://Example.org/mqtt?X-Amz-Signature=abc%2B" {
		t.Error(w.url)
	}
	w = newWorld(t)
	w.Connect(0, 1, &o)
	w.log = nil
	w.Resolved(0, w.attempt, Resolution{URL: "ftp://x"}, time.Time{})
	w.hears("disconnected ERR_URL retry 1s[connecting]")
}

func TestBackOff(t *testing.T) {
	for _, random := range []float64{0, 0.5, 0.999999} {
		w := newWorld(t)
		w.random = random
		o := unsigned()
		w.Connect(0, 1, &o)
		most := 2 * time.Second
		for i := range 12 {
			w.lost(1006)
			w.probed(Probe{})
			wait := w.Deadline() - w.now
			if want := time.Second + time.Duration(random*float64(most-time.Second)); wait != want {
				t.Errorf("failure %d, random %v: waits %v, want %v", i+1, random, wait, want)
			}
			w.tick(wait - 1)
			if w.sockets != 0 {
				t.Error("too early")
			}
			w.tick(1)
			most = min(2*most, 2*time.Minute)
		}
	}
}

func TestBackOffStartsOverAfterAStableConnection(t *testing.T) {
	w := online(t, nil)
	w.random = 0.999
	for range 3 { // connections that do not last make the wait longer
		w.tick(time.Second)
		w.lost(1006)
		w.again(true)
	}
	w.lost(1006)
	if d := w.Deadline() - w.now; d < 8*time.Second {
		t.Errorf("after four short connections it waits only %v", d)
	}
	w.again(true)
	w.now += 30 * time.Second
	w.lost(1006)
	if d := w.Deadline() - w.now; d > 2*time.Second {
		t.Errorf("after a stable connection it waits %v", d)
	}
}

func TestAttemptsAreCounted(t *testing.T) {
	w := newWorld(t)
	o := unsigned()
	o.MaxAttempts = 2
	w.Connect(0, 1, &o)
	w.lost(1006)
	w.probed(Probe{})
	w.tick(time.Minute)
	w.log = nil
	w.lost(1006)
	w.probed(Probe{})
	w.hears("probe; failed 1 ERR_UNREACHABLE; disconnected ERR_UNREACHABLE[closed]; closed ERR_UNREACHABLE[closed]")
	o.Reconnect, o.MaxAttempts = false, 0
	w.Connect(w.now, 2, &o)
	w.Opened(w.now, w.attempt)
	w.log = nil
	w.lost(1006)
	w.hears("close; failed 2 ERR_NO_CONNACK; disconnected ERR_NO_CONNACK[closed]; closed ERR_NO_CONNACK[closed]")
}

func TestRefusedSockets(t *testing.T) {
	for _, c := range []struct {
		probe Probe
		want  string
		final bool
	}{
		{Probe{Status: 403, Code: "InvalidSignatureException"}, "ERR_SIGNATURE", true},
		{Probe{Status: 403, Code: "InvalidSignatureException", Message: "Signature not yet current: later"}, "ERR_CLOCK_SKEW", true},
		{Probe{Status: 403, Code: "InvalidSignatureException", Message: "Signature expired: earlier"}, "ERR_SIGNATURE_EXPIRED", true},
		{Probe{Status: 403, Code: "UnrecognizedClientException"}, "ERR_ACCESS_KEY", true},
		{Probe{Status: 403, Code: "ExpiredTokenException"}, "ERR_CREDENTIALS_EXPIRED", true},
		{Probe{Status: 403}, "ERR_FORBIDDEN", true},
		{Probe{Status: 404}, "ERR_UPGRADE", false},
		{Probe{Offline: true}, "ERR_OFFLINE", false},
		{Probe{Blocked: true}, "ERR_CSP", true},
		{Probe{}, "ERR_UNREACHABLE", false},
	} {
		w := newWorld(t)
		o := unsigned()
		w.Connect(0, 1, &o)
		w.lost(1006)
		w.hears("connecting[connecting]; open; probe")
		w.probed(c.probe)
		want := fmt.Sprintf("disconnected %s retry 1s[connecting]", c.want)
		if c.final {
			want = fmt.Sprintf("failed 1 %s; disconnected %s[closed]; closed %s[closed]", c.want, c.want, c.want)
		}
		w.hears(want)
	}
}

// What refuses one attempt need not be what refused the one before.
func TestEveryRefusalIsLookedInto(t *testing.T) {
	w := newWorld(t)
	o := unsigned()
	w.Connect(0, 1, &o)
	w.lost(1006)
	w.tick(probeTimeout) // no answer is an answer
	w.hears("connecting[connecting]; open; probe; disconnected ERR_UNREACHABLE retry 1s[connecting]")
	w.tick(time.Second)
	w.lost(1006)
	w.probed(Probe{Status: 403, Code: "ExpiredTokenException"})
	w.hears("connecting[connecting]; open; probe; failed 1 ERR_CREDENTIALS_EXPIRED; disconnected ERR_CREDENTIALS_EXPIRED[closed]; closed ERR_CREDENTIALS_EXPIRED[closed]")
}

// A machine that slept between the signature and the question why: the answer
// is about the sleep.
func TestAgedSignatureIsNoVerdict(t *testing.T) {
	for _, slept := range []bool{false, true} {
		w := newWorld(t)
		o := DefaultOptions()
		o.Endpoint, o.ClientID, o.Source = "a.iot.eu-west-1.amazonaws.com", "c", FromCredentials
		w.Connect(0, 1, &o)
		w.Resolved(0, w.attempt, Resolution{Credentials: &goodKey}, time.Unix(0, 0))
		if slept {
			w.now += 10 * time.Minute
		}
		w.lost(1006)
		w.log = nil
		w.probed(Probe{Status: 403, Code: "InvalidSignatureException", Message: "Signature expired: x"})
		if slept {
			w.hears("disconnected ERR_CLOCK_SKEW retry 1s[connecting]")
		} else {
			w.hears("failed 1 ERR_CLOCK_SKEW; disconnected ERR_CLOCK_SKEW[closed]; closed ERR_CLOCK_SKEW[closed]")
		}
	}
}

func TestSmallPackets(t *testing.T) {
	w := newWorld(t)
	o := unsigned()
	w.Connect(0, 1, &o)
	w.Opened(0, w.attempt)
	w.out()
	w.gets(packets.CONNACK, &packets.Connack{Properties: &packets.Properties{MaximumPacketSize: new(uint32(40))}})
	w.log = nil
	for i := range 4 {
		w.sub(mqtt.Token(i+2), fmt.Sprintf("a/long/filter/%d", i), 0)
	}
	w.sub(9, strings.Repeat("x", 40), 0)
	w.sends("SUBSCRIBE a/long/filter/0:0; SUBSCRIBE a/long/filter/1:0; SUBSCRIBE a/long/filter/2:0; SUBSCRIBE a/long/filter/3:0")
	for i := range 4 {
		w.suback(uint16(i+1), 0)
	}
	w.hears("failed 9 ERR_SUBSCRIBE; subscribed 2=1 q0; subscribed 3=2 q0; subscribed 4=3 q0; subscribed 5=4 q0")
	w.Unsubscribe(0, 20, 1, false)
	w.Unsubscribe(0, 21, 2, false)
	w.Unsubscribe(0, 22, 3, false)
	w.sends("UNSUBSCRIBE a/long/filter/0; UNSUBSCRIBE a/long/filter/1 a/long/filter/2")
}

func TestFiltersThatTheBrokerHasNot(t *testing.T) {
	w := newWorld(t)
	o := unsigned()
	w.Connect(0, 1, &o)
	w.Opened(0, w.attempt)
	w.out()
	w.sub(2, "a/#", 0)
	w.gets(packets.CONNACK, &packets.Connack{Properties: &packets.Properties{WildcardSubAvailable: new(byte(0)), SharedSubAvailable: new(byte(0))}})
	if !slices.Contains(w.log, "failed 2 ERR_SUBSCRIBE_REFUSED") {
		t.Errorf("heard %q", w.log)
	}
	w.sub(3, "$share/g/a", 0)
	w.sub(4, "a", 0)
	w.log = nil
	w.sends("SUBSCRIBE a:0")
	w.hears("failed 3 ERR_SUBSCRIBE_REFUSED")
}

func TestRaise(t *testing.T) {
	t.Run("asked for before the first answer", func(t *testing.T) {
		w := online(t, nil)
		w.sub(2, "f", 0)
		w.sends("SUBSCRIBE f:0")
		w.sub(3, "f", 1)
		w.sends("SUBSCRIBE f:1")
		w.suback(1, 0)
		w.hears("")
		w.suback(2, 1)
		w.hears("subscribed 2=1 q1; subscribed 3=1 q1")
	})
	t.Run("refused, it leaves what there was", func(t *testing.T) {
		w := online(t, nil)
		w.sub(2, "f", 0)
		w.sends("SUBSCRIBE f:0")
		w.suback(1, 0)
		w.sub(3, "f", 1)
		w.sends("SUBSCRIBE f:1")
		w.log = nil
		w.suback(2, 0x97)
		w.sub(4, "f", 0)
		w.hears("failed 3 ERR_SUBSCRIBE_REFUSED; subscribed 4=1 q0")
	})
}

// A CONNECT that was not answered may have made a new session, which the next
// CONNACK calls present.
func TestAnotherSession(t *testing.T) {
	w := online(t, nil)
	w.sub(2, "f", 1)
	w.sends("SUBSCRIBE f:1")
	w.suback(1, 1)
	w.pub(3, 2, "t", "twice?")
	w.pub(4, 1, "t", "again")
	w.sends("PUBLISH twice?; PUBLISH again")
	w.lost(1006)
	w.tick(w.Deadline() - w.now)
	w.Opened(w.now, w.attempt)
	w.sends("CONNECT clean=false")
	w.lost(1006)
	w.log = nil
	w.again(true)
	w.hears("connecting[reconnecting]; open; failed 3 ERR_SESSION_LOST; connected[connected]")
	out := w.out()
	if len(out) != 3 || out[0].Type != packets.PUBREL || out[1].Type != packets.SUBSCRIBE || out[2].Type != packets.PUBLISH || out[1].Content.(*packets.Subscribe).Subscriptions[0].RetainHandling != 1 {
		t.Errorf("sent %v", out)
	}
	w.lost(1006)
	w.log = nil
	w.again(true)
	w.hears("connecting[reconnecting]; open; connected recovered[connected]")
}

// A session that is resumed must not bring back what the page has given up.
func TestWhatIsGivenUpStaysSo(t *testing.T) {
	t.Run("offline, wanted again and given up again", func(t *testing.T) {
		w := online(t, nil)
		id := w.sub(2, "f", 0)
		w.sends("SUBSCRIBE f:0")
		w.lost(1006)
		w.Unsubscribe(w.now, 3, id, false)
		id = w.sub(4, "f", 0)
		w.Unsubscribe(w.now, 5, id, false)
		w.again(true)
		w.sends("UNSUBSCRIBE f")
	})
	t.Run("by the end of the client", func(t *testing.T) {
		w := online(t, func(o *Options) { o.CleanStart = true })
		w.sub(2, "f", 0)
		w.sends("SUBSCRIBE f:0")
		w.Disconnect(w.now, 3)
		o := unsigned()
		o.CleanStart = false
		w.Connect(w.now, 4, &o)
		w.Opened(w.now, w.attempt)
		w.out()
		w.connack(true)
		w.sends("") // the page may subscribe to it again
		w.tick(o.UnclaimedTimeout)
		w.sends("UNSUBSCRIBE f")
	})
	t.Run("unsubscribed in the turn that the connection is lost in", func(t *testing.T) {
		w := online(t, nil)
		id := w.sub(2, "f", 0)
		w.sends("SUBSCRIBE f:0")
		w.suback(1, 0)
		w.Unsubscribe(w.now, 3, id, false)
		w.lost(1006)
		w.log = nil
		w.again(false)
		w.hears("connecting[reconnecting]; open; done 3; connected[connected]")
	})
}

func TestBlame(t *testing.T) {
	w := online(t, nil)
	w.pub(2, 1, "t", "poison")
	w.sends("PUBLISH poison")
	w.gets(packets.DISCONNECT, &packets.Disconnect{ReasonCode: 0x95, Properties: &packets.Properties{}})
	w.hears("close; failed 2 ERR_DISCONNECTED; disconnected ERR_DISCONNECTED retry 1s[reconnecting]")
	w.again(true)
	w.sends("")
	w.log = nil
	w.gets(packets.DISCONNECT, &packets.Disconnect{ReasonCode: 0x9d, Properties: &packets.Properties{}})
	w.hears("close; disconnected ERR_DISCONNECTED[closed]; closed ERR_DISCONNECTED[closed]")
}

func TestHeldIsBounded(t *testing.T) {
	w := online(t, nil)
	big := strings.Repeat("x", 1<<20)
	for i := range mqtt.Token(100) {
		w.pub(i+2, byte(i%2), "t", big)
	}
	if n := w.engine.Held(); n > maxHeld+1<<21 {
		t.Errorf("%d bytes are held", n)
	}
	if last := w.log[len(w.log)-1]; last != "failed 101 ERR_QUEUE_FULL" {
		t.Error(last)
	}
}

func TestTimeouts(t *testing.T) {
	w := newWorld(t)
	o := unsigned()
	w.Connect(0, 1, &o)
	w.tick(openTimeout)
	w.hears("connecting[connecting]; open; close; disconnected ERR_OPEN_TIMEOUT retry 1s[connecting]")
	w.tick(time.Second)
	w.Opened(w.now, w.attempt)
	w.log = nil
	w.tick(openTimeout)
	w.hears("close; disconnected ERR_CONNACK_TIMEOUT retry 1s[connecting]")
}

func TestWhatNoRetryMends(t *testing.T) {
	for reason, code := range map[byte]string{0x84: "ERR_PROTOCOL_VERSION", 0x85: "ERR_CLIENT_ID", 0x86: "ERR_BAD_PASSWORD", 0x87: "ERR_NOT_AUTHORIZED", 0x8c: "ERR_REFUSED"} {
		w := newWorld(t)
		o := unsigned()
		w.Connect(0, 1, &o)
		w.Opened(0, w.attempt)
		w.log = nil
		w.gets(packets.CONNACK, &packets.Connack{ReasonCode: reason, Properties: &packets.Properties{}})
		w.hears(fmt.Sprintf("close; failed 1 %s; disconnected %s[closed]; closed %s[closed]", code, code, code))
	}
	w := newWorld(t)
	o := unsigned()
	w.Connect(0, 1, &o)
	w.Opened(0, w.attempt)
	w.log = nil
	w.gets(packets.CONNACK, &packets.Connack{ReasonCode: 0x89, Properties: &packets.Properties{}})
	w.hears("close; disconnected ERR_REFUSED retry 1s[connecting]")
}

func TestSuperseded(t *testing.T) {
	w := online(t, nil)
	w.sub(2, "f", 0)
	w.sends("SUBSCRIBE f:0")
	w.suback(1, 0)
	w.log = nil
	w.gets(packets.DISCONNECT, &packets.Disconnect{ReasonCode: 0x8e, Properties: &packets.Properties{}})
	w.hears("close; ended 1 ERR_SUPERSEDED; disconnected ERR_SUPERSEDED[closed]; closed ERR_SUPERSEDED[closed]")
}

func TestProtocolErrorIsAnsweredAndSurvived(t *testing.T) {
	w := online(t, nil)
	w.Receive(w.now, w.attempt, []byte{0x36})
	w.hears("")
	w.Receive(w.now, w.attempt, []byte{0})
	w.hears("close; disconnected ERR_PROTOCOL retry 1s[reconnecting]")
	if !bytes.Equal(w.lastOut, []byte{0xe0, 1, 0x81}) {
		t.Errorf("%x", w.lastOut)
	}
	w.again(true)
	w.hears("connecting[reconnecting]; open; connected recovered[connected]")
	w.Text(w.now, w.attempt)
	w.hears("close; disconnected ERR_PROTOCOL retry 1s[reconnecting]")
}

func TestResubscribes(t *testing.T) {
	w := online(t, nil)
	for i := range 19 {
		w.sub(mqtt.Token(i+2), fmt.Sprintf("f%02d", i), 1)
	}
	w.sends("SUBSCRIBE f00:1 f01:1 f02:1 f03:1 f04:1 f05:1 f06:1 f07:1; SUBSCRIBE f08:1 f09:1 f10:1 f11:1 f12:1 f13:1 f14:1 f15:1; SUBSCRIBE f16:1 f17:1 f18:1")
	w.suback(1, make([]byte, 8)...)
	w.suback(2, make([]byte, 8)...)
	// f16 to f18 are still unanswered.
	w.log = nil
	w.lost(1006)
	w.again(true)
	w.sends("SUBSCRIBE f16:1 f17:1 f18:1")
	w.suback(4, 1, 1, 1)
	w.hears("close; disconnected ERR_CONNECTION_LOST retry 1s[reconnecting]; connecting[reconnecting]; open; connected recovered[connected]; subscribed 18=17 q1; subscribed 19=18 q1; subscribed 20=19 q1")
	w.lost(1006)
	w.again(false)
	var filters int
	for _, cp := range w.out() {
		n := len(cp.Content.(*packets.Subscribe).Subscriptions)
		if n > 8 {
			t.Errorf("%d filters in one SUBSCRIBE", n)
		}
		filters += n
	}
	if filters != 19 {
		t.Errorf("%d filters resubscribed", filters)
	}
	w.log = nil
	w.suback(5, 0x87, 0, 0, 0, 0, 0, 0, 0)
	w.hears("ended 1 ERR_SUBSCRIBE_REFUSED")
}

func TestSharedSubscribe(t *testing.T) {
	w := online(t, nil)
	a, b := w.sub(2, "f", 0), w.sub(3, "f", 0)
	if a != b {
		t.Error("one filter has two ids")
	}
	w.sends("SUBSCRIBE f:0")
	w.suback(1, 0)
	// One without an interest in retained messages has what it wants already.
	w.Subscribe(w.now, 4, mqtt.Subscription{Filter: "f", RetainHandling: 2}, nil)
	w.sends("")
	w.hears("subscribed 2=1 q0; subscribed 3=1 q0; subscribed 4=1 q0")
	w.sub(5, "f", 1) // more than was asked for
	w.sends("SUBSCRIBE f:1")
	w.suback(2, 1)
	w.hears("subscribed 5=1 q1")
	w.Subscribe(w.now, 6, mqtt.Subscription{Filter: "f", NoLocal: true}, nil)
	w.hears("failed 6 ERR_OPTION")
	for k := range mqtt.Token(3) {
		w.Unsubscribe(w.now, 10+k, a, false)
	}
	w.sends("")
	w.Unsubscribe(w.now, 20, a, false)
	w.sends("UNSUBSCRIBE f")
	w.hears("done 10; done 11; done 12")
	w.gets(packets.UNSUBACK, &packets.Unsuback{PacketID: 3, Reasons: []byte{0}, Properties: &packets.Properties{}})
	w.hears("done 20")
}

func TestLateSubscription(t *testing.T) {
	for _, c := range []struct {
		name         string
		first, later byte // Retain Handling
		filter       string
		answered     bool // before the later one comes
		heard        bool // so has a message
		want         string
	}{
		{"gets what is retained", 0, 0, "f", true, true, "SUBSCRIBE f:0"},
		{"though the first wanted none", 2, 0, "f", true, false, "SUBSCRIBE f:0"},
		{"and the first is not answered", 2, 0, "f", false, false, "SUBSCRIBE f:0"},
		{"though the broker knows the filter", 0, 1, "f", true, true, "SUBSCRIBE f:0"},
		{"shares what is on its way", 0, 0, "f", false, false, ""},
		{"when there is nothing", 0, 0, "f", true, false, ""},
		{"wants none", 0, 2, "f", true, true, ""},
		{"of a shared subscription, which has none", 0, 0, "$share/g/f", true, true, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := online(t, nil)
			w.Subscribe(w.now, 2, mqtt.Subscription{Filter: c.filter, RetainHandling: c.first}, nil)
			w.sends("SUBSCRIBE " + c.filter + map[byte]string{0: ":0", 2: ":0r2"}[c.first])
			if c.answered {
				w.suback(1, 0)
			}
			w.hears(map[bool]string{true: "subscribed 2=1 q0"}[c.answered])
			if c.heard {
				w.gets(packets.PUBLISH, &packets.Publish{Topic: "f", Properties: &packets.Properties{}})
			}
			w.log = nil
			w.Subscribe(w.now, 3, mqtt.Subscription{Filter: c.filter, RetainHandling: c.later}, nil)
			w.sends(c.want)
			if !c.answered {
				w.suback(1, 0)
			}
			if c.want != "" {
				w.suback(2, 0)
			}
			if c.answered {
				w.hears("subscribed 3=1 q0")
			} else {
				w.hears("subscribed 2=1 q0; subscribed 3=1 q0")
			}
		})
	}
}

func TestUnsubscribe(t *testing.T) {
	t.Run("before the SUBSCRIBE went", func(t *testing.T) {
		w := online(t, nil)
		id := w.sub(2, "f", 0)
		w.Unsubscribe(w.now, 3, id, false)
		w.sends("")
		w.hears("failed 2 ERR_UNSUBSCRIBED; done 3")
	})
	t.Run("before its answer", func(t *testing.T) {
		w := online(t, nil)
		id := w.sub(2, "f", 0)
		w.sends("SUBSCRIBE f:0")
		w.Unsubscribe(w.now, 3, id, true)
		w.sends("UNSUBSCRIBE f")
		w.suback(1, 0)
		w.hears("failed 2 ERR_UNSUBSCRIBED")
	})
	t.Run("and again in the same turn", func(t *testing.T) {
		w := online(t, nil)
		id := w.sub(2, "f", 0)
		w.sends("SUBSCRIBE f:0")
		w.suback(1, 0)
		w.Unsubscribe(w.now, 3, id, false)
		w.sub(4, "f", 0)
		w.sends("UNSUBSCRIBE f; SUBSCRIBE f:0")
	})
	t.Run("while offline, of a session that lives on", func(t *testing.T) {
		w := online(t, nil)
		id, other := w.sub(2, "f", 0), w.sub(3, "g", 0)
		w.sends("SUBSCRIBE f:0 g:0")
		w.suback(1, 0, 0)
		w.lost(1006)
		w.log = nil
		w.Unsubscribe(w.now, 4, id, false)
		w.Unsubscribe(w.now, 5, other, false)
		w.sub(6, "g", 0) // wanted again
		w.hears("done 4; done 5")
		w.again(true)
		w.sends("UNSUBSCRIBE f; SUBSCRIBE g:0")
	})
	t.Run("while offline, of a session that is gone", func(t *testing.T) {
		w := online(t, nil)
		id := w.sub(2, "f", 0)
		w.sends("SUBSCRIBE f:0")
		w.lost(1006)
		w.Unsubscribe(w.now, 4, id, false)
		w.again(false)
		w.sends("")
	})
	t.Run("the UNSUBACK is lost with the connection", func(t *testing.T) {
		w := online(t, nil)
		id := w.sub(2, "f", 0)
		w.sends("SUBSCRIBE f:0")
		w.suback(1, 0)
		w.Unsubscribe(w.now, 4, id, false)
		w.sends("UNSUBSCRIBE f")
		w.log = nil
		w.lost(1006)
		w.again(true)
		w.sends("UNSUBSCRIBE f")
		if !slices.Contains(w.log, "done 4") {
			t.Error(w.log)
		}
	})
}

func TestRoutes(t *testing.T) {
	w := online(t, nil)
	w.sub(2, "a/+", 0)
	w.sub(3, "a/#", 0)
	w.sub(4, "$share/g/b", 0)
	w.log = nil
	in := func(topic string) {
		w.gets(packets.PUBLISH, &packets.Publish{Topic: topic, Payload: []byte("x"), Properties: &packets.Properties{}})
	}
	in("a/b")
	in("a")
	in("b")
	in("c")
	w.Unsubscribe(w.now, 5, 2, false)
	in("a/b")
	w.hears("message a/b=x for [1 2]; message a=x for [2]; message b=x for [3]; unclaimed c=x; failed 3 ERR_UNSUBSCRIBED; done 5; message a/b=x for [1]")
}

func TestTopicCacheIsBounded(t *testing.T) {
	var c topicCache
	var r mqtt.Router
	for i := range 3 * maxTopics {
		if topic := c.find(fmt.Appendf(nil, "t/%d", i), &r); topic.ID >= maxTopics || !topic.Fresh {
			t.Fatal(topic)
		}
	}
	long := bytes.Repeat([]byte("x"), 60000)
	for i := range 100 {
		c.find(append(long, byte('a'+i%26), byte('a'+i/26)), &r)
	}
	if len(c.byName) > maxTopics || c.bytes > maxTopicBytes {
		t.Error(len(c.byName), c.bytes)
	}
}

func TestOffline(t *testing.T) {
	down := func(t *testing.T, edit func(*Options)) *world {
		w := online(t, edit)
		w.lost(1006)
		w.log = nil
		return w
	}
	t.Run("queues QoS 1 and rejects QoS 0", func(t *testing.T) {
		w := down(t, nil)
		w.pub(2, 1, "t", "a")
		w.pub(3, 0, "t", "b")
		w.hears("failed 3 ERR_OFFLINE_QOS0")
		w.again(true)
		w.sends("PUBLISH a")
	})
	t.Run("queues QoS 0 too", func(t *testing.T) {
		w := down(t, func(o *Options) { o.OfflineQoS0 = QueueQoS0 })
		w.pub(2, 0, "t", "a")
		w.pub(3, 1, "t", "b")
		w.again(true)
		w.sends("PUBLISH a; PUBLISH b")
	})
	t.Run("drops QoS 0", func(t *testing.T) {
		w := down(t, func(o *Options) { o.OfflineQoS0 = DropQoS0 })
		w.pub(2, 0, "t", "a")
		w.hears("done 2")
		w.again(true)
		w.sends("")
	})
	t.Run("is full by messages", func(t *testing.T) {
		w := down(t, func(o *Options) { o.OfflineMessages = 2 })
		for k := range mqtt.Token(3) {
			w.pub(2+k, 1, "t", "a")
		}
		w.hears("failed 4 ERR_QUEUE_FULL")
	})
	t.Run("is full by bytes", func(t *testing.T) {
		w := down(t, func(o *Options) { o.OfflineBytes = 5 })
		w.pub(2, 1, "t", "aa")
		w.pub(3, 1, "t", "bb")
		w.pub(4, 1, "t", "c")
		w.hears("failed 3 ERR_QUEUE_FULL")
	})
	t.Run("drops the oldest", func(t *testing.T) {
		w := down(t, func(o *Options) { o.OfflineMessages, o.OfflineDropOldest = 2, true })
		for k := range mqtt.Token(3) {
			w.pub(2+k, 1, "t", fmt.Sprint(2+k))
		}
		w.hears("failed 2 ERR_DROPPED")
		w.again(true)
		w.sends("PUBLISH 3; PUBLISH 4")
	})
}

func TestNotConnected(t *testing.T) {
	w := newWorld(t)
	w.pub(2, 1, "t", "a")
	w.sub(3, "f", 0)
	w.Disconnect(0, 4)
	w.Connect(0, 5, nil)
	w.hears("failed 2 ERR_NOT_CONNECTED; failed 3 ERR_CLOSED; done 4; failed 5 ERR_OPTION")
}

func TestConnectTwice(t *testing.T) {
	w := newWorld(t)
	o := unsigned()
	w.Connect(0, 1, &o)
	w.Connect(0, 2, nil)
	w.Connect(0, 3, &o)
	w.Opened(0, w.attempt)
	w.connack(false)
	w.Connect(0, 4, nil)
	w.hears("connecting[connecting]; open; failed 3 ERR_ALREADY_CONNECTED; connected[connected]; connected 1; connected 2; connected 4")
}

func TestDisconnectSettlesEverything(t *testing.T) {
	w := online(t, nil)
	w.pub(2, 1, "t", "a")
	w.sub(3, "f", 0)
	w.Disconnect(w.now, 4)
	w.hears("close; failed 2 ERR_CLOSED; failed 3 ERR_CLOSED; closed[closed]; done 4")
	got := decodeAll(t, w.lastOut)
	if n := len(got); n == 0 || got[n-1].Type != packets.DISCONNECT {
		t.Errorf("%x", w.lastOut)
	}
	w.Disconnect(w.now, 5)
	w.hears("done 5")
	if w.Deadline() != mqtt.Never {
		t.Error("something is still to come")
	}
	w = newWorld(t) // while it is still connecting
	o := unsigned()
	w.Connect(0, 1, &o)
	w.pub(2, 1, "t", "a")
	w.Disconnect(0, 3)
	w.hears("connecting[connecting]; open; close; failed 2 ERR_CLOSED; failed 1 ERR_CLOSED; closed[closed]; done 3")
	w.Opened(0, w.attempt) // too late
	w.hears("")
}

func TestReconnect(t *testing.T) {
	w := online(t, nil)
	w.Reconnect(w.now)
	w.hears("close; disconnected ERR_RECONNECT retry 0s[reconnecting]; connecting[reconnecting]; open")
	w.Reconnect(w.now)
	w.hears("")
	w.lost(1006)
	w.probed(Probe{})
	w.log = nil
	w.Reconnect(w.now)
	w.hears("connecting[reconnecting]; open")
}

func TestPublishIsChecked(t *testing.T) {
	w := online(t, nil)
	for i, topic := range []string{"", "a/+", "#", "a\x00", "\xff"} {
		w.pub(mqtt.Token(i), 0, topic, "")
		w.hears(fmt.Sprintf("failed %d ERR_TOPIC", i))
	}
	w.pub(9, 3, "t", "")
	w.hears("failed 9 ERR_QOS")
	w.sub(10, "a/#/b", 0)
	w.sub(11, "a", 3)
	w.Subscribe(0, 12, mqtt.Subscription{Filter: "$share/g/a", NoLocal: true}, nil)
	w.hears("failed 10 ERR_FILTER; failed 11 ERR_QOS; failed 12 ERR_OPTION")
	w.sends("")
}

func TestRefusedPublish(t *testing.T) {
	w := online(t, nil)
	w.pub(2, 1, "t", "a")
	w.sends("PUBLISH a")
	w.gets(packets.PUBACK, &packets.Puback{PacketID: 1, ReasonCode: 0x87, Properties: &packets.Properties{}})
	w.hears("failed 2 ERR_PUBLISH_REFUSED")
	w.pub(3, 1, "t", "b")
	w.sends("PUBLISH b")
	w.gets(packets.PUBACK, &packets.Puback{PacketID: 2, ReasonCode: 0x10, Properties: &packets.Properties{}})
	w.hears("published 3")
}

func TestOptionsAreChecked(t *testing.T) {
	for name, edit := range map[string]func(*Options){
		"no endpoint":        func(o *Options) { o.Endpoint = "" },
		"bad endpoint":       func(o *Options) { o.Endpoint = "ftp://x" },
		"no region":          func(o *Options) { o.Source = FromCredentials },
		"keep-alive":         func(o *Options) { o.KeepAlive = 65536 },
		"session expiry":     func(o *Options) { o.SessionExpiry = -1 },
		"no client id":       func(o *Options) { o.ClientID = "" },
		"delays":             func(o *Options) { o.MaxDelay = o.MinDelay - 1 },
		"delay without end":  func(o *Options) { o.MaxDelay = 1 << 62 },
		"attempts":           func(o *Options) { o.MaxAttempts = -1 },
		"queue":              func(o *Options) { o.OfflineBytes = -1 },
		"will topic":         func(o *Options) { o.Will = &mqtt.Will{Topic: "a/#"} },
		"will QoS":           func(o *Options) { o.Will = &mqtt.Will{Topic: "a", QoS: 3} },
		"will payload":       func(o *Options) { o.Will = &mqtt.Will{Topic: "a", Payload: make([]byte, 65536)} },
		"password":           func(o *Options) { o.Password = secret.String(strings.Repeat("x", 65536)) },
		"user property":      func(o *Options) { o.User = []mqtt.UserPair{{Name: strings.Repeat("x", 65536)}} },
		"stable after":       func(o *Options) { o.StableAfter = -1 },
		"endpoint with user": func(o *Options) { o.Endpoint = "wss://u:p@example.org/" },
	} {
		o := unsigned()
		edit(&o)
		if err := o.Check(); err == nil || err.Class == IotError || err.Code == "" {
			t.Errorf("%s: %v", name, err)
		}
	}
	o := unsigned()
	if err := o.Check(); err != nil {
		t.Error(err)
	}
}
