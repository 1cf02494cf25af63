package localiot

import (
	"fmt"
	"strings"
	"testing"

	"github.com/eclipse/paho.golang/packets"
)

// receiveMax asks for a session that lasts, and for at most n messages in flight.
func receiveMax(n uint16, clean bool) func(*packets.Connect) {
	return func(p *packets.Connect) {
		expiry := uint32(3600)
		p.CleanStart = clean
		p.Properties = &packets.Properties{ReceiveMaximum: &n, SessionExpiryInterval: &expiry}
	}
}

// publishAll publishes messages 0 to n-1 with QoS 1 and waits until they are acknowledged.
func (c *client) publishAll(n int, topic string) {
	c.t.Helper()
	for i := range n {
		c.publish(uint16(i+1), topic, fmt.Sprint(i))
		if ack := receive[*packets.Puback](c); int(ack.PacketID) != i+1 {
			c.t.Fatalf("PUBACK %d, want %d", ack.PacketID, i+1)
		}
	}
}

// Both sides number their packets from 1, and neither has to care for the other's numbers.
func TestPacketIdentifiersOfBothSides(t *testing.T) {
	s := start(t, Options{})
	c, _ := s.connect("c", receiveMax(100, true))
	other, _ := s.connect("other", nil)
	c.subscribe(1, "t", 1)
	other.publishAll(3, "t")
	seen := make(map[string]bool)
	for range 3 {
		p := receive[*packets.Publish](c) // in flight from here on, as 1, 2 and 3
		seen[fmt.Sprint(p.PacketID, " ", string(p.Payload))] = true
	}
	c.subscribe(1, "u", 1)
	c.publish(2, "elsewhere", "")
	if ack := receive[*packets.Puback](c); ack.PacketID != 2 {
		t.Errorf("PUBACK %d, want 2", ack.PacketID)
	}
	c.send(&packets.Unsubscribe{PacketID: 3, Topics: []string{"u"}})
	if ack := receive[*packets.Unsuback](c); ack.PacketID != 3 || ack.Reasons[0] != 0 {
		t.Errorf("UNSUBACK %d %x, want 3 00", ack.PacketID, ack.Reasons)
	}

	c.ws.CloseNow()
	c, _ = s.connect("c", receiveMax(100, false))
	for range 3 {
		p := receive[*packets.Publish](c)
		if key := fmt.Sprint(p.PacketID, " ", string(p.Payload)); !seen[key] || !p.Duplicate {
			t.Errorf("received %v again, want one of %v", p, seen)
		} else {
			delete(seen, key)
		}
		c.send(&packets.Puback{PacketID: p.PacketID})
	}
	c.ping()
}

func TestReceiveMaximum(t *testing.T) {
	s := start(t, Options{})
	const window, n = 10, 35
	c, _ := s.connect("c", receiveMax(window, true))
	other, _ := s.connect("other", nil)
	c.subscribe(1, "t", 1)
	for range 5 { // the broker alone stalls in the second round
		other.publishAll(n, "t")
		var inFlight []uint16
		for i := range n {
			if len(inFlight) == window {
				c.ping() // and no message before the answer
				for _, id := range inFlight {
					c.send(&packets.Puback{PacketID: id})
				}
				inFlight = nil
			}
			p := receive[*packets.Publish](c)
			if string(p.Payload) != fmt.Sprint(i) {
				t.Fatalf("received %v, want message %d", p, i)
			}
			inFlight = append(inFlight, p.PacketID)
		}
		for _, id := range inFlight {
			c.send(&packets.Puback{PacketID: id})
		}
	}

	// What waited for a client that is gone keeps to the window of its next connection.
	other.publishAll(n, "t")
	c.send(&packets.Disconnect{})
	for {
		if _, err := c.next(); err != nil {
			break
		}
	}
	c, ack := s.connect("c", receiveMax(3, false))
	if !ack.SessionPresent {
		t.Fatal("no session present")
	}
	seen := make(map[string]bool)
	for len(seen) < n {
		var ids []uint16
		for range min(3, n-len(seen)) {
			p := receive[*packets.Publish](c)
			seen[string(p.Payload)] = true
			ids = append(ids, p.PacketID)
		}
		c.ping()
		for _, id := range ids {
			c.send(&packets.Puback{PacketID: id})
		}
	}
}

// An acknowledgement of nothing opens no place for another message.
func TestUnaskedAcknowledgements(t *testing.T) {
	s := start(t, Options{})
	c, _ := s.connect("c", receiveMax(1, true))
	other, _ := s.connect("other", nil)
	c.subscribe(1, "t", 1)
	other.publishAll(2, "t")
	first := receive[*packets.Publish](c)
	for id := range uint16(5) {
		c.send(&packets.Puback{PacketID: first.PacketID + id + 1})
	}
	c.ping()
	c.send(&packets.Puback{PacketID: first.PacketID})
	receive[*packets.Publish](c)
}

// A message that the client has said to be too large for it is not sent, nor is it in the way of
// those that follow or of the session's next connection.
func TestMaximumPacketSizeOfClient(t *testing.T) {
	s := start(t, Options{})
	small := func(clean bool) func(*packets.Connect) {
		return func(p *packets.Connect) {
			receiveMax(1, clean)(p)
			size := uint32(100)
			p.Properties.MaximumPacketSize = &size
		}
	}
	c, _ := s.connect("c", small(true))
	other, _ := s.connect("other", nil)
	c.subscribe(1, "t", 1)
	receiveSmall := func() {
		t.Helper()
		p := receive[*packets.Publish](c)
		if string(p.Payload) != "small" {
			t.Fatalf("received %d bytes, want \"small\"", len(p.Payload))
		}
		c.send(&packets.Puback{PacketID: p.PacketID})
	}
	publish := func(payload string) {
		t.Helper()
		other.publish(1, "t", payload)
		receive[*packets.Puback](other)
	}
	large := strings.Repeat("x", 101)
	for _, payload := range []string{"small", large, "small", large, large, "small"} {
		publish(payload)
	}
	receiveSmall()
	receiveSmall()
	receiveSmall()

	c.ws.CloseNow()
	publish(large)
	publish("small")
	c, _ = s.connect("c", small(false))
	receiveSmall()
	c.ping()
}
