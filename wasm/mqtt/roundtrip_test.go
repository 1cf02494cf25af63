package mqtt

import (
	"testing"
	"time"
)

func TestRoundTrip(t *testing.T) {
	p := connectedPeer(t, nil)
	if p.RoundTrip() != 0 {
		t.Error("a round trip before the first packet")
	}
	id := p.lastPacketID + 1
	if _, err := p.Publish(p.now, &Outgoing{Topic: []byte("t"), QoS: 1}); err != nil {
		t.Fatal(err)
	}
	p.now += time.Second // the packet waits for the network
	p.Flushed(p.now, len(p.Output()))
	p.now += 30 * time.Millisecond
	p.Receive(p.now, appendAck(nil, typePuback, id, Success))
	if got := p.RoundTrip(); got != 30*time.Millisecond {
		t.Errorf("the round trip was %v, want 30ms", got)
	}
}

// Only a PINGRESP that answers a PINGREQ is a measurement. Its time begins with the
// PINGREQ, also while the network is sending other bytes.
func TestRoundTripOfPing(t *testing.T) {
	p := connectedPeer(t, nil)
	pong := []byte{0xd0, 0}
	p.now += 100 * time.Second
	p.Receive(p.now, pong)
	if got := p.RoundTrip(); got != 0 {
		t.Errorf("an unsolicited PINGRESP gives a round trip of %v", got)
	}
	p.Ping(p.now, time.Minute)
	p.now += 20 * time.Millisecond
	p.Draining(p.now)
	p.now += 10 * time.Millisecond
	p.Receive(p.now, pong)
	p.now += time.Second
	p.Receive(p.now, pong)
	if got := p.RoundTrip(); got != 30*time.Millisecond {
		t.Errorf("the round trip was %v, want 30ms", got)
	}
}
