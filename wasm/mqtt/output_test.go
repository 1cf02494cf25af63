package mqtt

import (
	"bytes"
	"testing"
	"time"
)

// When the network accepts the output in parts, each byte is sent once, in order.
func TestPartialFlush(t *testing.T) {
	p := connectedPeer(t, nil)
	for i := range byte(3) {
		if _, err := p.Publish(p.now, &Outgoing{Topic: []byte("t"), Payload: []byte{i}, QoS: 1}); err != nil {
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
			t.Fatalf("of %d bytes, %d are sent and %d remain", len(want), len(got), len(p.Output()))
		}
	}
	if !bytes.Equal(got, want) {
		t.Errorf("sent % x, want % x", got, want)
	}
}

// The engine sends acknowledgements and PINGREQ before messages, but not within a
// message.
func TestAcknowledgementsPrecedeMessages(t *testing.T) {
	p := connectedPeer(t, nil)
	p.granted.MaximumPacketSize = 1 << 20
	const messages, packet, part = 5, 30_000 + 8, 45_000
	for range messages {
		if _, err := p.Publish(p.now, &Outgoing{Topic: []byte("t"), Payload: make([]byte, 30_000)}); err != nil {
			t.Fatal(err)
		}
	}
	p.Flushed(p.now, len(p.Output()[:part])) // within the second packet
	p.receiveMessage(1, 1, false)
	p.receiveMessage(2, 1, false)
	p.Ping(p.now, time.Second)
	rest := p.Output()
	if len(rest) != 2*packet-part {
		t.Fatalf("%d bytes complete the packet, want %d", len(rest), 2*packet-part)
	}
	p.Flushed(p.now, len(rest))
	p.expectSent("PUBACK(#1 0); PUBACK(#2 0); PINGREQ")
	sent := 0
	for len(p.Output()) > 0 {
		sent += len(p.Output())
		p.Flushed(p.now, len(p.Output()))
	}
	if want := (messages - 2) * packet; sent != want {
		t.Errorf("%d bytes of messages follow, want %d", sent, want)
	}
}

// Messages stay queued when the network is slower than the caller.
func TestOutputIsBounded(t *testing.T) {
	p := connectedPeer(t, nil)
	p.granted.MaximumPacketSize, p.granted.KeepAlive = 1<<20, 0
	payload := make([]byte, 100_000)
	for k := range Token(100) {
		if _, err := p.Publish(p.now, &Outgoing{Token: k + 1, Topic: []byte("t"), Payload: payload}); err != nil {
			t.Fatal(err)
		}
	}
	if n, _ := p.Waiting(); n == 0 || p.Unsent() > maxBulk+len(payload)+100 {
		t.Fatalf("the output has %d bytes, and %d messages are queued", p.Unsent(), n)
	}
	sent := 0
	for len(p.Output()) > 0 {
		n := min(50_000, len(p.Output()))
		sent += n
		p.Flushed(p.now, n)
	}
	if want := 100 * (100_000 + 8); sent != want {
		t.Errorf("sent %d bytes, want %d", sent, want)
	}
}

// FuzzOutput takes the output in arbitrary parts. The concatenated parts must be a
// sequence of whole packets, with the acknowledgements in order.
func FuzzOutput(f *testing.F) {
	f.Add([]byte{1, 2, 3, 4, 250, 5, 0, 9, 200, 7})
	f.Fuzz(func(t *testing.T, script []byte) {
		p := newPeer(t)
		o := testOptions
		o.ReceiveMaximum = 0
		p.Open(0, o)
		p.takePackets()
		p.connack(false, nil)
		var got []byte
		take := func(n int) {
			out := p.Output()
			n = min(n, len(out))
			got = append(got, out[:n]...)
			p.Flushed(0, n)
		}
		id := uint16(0)
		for _, op := range script[:min(len(script), 200)] {
			switch op % 4 {
			case 0:
				_, _ = p.Publish(0, &Outgoing{Topic: []byte("t"), Payload: make([]byte, 100*int(op)), QoS: 0})
			case 1:
				id++
				p.receiveMessage(id, 1, false)
			case 2:
				p.Ping(0, time.Duration(op)*time.Second)
			case 3:
				take(int(op) * int(op))
			}
		}
		for p.Unsent() > 0 {
			take(1 << 30)
		}
		last := uint16(0)
		for len(got) > 0 {
			n, used := readVarint(got[1:])
			size := 1 + used + int(n)
			if used <= 0 || size > len(got) {
				t.Fatalf("a packet of %d bytes is truncated to %d", size, len(got))
			}
			switch packetType(got[0] >> 4) {
			case typePuback:
				if acked := uint16(got[2])<<8 | uint16(got[3]); acked != last+1 {
					t.Fatalf("PUBACK for %d follows PUBACK for %d", acked, last)
				}
				last++
			case typePublish, typePingreq:
			default:
				t.Fatalf("the output contains a packet of type %d", got[0]>>4)
			}
			got = got[size:]
		}
		if last != id {
			t.Errorf("%d of %d messages are acknowledged", last, id)
		}
	})
}
