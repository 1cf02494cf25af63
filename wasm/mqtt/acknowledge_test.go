package mqtt

import (
	"fmt"
	"testing"
)

// The engine acknowledges neither a message that the Handler has not accepted nor the
// messages after it [MQTT-4.6.0-2] [MQTT-4.6.0-3].
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
	p.Acknowledge(p.tickets[0]) // a second call and an unknown ticket have no effect
	p.Acknowledge(p.tickets[1] + 100)
	p.receiveMessage(4, 1, false)
	p.expectSent("PUBACK(#4 0)")
}

// Receive Maximum bounds the number of messages that the Handler has not accepted.
func TestReceiveMaximumBoundsUnclaimedMessages(t *testing.T) {
	p := connectedPeer(t, nil)
	p.unclaimed = true
	for id := range uint16(testOptions.ReceiveMaximum) {
		p.receiveMessage(id+1, 1, false)
	}
	if p.stopErr != nil {
		t.Fatalf("the engine has stopped: %v", p.stopErr)
	}
	p.receiveMessage(99, 1, false)
	if p.stopErr == nil || p.stopErr.Reason != ReceiveMaximumExceeded {
		t.Errorf("the engine stops with %v, want receive maximum exceeded", p.stopErr)
	}
}

// The server sends unacknowledged messages again on the next connection, where the
// tickets of the previous connection are invalid.
func TestUnclaimedMessagesAreRetransmitted(t *testing.T) {
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

// A PUBREC waits until the earlier messages are acknowledged. If the connection ends before
// the engine sends the PUBREC, the engine still delivers the QoS 2 message only once.
func TestQoS2BehindUnclaimedMessageIsDeliveredOnce(t *testing.T) {
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

// A server may repeat a QoS 2 message whose PUBREC waits behind an unaccepted message.
// The queue does not grow with the repetitions.
func TestRepeatedMessagesAreBounded(t *testing.T) {
	p := connectedPeer(t, nil)
	p.receiveMessage(2, 2, false)
	p.expectSent("PUBREC(#2 0)")
	p.unclaimed = true
	p.receiveMessage(1, 1, false)
	for range 10_000 {
		p.receiveMessage(2, 2, true)
	}
	if n := len(p.acks.list); n > 2 {
		t.Errorf("%d acknowledgements wait", n)
	}
	p.Acknowledge(p.tickets[0])
	p.expectSent("PUBACK(#1 0); PUBREC(#2 0)")
}
