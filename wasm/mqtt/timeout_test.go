package mqtt

import (
	"testing"
	"time"

	"github.com/eclipse/paho.golang/packets"
)

const unresponsiveEvent = "stopped unspecified error (0x80) local=true"

// If a packet is not acknowledged in time, the engine retransmits it on the next
// connection. After MaxExpiries timeouts it gives up the message.
func TestAckTimeout(t *testing.T) {
	const givenUp = "published 7 success (0x00)  the server did not acknowledge in time"
	for _, c := range []struct {
		name          string
		send          func(p *peer)
		sent          string
		retransmitted string // on the next connection
		afterGivingUp string // on the connection after the last timeout
	}{
		{"PUBLISH QoS 1", func(p *peer) { p.publishText(7, 1, "t", "x") }, "PUBLISH(t=x q1 #1)", "PUBLISH(t=x q1 #1 dup)", ""},
		{"PUBLISH QoS 2", func(p *peer) { p.publishText(7, 2, "t", "x") }, "PUBLISH(t=x q2 #1)", "PUBLISH(t=x q2 #1 dup)", "PUBREL(#1 0)"},
		{"PUBREL", func(p *peer) {
			p.publishText(7, 2, "t", "x")
			p.takePackets()
			p.Receive(0, appendAck(nil, typePubrec, 1, Success))
		},
			"PUBREL(#1 0)", "PUBREL(#1 0)", "PUBREL(#1 0)"},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := ackTimeoutPeer(t)
			c.send(p)
			p.expectSent(c.sent)
			for round := 1; ; round++ {
				if due := p.Deadline(); due != p.now+10*time.Second {
					t.Fatalf("the acknowledgement is due in %v, want 10s", due-p.now)
				}
				p.advance(9 * time.Second)
				p.expectEvents("")
				p.advance(time.Second)
				if round == MaxExpiries {
					break
				}
				p.expectEvents(unresponsiveEvent)
				p.expectSent("DISCONNECT(80)")
				p.Lost()
				p.connect(false)
				p.expectSent(c.retransmitted)
			}
			p.expectEvents(unresponsiveEvent + "; " + givenUp)
			if p.Inflight() != 0 {
				t.Error("a message is still in flight")
			}
			p.Lost()
			p.connect(false)
			p.expectSent(c.afterGivingUp)
		})
	}
}

// Queued messages expire together with the message in flight.
func TestAckTimeoutOfQueuedMessages(t *testing.T) {
	p := newPeer(t)
	o := testOptions
	o.KeepAlive, o.AckTimeout = 0, 10*time.Second
	for round := range MaxExpiries {
		o.CleanStart = round == 0
		p.Open(p.now, o)
		p.takePackets()
		p.connack(round > 0, func(pr *packets.Properties) { pr.ReceiveMaximum = new(uint16(1)) })
		if round == 0 {
			for k := range Token(3) {
				p.publishText(k+1, 1, "t", "x")
			}
		}
		p.takePackets()
		p.eventLog = nil
		p.advance(10 * time.Second)
		if round < MaxExpiries-1 {
			p.expectEvents(unresponsiveEvent)
		}
		p.Lost()
	}
	const expired = " success (0x00)  the server did not acknowledge in time"
	p.expectEvents(unresponsiveEvent + "; published 1" + expired + "; published 2" + expired + "; published 3" + expired)
	if n, _ := p.Waiting(); n+p.Inflight() != 0 {
		t.Errorf("%d messages remain", n+p.Inflight())
	}
}

// A SUBSCRIBE or UNSUBSCRIBE fails with ErrAckTimeout if its answer is overdue when the
// connection ends. Otherwise it fails with ErrConnectionLost.
func TestAckTimeoutOfRequests(t *testing.T) {
	p := ackTimeoutPeer(t)
	if err := p.Subscribe(p.now, 1, []Subscription{{Filter: "f"}}, nil); err != nil {
		t.Fatal(err)
	}
	p.now += time.Second
	if err := p.Unsubscribe(p.now, 2, []string{"g"}); err != nil {
		t.Fatal(err)
	}
	p.advance(9 * time.Second)
	p.Lost()
	p.expectEvents(unresponsiveEvent + "; subscribed 1  the server did not acknowledge in time; unsubscribed 2  the connection was lost before an answer")
}

// Each message has its own timeout. Without AckTimeout, messages have no timeout.
func TestAckTimeoutOfEachMessage(t *testing.T) {
	p := ackTimeoutPeer(t)
	p.publishText(1, 1, "t", "x")
	p.now += 5 * time.Second
	p.publishText(2, 1, "t", "y")
	p.takePackets()
	p.now += time.Second
	p.Receive(p.now, appendAck(nil, typePuback, 1, Success))
	p.eventLog = nil
	p.advance(p.Deadline() - p.now) // when message 1 would expire
	p.expectEvents("")
	if left := p.Deadline() - p.now; left != 5*time.Second {
		t.Errorf("the acknowledgement of the second message is due in %v, want 5s", left)
	}
	p.advance(5 * time.Second)
	p.expectEvents(unresponsiveEvent)

	off := connectedPeer(t, nil)
	off.publishText(1, 1, "t", "x")
	off.takePackets()
	if off.timeouts.nextCheck != Never {
		t.Error("a timeout without AckTimeout")
	}
}

// The engine extends the timeout after a suspension, and while received bytes wait to be
// processed, because the acknowledgement may have arrived.
func TestAckTimeoutAfterSuspension(t *testing.T) {
	p := ackTimeoutPeer(t)
	p.publishText(1, 1, "t", "x")
	p.takePackets()
	p.advance(time.Hour)
	p.expectEvents("")
	p.Receive(p.now, appendAck(nil, typePuback, 1, Success))
	p.expectEvents("published 1 success (0x00)  <nil>")

	p.publishText(2, 1, "t", "x")
	p.takePackets()
	p.ReceivedAt(p.now + 9*time.Second) // Receive is pending
	p.advance(10 * time.Second)
	p.expectEvents("")
	p.Receive(p.now, []byte{0xd0, 0})
	p.advance(timerGrace)
	p.expectEvents(unresponsiveEvent)
}

// The engine adds to AckTimeout the transmission time of the packet at minUploadRate. So a
// slow network causes no timeout during the transmission.
func TestAckTimeoutOnSlowNetwork(t *testing.T) {
	p := newPeer(t)
	o := testOptions
	o.KeepAlive, o.AckTimeout = 10, 10*time.Second
	p.Open(0, o)
	p.takePackets()
	p.connack(false, nil)
	p.eventLog = nil
	payload := make([]byte, 1_500_000)
	if _, err := p.Publish(0, &Outgoing{Token: 1, Topic: []byte("t"), Payload: payload, QoS: 1}); err != nil {
		t.Fatal(err)
	}
	p.Flushed(0, len(p.Output()))
	// At 100 kB/s the transmission takes 15 seconds. The client receives nothing
	// during this time.
	for p.now < 15*time.Second {
		p.advance(100 * time.Millisecond)
		p.Flushed(p.now, len(p.Output()))
	}
	p.expectEvents("")
	p.Receive(p.now, appendAck(nil, typePuback, 1, Success))
	p.expectEvents("published 1 success (0x00)  <nil>")
	// The engine still detects a dead connection.
	p.now = 20 * time.Second
	for p.now < time.Minute && p.stopErr == nil {
		p.advance(100 * time.Millisecond)
		p.Flushed(p.now, len(p.Output()))
	}
	p.expectEvents("stopped keep alive timeout (0x8D) local=true")
}
