package mqtt

import (
	"testing"
	"time"

	"github.com/eclipse/paho.golang/packets"
)

func TestKeepAlive(t *testing.T) {
	const s = time.Second
	p := connectedPeer(t, func(pr *packets.Properties) { pr.ServerKeepAlive = new(uint16(40)) })
	if p.Deadline() != 20*s {
		t.Fatalf("the deadline is %v, want 20s", p.Deadline())
	}
	p.Tick(19 * s)
	p.expectSent("")
	// Traffic in one direction only does not postpone the PINGREQ.
	p.now = 15 * s
	p.publishText(1, 0, "t", "x")
	p.expectSent("PUBLISH(t=x q0)")
	p.now = 20 * s
	p.Tick(p.now)
	p.expectSent("PINGREQ")
	p.now = 21 * s
	p.receiveHex("d000")
	if p.Deadline() != 40*s {
		t.Errorf("the deadline is %v, want 40s", p.Deadline())
	}
	p.now = 40 * s
	p.Tick(p.now)
	p.expectSent("PINGREQ")
	p.Tick(59 * s)
	p.expectEvents("")
	p.Tick(60 * s)
	p.expectEvents("stopped keep alive timeout (0x8D) local=true")
	p.expectSent("DISCONNECT(8d)")
}

func TestLateTimerWaitsForBytes(t *testing.T) {
	const s = time.Second
	p := connectedPeer(t, nil) // keep-alive: 60 s
	p.Tick(30 * s)
	p.expectSent("PINGREQ")
	p.Tick(100 * s) // the timer was due at 60 s, and the page was suspended
	p.expectEvents("")
	if p.Deadline() != 105*s {
		t.Errorf("the deadline is %v, want 105s", p.Deadline())
	}
	p.now = 101 * s
	p.receiveHex("d000")
	p.Tick(105 * s)
	p.expectEvents("")
	p.takePackets()
	q := connectedPeer(t, nil)
	q.Tick(30 * s)
	q.Tick(100 * s)
	q.Tick(105 * s)
	q.expectEvents("stopped keep alive timeout (0x8D) local=true")
}

func TestKeepAliveOff(t *testing.T) {
	p := newPeer(t)
	p.Open(0, ConnectOptions{ClientID: "c"})
	p.connack(false, nil)
	if p.Deadline() != Never {
		t.Errorf("the deadline is %v, want none", p.Deadline())
	}
}

// The keep-alive does not end the connection while received bytes wait for Receive.
func TestReceivedAt(t *testing.T) {
	p := connectedPeer(t, nil)
	p.Tick(p.Deadline())
	if p.sentPackets() != "PINGREQ" {
		t.Fatal("no PINGREQ")
	}
	due := p.Deadline()
	p.ReceivedAt(due - time.Second)
	p.Tick(due)
	p.ReceivedAt(0) // an earlier time has no effect
	if got := p.events(); got != "" || p.Deadline() <= due {
		t.Errorf("events %q; the deadline is %v, and was %v", got, p.Deadline(), due)
	}
}
