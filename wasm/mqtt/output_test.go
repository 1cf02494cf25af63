package mqtt

import (
	"bytes"
	"testing"
	"time"
)

// What the network takes in pieces leaves in order, and only once.
func TestFlushedInPieces(t *testing.T) {
	p := online(t, nil)
	for i := range byte(3) {
		if _, err := p.Publish(&Outgoing{Topic: []byte("t"), Payload: []byte{i}, QoS: 1}); err != nil {
			t.Fatal(err)
		}
	}
	want := bytes.Clone(p.Output())
	var got []byte
	for len(p.Output()) > 0 {
		n := min(4, len(p.Output()))
		got = append(got, p.Output()[:n]...)
		p.Flushed(p.now, n)
		if p.Flushed(p.now, 0); len(got)+len(p.Output()) != len(want) {
			t.Fatalf("of %d bytes %d have left, and %d are still there", len(want), len(got), len(p.Output()))
		}
	}
	if !bytes.Equal(got, want) {
		t.Errorf("% x has left, want % x", got, want)
	}
}

func TestRoundTrip(t *testing.T) {
	p := online(t, nil)
	if p.RoundTrip() != 0 {
		t.Error("there is a round trip before there was a question")
	}
	id := p.lastID + 1
	if _, err := p.Publish(&Outgoing{Topic: []byte("t"), QoS: 1}); err != nil {
		t.Fatal(err)
	}
	p.now += time.Second // in which it waits for the network
	p.Flushed(p.now, len(p.Output()))
	p.now += 30 * time.Millisecond
	p.Receive(p.now, appendAck(nil, typePuback, id, Success))
	if got := p.RoundTrip(); got != 30*time.Millisecond {
		t.Errorf("the round trip was %v, want 30ms", got)
	}
}

// Bytes that wait for Receive are a sign of life.
func TestHeard(t *testing.T) {
	p := online(t, nil)
	p.Tick(p.Deadline())
	if p.types() != "PINGREQ" {
		t.Fatal("no PINGREQ")
	}
	due := p.Deadline()
	p.Heard(due - time.Second)
	p.Tick(due)
	p.Heard(0) // older news changes nothing
	if got := p.heard(); got != "" || p.Deadline() <= due {
		t.Errorf("heard %q; the deadline is %v, and was %v", got, p.Deadline(), due)
	}
}
