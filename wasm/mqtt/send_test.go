package mqtt

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/eclipse/paho.golang/packets"
)

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
		t.Errorf("%d messages are in flight, want 0", p.Inflight())
	}
}

func TestQueuedQoS0KeepsItsOrder(t *testing.T) {
	p := connectedPeer(t, nil)
	p.Lost()
	p.publishText(1, 0, "t", "a")
	p.publishText(2, 1, "t", "b")
	p.publishText(3, 0, "t", "c")
	p.reconnect(true, nil)
	p.expectSent("PUBLISH(t=a q0); PUBLISH(t=b q1 #1); PUBLISH(t=c q0)")
	p.expectEvents("connected session=true; sent 1 <nil>; sent 3 <nil>")
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
		t.Errorf("%d messages with %d bytes are queued, want 2 with 4", n, size)
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
		{Outgoing{Topic: []byte("t"), Payload: make([]byte, 14)}, nil}, // 20 bytes: header 2, topic 3, property length 1, payload 14
		{Outgoing{Topic: []byte("t"), Payload: make([]byte, 15)}, ErrTooLarge},
		{Outgoing{Topic: []byte("t"), Payload: make([]byte, 13), QoS: 1}, ErrTooLarge},
	} {
		if _, err := p.Publish(p.now, &c.m); !errors.Is(err, c.want) {
			t.Errorf("QoS %d, %d bytes: %v, want %v", c.m.QoS, len(c.m.Payload), err, c.want)
		}
	}
	if len(p.Output()) != 20 {
		t.Errorf("the output has %d bytes, want 20", len(p.Output()))
	}
	if err := p.Subscribe(p.now, 1, []Subscription{{Filter: strings.Repeat("f", 30)}}, nil); !errors.Is(err, ErrTooLarge) {
		t.Error(err)
	}
	// Messages that were queued offline must respect the limits of the connection.
	q := connectedPeer(t, nil)
	q.Lost()
	q.publishText(1, 2, "t", "x")
	q.publishText(2, 1, "t", "y")
	q.reconnect(false, func(pr *packets.Properties) { pr.MaximumQOS = new(byte(1)) })
	q.expectEvents("connected session=false; published 1 success (0x00)  the server does not support this QoS")
	q.expectSent("PUBLISH(t=y q1 #1)")
}

func TestRetransmissionRespectsNewLimits(t *testing.T) {
	p := connectedPeer(t, nil)
	p.publishText(1, 2, "t", "x")
	p.publishText(2, 1, "t", strings.Repeat("y", 50))
	p.publishText(3, 1, "t", "z")
	p.reconnect(true, func(pr *packets.Properties) { pr.MaximumQOS, pr.MaximumPacketSize = new(byte(1)), new(uint32(50)) })
	p.expectSent("PUBLISH(t=z q1 #3 dup)")
	p.expectEvents("connected session=true; published 1 success (0x00)  the server does not support this QoS; published 2 success (0x00)  the packet would be larger than the server accepts")
}

// The server's Receive Maximum delays PUBRELs. A PUBCOMP or PUBREC for a delayed
// PUBREL does not end the delivery.
func TestPubrelsWithinReceiveMaximum(t *testing.T) {
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
		t.Errorf("%d messages use the quota, and %d bytes are held, want 0 and 0", p.quotaUsed, p.Held())
	}
}

// The engine sends PUBRELs in the order of the PUBRECs, also in a resumed session
// [MQTT-4.6.0-4].
func TestPubrelsKeepTheOrderOfPubrecs(t *testing.T) {
	p := connectedPeer(t, nil)
	for k := range Token(4) {
		p.publishText(k+1, 2, "t", "x")
	}
	p.takePackets()
	for _, id := range []uint16{3, 1, 4} {
		p.Receive(0, appendAck(nil, typePubrec, id, Success))
	}
	p.expectSent("PUBREL(#3 0); PUBREL(#1 0); PUBREL(#4 0)")
	p.reconnect(true, nil)
	p.expectSent("PUBREL(#3 0); PUBREL(#1 0); PUBREL(#4 0); PUBLISH(t=x q2 #2 dup)")
}

// A server that resumes a session may send a PUBREC again before the engine has
// retransmitted the message. The engine must then not retransmit the message.
func TestPubrecBeforeRetransmission(t *testing.T) {
	p := connectedPeer(t, nil)
	for k := range Token(3) {
		p.publishText(k+1, 2, "t", "x")
	}
	p.takePackets()
	p.Receive(0, appendAck(nil, typePubrec, 3, Success))
	p.takePackets()
	p.reconnect(true, func(pr *packets.Properties) { pr.ReceiveMaximum = new(uint16(1)) })
	p.eventLog = nil
	p.expectSent("PUBLISH(t=x q2 #1 dup)")
	p.Receive(0, appendAck(nil, typePubrec, 2, Success)) // its PUBLISH has not been retransmitted
	p.Receive(0, appendAck(nil, typePubrec, 3, Success)) // its PUBREL has not been retransmitted
	p.expectSent("PUBREL(#2 0); PUBREL(#3 0)")
	for _, id := range []uint16{2, 3} {
		p.Receive(0, appendAck(nil, typePubcomp, id, Success))
	}
	p.expectEvents("published 2 success (0x00)  <nil>; published 3 success (0x00)  <nil>")
	p.Receive(0, appendAck(nil, typePubrec, 1, Success))
	p.Receive(0, appendAck(nil, typePubcomp, 1, Success))
	p.expectSent("PUBREL(#1 0)")
}

func TestPubrecResultIsReported(t *testing.T) {
	p := connectedPeer(t, nil)
	p.publishText(1, 2, "t", "x")
	p.receivePacket(packets.PUBREC, &packets.Pubrec{PacketID: 1, ReasonCode: 0x10, Properties: &packets.Properties{ReasonString: "nobody"}})
	p.receivePacket(packets.PUBCOMP, &packets.Pubcomp{PacketID: 1, Properties: noProperties()})
	p.expectEvents("published 1 no matching subscribers (0x10) nobody <nil>")
}
