package broker

import (
	"fmt"
	"strings"
	"testing"

	"iot.wasm/internal/localiot/mqtttest"

	"github.com/eclipse/paho.golang/packets"
)

// Client and server may use the same packet identifiers at the same time [MQTT-2.2.1].
func TestPacketIdentifiersOfBothSides(t *testing.T) {
	s := start(t, Options{})
	c, _ := s.connect("c", mqtttest.WithSession(true, 100))
	other, _ := s.connect("other", nil)
	c.Subscribe(1, "t", 1)
	other.PublishAll(3, "t")
	seen := make(map[string]bool)
	for range 3 {
		p := mqtttest.Receive[*packets.Publish](c) // stays unacknowledged, with identifiers 1, 2 and 3
		seen[fmt.Sprint(p.PacketID, " ", string(p.Payload))] = true
	}
	c.Subscribe(1, "u", 1)
	c.Publish(2, "elsewhere", "")
	if ack := mqtttest.Receive[*packets.Puback](c); ack.PacketID != 2 {
		t.Errorf("PUBACK %d, want 2", ack.PacketID)
	}
	c.Send(&packets.Unsubscribe{PacketID: 3, Topics: []string{"u"}})
	if ack := mqtttest.Receive[*packets.Unsuback](c); ack.PacketID != 3 || ack.Reasons[0] != 0 {
		t.Errorf("UNSUBACK %d %x, want 3 00", ack.PacketID, ack.Reasons)
	}

	c.WS.CloseNow()
	c, _ = s.connect("c", mqtttest.WithSession(false, 100))
	for range 3 {
		p := mqtttest.Receive[*packets.Publish](c)
		if key := fmt.Sprint(p.PacketID, " ", string(p.Payload)); !seen[key] || !p.Duplicate {
			t.Errorf("received %v again, want one of %v", p, seen)
		} else {
			delete(seen, key)
		}
		c.Send(&packets.Puback{PacketID: p.PacketID})
	}
	c.Ping()
}

func TestReceiveMaximum(t *testing.T) {
	s := start(t, Options{})
	const window, n = 10, 35
	c, _ := s.connect("c", mqtttest.WithSession(true, window))
	other, _ := s.connect("other", nil)
	c.Subscribe(1, "t", 1)
	for range 5 {
		other.PublishAll(n, "t")
		var inFlight []uint16
		for i := range n {
			if len(inFlight) == window {
				c.Ping() // no message arrives before the PINGRESP
				for _, id := range inFlight {
					c.Send(&packets.Puback{PacketID: id})
				}
				inFlight = nil
			}
			p := mqtttest.Receive[*packets.Publish](c)
			if string(p.Payload) != fmt.Sprint(i) {
				t.Fatalf("received %v, want message %d", p, i)
			}
			inFlight = append(inFlight, p.PacketID)
		}
		for _, id := range inFlight {
			c.Send(&packets.Puback{PacketID: id})
		}
	}

	// The Receive Maximum of the next connection applies to the stored messages.
	other.PublishAll(n, "t")
	c.Send(&packets.Disconnect{})
	for {
		if _, err := c.Next(); err != nil {
			break
		}
	}
	c, ack := s.connect("c", mqtttest.WithSession(false, 3))
	if !ack.SessionPresent {
		t.Fatal("no session present")
	}
	seen := make(map[string]bool)
	for len(seen) < n {
		var ids []uint16
		for range min(3, n-len(seen)) {
			p := mqtttest.Receive[*packets.Publish](c)
			seen[string(p.Payload)] = true
			ids = append(ids, p.PacketID)
		}
		c.Ping()
		for _, id := range ids {
			c.Send(&packets.Puback{PacketID: id})
		}
	}
}

// An acknowledgement of an unknown identifier neither releases nor reorders delayed messages.
func TestAcknowledgementsOfUnknownIdentifiers(t *testing.T) {
	s := start(t, Options{})
	const n = 4
	c, _ := s.connect("c", mqtttest.WithSession(true, 1))
	other, _ := s.connect("other", nil)
	c.Subscribe(1, "t", 1)
	other.PublishAll(n, "t")
	for i := range n {
		p := mqtttest.Receive[*packets.Publish](c)
		if string(p.Payload) != fmt.Sprint(i) {
			t.Errorf("received %q, want message %d", p.Payload, i)
		}
		c.Send(&packets.Puback{PacketID: p.PacketID + 1}) // the client has not received this message
		c.Send(&packets.Puback{PacketID: p.PacketID + 100})
		c.Ping() // no message arrives before the PINGRESP
		c.Send(&packets.Puback{PacketID: p.PacketID})
	}
	c.Ping()
}

// The broker drops a message that exceeds the Maximum Packet Size of the client. Later messages, and the
// next connection of the session, are not affected.
func TestMaximumPacketSizeOfClient(t *testing.T) {
	s := start(t, Options{})
	small := func(clean bool) func(*packets.Connect) {
		return func(p *packets.Connect) {
			mqtttest.WithSession(clean, 1)(p)
			size := uint32(100)
			p.Properties.MaximumPacketSize = &size
		}
	}
	c, _ := s.connect("c", small(true))
	other, _ := s.connect("other", nil)
	c.Subscribe(1, "t", 1)
	receiveSmall := func() {
		t.Helper()
		p := mqtttest.Receive[*packets.Publish](c)
		if string(p.Payload) != "small" {
			t.Fatalf("received %d bytes, want \"small\"", len(p.Payload))
		}
		c.Send(&packets.Puback{PacketID: p.PacketID})
	}
	publish := func(payload string) {
		t.Helper()
		other.Publish(1, "t", payload)
		mqtttest.Receive[*packets.Puback](other)
	}
	large := strings.Repeat("x", 101)
	for _, payload := range []string{"small", large, "small", large, large, "small"} {
		publish(payload)
	}
	receiveSmall()
	receiveSmall()
	receiveSmall()

	// The same while the client is not connected.
	c.Send(&packets.Disconnect{})
	c.WantClose()
	publish(large)
	publish("small")
	c, _ = s.connect("c", small(false))
	receiveSmall()
	c.Ping()
}
