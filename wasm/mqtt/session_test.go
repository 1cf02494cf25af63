package mqtt

import (
	"errors"
	"strings"
	"testing"

	"github.com/eclipse/paho.golang/packets"
)

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

func TestSessionLost(t *testing.T) {
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

// On each connection, the engine sends a PUBREL for an abandoned QoS 2 message, until
// the server answers. Until then the packet identifier stays in use.
func TestAbandonedQoS2IsReleased(t *testing.T) {
	p := connectedPeer(t, nil)
	p.publishText(1, 2, "t", "x")
	p.takePackets()
	p.AbandonSent(ErrDropped)
	p.reconnect(true, nil)
	p.expectSent("PUBREL(#1 0)")
	p.lastPacketID = 0
	p.publishText(2, 2, "t", "y")
	p.expectSent("PUBLISH(t=y q2 #2)")
	p.reconnect(true, nil) // before the PUBCOMP
	p.expectSent("PUBREL(#1 0); PUBLISH(t=y q2 #2 dup)")
	p.Receive(0, appendAck(nil, typePubcomp, 1, PacketIDNotFound))
	p.reconnect(true, nil)
	p.expectSent("PUBLISH(t=y q2 #2 dup)")
	p.AbandonSent(ErrDropped)
	p.reconnect(false, nil) // without a session, no delivery is pending
	p.expectSent("")
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
		t.Error("messages remain")
	}
}

func TestHeld(t *testing.T) {
	p := connectedPeer(t, func(pr *packets.Properties) { pr.ReceiveMaximum = new(uint16(1)) })
	for i := range Token(2) {
		p.publishText(i+1, 1, "t", strings.Repeat("x", 1000))
	}
	if n := p.Held(); n < 3000 || n > 3500 { // in flight, queued, and in the output
		t.Errorf("%d bytes are held, want 3000 to 3500", n)
	}
	p.takePackets()
	p.AbandonSent(ErrDropped)
	p.expectEvents("published 1 success (0x00)  the message was dropped from the queue")
	if n := p.Held(); n < 1000 || n > 1500 {
		t.Errorf("%d bytes are held, want 1000 to 1500", n)
	}
}

func TestDropOldest(t *testing.T) {
	p := newPeer(t)
	for i := range Token(200) {
		p.publishText(i, 1, "t", "x")
	}
	for i := range 150 {
		if !p.DropOldest() {
			t.Fatalf("DropOldest has dropped only %d messages", i)
		}
	}
	if n, size := p.Waiting(); n != 50 || size != 100 {
		t.Errorf("%d messages with %d bytes are queued, want 50 with 100", n, size)
	}
	if len(p.eventLog) != 150 || !strings.HasPrefix(p.eventLog[149], "published 149 ") {
		t.Errorf("the events are %q, want 150 results", p.eventLog)
	}
	p.publishText(500, 1, "t", "y")
	if n, _ := p.Waiting(); n != 51 {
		t.Errorf("%d messages are queued, want 51", n)
	}
}

func TestPacketIDsAreNotReused(t *testing.T) {
	p := connectedPeer(t, nil)
	p.publishText(1, 1, "t", "a")
	p.lastPacketID = 65534
	_ = p.Subscribe(p.now, 2, []Subscription{{Filter: "f"}}, nil) // uses 65535
	p.publishText(3, 1, "t", "b")                                 // 0 is invalid, 1 is in use
	p.expectSent("PUBLISH(t=a q1 #1); SUBSCRIBE f; PUBLISH(t=b q1 #2)")
}

func TestAllPacketIDsInUse(t *testing.T) {
	p := connectedPeer(t, nil)
	m := &Outgoing{Topic: []byte("t"), QoS: 1}
	for range 65536 {
		_, _ = p.Publish(p.now, m)
		if p.Full() {
			p.Flushed(p.now, len(p.Output()))
		}
	}
	if n, _ := p.Waiting(); n != 1 || p.Inflight() != 65535 {
		t.Errorf("%d messages are queued and %d are in flight, want 1 and 65535", n, p.Inflight())
	}
	if err := p.Subscribe(p.now, 1, []Subscription{{Filter: "f"}}, nil); !errors.Is(err, errNoPacketID) {
		t.Error(err)
	}
}
