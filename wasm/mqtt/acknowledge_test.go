package mqtt

import (
	"fmt"
	"testing"

	"github.com/eclipse/paho.golang/packets"
)

// arrive has a message of QoS 1 or 2 come.
func (p *peer) arrive(id uint16, qos byte, dup bool) {
	p.Receive(p.now, appendPublish(nil, []byte("t"), nil, []byte{'0' + byte(id)}, qos, false, dup, id, 0))
}

// A message without a recipient is not acknowledged, and neither is what came
// behind it [MQTT-4.6.0-2] [MQTT-4.6.0-3].
func TestUnclaimedMessagesAreNotAcknowledged(t *testing.T) {
	p := online(t, nil)
	p.unclaimed = true
	p.arrive(1, 1, false)
	p.arrive(2, 2, false)
	p.unclaimed = false
	p.arrive(3, 1, false)
	p.expect("")
	p.Acknowledge(p.tickets[1])
	p.expect("")
	p.Acknowledge(p.tickets[0])
	p.expect("PUBACK(#1 0); PUBREC(#2 0); PUBACK(#3 0)")
	p.Acknowledge(p.tickets[0]) // again, or too late: nothing
	p.Acknowledge(p.tickets[1] + 100)
	p.arrive(4, 1, false)
	p.expect("PUBACK(#4 0)")
}

// Receive Maximum bounds what waits.
func TestReceiveMaximumBoundsTheUnclaimed(t *testing.T) {
	p := online(t, nil)
	p.unclaimed = true
	for id := range uint16(testOptions.ReceiveMaximum) {
		p.arrive(id+1, 1, false)
	}
	if p.why != nil {
		t.Fatal(p.why)
	}
	p.arrive(99, 1, false)
	if p.why == nil || p.why.Reason != ReceiveMaximumExceeded {
		t.Errorf("%v", p.why)
	}
}

// What was not acknowledged comes again on the next connection, and tickets of the
// one before say nothing there.
func TestUnclaimedMessagesComeAgain(t *testing.T) {
	for _, qos := range []byte{1, 2} {
		p := online(t, nil)
		p.unclaimed = true
		p.arrive(1, qos, false)
		p.arrive(2, qos, false)
		old := p.tickets
		p.again(true, nil)
		p.log = nil
		p.arrive(1, qos, true)
		for _, ticket := range old {
			p.Acknowledge(ticket)
		}
		p.expect("")
		p.hears(fmt.Sprintf("message t=1 q%d rfalse dtrue ", qos))
		p.Acknowledge(p.tickets[2])
		p.expect(map[byte]string{1: "PUBACK(#1 0)", 2: "PUBREC(#1 0)"}[qos])
	}
}

// A QoS 2 message that has its recipient, and whose PUBREC waits behind another
// acknowledgement, is not handed on again by the next connection.
func TestQoS2BehindAnUnclaimedMessageIsHandedOnOnce(t *testing.T) {
	p := online(t, nil)
	p.unclaimed = true
	p.arrive(1, 1, false)
	p.unclaimed = false
	p.arrive(2, 2, false)
	p.expect("")
	p.again(true, nil)
	p.log = nil
	p.unclaimed = true
	p.arrive(1, 1, true)
	p.arrive(2, 2, true)
	p.hears("message t=1 q1 rfalse dtrue ")
	p.expect("")
	p.Acknowledge(p.tickets[1])
	p.expect("PUBACK(#1 0); PUBREC(#2 0)")
}

// [MQTT-4.6.0-4]: after a resume the PUBRELs go in the order of the PUBRECs.
func TestPubrelsKeepTheOrderOfPubrecs(t *testing.T) {
	p := online(t, nil)
	for k := range Token(4) {
		p.pub(k+1, 2, "t", "x")
	}
	p.sends()
	for _, id := range []uint16{3, 1, 4} {
		p.Receive(0, appendAck(nil, typePubrec, id, Success))
	}
	p.expect("PUBREL(#3 0); PUBREL(#1 0); PUBREL(#4 0)")
	p.again(true, nil)
	p.expect("PUBREL(#3 0); PUBREL(#1 0); PUBREL(#4 0); PUBLISH(t=x q2 #2 dup)")
}

// A server that resumes a session may repeat a PUBREC before the message has had its
// turn to be sent again. It has taken the message over, so it must not come again.
func TestPubrecBeforeTheRetransmission(t *testing.T) {
	p := online(t, nil)
	for k := range Token(3) {
		p.pub(k+1, 2, "t", "x")
	}
	p.sends()
	p.Receive(0, appendAck(nil, typePubrec, 3, Success))
	p.sends()
	p.again(true, func(pr *packets.Properties) { pr.ReceiveMaximum = new(uint16(1)) })
	p.log = nil
	p.expect("PUBLISH(t=x q2 #1 dup)")
	p.Receive(0, appendAck(nil, typePubrec, 2, Success)) // of a PUBLISH whose turn has not come
	p.Receive(0, appendAck(nil, typePubrec, 3, Success)) // of one whose PUBREL has not
	p.expect("PUBREL(#2 0); PUBREL(#3 0)")
	for _, id := range []uint16{2, 3} {
		p.Receive(0, appendAck(nil, typePubcomp, id, Success))
	}
	p.hears("published 2 success (0x00)  <nil>; published 3 success (0x00)  <nil>")
	p.Receive(0, appendAck(nil, typePubrec, 1, Success))
	p.Receive(0, appendAck(nil, typePubcomp, 1, Success))
	p.expect("PUBREL(#1 0)")
}

// The QoS 2 flow of a message that was given up is ended in every session that may
// have begun it. Its packet identifier is not used until the server has answered.
func TestGivenUpQoS2IsReleased(t *testing.T) {
	p := online(t, nil)
	p.pub(1, 2, "t", "x")
	p.sends()
	p.AbandonSent(ErrDropped)
	p.again(true, nil)
	p.expect("PUBREL(#1 0)")
	p.lastID = 0
	p.pub(2, 2, "t", "y")
	p.expect("PUBLISH(t=y q2 #2)")
	p.again(true, nil) // before PUBCOMP has come
	p.expect("PUBREL(#1 0); PUBLISH(t=y q2 #2 dup)")
	p.Receive(0, appendAck(nil, typePubcomp, 1, PacketIDNotFound))
	p.again(true, nil)
	p.expect("PUBLISH(t=y q2 #2 dup)")
	p.AbandonSent(ErrDropped)
	p.again(false, nil) // the session is gone, and the flow with it
	p.expect("")
}
