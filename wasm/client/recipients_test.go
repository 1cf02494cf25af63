package client

import (
	"fmt"
	"strings"
	"testing"

	"github.com/eclipse/paho.golang/packets"

	"iot.wasm/wasm/mqtt"
)

// brokerPublishes sends a message from the broker to the client.
func (w *world) brokerPublishes(topic, payload string, retain bool) {
	w.t.Helper()
	w.fromBroker(packets.PUBLISH, &packets.Publish{Topic: topic, Payload: []byte(payload), Retain: retain, Properties: &packets.Properties{}})
}

// subscribed makes a subscription that the broker grants, and clears the log. k must be the
// packet identifier of the SUBSCRIBE plus one.
func (w *world) subscribed(k mqtt.Token, o mqtt.Subscription) uint32 {
	w.t.Helper()
	id := w.Subscribe(w.now, k, o, nil)
	w.PrepareOutput()
	w.out()
	w.suback(uint16(k-1), o.QoS)
	w.log = nil
	return id
}

// The recipients of a retained message are the subscriptions to which it is new.
func TestRecipientsOfRetainedMessages(t *testing.T) {
	w := online(t, nil)
	w.subscribed(2, mqtt.Subscription{Filter: "t/+"})
	w.brokerPublishes("t/a", "retained", true)
	w.brokerPublishes("t/a", "retained again", true)
	w.brokerPublishes("t/b", "live", false)
	w.subscribed(3, mqtt.Subscription{Filter: "t/#"})
	w.log = nil
	w.brokerPublishes("t/a", "retained", true) // new to the second subscription
	w.brokerPublishes("t/b", "retained", true) // new to the second subscription: the first has received a newer live message
	w.brokerPublishes("t/c", "retained", true) // new to both subscriptions
	w.brokerPublishes("t/c", "live", false)
	w.expectCalls("message t/a=retained for [2]; message t/b=retained for [2]; message t/c=retained for [1 2]; message t/c=live for [1 2]")
	w.loseSocket(1006)
	w.reconnected(true)
	w.log = nil
	w.brokerPublishes("t/a", "retained", true) // the broker has resumed the session
	w.expectCalls("message t/a=retained for []")
	w.loseSocket(1006)
	w.reconnected(false)
	w.log = nil
	w.brokerPublishes("t/a", "retained", true)
	w.expectCalls("message t/a=retained for [1 2]")
}

// With Retain As Published, the RETAIN flag does not mean that the message answers a
// SUBSCRIBE, so every matching subscription is a recipient.
func TestRetainAsPublished(t *testing.T) {
	w := online(t, nil)
	w.subscribed(2, mqtt.Subscription{Filter: "t", RetainAsPublished: true})
	w.brokerPublishes("t", "a", true)
	w.brokerPublishes("t", "b", true)
	w.expectCalls("message t=a for [1]; message t=b for [1]")
}

func TestRetainHandlingOfRecipients(t *testing.T) {
	w := online(t, nil)
	w.subscribed(2, mqtt.Subscription{Filter: "t", RetainHandling: 2})
	w.subscribed(3, mqtt.Subscription{Filter: "t"})
	w.brokerPublishes("t", "retained", true)
	w.brokerPublishes("t", "live", false)
	w.expectCalls("message t=retained for [2]; message t=live for [1 2]")
}

// A subscription stores the topics of the retained messages that it has received. The memory
// of these topics is bounded.
func TestHistoryIsBounded(t *testing.T) {
	w := online(t, nil)
	w.subscribed(2, mqtt.Subscription{Filter: "kept/#"})
	long := strings.Repeat("x", 60_000)
	for i := range 500 {
		w.brokerPublishes(fmt.Sprintf("kept/%d/%s", i, long), "", true)
	}
	stored := 0
	for topic := range w.byID[1].seen {
		stored += len(topic) + seenOverhead
	}
	if stored > maxSeen || stored < maxSeen/2 {
		t.Errorf("the stored topics use %d bytes", stored)
	}
}
