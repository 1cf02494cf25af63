package mqtt

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/eclipse/paho.golang/packets"

	"iot.wasm/internal/pahotest"
)

// peer is an engine with its Handler and its server. The Handler records the events.
// The methods of peer encode the packets of the server, and decode the packets of the
// engine, with paho.
type peer struct {
	*Engine
	t        testing.TB
	now      time.Duration
	eventLog []string
	stopErr  *StopError
	// unclaimed makes Message return false and record the tickets.
	unclaimed bool
	rest      []byte // the bytes after the argument of ReceivePart
	tickets   []uint32
}

func newPeer(t testing.TB) *peer {
	p := &peer{t: t}
	p.Engine = NewEngine(p, 0)
	return p
}

var testOptions = ConnectOptions{ClientID: "c", KeepAlive: 60, CleanStart: true, SessionExpiry: 100, ReceiveMaximum: 10, MaximumPacketSize: 1000, TopicAliasMaximum: 5}

// connectedPeer returns a peer after a CONNACK. edit may change the properties of the
// CONNACK; it may be nil.
func connectedPeer(t testing.TB, edit func(*packets.Properties)) *peer {
	t.Helper()
	p := newPeer(t)
	p.Open(0, testOptions)
	p.expectSent("CONNECT")
	p.connack(false, edit)
	p.expectEvents("connected session=false")
	return p
}

// connectingPeer returns a peer after its CONNECT, with the limits that
// wasm/client uses.
func connectingPeer(t testing.TB) *peer {
	t.Helper()
	p := newPeer(t)
	o := testOptions
	o.MaximumPacketSize = 16 << 20
	o.ReceiveMaximum = 1024
	p.Open(0, o)
	p.takePackets()
	return p
}

// ackTimeoutPeer returns a connected peer with an acknowledgement timeout of ten
// seconds and without keep-alive.
func ackTimeoutPeer(t testing.TB) *peer {
	t.Helper()
	p := newPeer(t)
	p.connect(true)
	return p
}

// connect opens a connection of ackTimeoutPeer. clean is Clean Start.
func (p *peer) connect(clean bool) {
	o := testOptions
	o.KeepAlive, o.CleanStart, o.AckTimeout = 0, clean, 10*time.Second
	p.Open(p.now, o)
	p.takePackets()
	p.connack(!clean, nil)
	p.eventLog = nil
}

// reconnect replaces the connection by a new one. session is the flag Session Present of
// its CONNACK.
func (p *peer) reconnect(session bool, edit func(*packets.Properties)) {
	p.t.Helper()
	p.Lost()
	o := testOptions
	o.CleanStart = false
	p.Open(p.now, o)
	p.expectSent("CONNECT")
	p.connack(session, edit)
}

func (p *peer) connack(session bool, edit func(*packets.Properties)) {
	p.t.Helper()
	c := &packets.Connack{SessionPresent: session, Properties: noProperties()}
	if edit != nil {
		edit(c.Properties)
	}
	p.receivePacket(packets.CONNACK, c)
}

func (p *peer) advance(d time.Duration) {
	p.now += d
	p.Tick(p.now)
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
	p.record("message %s=%s%s q%d r%v d%v %s", m.Topic, m.Payload, p.rest[:m.Missing], m.QoS, m.Retain, m.Duplicate, strings.Join(props, ","))
	if p.unclaimed {
		p.tickets = append(p.tickets, m.Ticket)
	}
	return !p.unclaimed
}

func (p *peer) NeedsPayload(*Publish) bool { return p.unclaimed }

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

func (p *peer) Stopped(err *StopError) {
	p.stopErr = err
	p.record("stopped %v local=%v", err.Reason, err.Local)
}

// events returns the events since the last call.
func (p *peer) events() string {
	s := strings.Join(p.eventLog, "; ")
	p.eventLog = nil
	return s
}

func (p *peer) expectEvents(want string) {
	p.t.Helper()
	if got := p.events(); got != want {
		p.t.Errorf("events %q,\n  want %q", got, want)
	}
}

// takePackets returns the packets in the output and flushes it.
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
			p.t.Fatalf("invalid output: %v: %x", err, p.Output())
		}
		list = append(list, cp)
	}
	p.Flushed(p.now, len(p.Output()))
	return list
}

// sentPackets describes the packets in the output and flushes it.
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

func (p *peer) receivePacket(kind byte, content packets.Packet) {
	p.t.Helper()
	p.Receive(p.now, pahotest.Encode(p.t, kind, content))
}

func (p *peer) receiveHex(s string) {
	p.t.Helper()
	b, err := hex.DecodeString(strings.ReplaceAll(s, " ", ""))
	if err != nil {
		p.t.Fatal(err)
	}
	p.Receive(p.now, b)
}

// receiveParts passes a frame to the engine in parts. size returns the size of a part; left
// is the number of bytes that the frame still has. The memory of a part does not remain
// valid. The result is the number of bytes that the engine has skipped.
func (p *peer) receiveParts(frame []byte, size func(left int) int) (skipped int) {
	p.t.Helper()
	for len(frame) > 0 {
		n := min(max(1, size(len(frame))), len(frame))
		part := bytes.Clone(frame[:n])
		p.rest = frame[n:]
		processed := p.ReceivePart(p.now, part, len(p.rest))
		if processed < 1 || processed > len(frame) {
			p.t.Fatalf("the engine reports %d processed bytes of %d", processed, len(frame))
		}
		clear(part)
		skipped += max(0, processed-n)
		frame = frame[processed:]
	}
	p.rest = nil
	return skipped
}

// receiveMessage receives a message of QoS 1 or 2.
func (p *peer) receiveMessage(id uint16, qos byte, dup bool) {
	p.Receive(p.now, appendPublish(nil, []byte("t"), nil, []byte{'0' + byte(id)}, qos, false, dup, id, 0))
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

// appendProperty appends p to the encoded properties in b. p must be a property
// of a PUBLISH.
func appendProperty(b []byte, p Property) []byte {
	b = append(b, byte(p.ID))
	switch propertyTable[p.ID].kind {
	case kindBool:
		return append(b, byte(p.Number))
	case kindUint16:
		return binary.BigEndian.AppendUint16(b, uint16(p.Number))
	case kindUint32:
		return binary.BigEndian.AppendUint32(b, p.Number)
	case kindVarint:
		return appendVarint(b, p.Number)
	case kindStringPair:
		return appendField(appendField(b, p.Data), p.Value)
	}
	return appendField(b, p.Data)
}

func noProperties() *packets.Properties { return &packets.Properties{} }

func userProperties(n int) (list []packets.User) {
	for range n {
		list = append(list, packets.User{})
	}
	return list
}
