package mqtt

import (
	"testing"
	"time"

	"github.com/eclipse/paho.golang/packets"
)

// patient is a peer with an acknowledgement timeout of ten seconds and no keep
// alive.
func ackTimeoutPeer(t testing.TB) *peer {
	t.Helper()
	p := newPeer(t)
	p.connect(true)
	return p
}

func (p *peer) connect(clean bool) {
	o := testOptions
	o.KeepAlive, o.CleanStart, o.AckTimeout = 0, clean, 10*time.Second
	p.Open(p.now, o)
	p.takePackets()
	p.connack(!clean, nil)
	p.eventLog = nil
}

func (p *peer) advance(d time.Duration) {
	p.now += d
	p.Tick(p.now)
}

const unresponsiveEvent = "stopped unspecified error (0x80) local=true"

// What is not acknowledged in time is sent again on the next connection, and given
// up after the third time.
func TestAckTimeout(t *testing.T) {
	const givenUp = "published 7 success (0x00)  the server did not acknowledge in time"
	for _, c := range []struct {
		name     string
		ask      func(p *peer)
		sent     string
		restarts string // what the next connection sends
		leaves   string // what the connection sends that follows the end
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
			c.ask(p)
			p.expectSent(c.sent)
			for round := 1; ; round++ {
				if due := p.Deadline(); due != p.now+10*time.Second {
					t.Fatalf("due in %v", due-p.now)
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
				p.expectSent(c.restarts)
			}
			p.expectEvents(unresponsiveEvent + "; " + givenUp)
			if p.Inflight() != 0 {
				t.Error("it is still in flight")
			}
			p.Lost()
			p.connect(false)
			p.expectSent(c.leaves)
		})
	}
}

// What waits behind a silent server is given up too.
func TestAckTimeoutOfWhatWaits(t *testing.T) {
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
	const gone = " success (0x00)  the server did not acknowledge in time"
	p.expectEvents(unresponsiveEvent + "; published 1" + gone + "; published 2" + gone + "; published 3" + gone)
	if n, _ := p.Waiting(); n+p.Inflight() != 0 {
		t.Errorf("%d messages are left", n+p.Inflight())
	}
}

// The answer to a SUBSCRIBE or UNSUBSCRIBE does not come either.
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
	p.expectEvents(unresponsiveEvent + "; subscribed 1  the server did not acknowledge in time; unsubscribed 2  the connection was lost before the answer came")
}

// An acknowledgement restarts nothing but its own clock, and 0 switches it off.
func TestAckTimeoutIsOfEachMessage(t *testing.T) {
	p := ackTimeoutPeer(t)
	p.publishText(1, 1, "t", "x")
	p.now += 5 * time.Second
	p.publishText(2, 1, "t", "y")
	p.takePackets()
	p.now += time.Second
	p.Receive(p.now, appendAck(nil, typePuback, 1, Success))
	p.eventLog = nil
	p.advance(p.Deadline() - p.now) // of the first, which has been answered
	p.expectEvents("")
	if left := p.Deadline() - p.now; left != 5*time.Second {
		t.Errorf("the second has %v left", left)
	}
	p.advance(5 * time.Second)
	p.expectEvents(unresponsiveEvent)

	off := connectedPeer(t, nil)
	off.publishText(1, 1, "t", "x")
	off.takePackets()
	if off.timeouts.nextCheck != Never {
		t.Error("there is a timeout without an option for it")
	}
}

// After a sleep, and while the page is behind with what has come, the
// acknowledgement may be here already.
func TestAckTimeoutAfterASleep(t *testing.T) {
	p := ackTimeoutPeer(t)
	p.publishText(1, 1, "t", "x")
	p.takePackets()
	p.advance(time.Hour)
	p.expectEvents("")
	p.Receive(p.now, appendAck(nil, typePuback, 1, Success))
	p.expectEvents("published 1 success (0x00)  <nil>")

	p.publishText(2, 1, "t", "x")
	p.takePackets()
	p.ReceivedAt(p.now + 9*time.Second) // and Receive was not given it
	p.advance(10 * time.Second)
	p.expectEvents("")
	p.Receive(p.now, []byte{0xd0, 0})
	p.advance(timerGrace)
	p.expectEvents(unresponsiveEvent)
}

// A slow network is not a silent server: the bytes in front count.
func TestAckTimeoutOnASlowNetwork(t *testing.T) {
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
	// At 100 kB/s it takes fifteen seconds to arrive, and nothing comes meanwhile.
	for p.now < 15*time.Second {
		p.advance(100 * time.Millisecond)
		p.Flushed(p.now, len(p.Output()))
	}
	p.expectEvents("")
	p.Receive(p.now, appendAck(nil, typePuback, 1, Success))
	p.expectEvents("published 1 success (0x00)  <nil>")
	// A dead one is noticed all the same.
	p.now = 20 * time.Second
	for p.now < time.Minute && p.stopErr == nil {
		p.advance(100 * time.Millisecond)
		p.Flushed(p.now, len(p.Output()))
	}
	p.expectEvents("stopped keep alive timeout (0x8D) local=true")
}
