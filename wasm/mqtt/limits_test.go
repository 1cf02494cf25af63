package mqtt

import (
	"strings"
	"testing"

	"github.com/eclipse/paho.golang/packets"
)

// roomy is a peer that takes packets of the size that the client takes.
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

func userProperties(n int) (list []packets.User) {
	for range n {
		list = append(list, packets.User{})
	}
	return list
}

// Every list that a server can make long has a bound, beyond which the connection
// ends with reason code 0x97.
func TestLongListsEndTheConnection(t *testing.T) {
	long := strings.Repeat("x", maxFieldLen)
	var large []packets.User // 1 MiB of properties, though few
	for range 9 {
		large = append(large, packets.User{Key: long, Value: long})
	}
	var identifiers []byte
	for range maxRepeatedProperties + 1 {
		identifiers = appendProperty(identifiers, Property{ID: SubscriptionIdentifier, Number: 1})
	}
	identify := appendPublish(nil, []byte("t"), identifiers, nil, 0, false, false, 0, 0)
	codes := make([]byte, maxOtherPacket)
	for _, c := range []struct {
		name   string
		kind   byte
		packet packets.Packet
		raw    []byte
		ok     bool
	}{
		{name: "CONNACK", kind: packets.CONNACK, packet: &packets.Connack{Properties: &packets.Properties{User: userProperties(maxRepeatedProperties + 1)}}},
		{name: "CONNACK at the bound", kind: packets.CONNACK, packet: &packets.Connack{Properties: &packets.Properties{User: userProperties(maxRepeatedProperties)}}, ok: true},
		{name: "large CONNACK", kind: packets.CONNACK, packet: &packets.Connack{Properties: &packets.Properties{User: large}}},
		{name: "PUBACK", kind: packets.PUBACK, packet: &packets.Puback{PacketID: 1, Properties: &packets.Properties{User: userProperties(maxRepeatedProperties + 1)}}},
		{name: "PUBACK at the bound", kind: packets.PUBACK, packet: &packets.Puback{PacketID: 1, Properties: &packets.Properties{User: userProperties(maxRepeatedProperties)}}, ok: true},
		{name: "PUBREC", kind: packets.PUBREC, packet: &packets.Pubrec{PacketID: 1, Properties: &packets.Properties{User: userProperties(maxRepeatedProperties + 1)}}},
		{name: "PUBREL", kind: packets.PUBREL, packet: &packets.Pubrel{PacketID: 1, Properties: &packets.Properties{User: userProperties(maxRepeatedProperties + 1)}}},
		{name: "PUBCOMP", kind: packets.PUBCOMP, packet: &packets.Pubcomp{PacketID: 1, Properties: &packets.Properties{User: userProperties(maxRepeatedProperties + 1)}}},
		{name: "SUBACK", kind: packets.SUBACK, packet: &packets.Suback{PacketID: 2, Reasons: []byte{0}, Properties: &packets.Properties{User: userProperties(maxRepeatedProperties + 1)}}},
		{name: "SUBACK with many codes", kind: packets.SUBACK, packet: &packets.Suback{PacketID: 2, Reasons: codes, Properties: &packets.Properties{}}},
		{name: "UNSUBACK", kind: packets.UNSUBACK, packet: &packets.Unsuback{PacketID: 2, Reasons: []byte{0}, Properties: &packets.Properties{User: userProperties(maxRepeatedProperties + 1)}}},
		{name: "PUBLISH", kind: packets.PUBLISH, packet: &packets.Publish{Topic: "t", Properties: &packets.Properties{User: userProperties(maxRepeatedProperties + 1)}}},
		{name: "PUBLISH at the bound", kind: packets.PUBLISH, packet: &packets.Publish{Topic: "t", Properties: &packets.Properties{User: userProperties(maxRepeatedProperties)}}, ok: true},
		{name: "PUBLISH with large properties", kind: packets.PUBLISH, packet: &packets.Publish{Topic: "t", Properties: &packets.Properties{User: large}}},
		{name: "PUBLISH with subscription identifiers", raw: identify},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := connectingPeer(t)
			if c.kind != packets.CONNACK {
				p.connack(false, nil)
				p.publishText(1, 1, "t", "")
				if err := p.Subscribe(0, 1, []Subscription{{Filter: "f"}}, nil); err != nil {
					t.Fatal(err)
				}
				p.takePackets()
			}
			if c.raw == nil {
				c.raw = encodePacket(t, c.kind, c.packet)
			}
			p.Receive(0, c.raw)
			if c.ok {
				if p.stopErr != nil {
					t.Errorf("refused: %v", p.stopErr)
				}
				return
			}
			if p.stopErr == nil || p.stopErr.Reason != QuotaExceeded || !p.stopErr.Local {
				t.Fatalf("%d bytes: %v", len(c.raw), p.stopErr)
			}
			p.expectSent("DISCONNECT(97)")
		})
	}
}

// A server that does not read, and goes on asking for acknowledgements, is
// disconnected before they fill the memory.
func TestAcknowledgementsThatNobodyReads(t *testing.T) {
	for name, packet := range map[string][]byte{
		"PUBREC of unknown identifiers": appendAck(nil, typePubrec, 9, Success),
		"PUBREL of unknown identifiers": appendAck(nil, typePubrel, 9, Success),
	} {
		t.Run(name, func(t *testing.T) {
			p := connectingPeer(t)
			p.connack(false, nil)
			frame := []byte{}
			for range 1000 {
				frame = append(frame, packet...)
			}
			for n := 0; p.stopErr == nil; n += len(frame) {
				if p.Receive(0, frame); n > 4*maxPriority {
					t.Fatalf("%d bytes of output after %d of input", p.Unsent(), n)
				}
			}
			if p.stopErr.Reason != QuotaExceeded || p.Unsent() > maxPriority+100 {
				t.Errorf("%v, with %d bytes of output", p.stopErr, p.Unsent())
			}
		})
	}
	t.Run("one that reads may ask for any number", func(t *testing.T) {
		p := connectingPeer(t)
		p.connack(false, nil)
		for range 3 * maxPriority / 5 {
			p.Receive(0, appendAck(nil, typePubrel, 9, Success))
			p.Flushed(0, len(p.Output()))
		}
		if p.stopErr != nil {
			t.Error(p.stopErr)
		}
	})
}

// [MQTT-3.2.2-15]: no packet may exceed the server's Maximum Packet Size. Where not
// even acknowledgements fit, nothing at all is sent.
func TestServerThatTakesNoAcknowledgements(t *testing.T) {
	for _, size := range []uint32{1, 2, 3, 4} {
		p := newPeer(t)
		p.Open(0, testOptions)
		p.takePackets()
		p.connack(false, func(pr *packets.Properties) { pr.MaximumPacketSize = &size })
		if p.stopErr == nil || p.stopErr.Reason != PacketTooLarge || p.Unsent() != 0 {
			t.Errorf("maximum packet size %d: %v, %d bytes to send", size, p.stopErr, p.Unsent())
		}
	}
	p := newPeer(t)
	p.Open(0, testOptions)
	p.takePackets()
	p.connack(false, func(pr *packets.Properties) { pr.MaximumPacketSize = new(uint32(5)) })
	p.Receive(0, appendAck(nil, typePubrel, 7, Success))
	p.Receive(0, []byte{0x36})
	p.Receive(0, []byte{0})
	for _, cp := range p.takePackets() {
		if cp.Type == packets.DISCONNECT && cp.Content.(*packets.Disconnect).ReasonCode != 0x81 {
			t.Errorf("%v", cp)
		}
	}
	if p.expectEvents("connected session=false; stopped malformed packet (0x81) local=true"); p.stopErr == nil {
		t.Error("a malformed packet was passed over")
	}
}
