package mqtt

import (
	"bytes"
	"encoding/hex"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/eclipse/paho.golang/packets"
)

// peer is an engine with the server's side of its connection in the test's
// hands. The server reads and writes with paho's packets.
type peer struct {
	*Engine
	t        testing.TB
	now      time.Duration
	eventLog []string // what the handler heard
	stopErr  *StopError
	// Messages have no recipient; their tickets.
	unclaimed bool
	tickets   []uint32
}

func newPeer(t testing.TB) *peer {
	p := &peer{t: t}
	p.Engine = NewEngine(p, 0)
	return p
}

func (p *peer) record(format string, args ...any) {
	p.eventLog = append(p.eventLog, fmt.Sprintf(format, args...))
}

func (p *peer) Connected(a *Connack) { p.record("connected session=%v", a.SessionPresent) }
func (p *peer) Refused(a *Connack)   { p.record("refused %v", a.Reason) }
func (p *peer) Message(m *Publish) bool {
	var props []string
	for x, rest, ok := NextProperty(m.Properties); ok; x, rest, ok = NextProperty(rest) {
		props = append(props, fmt.Sprintf("%d=%d%s%s", x.ID, x.Number, x.Data, x.Value))
	}
	p.record("message %s=%s q%d r%v d%v %s", m.Topic, m.Payload, m.QoS, m.Retain, m.Duplicate, strings.Join(props, ","))
	if p.unclaimed {
		p.tickets = append(p.tickets, m.Ticket)
	}
	return !p.unclaimed
}
func (p *peer) Published(k Token, r PublishResult) {
	p.record("published %d %v %s %v", k, r.Reason, r.ReasonString, r.Err)
}
func (p *peer) Sent(k Token, err error) { p.record("sent %d %v", k, err) }
func (p *peer) Subscribed(k Token, codes []byte, reason string, err error) {
	if err != nil {
		reason = err.Error()
	}
	p.record("subscribed %d %x %s", k, codes, reason)
}
func (p *peer) Unsubscribed(k Token, codes []byte, reason string, err error) {
	if err != nil {
		reason = err.Error()
	}
	p.record("unsubscribed %d %x %s", k, codes, reason)
}
func (p *peer) Stopped(why *StopError) {
	p.stopErr = why
	p.record("stopped %v local=%v", why.Reason, why.Local)
}

// heard returns what the handler heard since the last call.
func (p *peer) events() string {
	s := strings.Join(p.eventLog, "; ")
	p.eventLog = nil
	return s
}

func (p *peer) expectEvents(want string) {
	p.t.Helper()
	if got := p.events(); got != want {
		p.t.Errorf("heard %q,\nwant  %q", got, want)
	}
}

// sends returns the packets in the output, and flushes it.
func (p *peer) takePackets() (list []*packets.ControlPacket) {
	p.t.Helper()
	r := bytes.NewReader(p.Output())
	for r.Len() > 0 {
		if e0, _ := r.ReadByte(); e0 == 0xe0 && p.Output()[len(p.Output())-1] == 0 && r.Len() == 1 {
			list = append(list, packets.NewControlPacket(packets.DISCONNECT)) // paho cannot read e0 00
			break
		}
		_ = r.UnreadByte()
		cp, err := packets.ReadPacket(r)
		if err != nil {
			p.t.Fatalf("the engine's output cannot be read: %v: %x", err, p.Output())
		}
		list = append(list, cp)
	}
	p.Flushed(p.now, len(p.Output()))
	return list
}

// types names the packets in the output.
func (p *peer) sentPackets() string {
	p.t.Helper()
	var names []string
	for _, cp := range p.takePackets() {
		name := cp.PacketType()
		switch c := cp.Content.(type) {
		case *packets.Publish:
			name += fmt.Sprintf("(%s=%s q%d", c.Topic, c.Payload, c.QoS)
			if c.QoS > 0 {
				name += fmt.Sprintf(" #%d", c.PacketID)
			}
			if c.Duplicate {
				name += " dup"
			}
			if c.Retain {
				name += " retain"
			}
			if a := c.Properties.TopicAlias; a != nil {
				name += fmt.Sprintf(" alias=%d", *a)
			}
			name += ")"
		case *packets.Puback:
			name += fmt.Sprintf("(#%d %x)", c.PacketID, c.ReasonCode)
		case *packets.Pubrec:
			name += fmt.Sprintf("(#%d %x)", c.PacketID, c.ReasonCode)
		case *packets.Pubrel:
			name += fmt.Sprintf("(#%d %x)", c.PacketID, c.ReasonCode)
		case *packets.Pubcomp:
			name += fmt.Sprintf("(#%d %x)", c.PacketID, c.ReasonCode)
		case *packets.Disconnect:
			name += fmt.Sprintf("(%x)", c.ReasonCode)
		case *packets.Subscribe:
			for _, s := range c.Subscriptions {
				name += " " + s.Topic
			}
		case *packets.Unsubscribe:
			name += " " + strings.Join(c.Topics, " ")
		}
		names = append(names, name)
	}
	return strings.Join(names, "; ")
}

func (p *peer) expectSent(want string) {
	p.t.Helper()
	if got := p.sentPackets(); got != want {
		p.t.Errorf("sent %q,\nwant %q", got, want)
	}
}

// wire encodes what a server sends.
func encodePacket(t testing.TB, kind byte, content packets.Packet) []byte {
	t.Helper()
	cp := packets.NewControlPacket(kind)
	cp.Content = content
	var b bytes.Buffer
	if _, err := cp.WriteTo(&b); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func (p *peer) receivePacket(kind byte, content packets.Packet) {
	p.t.Helper()
	p.Receive(p.now, encodePacket(p.t, kind, content))
}

func (p *peer) receiveHex(s string) {
	p.t.Helper()
	b, err := hex.DecodeString(strings.ReplaceAll(s, " ", ""))
	if err != nil {
		p.t.Fatal(err)
	}
	p.Receive(p.now, b)
}

func noProperties() *packets.Properties { return &packets.Properties{} }

func (p *peer) connack(session bool, edit func(*packets.Properties)) {
	p.t.Helper()
	c := &packets.Connack{SessionPresent: session, Properties: noProperties()}
	if edit != nil {
		edit(c.Properties)
	}
	p.receivePacket(packets.CONNACK, c)
}

var testOptions = ConnectOptions{ClientID: "c", KeepAlive: 60, CleanStart: true, SessionExpiry: 100, ReceiveMaximum: 10, MaximumPacketSize: 1000, TopicAliasMaximum: 5}

// online is a peer that has been accepted.
func connectedPeer(t testing.TB, edit func(*packets.Properties)) *peer {
	t.Helper()
	p := newPeer(t)
	p.Open(0, testOptions)
	p.expectSent("CONNECT")
	p.connack(false, edit)
	p.expectEvents("connected session=false")
	return p
}

// again loses the connection and makes the next one.
func (p *peer) reconnect(session bool, edit func(*packets.Properties)) {
	p.t.Helper()
	p.Lost()
	o := testOptions
	o.CleanStart = false
	p.Open(p.now, o)
	p.expectSent("CONNECT")
	p.connack(session, edit)
}

func (p *peer) publishText(token Token, qos byte, topic, payload string) {
	p.t.Helper()
	m := &Outgoing{Token: token, Topic: []byte(topic), Payload: []byte(payload), QoS: qos}
	if err := CheckOutgoing(m); err != nil {
		p.t.Fatal(err)
	}
	if _, err := p.Publish(p.now, m); err != nil {
		p.record("error %v", err)
	}
}

func TestConnectSaysEverything(t *testing.T) {
	p := newPeer(t)
	p.Open(0, ConnectOptions{
		ClientID: "ünï", Username: new("u"), Password: []byte("p"), KeepAlive: 30, CleanStart: true,
		SessionExpiry: 7, ReceiveMaximum: 8, MaximumPacketSize: 9, TopicAliasMaximum: 10,
		User: []UserPair{{"a", "1"}, {"a", "2"}},
		Will: &Will{
			Topic: "w", Payload: []byte("gone"), QoS: 1, Retain: true, Delay: 5, ContentType: "text/plain", PayloadFormatUTF8: true,
			MessageExpiry: new(uint32(60)), ResponseTopic: "r", CorrelationData: []byte{1}, User: []UserPair{{"k", "v"}},
		},
	})
	c := p.takePackets()[0].Content.(*packets.Connect)
	pr, wp := c.Properties, c.WillProperties
	for what, ok := range map[string]bool{
		"header":          c.ProtocolName == "MQTT" && c.ProtocolVersion == 5 && c.ClientID == "ünï" && c.KeepAlive == 30 && c.CleanStart,
		"user":            c.Username == "u" && string(c.Password) == "p",
		"properties":      *pr.SessionExpiryInterval == 7 && *pr.ReceiveMaximum == 8 && *pr.MaximumPacketSize == 9 && *pr.TopicAliasMaximum == 10,
		"user properties": slices.Equal(pr.User, []packets.User{{Key: "a", Value: "1"}, {Key: "a", Value: "2"}}),
		"will":            c.WillFlag && c.WillTopic == "w" && string(c.WillMessage) == "gone" && c.WillQOS == 1 && c.WillRetain,
		"will properties": *wp.WillDelayInterval == 5 && wp.ContentType == "text/plain" && *wp.PayloadFormat == 1 && *wp.MessageExpiry == 60 &&
			wp.ResponseTopic == "r" && bytes.Equal(wp.CorrelationData, []byte{1}) && wp.User[0].Key == "k",
	} {
		if !ok {
			t.Errorf("%s: %v", what, c)
		}
	}
}

func TestConnackDefaults(t *testing.T) {
	p := connectedPeer(t, nil)
	g := p.Granted()
	if g.ReceiveMaximum != math.MaxUint16 || g.MaximumQoS != 2 || g.MaximumPacketSize != math.MaxUint32 || !g.RetainAvailable ||
		!g.SharedAvailable || !g.WildcardAvailable || !g.IdentifiersAvailable || g.KeepAlive != 60 || g.SessionExpiry != 100 || g.ClientID != "c" {
		t.Errorf("%+v", g)
	}
	p = connectedPeer(t, func(pr *packets.Properties) {
		pr.ServerKeepAlive, pr.SessionExpiryInterval, pr.AssignedClientID = new(uint16(20)), new(uint32(3)), "other"
	})
	if g := p.Granted(); g.KeepAlive != 20 || g.SessionExpiry != 3 || g.ClientID != "other" {
		t.Errorf("%+v", g)
	}
}

func TestRefused(t *testing.T) {
	p := newPeer(t)
	p.Open(0, testOptions)
	p.takePackets()
	p.receivePacket(packets.CONNACK, &packets.Connack{ReasonCode: 0x87, Properties: &packets.Properties{ReasonString: "no"}})
	p.expectEvents("refused not authorized (0x87); stopped not authorized (0x87) local=false")
	p.expectSent("")
}

func TestPublishFlows(t *testing.T) {
	p := connectedPeer(t, nil)
	p.publishText(1, 0, "t", "zero")
	p.publishText(2, 1, "t", "one")
	p.publishText(3, 2, "t", "two")
	p.expectSent("PUBLISH(t=zero q0); PUBLISH(t=one q1 #1); PUBLISH(t=two q2 #2)")
	p.receivePacket(packets.PUBREC, &packets.Pubrec{PacketID: 2, Properties: noProperties()})
	p.receivePacket(packets.PUBACK, &packets.Puback{PacketID: 1, ReasonCode: 0x10, Properties: &packets.Properties{ReasonString: "nobody"}})
	p.expectSent("PUBREL(#2 0)")
	p.expectEvents("published 2 no matching subscribers (0x10) nobody <nil>")
	p.receivePacket(packets.PUBCOMP, &packets.Pubcomp{PacketID: 2, Properties: noProperties()})
	p.expectEvents("published 3 success (0x00)  <nil>")
	p.publishText(4, 2, "t", "x")
	p.takePackets()
	p.receivePacket(packets.PUBREC, &packets.Pubrec{PacketID: 3, ReasonCode: 0x97, Properties: noProperties()})
	p.expectEvents("published 4 quota exceeded (0x97)  <nil>")
	p.expectSent("")
	if p.Inflight() != 0 {
		t.Errorf("%d in flight", p.Inflight())
	}
}

func TestArrivals(t *testing.T) {
	p := connectedPeer(t, nil)
	in := func(qos byte, id uint16, payload string, dup bool) {
		p.receivePacket(packets.PUBLISH, &packets.Publish{Topic: "t", Payload: []byte(payload), QoS: qos, PacketID: id, Duplicate: dup, Properties: noProperties()})
	}
	in(0, 0, "a", false)
	in(1, 5, "b", false)
	in(1, 5, "b", true) // delivered again: QoS 1 may
	in(2, 6, "c", false)
	in(2, 6, "c", true) // not delivered again
	p.expectSent("PUBACK(#5 0); PUBACK(#5 0); PUBREC(#6 0); PUBREC(#6 0)")
	p.expectEvents("message t=a q0 rfalse dfalse ; message t=b q1 rfalse dfalse ; message t=b q1 rfalse dtrue ; message t=c q2 rfalse dfalse ")
	p.receivePacket(packets.PUBREL, &packets.Pubrel{PacketID: 6, Properties: noProperties()})
	p.receivePacket(packets.PUBREL, &packets.Pubrel{PacketID: 6, Properties: noProperties()})
	p.expectSent("PUBCOMP(#6 0); PUBCOMP(#6 92)")
	in(2, 6, "d", false)
	p.expectEvents("message t=d q2 rfalse dfalse ")
}

func TestQoS2ArrivalOutlivesConnection(t *testing.T) {
	p := connectedPeer(t, nil)
	m := &packets.Publish{Topic: "t", Payload: []byte("x"), QoS: 2, PacketID: 9, Properties: noProperties()}
	p.receivePacket(packets.PUBLISH, m)
	p.events()
	p.reconnect(true, nil)
	p.events()
	m.Duplicate = true
	p.receivePacket(packets.PUBLISH, m)
	p.expectSent("PUBREC(#9 0)")
	p.expectEvents("")
	p.receivePacket(packets.PUBREL, &packets.Pubrel{PacketID: 9, Properties: noProperties()})
	p.expectSent("PUBCOMP(#9 0)")
}

func TestResume(t *testing.T) {
	p := connectedPeer(t, nil)
	p.publishText(1, 1, "t", "a")
	p.publishText(2, 2, "t", "b")
	p.publishText(3, 2, "t", "c")
	p.publishText(4, 1, "t", "d")
	p.takePackets()
	p.receivePacket(packets.PUBREC, &packets.Pubrec{PacketID: 2, Properties: noProperties()})
	p.takePackets()
	p.reconnect(true, nil)
	p.expectSent("PUBREL(#2 0); PUBLISH(t=a q1 #1 dup); PUBLISH(t=c q2 #3 dup); PUBLISH(t=d q1 #4 dup)")
	p.expectEvents("connected session=true")
}

func TestSessionGone(t *testing.T) {
	p := connectedPeer(t, nil)
	p.publishText(1, 1, "t", "a")
	p.publishText(2, 2, "t", "b")
	p.publishText(3, 2, "t", "c")
	p.publishText(4, 1, "t", "d")
	p.takePackets()
	p.receivePacket(packets.PUBREC, &packets.Pubrec{PacketID: 2, Properties: noProperties()})
	p.takePackets()
	p.Lost()
	p.publishText(5, 1, "t", "e")
	p.reconnect(false, nil)
	p.expectSent("PUBLISH(t=a q1 #5); PUBLISH(t=d q1 #6); PUBLISH(t=e q1 #7)")
	p.expectEvents("published 3 success (0x00)  the server has lost the session: the QoS 2 message may or may not have arrived; published 2 success (0x00)  the server has lost the session: the QoS 2 message may or may not have arrived; connected session=false")
}

func TestReceiveMaximumOfServer(t *testing.T) {
	two := func(pr *packets.Properties) { pr.ReceiveMaximum = new(uint16(2)) }
	p := connectedPeer(t, two)
	for i := range Token(4) {
		p.publishText(i+1, 1, "t", fmt.Sprint(i+1))
	}
	p.publishText(9, 0, "t", "free")
	p.expectSent("PUBLISH(t=1 q1 #1); PUBLISH(t=2 q1 #2); PUBLISH(t=free q0)")
	if n, size := p.Waiting(); n != 2 || size != 4 {
		t.Errorf("waiting %d, %d bytes", n, size)
	}
	p.receivePacket(packets.PUBACK, &packets.Puback{PacketID: 2, Properties: noProperties()})
	p.expectSent("PUBLISH(t=3 q1 #3)")
	p.reconnect(true, two)
	p.expectSent("PUBLISH(t=1 q1 #1 dup); PUBLISH(t=3 q1 #3 dup)")
	p.receivePacket(packets.PUBACK, &packets.Puback{PacketID: 1, Properties: noProperties()})
	p.expectSent("PUBLISH(t=4 q1 #4)")
}

func TestLimitsOfServer(t *testing.T) {
	p := connectedPeer(t, func(pr *packets.Properties) {
		pr.MaximumQOS, pr.RetainAvailable, pr.MaximumPacketSize = new(byte(1)), new(byte(0)), new(uint32(20))
	})
	for _, c := range []struct {
		m    Outgoing
		want error
	}{
		{Outgoing{Topic: []byte("t"), QoS: 2}, ErrQoSNotGranted},
		{Outgoing{Topic: []byte("t"), Retain: true}, ErrRetainNotGranted},
		{Outgoing{Topic: []byte("t"), Payload: make([]byte, 14)}, nil}, // 1+1 +2+1 +1 +14 = 20
		{Outgoing{Topic: []byte("t"), Payload: make([]byte, 15)}, ErrTooLarge},
		{Outgoing{Topic: []byte("t"), Payload: make([]byte, 13), QoS: 1}, ErrTooLarge},
	} {
		if _, err := p.Publish(p.now, &c.m); !errors.Is(err, c.want) {
			t.Errorf("QoS %d, %d bytes: %v, want %v", c.m.QoS, len(c.m.Payload), err, c.want)
		}
	}
	if len(p.Output()) != 20 {
		t.Errorf("%d bytes sent", len(p.Output()))
	}
	if err := p.Subscribe(p.now, 1, []Subscription{{Filter: strings.Repeat("f", 30)}}, nil); !errors.Is(err, ErrTooLarge) {
		t.Error(err)
	}
	// What was queued while offline is held against the new grants.
	q := connectedPeer(t, nil)
	q.Lost()
	q.publishText(1, 2, "t", "x")
	q.publishText(2, 1, "t", "y")
	q.reconnect(false, func(pr *packets.Properties) { pr.MaximumQOS = new(byte(1)) })
	q.expectEvents("connected session=false; published 1 success (0x00)  the server does not support this QoS")
	q.expectSent("PUBLISH(t=y q1 #1)")
}

// A PUBREL that the server's Receive Maximum holds back is not on its way, and
// a server that answers it all the same ends nothing.
func TestPubrelHeldBack(t *testing.T) {
	p := connectedPeer(t, nil)
	for i := range Token(3) {
		p.publishText(i+1, 2, "t", "x")
	}
	for i := range uint16(3) {
		p.receivePacket(packets.PUBREC, &packets.Pubrec{PacketID: i + 1, Properties: noProperties()})
	}
	p.takePackets()
	p.reconnect(true, func(pr *packets.Properties) { pr.ReceiveMaximum = new(uint16(1)) })
	p.events()
	p.expectSent("PUBREL(#1 0)")
	p.receivePacket(packets.PUBCOMP, &packets.Pubcomp{PacketID: 3, Properties: noProperties()})
	p.receivePacket(packets.PUBREC, &packets.Pubrec{PacketID: 2, ReasonCode: 0x80, Properties: noProperties()})
	p.expectEvents("")
	for i := range uint16(3) {
		p.receivePacket(packets.PUBCOMP, &packets.Pubcomp{PacketID: i + 1, Properties: noProperties()})
	}
	p.expectSent("PUBREL(#2 0); PUBREL(#3 0)")
	p.expectEvents("published 1 success (0x00)  <nil>; published 2 success (0x00)  <nil>; published 3 success (0x00)  <nil>")
	if p.quotaUsed != 0 || p.Held() != 0 {
		t.Errorf("%d on the wire, %d bytes held", p.quotaUsed, p.Held())
	}
}

func TestPubrecsWordsAreKept(t *testing.T) {
	p := connectedPeer(t, nil)
	p.publishText(1, 2, "t", "x")
	p.receivePacket(packets.PUBREC, &packets.Pubrec{PacketID: 1, ReasonCode: 0x10, Properties: &packets.Properties{ReasonString: "nobody"}})
	p.receivePacket(packets.PUBCOMP, &packets.Pubcomp{PacketID: 1, Properties: noProperties()})
	p.expectEvents("published 1 no matching subscribers (0x10) nobody <nil>")
}

func TestResendIsHeldAgainstTheNewGrants(t *testing.T) {
	p := connectedPeer(t, nil)
	p.publishText(1, 2, "t", "x")
	p.publishText(2, 1, "t", strings.Repeat("y", 50))
	p.publishText(3, 1, "t", "z")
	p.reconnect(true, func(pr *packets.Properties) { pr.MaximumQOS, pr.MaximumPacketSize = new(byte(1)), new(uint32(50)) })
	p.expectSent("PUBLISH(t=z q1 #3 dup)")
	p.expectEvents("connected session=true; published 1 success (0x00)  the server does not support this QoS; published 2 success (0x00)  the packet would be larger than the server accepts")
}

func TestHeld(t *testing.T) {
	p := connectedPeer(t, func(pr *packets.Properties) { pr.ReceiveMaximum = new(uint16(1)) })
	for i := range Token(2) {
		p.publishText(i+1, 1, "t", strings.Repeat("x", 1000))
	}
	if n := p.Held(); n < 3000 || n > 3500 { // in flight, waiting, and in the output
		t.Errorf("%d bytes held", n)
	}
	p.takePackets()
	p.AbandonSent(ErrDropped)
	p.expectEvents("published 1 success (0x00)  the message was dropped from the queue")
	if n := p.Held(); n < 1000 || n > 1500 {
		t.Errorf("%d bytes held", n)
	}
}

func TestOldBroker(t *testing.T) {
	p := newPeer(t)
	p.Open(0, testOptions)
	p.takePackets()
	p.receiveHex("20 02 00 01")
	p.expectEvents("refused unsupported protocol version (0x84); stopped unsupported protocol version (0x84) local=false")
}

func TestAllPacketIDsInUse(t *testing.T) {
	p := connectedPeer(t, nil)
	m := &Outgoing{Topic: []byte("t"), QoS: 1}
	for range 65536 {
		_, _ = p.Publish(p.now, m)
	}
	if n, _ := p.Waiting(); n != 1 || p.Inflight() != 65535 {
		t.Errorf("%d waiting, %d in flight", n, p.Inflight())
	}
	if err := p.Subscribe(p.now, 1, []Subscription{{Filter: "f"}}, nil); !errors.Is(err, ErrNoPacketID) {
		t.Error(err)
	}
}

func TestQueuedQoS0KeepsItsPlace(t *testing.T) {
	p := connectedPeer(t, nil)
	p.Lost()
	p.publishText(1, 0, "t", "a")
	p.publishText(2, 1, "t", "b")
	p.publishText(3, 0, "t", "c")
	p.reconnect(true, nil)
	p.expectSent("PUBLISH(t=a q0); PUBLISH(t=b q1 #1); PUBLISH(t=c q0)")
	p.expectEvents("connected session=true; sent 1 <nil>; sent 3 <nil>")
}

func TestAliasesOut(t *testing.T) {
	two := func(pr *packets.Properties) { pr.TopicAliasMaximum = new(uint16(2)) }
	p := connectedPeer(t, two)
	for _, topic := range []string{"long/one", "long/one", "long/two", "long/one", "long/three", "long/one", "long/two", "x"} {
		p.publishText(1, 0, topic, "")
	}
	p.expectSent("PUBLISH(long/one= q0 alias=1); PUBLISH(= q0 alias=1); PUBLISH(long/two= q0 alias=2); PUBLISH(= q0 alias=1); " +
		"PUBLISH(long/three= q0); PUBLISH(= q0 alias=1); PUBLISH(= q0 alias=2); PUBLISH(x= q0)")
	for range aliasIdle { // long/two is not used any more
		p.publishText(1, 0, "long/one", "")
	}
	p.takePackets()
	p.publishText(1, 0, "long/three", "")
	p.publishText(1, 0, "long/two", "")
	p.publishText(1, 0, "long/three", "")
	p.expectSent("PUBLISH(long/three= q0 alias=2); PUBLISH(long/two= q0); PUBLISH(= q0 alias=2)")
	p.publishText(2, 1, "long/one", "q")
	p.expectSent("PUBLISH(=q q1 #1 alias=1)")
	p.reconnect(true, two) // aliases end with the connection [MQTT-3.3.2-7]
	p.expectSent("PUBLISH(long/one=q q1 #1 dup alias=1)")
}

func TestAliasesIn(t *testing.T) {
	p := connectedPeer(t, nil)
	in := func(topic string, alias uint16) {
		p.receivePacket(packets.PUBLISH, &packets.Publish{Topic: topic, Properties: &packets.Properties{TopicAlias: &alias}})
	}
	in("a/b", 5)
	in("", 5)
	in("c", 5)
	in("", 5)
	p.expectEvents("message a/b= q0 rfalse dfalse 35=5; message a/b= q0 rfalse dfalse 35=5; message c= q0 rfalse dfalse 35=5; message c= q0 rfalse dfalse 35=5")
	p.reconnect(true, nil)
	p.events()
	in("", 5)
	p.expectEvents("stopped protocol error (0x82) local=true")
}

func TestSubscribe(t *testing.T) {
	p := connectedPeer(t, nil)
	if err := p.Subscribe(p.now, 1, []Subscription{{Filter: "a", QoS: 1, NoLocal: true, RetainAsPublished: true, RetainHandling: 2}, {Filter: "b/#"}}, []UserPair{{"k", "v"}}); err != nil {
		t.Fatal(err)
	}
	s := p.takePackets()[0].Content.(*packets.Subscribe)
	want := []packets.SubOptions{{Topic: "a", QoS: 1, NoLocal: true, RetainAsPublished: true, RetainHandling: 2}, {Topic: "b/#"}}
	if !slices.Equal(s.Subscriptions, want) || s.Properties.User[0].Value != "v" {
		t.Errorf("%v", s)
	}
	p.receivePacket(packets.SUBACK, &packets.Suback{PacketID: 1, Reasons: []byte{1, 0x87}, Properties: &packets.Properties{ReasonString: "why"}})
	p.expectEvents("subscribed 1 0187 why")
	if err := p.Unsubscribe(p.now, 2, []string{"a", "b/#"}); err != nil {
		t.Fatal(err)
	}
	p.expectSent("UNSUBSCRIBE a b/#")
	p.receivePacket(packets.UNSUBACK, &packets.Unsuback{PacketID: 2, Reasons: []byte{0, 0x11}, Properties: noProperties()})
	p.expectEvents("unsubscribed 2 0011 ")
	_ = p.Subscribe(p.now, 3, []Subscription{{Filter: "c"}}, nil)
	p.Lost()
	p.expectEvents("subscribed 3  the connection was lost before the answer came")
	if err := p.Subscribe(p.now, 4, []Subscription{{Filter: "c"}}, nil); !errors.Is(err, ErrOffline) {
		t.Error(err)
	}
}

func TestPacketIDsAreNotReused(t *testing.T) {
	p := connectedPeer(t, nil)
	p.publishText(1, 1, "t", "a")
	p.lastPacketID = 65534
	_ = p.Subscribe(p.now, 2, []Subscription{{Filter: "f"}}, nil) // 65535
	p.publishText(3, 1, "t", "b")                                 // 0 is none, 1 is taken
	p.expectSent("PUBLISH(t=a q1 #1); SUBSCRIBE f; PUBLISH(t=b q1 #2)")
}

func TestKeepAlive(t *testing.T) {
	const s = time.Second
	p := connectedPeer(t, func(pr *packets.Properties) { pr.ServerKeepAlive = new(uint16(40)) })
	if p.Deadline() != 20*s {
		t.Fatalf("deadline %v", p.Deadline())
	}
	p.Tick(19 * s)
	p.expectSent("")
	// Publishing alone does not show that the server lives.
	p.now = 15 * s
	p.publishText(1, 0, "t", "x")
	p.expectSent("PUBLISH(t=x q0)")
	p.now = 20 * s
	p.Tick(p.now)
	p.expectSent("PINGREQ")
	p.now = 21 * s
	p.receiveHex("d000")
	if p.Deadline() != 40*s {
		t.Errorf("deadline %v", p.Deadline())
	}
	p.now = 40 * s
	p.Tick(p.now)
	p.expectSent("PINGREQ")
	p.Tick(59 * s)
	p.expectEvents("")
	p.Tick(60 * s)
	p.expectEvents("stopped keep alive timeout (0x8D) local=true")
	p.expectSent("DISCONNECT(8d)")
}

func TestLateTimerLooksForBytesFirst(t *testing.T) {
	const s = time.Second
	p := connectedPeer(t, nil) // keep-alive 60
	p.Tick(30 * s)
	p.expectSent("PINGREQ")
	p.Tick(100 * s) // due at 60: the page slept
	p.expectEvents("")
	if p.Deadline() != 105*s {
		t.Errorf("deadline %v", p.Deadline())
	}
	p.now = 101 * s
	p.receiveHex("d000")
	p.Tick(105 * s)
	p.expectEvents("")
	p.takePackets()
	q := connectedPeer(t, nil)
	q.Tick(30 * s)
	q.Tick(100 * s)
	q.Tick(105 * s)
	q.expectEvents("stopped keep alive timeout (0x8D) local=true")
}

func TestKeepAliveOff(t *testing.T) {
	p := newPeer(t)
	p.Open(0, ConnectOptions{ClientID: "c"})
	p.connack(false, nil)
	if p.Deadline() != Never {
		t.Error(p.Deadline())
	}
}

func TestDisconnect(t *testing.T) {
	p := connectedPeer(t, nil)
	p.Disconnect()
	if !bytes.Equal(p.Output(), []byte{0xe0, 0}) {
		t.Errorf("%x", p.Output())
	}
	p.Disconnect()
	p.publishText(1, 0, "t", "late")
	if len(p.Output()) != 2 { // [MQTT-3.14.4-1]
		t.Errorf("%x", p.Output())
	}
	r := connectedPeer(t, nil)
	r.receiveHex("e000")
	r.expectEvents("stopped success (0x00) local=false")
	u := connectedPeer(t, nil)
	u.receivePacket(packets.DISCONNECT, &packets.Disconnect{ReasonCode: 0x8e, Properties: &packets.Properties{ReasonString: "you again"}})
	u.expectEvents("stopped session taken over (0x8E) local=false")
	u.expectSent("")
	if !strings.Contains(u.stopErr.Error(), "you again") {
		t.Error(u.stopErr)
	}
}

func TestAbandonSettlesEverything(t *testing.T) {
	p := connectedPeer(t, func(pr *packets.Properties) { pr.ReceiveMaximum = new(uint16(1)) })
	p.publishText(1, 1, "t", "a")
	p.publishText(2, 2, "t", "b")
	p.Lost()
	p.publishText(3, 0, "t", "c")
	p.Abandon(ErrDropped)
	p.expectEvents("published 1 success (0x00)  the message was dropped from the queue; published 2 success (0x00)  the message was dropped from the queue; sent 3 the message was dropped from the queue")
	if n, size := p.Waiting(); n+size+p.Inflight() != 0 {
		t.Error("something is left")
	}
}

func TestDropOldest(t *testing.T) {
	p := newPeer(t)
	for i := range Token(200) {
		p.publishText(i, 1, "t", "x")
	}
	for i := range 150 {
		if !p.DropOldest() {
			t.Fatal(i)
		}
	}
	if n, size := p.Waiting(); n != 50 || size != 100 {
		t.Error(n, size)
	}
	if len(p.eventLog) != 150 || !strings.HasPrefix(p.eventLog[149], "published 149 ") {
		t.Error(p.eventLog)
	}
	p.publishText(500, 1, "t", "y")
	if n, _ := p.Waiting(); n != 51 {
		t.Error(n)
	}
}

func TestHotPathDoesNotAllocate(t *testing.T) {
	e := NewEngine(discardHandler{}, 0)
	e.Open(0, ConnectOptions{ClientID: "c", TopicAliasMaximum: 8})
	e.Receive(0, []byte{0x20, 6, 0, 0, 3, 34, 0, 8})
	var frame []byte
	for range 50 {
		frame = appendPublish(frame, []byte("sensors/1/temperature"), appendProperty(nil, Property{ID: UserProperty, Data: []byte("a"), Value: []byte("b")}), make([]byte, 200), 1, false, false, 7, 0)
	}
	m := &Outgoing{Topic: []byte("sensors/1/temperature"), Payload: make([]byte, 200)}
	puback := []byte{0x40, 2, 0, 0}
	step := func() {
		e.Receive(1, frame)
		for range 50 {
			_, _ = e.Publish(1, m)
		}
		m.QoS = 1
		for range 5 {
			_, _ = e.Publish(1, m)
		}
		m.QoS = 0
		for id := range e.inflight {
			puback[2], puback[3] = byte(id>>8), byte(id)
			e.Receive(2, puback)
		}
		e.Flushed(2, len(e.Output()))
	}
	step()
	if n := testing.AllocsPerRun(100, step); n > 0 {
		t.Errorf("%v allocations in a turn of 50 messages each way", n)
	}
}

type discardHandler struct{}

func (discardHandler) Connected(*Connack)                        {}
func (discardHandler) Refused(*Connack)                          {}
func (discardHandler) Message(*Publish) bool                     { return true }
func (discardHandler) Published(Token, PublishResult)            {}
func (discardHandler) Sent(Token, error)                         {}
func (discardHandler) Subscribed(Token, []byte, string, error)   {}
func (discardHandler) Unsubscribed(Token, []byte, string, error) {}
func (discardHandler) Stopped(*StopError)                        {}

func BenchmarkReceive(b *testing.B) {
	e := NewEngine(discardHandler{}, 0)
	e.Open(0, ConnectOptions{ClientID: "c"})
	e.Receive(0, []byte{0x20, 3, 0, 0, 0})
	frame := appendPublish(nil, []byte("sensors/1/temperature"), nil, make([]byte, 200), 0, false, false, 0, 0)
	b.ReportAllocs()
	b.SetBytes(int64(len(frame)))
	for b.Loop() {
		e.Receive(1, frame)
	}
}

func BenchmarkPublish(b *testing.B) {
	e := NewEngine(discardHandler{}, 0)
	e.Open(0, ConnectOptions{ClientID: "c"})
	e.Receive(0, []byte{0x20, 3, 0, 0, 0})
	m := &Outgoing{Topic: []byte("sensors/1/temperature"), Payload: make([]byte, 200)}
	b.ReportAllocs()
	b.SetBytes(200)
	for b.Loop() {
		_, _ = e.Publish(1, m)
		e.Flushed(1, len(e.Output()))
	}
}
