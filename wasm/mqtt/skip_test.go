package mqtt

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"testing"
)

// TestSkip passes random packets to two engines: to one as a whole, and to the other in
// random frames and parts, so that it skips the ends of payloads. Both must report the same
// events, and send the same bytes.
func TestSkip(t *testing.T) {
	skipped := 0
	for seed := range uint64(3000) {
		r := rand.New(rand.NewPCG(seed, 14))
		whole, parts := connectedPeer(t, nil), connectedPeer(t, nil)
		parts.minSkip = 1 + r.IntN(60)
		for range 1 + r.IntN(4) {
			whole.unclaimed = r.IntN(3) == 0
			parts.unclaimed = whole.unclaimed
			data := randomPackets(r)
			whole.Receive(0, data)
			for len(data) > 0 {
				n := len(data)
				if r.IntN(2) == 0 {
					n = 1 + r.IntN(n)
				}
				largest := 1 + r.IntN(100)
				skipped += parts.receiveParts(data[:n], func(left int) int {
					if r.IntN(4) == 0 {
						return left
					}
					return r.IntN(largest)
				})
				data = data[n:]
			}
			for _, p := range []*peer{whole, parts} {
				for _, ticket := range p.tickets {
					p.Acknowledge(ticket)
				}
				p.record("%d unacknowledged, sent %x", p.unacked, p.Output())
				p.Flushed(0, len(p.Output()))
				p.tickets = nil
			}
		}
		if got, want := parts.events(), whole.events(); got != want {
			t.Fatalf("seed %d: in parts, the events are\n%s\nwant\n%s", seed, got, want)
		}
	}
	if skipped < 100_000 {
		t.Errorf("the engine has skipped only %d bytes", skipped)
	}
}

// randomPackets returns packets of a server. Some of them are not valid.
func randomPackets(r *rand.Rand) (b []byte) {
	for range 1 + r.IntN(8) {
		if r.IntN(8) == 0 {
			b = append(b, 0xd0, 0) // PINGRESP
			continue
		}
		var topic, props []byte
		if r.IntN(3) > 0 {
			topic = fmt.Appendf(nil, "topic/%d", r.IntN(3))
		}
		if r.IntN(3) == 0 {
			props = appendProperty(props, Property{ID: UserProperty, Data: bytes.Repeat([]byte("n"), r.IntN(40)), Value: []byte("v")})
		}
		if r.IntN(3) == 0 {
			props = appendProperty(props, Property{ID: PayloadFormat, Number: 1})
		}
		alias := uint16(0)
		if len(topic) == 0 || r.IntN(4) == 0 {
			alias = uint16(1 + r.IntN(3))
		}
		qos := byte(r.IntN(3))
		at := len(b)
		b = appendPublish(b, topic, props, randomBytes(r, r.IntN(300)), qos, r.IntN(4) == 0, qos > 0 && r.IntN(4) == 0, uint16(1+r.IntN(5)), alias)
		if r.IntN(40) == 0 {
			b[at+r.IntN(min(12, len(b)-at))] ^= 1 << r.IntN(8)
		}
	}
	return b
}

func randomBytes(r *rand.Rand, n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(r.Uint32())
	}
	return b
}

// TestSkipBounds checks which payloads the engine skips, and the results of ReceivePart.
func TestSkipBounds(t *testing.T) {
	packet := func(qos byte, topic string, payload int) []byte {
		return appendPublish(nil, []byte(topic), nil, make([]byte, payload), qos, false, false, 7, 0)
	}
	small, large := packet(0, "t", 10), packet(1, "t", 900)
	two := append(bytes.Clone(small), large...)
	for _, c := range []struct {
		name       string
		data       []byte
		part, rest int
		hold       bool
		processed  int
		partial    int // the number of bytes that the engine keeps
	}{
		{"the rest is in the frame", large, 100, len(large) - 100, false, len(large), 0},
		{"a further packet follows", large, 100, len(large) + 50, false, len(large), 0},
		{"the frame ends before the packet", large, 100, len(large) - 101, false, 100, 100},
		{"few bytes are missing", large, len(large) - 499, 499, false, len(large) - 499, len(large) - 499},
		{"enough bytes are missing", large, len(large) - 500, 500, false, len(large), 0},
		{"the Handler needs the payload", large, 100, len(large) - 100, true, 100, 100},
		{"the topic is incomplete", packet(1, "topic", 900), 6, 2000, false, 6, 6},
		{"the packet identifier is incomplete", large, 7, 2000, false, 7, 7},
		{"the properties are incomplete", large, 8, 2000, false, 8, 8},
		{"the header is complete", large, 9, len(large) - 9, false, len(large), 0},
		{"the fixed header is incomplete", large, 2, 2000, false, 2, 2},
		{"the second packet", two, len(small) + 100, len(large) - 100, false, len(two), 0},
		{"the Handler needs the payload of the second packet", two, len(small) + 100, len(large) - 100, true, len(small), 0},
		{"the header of the second packet is incomplete", two, len(small) + 4, 2000, false, len(small), 0},
		{"the second packet without further bytes", two, len(small) + 100, 0, false, len(small) + 100, 100},
	} {
		p := connectedPeer(t, nil)
		p.minSkip, p.unclaimed = 500, c.hold
		p.rest = make([]byte, c.rest)
		if got := p.ReceivePart(0, c.data[:c.part], c.rest); got != c.processed || len(p.Partial()) != c.partial || p.stopErr != nil {
			t.Errorf("%s: %d processed bytes, %d kept, %v; want %d, %d", c.name, got, len(p.Partial()), p.stopErr, c.processed, c.partial)
		}
	}
	p := connectedPeer(t, nil)
	if got := p.ReceivePart(0, []byte{0}, 100); got != 101 || p.stopErr == nil {
		t.Errorf("the engine processes %d bytes of 101 when it ends the connection: %v", got, p.stopErr)
	}
	if got := p.ReceivePart(0, []byte{0xd0, 0}, 100); got != 102 {
		t.Errorf("the engine processes %d bytes of 102 after the end of the connection", got)
	}
	p = connectedPeer(t, nil)
	p.unclaimed = true
	if got := p.ReceivePart(0, append(bytes.Clone(large), 0), 100); got != len(large)+101 {
		t.Errorf("the engine processes %d bytes when it ends the connection after a packet", got)
	}
}
