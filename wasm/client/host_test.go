package client

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/eclipse/paho.golang/packets"

	"iot.wasm/internal/pahotest"
	"iot.wasm/wasm/mqtt"
	"iot.wasm/wasm/secret"
	"iot.wasm/wasm/sigv4"
)

// A world is the Host of a client. It also simulates the page, the browser and the broker,
// and records the calls that the client makes to its Host. The test controls the clock.
type world struct {
	*Client
	t       *testing.T
	now     time.Duration
	random  float64  // the value of every random number that the client draws
	log     []string // the calls to the Host
	attempt uint32   // the argument of the last Provide, Open or Probe
	url     string   // the argument of the last Open
	sockets int      // the number of open sockets
	lastOut []byte   // the argument of the last Close
	probes  []string // the URLs of all probes
	lastErr *Error   // of the last Change with an error
	packets []tracedPacket
}

// A tracedPacket has the arguments of a call of Packet.
type tracedPacket struct {
	out    bool
	packet string
	size   int
}

func newWorld(t *testing.T) *world {
	w := &world{t: t}
	w.Client = New(w, func() float64 { return w.random })
	return w
}

func (w *world) note(format string, args ...any) { w.log = append(w.log, fmt.Sprintf(format, args...)) }

func (w *world) Provide(a uint32, refused bool) {
	w.attempt = a
	if refused {
		w.note("provide refused")
		return
	}
	w.note("provide")
}

func (w *world) Open(a uint32, url secret.String) {
	w.attempt, w.url = a, url.Reveal()
	w.sockets++
	if w.sockets > 1 {
		w.t.Error("the client opens a second socket")
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

// probed answers the probe of the URL without the query. If the client then probes the URL
// with the query, probed also answers the second probe.
func (w *world) probed(p Probe) {
	n := len(w.probes)
	if !strings.Contains(w.url, "?") {
		w.Probed(w.now, w.attempt, p)
		return
	}
	first := p
	first.Code, first.Message = "MissingAuthenticationToken", "no signature"
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

func (w *world) Message(d *Delivery) {
	w.note("message %s=%s for %v", d.Topic.Name, d.Message.Payload, d.Recipients)
}

func (w *world) Unclaimed(t *Topic, m *mqtt.Publish) {
	w.note("unclaimed %s=%s", t.Name, m.Payload)
}

func (w *world) Packet(out bool, packet []byte, size int) {
	w.packets = append(w.packets, tracedPacket{out, string(packet), size})
}

func (w *world) Done(k mqtt.Token, err *Error) {
	if err != nil {
		w.note("failed %d %s", k, err.Code)
		return
	}
	w.note("done %d", k)
}

func (w *world) ConnectDone(k mqtt.Token, g *mqtt.Connack) { w.note("connected %d", k) }

func (w *world) PublishDone(k mqtt.Token, r mqtt.PublishResult) { w.note("published %d", k) }

func (w *world) SubscribeDone(k mqtt.Token, qos byte) {
	w.note("subscribed %d q%d", k, qos)
}

func (w *world) SubscriptionEnded(id uint32, err *Error) {
	if err != nil {
		w.note("ended %d %s", id, err.Code)
		return
	}
	w.note("ended %d", id)
}

// expectCalls compares the calls to the Host since the last expectCalls with want.
func (w *world) expectCalls(want string) {
	w.t.Helper()
	if got := strings.Join(w.log, "; "); got != want {
		w.t.Errorf("the calls are %q,\nwant          %q", got, want)
	}
	w.log = nil
}

// out returns the packets that the client sends in this turn.
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
	if bytes.HasSuffix(b, []byte{0xe0, 0}) { // paho cannot decode a DISCONNECT without a reason code
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

// sends compares the packets that the client sends in this turn with want.
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
		w.t.Errorf("the client sends %q,\nwant             %q", got, want)
	}
}

// fromBroker passes a packet from the broker to the client.
func (w *world) fromBroker(kind byte, content packets.Packet) {
	w.t.Helper()
	w.Receive(w.now, w.attempt, pahotest.Encode(w.t, kind, content), 0)
}

func (w *world) connack(session bool) {
	w.t.Helper()
	w.fromBroker(packets.CONNACK, &packets.Connack{SessionPresent: session, Properties: &packets.Properties{}})
}

// refuse answers CONNECT with an error.
func (w *world) refuse(reason byte, reasonString string) {
	w.t.Helper()
	w.fromBroker(packets.CONNACK, &packets.Connack{ReasonCode: reason, Properties: &packets.Properties{ReasonString: reasonString}})
}

// tick advances the clock and calls Tick.
func (w *world) tick(d time.Duration) {
	w.now += d
	w.Tick(w.now)
}

// loseSocket closes the socket without a request of the client.
func (w *world) loseSocket(code int) {
	w.sockets = 0
	w.SocketClosed(w.now, w.attempt, code)
}

// unsigned returns options for a broker that needs no signature.
func unsigned() Options {
	o := DefaultOptions()
	o.Endpoint, o.ClientID = "ws://127.0.0.1:9/mqtt", "c"
	return o
}

// online returns a world with a connected client.
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
	w.expectCalls("connecting[connecting]; open; connected[connected]; connected 1")
	return w
}

// reconnected waits for the end of the back-off, and accepts the next connection. session
// is the flag Session Present.
func (w *world) reconnected(session bool) {
	w.t.Helper()
	w.tick(w.Deadline() - w.now)
	w.Opened(w.now, w.attempt)
	w.sends("CONNECT clean=false")
	w.connack(session)
}

func (w *world) pub(k mqtt.Token, qos byte, topic, payload string) (sent bool) {
	return w.Publish(w.now, &mqtt.Outgoing{Token: k, Topic: []byte(topic), Payload: []byte(payload), QoS: qos})
}

func (w *world) sub(k mqtt.Token, filter string, qos byte) uint32 {
	return w.Subscribe(w.now, k, mqtt.Subscription{Filter: filter, QoS: qos}, nil)
}

func (w *world) suback(id uint16, codes ...byte) {
	w.fromBroker(packets.SUBACK, &packets.Suback{PacketID: id, Reasons: codes, Properties: &packets.Properties{}})
}

var goodKey = sigv4.Credentials{AccessKeyID: "AKID", SecretAccessKey: "secret", SessionToken: "to/ken+"}

// signed returns a world whose client connects to AWS IoT Core with a provider of
// credentials.
func signed(t *testing.T) *world {
	w := newWorld(t)
	o := DefaultOptions()
	o.Endpoint, o.ClientID, o.Source, o.Fresh, o.Quotas = "a-ats.iot.eu-west-1.amazonaws.com", "c", FromCredentials, true, AWSQuotas
	w.Connect(0, 1, &o)
	return w
}

var midnight = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
