package client

import (
	"fmt"
	"strings"
	"testing"

	"github.com/eclipse/paho.golang/packets"

	"iot.wasm/wasm/mqtt"
)

func TestPublishedBytesAreBounded(t *testing.T) {
	w := online(t, nil)
	big := strings.Repeat("x", 1<<20)
	for i := range mqtt.Token(100) {
		w.pub(i+2, byte(i%2), "t", big)
	}
	if n := w.engine.Held(); n > maxHeld+1<<21 {
		t.Errorf("the messages of the page use %d bytes", n)
	}
	if last := w.log[len(w.log)-1]; last != "failed 101 ERR_QUEUE_FULL" {
		t.Errorf("the last call is %q, want failed 101 ERR_QUEUE_FULL", last)
	}
}

func TestOffline(t *testing.T) {
	offline := func(t *testing.T, edit func(*Options)) *world {
		w := online(t, edit)
		w.loseSocket(1006)
		w.log = nil
		return w
	}
	t.Run("queues QoS 1 and rejects QoS 0", func(t *testing.T) {
		w := offline(t, nil)
		w.pub(2, 1, "t", "a")
		w.pub(3, 0, "t", "b")
		w.expectCalls("failed 3 ERR_OFFLINE_QOS0")
		w.reconnected(true)
		w.sends("PUBLISH a")
	})
	t.Run("queues QoS 0", func(t *testing.T) {
		w := offline(t, func(o *Options) { o.OfflineQoS0 = QueueQoS0 })
		w.pub(2, 0, "t", "a")
		w.pub(3, 1, "t", "b")
		w.reconnected(true)
		w.sends("PUBLISH a; PUBLISH b")
	})
	t.Run("drops QoS 0", func(t *testing.T) {
		w := offline(t, func(o *Options) { o.OfflineQoS0 = DropQoS0 })
		w.pub(2, 0, "t", "a")
		w.expectCalls("done 2")
		w.reconnected(true)
		w.sends("")
	})
	t.Run("bounds the queued messages", func(t *testing.T) {
		w := offline(t, func(o *Options) { o.OfflineMessages = 2 })
		for k := range mqtt.Token(3) {
			w.pub(2+k, 1, "t", "a")
		}
		w.expectCalls("failed 4 ERR_QUEUE_FULL")
	})
	t.Run("bounds the queued bytes", func(t *testing.T) {
		w := offline(t, func(o *Options) { o.OfflineBytes = 5 })
		w.pub(2, 1, "t", "aa")
		w.pub(3, 1, "t", "bb")
		w.pub(4, 1, "t", "c")
		w.expectCalls("failed 3 ERR_QUEUE_FULL")
	})
	t.Run("drops the oldest message", func(t *testing.T) {
		w := offline(t, func(o *Options) { o.OfflineMessages, o.OfflineDropOldest = 2, true })
		for k := range mqtt.Token(3) {
			w.pub(2+k, 1, "t", fmt.Sprint(2+k))
		}
		w.expectCalls("failed 2 ERR_DROPPED")
		w.reconnected(true)
		w.sends("PUBLISH 3; PUBLISH 4")
	})
}

func TestInvalidArguments(t *testing.T) {
	w := online(t, nil)
	for i, topic := range []string{"", "a/+", "#", "a\x00", "\xff"} {
		w.pub(mqtt.Token(i), 0, topic, "")
		w.expectCalls(fmt.Sprintf("failed %d ERR_TOPIC", i))
	}
	w.pub(9, 3, "t", "")
	w.expectCalls("failed 9 ERR_QOS")
	w.sub(10, "a/#/b", 0)
	w.sub(11, "a", 3)
	w.Subscribe(0, 12, mqtt.Subscription{Filter: "$share/g/a", NoLocal: true}, nil)
	w.expectCalls("failed 10 ERR_FILTER; failed 11 ERR_QOS; failed 12 ERR_OPTION")
	w.sends("")
}

func TestRefusedPublish(t *testing.T) {
	w := online(t, nil)
	w.pub(2, 1, "t", "a")
	w.sends("PUBLISH a")
	w.fromBroker(packets.PUBACK, &packets.Puback{PacketID: 1, ReasonCode: 0x87, Properties: &packets.Properties{}})
	w.expectCalls("failed 2 ERR_PUBLISH_REFUSED")
	w.pub(3, 1, "t", "b")
	w.sends("PUBLISH b")
	w.fromBroker(packets.PUBACK, &packets.Puback{PacketID: 2, ReasonCode: 0x10, Properties: &packets.Properties{}})
	w.expectCalls("published 3")
}
