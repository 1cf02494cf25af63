package mqtt

import (
	"strings"
	"testing"

	"github.com/eclipse/paho.golang/packets"

	"iot.wasm/internal/pahotest"
)

// Every list in a packet has a bound. If a list exceeds its bound, the engine ends the
// connection with reason code 0x97.
func TestListBounds(t *testing.T) {
	long := strings.Repeat("x", maxFieldLen)
	var large []packets.User // few properties, but more than 1 MiB
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
				c.raw = pahotest.Encode(t, c.kind, c.packet)
			}
			p.Receive(0, c.raw)
			if c.ok {
				if p.stopErr != nil {
					t.Errorf("rejected: %v", p.stopErr)
				}
				return
			}
			if p.stopErr == nil || p.stopErr.Reason != QuotaExceeded || !p.stopErr.Local {
				t.Fatalf("after %d bytes, the engine stops with %v, want quota exceeded", len(c.raw), p.stopErr)
			}
			p.expectSent("DISCONNECT(97)")
		})
	}
}

// The engine disconnects from a server that requests acknowledgements and does not
// read them.
func TestUnreadAcknowledgements(t *testing.T) {
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
				t.Errorf("the engine stops with %v and %d bytes of output", p.stopErr, p.Unsent())
			}
		})
	}
	t.Run("a server that reads them may request any number", func(t *testing.T) {
		p := connectingPeer(t)
		p.connack(false, nil)
		for range 3 * maxPriority / 5 {
			p.Receive(0, appendAck(nil, typePubrel, 9, Success))
			p.Flushed(0, len(p.Output()))
		}
		if p.stopErr != nil {
			t.Errorf("the engine has stopped: %v", p.stopErr)
		}
	})
}
