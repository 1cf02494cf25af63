package client

import (
	"fmt"
	"runtime"
	"strings"
	"testing"

	"github.com/eclipse/paho.golang/packets"

	"iot.wasm/wasm/mqtt"
)

// A client that has made and ended thousands of connections, subscriptions and publishes keeps no memory
// of them.
func TestNothingLeaks(t *testing.T) {
	w := newWorld(t)
	o := unsigned()
	token := mqtt.Token(0)
	next := func() mqtt.Token { token++; return token }
	use := func(connections int) {
		for range connections {
			w.Connect(w.now, next(), &o)
			w.Opened(w.now, w.attempt)
			w.connack(false)
			for i := range 10 {
				topic := fmt.Sprintf("leak/%d", i)
				// The client has a bounded cache of topics, so only the filters are new.
				ids := []uint32{w.sub(next(), topic, 1), w.sub(next(), topic, 0), w.sub(next(), fmt.Sprintf("other/%d", token), 0)}
				w.pub(next(), 1, topic, "a payload")
				w.answer()
				w.fromBroker(packets.PUBLISH, &packets.Publish{Topic: topic, Payload: []byte("a payload"), QoS: 1, PacketID: 1, Properties: &packets.Properties{}})
				for _, id := range ids {
					w.Unsubscribe(w.now, next(), id)
				}
				w.answer()
			}
			w.Disconnect(w.now, next())
			if calls := strings.Join(w.log, "; "); strings.Contains(calls, "failed") || strings.Count(calls, "message") != 10 || w.State() != Closed {
				t.Fatalf("the client is %s after the calls %s", w.State(), calls)
			}
			w.log = nil
		}
	}
	use(100)
	before := liveBytes()
	use(500)
	if growth := liveBytes() - before; growth > 16<<10 {
		t.Errorf("the client keeps %d bytes more after 500 connections with 15,000 subscriptions and 5,000 publishes", growth)
	}
	runtime.KeepAlive(w)
}

// answer acknowledges the packets that the client sends in this turn.
func (w *world) answer() {
	w.t.Helper()
	for _, cp := range w.out() {
		switch c := cp.Content.(type) {
		case *packets.Subscribe:
			w.suback(c.PacketID, make([]byte, len(c.Subscriptions))...)
		case *packets.Unsubscribe:
			w.fromBroker(packets.UNSUBACK, &packets.Unsuback{PacketID: c.PacketID, Reasons: make([]byte, len(c.Topics)), Properties: &packets.Properties{}})
		case *packets.Publish:
			w.fromBroker(packets.PUBACK, &packets.Puback{PacketID: c.PacketID, Properties: &packets.Properties{}})
		}
	}
}

// liveBytes returns the size of the reachable objects of the heap.
func liveBytes() int64 {
	var m runtime.MemStats
	runtime.GC()
	runtime.GC() // finishes the sweep of the first one
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}
