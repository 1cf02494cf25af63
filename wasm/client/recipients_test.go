package client

import (
	"fmt"
	"strings"
	"testing"

	"github.com/eclipse/paho.golang/packets"

	"iot.wasm/wasm/mqtt"
)

// published sends a message from the broker to the client.
func (w *world) published(topic, payload string, retain bool) {
	w.t.Helper()
	w.fromBroker(packets.PUBLISH, &packets.Publish{Topic: topic, Payload: []byte(payload), Retain: retain, Properties: &packets.Properties{}})
}

// subscribed makes a subscription, which the broker grants.
func (w *world) subscribed(k mqtt.Token, o mqtt.Subscription) uint32 {
	w.t.Helper()
	id := w.Subscribe(w.now, k, o, nil)
	w.PrepareOutput()
	w.out()
	w.suback(uint16(k-1), o.QoS)
	w.log = nil
	return id
}

// The recipients of a retained message are the subscriptions that it is new to.
func TestRecipientsOfRetainedMessages(t *testing.T) {
	w := online(t, nil)
	w.subscribed(2, mqtt.Subscription{Filter: "t/+"})
	w.published("t/a", "retained", true)
	w.published("t/a", "retained again", true)
	w.published("t/b", "live", false)
	w.subscribed(3, mqtt.Subscription{Filter: "t/#"})
	w.log = nil
	w.published("t/a", "retained", true) // is new to the second subscription
	w.published("t/b", "retained", true) // the first has received a newer live message
	w.published("t/c", "retained", true) // is new to both
	w.published("t/c", "live", false)
	w.expectCalls("message t/a=retained for [2]; message t/b=retained for [2]; message t/c=retained for [1 2]; message t/c=live for [1 2]")
	w.loseSocket(1006)
	w.reconnected(true)
	w.log = nil
	w.published("t/a", "retained", true) // the broker has resumed the session
	w.expectCalls("message t/a=retained for []")
	w.loseSocket(1006)
	w.reconnected(false)
	w.log = nil
	w.published("t/a", "retained", true)
	w.expectCalls("message t/a=retained for [1 2]")
}

// With Retain As Published, the RETAIN flag does not mean that the message answers a
// SUBSCRIBE, so every matching subscription is a recipient.
func TestRetainAsPublished(t *testing.T) {
	w := online(t, nil)
	w.subscribed(2, mqtt.Subscription{Filter: "t", RetainAsPublished: true})
	w.published("t", "a", true)
	w.published("t", "b", true)
	w.expectCalls("message t=a for [1]; message t=b for [1]")
}

func TestRetainHandlingOfRecipients(t *testing.T) {
	w := online(t, nil)
	w.subscribed(2, mqtt.Subscription{Filter: "t", RetainHandling: 2})
	w.subscribed(3, mqtt.Subscription{Filter: "t"})
	w.published("t", "retained", true)
	w.published("t", "live", false)
	w.expectCalls("message t=retained for [2]; message t=live for [1 2]")
}

// The topics of the retained messages that a subscription has received are bounded in bytes.
func TestHistoryIsBounded(t *testing.T) {
	w := online(t, nil)
	w.subscribed(2, mqtt.Subscription{Filter: "kept/#"})
	long := strings.Repeat("x", 60_000)
	for i := range 500 {
		w.published(fmt.Sprintf("kept/%d/%s", i, long), "", true)
	}
	stored := 0
	for topic := range w.byID[1].seen {
		stored += len(topic) + seenOverhead
	}
	if stored > maxSeen || stored < maxSeen/2 {
		t.Errorf("the stored topics use %d bytes", stored)
	}
}
