package mqtt

import (
	"fmt"
	"testing"

	"github.com/eclipse/paho.golang/packets"
)

// arrive has a message of QoS 1 or 2 come.
func (p *peer) receiveMessage(id uint16, qos byte, dup bool) {
	p.Receive(p.now, appendPublish(nil, []byte("t"), nil, []byte{'0' + byte(id)}, qos, false, dup, id, 0))
}

// A message without a recipient is not acknowledged, and neither is what came
// behind it [MQTT-4.6.0-2] [MQTT-4.6.0-3].
func TestUnclaimedMessagesAreNotAcknowledged(t *testing.T) {
	p := connectedPeer(t, nil)
	p.unclaimed = true
	p.receiveMessage(1, 1, false)
	p.receiveMessage(2, 2, false)
	p.unclaimed = false
	p.receiveMessage(3, 1, false)
	p.expectSent("")
	p.Acknowledge(p.tickets[1])
	p.expectSent("")
	p.Acknowledge(p.tickets[0])
	p.expectSent("PUBACK(#1 0); PUBREC(#2 0); PUBACK(#3 0)")
	p.Acknowledge(p.tickets[0]) // again, or too late: nothing
	p.Acknowledge(p.tickets[1] + 100)
	p.receiveMessage(4, 1, false)
	p.expectSent("PUBACK(#4 0)")
}

// Receive Maximum bounds what waits.
func TestReceiveMaximumBoundsTheUnclaimed(t *testing.T) {
	p := connectedPeer(t, nil)
	p.unclaimed = true
	for id := range uint16(testOptions.ReceiveMaximum) {
		p.receiveMessage(id+1, 1, false)
	}
	if p.stopErr != nil {
		t.Fatal(p.stopErr)
	}
	p.receiveMessage(99, 1, false)
	if p.stopErr == nil || p.stopErr.Reason != ReceiveMaximumExceeded {
		t.Errorf("%v", p.stopErr)
	}
}

// What was not acknowledged comes again on the next connection, and tickets of the
// one before say nothing there.
func TestUnclaimedMessagesComeAgain(t *testing.T) {
	for _, qos := range []byte{1, 2} {
		p := connectedPeer(t, nil)
		p.unclaimed = true
		p.receiveMessage(1, qos, false)
		p.receiveMessage(2, qos, false)
		old := p.tickets
		p.reconnect(true, nil)
		p.eventLog = nil
		p.receiveMessage(1, qos, true)
		for _, ticket := range old {
			p.Acknowledge(ticket)
		}
		p.expectSent("")
		p.expectEvents(fmt.Sprintf("message t=1 q%d rfalse dtrue ", qos))
		p.Acknowledge(p.tickets[2])
		p.expectSent(map[byte]string{1: "PUBACK(#1 0)", 2: "PUBREC(#1 0)"}[qos])
	}
}

// A QoS 2 message that has its recipient, and whose PUBREC waits behind another
// acknowledgement, is not handed on again by the next connection.
func TestQoS2BehindAnUnclaimedMessageIsHandedOnOnce(t *testing.T) {
	p := connectedPeer(t, nil)
	p.unclaimed = true
	p.receiveMessage(1, 1, false)
	p.unclaimed = false
	p.receiveMessage(2, 2, false)
	p.expectSent("")
	p.reconnect(true, nil)
	p.eventLog = nil
	p.unclaimed = true
	p.receiveMessage(1, 1, true)
	p.receiveMessage(2, 2, true)
	p.expectEvents("message t=1 q1 rfalse dtrue ")
	p.expectSent("")
	p.Acknowledge(p.tickets[1])
	p.expectSent("PUBACK(#1 0); PUBREC(#2 0)")
}

// [MQTT-4.6.0-4]: after a resume the PUBRELs go in the order of the PUBRECs.
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

// A server that resumes a session may repeat a PUBREC before the message has had its
// turn to be sent again. It has taken the message over, so it must not come again.
func TestPubrecBeforeTheRetransmission(t *testing.T) {
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
	p.Receive(0, appendAck(nil, typePubrec, 2, Success)) // of a PUBLISH whose turn has not come
	p.Receive(0, appendAck(nil, typePubrec, 3, Success)) // of one whose PUBREL has not
	p.expectSent("PUBREL(#2 0); PUBREL(#3 0)")
	for _, id := range []uint16{2, 3} {
		p.Receive(0, appendAck(nil, typePubcomp, id, Success))
	}
	p.expectEvents("published 2 success (0x00)  <nil>; published 3 success (0x00)  <nil>")
	p.Receive(0, appendAck(nil, typePubrec, 1, Success))
	p.Receive(0, appendAck(nil, typePubcomp, 1, Success))
	p.expectSent("PUBREL(#1 0)")
}

// The QoS 2 flow of a message that was given up is ended in every session that may
// have begun it. Its packet identifier is not used until the server has answered.
func TestGivenUpQoS2IsReleased(t *testing.T) {
	p := connectedPeer(t, nil)
	p.publishText(1, 2, "t", "x")
	p.takePackets()
	p.AbandonSent(ErrDropped)
	p.reconnect(true, nil)
	p.expectSent("PUBREL(#1 0)")
	p.lastPacketID = 0
	p.publishText(2, 2, "t", "y")
	p.expectSent("PUBLISH(t=y q2 #2)")
	p.reconnect(true, nil) // before PUBCOMP has come
	p.expectSent("PUBREL(#1 0); PUBLISH(t=y q2 #2 dup)")
	p.Receive(0, appendAck(nil, typePubcomp, 1, PacketIDNotFound))
	p.reconnect(true, nil)
	p.expectSent("PUBLISH(t=y q2 #2 dup)")
	p.AbandonSent(ErrDropped)
	p.reconnect(false, nil) // the session is gone, and the flow with it
	p.expectSent("")
}
