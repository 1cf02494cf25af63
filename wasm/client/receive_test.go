package client

import (
	"strings"
	"testing"

	"github.com/eclipse/paho.golang/packets"

	"iot.wasm/internal/pahotest"
)

// TestReceiveParts checks when the client needs the bytes of a long payload: if it holds the
// message, or reports the packets. The counter BytesIn does not depend on it.
func TestReceiveParts(t *testing.T) {
	payload := strings.Repeat("p", 20_000)
	frame := pahotest.Encode(t, packets.PUBLISH, &packets.Publish{Topic: "t", QoS: 1, PacketID: 1, Payload: []byte(payload), Properties: &packets.Properties{}})
	for _, c := range []struct {
		name  string
		start func(w *world)
		skips bool
	}{
		{"a listener", func(w *world) { w.Listen(0) }, true},
		{"no recipient", func(*world) {}, false},
		{"no recipient, and no time to wait", func(w *world) { w.options.UnclaimedTimeout = 0 }, true},
		{"a listener for packets", func(w *world) { w.Listen(0); w.TracePackets() }, false},
	} {
		w := online(t, nil)
		c.start(w)
		before := w.Stats().BytesIn
		calls := 0
		for at := 0; at < len(frame); calls++ {
			n := min(1000, len(frame)-at)
			at += w.Receive(w.now, w.attempt, frame[at:at+n], len(frame)-at-n)
		}
		if skips := calls == 1; skips != c.skips {
			t.Errorf("%s: the client processes the frame in %d calls", c.name, calls)
		}
		if n := w.Stats().BytesIn - before; n != uint64(len(frame)) {
			t.Errorf("%s: the client counts %d bytes, want %d", c.name, n, len(frame))
		}
		for _, p := range w.packets {
			if p.size != len(frame) || p.packet != string(frame) {
				t.Errorf("%s: the packet of %d bytes is reported with %d of %d bytes", c.name, len(frame), len(p.packet), p.size)
			}
		}
	}
}
