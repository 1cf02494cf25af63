package client

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/eclipse/paho.golang/packets"
)

// resumed returns a world with a client that has connected to an existing session. After
// CONNACK, the broker has sent the stored messages 1 to n.
func resumed(t *testing.T, n int, edit func(*Options)) *world {
	t.Helper()
	w := newWorld(t)
	o := unsigned()
	o.CleanStart = false
	if edit != nil {
		edit(&o)
	}
	w.Connect(0, 1, &o)
	w.Opened(0, w.attempt)
	w.sends("CONNECT clean=false")
	w.connack(true)
	w.sendStored(n, false)
	return w
}

// sendStored sends the messages 1 to n of QoS 1 from the broker. duplicate is their DUP flag.
func (w *world) sendStored(n int, duplicate bool) {
	w.t.Helper()
	for i := range n {
		w.fromBroker(packets.PUBLISH, &packets.Publish{Topic: "t", Payload: []byte(fmt.Sprint(i + 1)), QoS: 1, PacketID: uint16(i + 1),
			Duplicate: duplicate, Properties: &packets.Properties{}})
	}
}

// connectCalls are the calls to the Host of a successful connect().
const connectCalls = "connecting[connecting]; open; connected[connected]; connected 1"

// Stored messages wait for a subscription after CONNACK.
func TestStoredMessagesWaitForASubscription(t *testing.T) {
	w := resumed(t, 5, nil)
	w.expectCalls(connectCalls)
	w.sends("")
	w.tick(5 * time.Second)
	w.sub(2, "other", 1)
	w.sends("SUBSCRIBE other:1")
	w.expectCalls("")
	w.sub(3, "t", 1)
	w.sends("PUBACK; PUBACK; PUBACK; PUBACK; PUBACK; SUBSCRIBE t:1")
	w.expectCalls("message t=1 for [2]; message t=2 for [2]; message t=3 for [2]; message t=4 for [2]; message t=5 for [2]")
	w.tick(time.Minute / 2)
	w.expectCalls("")
}

// The client delivers held messages before a message that arrives later.
func TestHeldMessagesKeepTheirOrder(t *testing.T) {
	w := resumed(t, 2, nil)
	w.log = nil
	w.sub(2, "t", 1)
	w.fromBroker(packets.PUBLISH, &packets.Publish{Topic: "t", Payload: []byte("3"), QoS: 1, PacketID: 3, Properties: &packets.Properties{}})
	w.expectCalls("message t=1 for [1]; message t=2 for [1]; message t=3 for [1]")
}

// After the timeout, the client reports and acknowledges the messages. It then reports
// other messages of the same topic at once, until the subscriptions change.
func TestUnclaimedMessagesAreReported(t *testing.T) {
	w := resumed(t, 2, func(o *Options) { o.UnclaimedTimeout = 3 * time.Second })
	w.log = nil
	if d := w.Deadline(); d != 3*time.Second {
		t.Errorf("the deadline is %v, want 3s", d)
	}
	w.tick(3*time.Second - 1)
	w.expectCalls("")
	w.sends("")
	w.tick(1)
	w.expectCalls("unclaimed t=1; unclaimed t=2")
	w.sends("PUBACK; PUBACK")
	w.sendStored(1, false)
	w.expectCalls("unclaimed t=1")
	w.sends("PUBACK")
	w.sub(2, "u", 1) // after a new subscription, the client holds messages again
	w.sends("SUBSCRIBE u:1")
	w.sendStored(1, false)
	w.expectCalls("")
	w.sends("")

	w = resumed(t, 1, func(o *Options) { o.UnclaimedTimeout = 0 })
	w.expectCalls(connectCalls + "; unclaimed t=1")
	w.sends("PUBACK")
}

// A listener for all messages is a recipient of stored messages.
func TestListenerReceivesStoredMessages(t *testing.T) {
	w := resumed(t, 1, nil)
	w.log = nil
	w.Listen(w.now)
	w.sends("PUBACK")
	w.sendStored(1, false)
	w.expectCalls("message t=1 for []; message t=1 for []")
}

// The client does not hold messages for a filter that the page has unsubscribed from.
func TestMessagesOfEndedSubscriptionsAreNotHeld(t *testing.T) {
	w := online(t, nil)
	id := w.sub(2, "t", 1)
	w.sends("SUBSCRIBE t:1")
	w.Unsubscribe(w.now, 3, id)
	w.sends("UNSUBSCRIBE t")
	w.log = nil
	w.sendStored(1, false)
	w.expectCalls("unclaimed t=1")
	w.sends("PUBACK")
}

// After a lost connection, the broker sends the held messages again if it has the session.
// Otherwise the client keeps holding them.
func TestHeldMessagesAndALostConnection(t *testing.T) {
	w := resumed(t, 2, nil)
	w.loseSocket(1006)
	w.reconnected(true)
	w.log = nil
	w.sendStored(2, true)
	w.sub(2, "t", 1)
	w.sends("PUBACK; PUBACK; SUBSCRIBE t:1")
	w.expectCalls("message t=1 for [1]; message t=2 for [1]")

	w = resumed(t, 2, nil)
	w.loseSocket(1006)
	w.reconnected(false)
	w.log = nil
	w.tick(9 * time.Second)
	w.sub(2, "t", 1)
	w.sends("SUBSCRIBE t:1") // no PUBACK for a message of a previous connection
	w.expectCalls("message t=1 for [1]; message t=2 for [1]")
}

// Held messages are bounded in bytes. Above the bound, the client reports the oldest ones.
func TestHeldMessagesAreBounded(t *testing.T) {
	w := resumed(t, 0, nil)
	w.log = nil
	payload := strings.Repeat("x", 1<<20)
	for i := range 40 {
		w.fromBroker(packets.PUBLISH, &packets.Publish{Topic: fmt.Sprintf("t/%d", i), Payload: []byte(payload), QoS: 1, PacketID: uint16(i + 1), Properties: &packets.Properties{}})
		if w.held.bytes > maxUnclaimed {
			t.Fatalf("the held messages use %d bytes", w.held.bytes)
		}
	}
	if n := strings.Count(strings.Join(w.log, ";"), "unclaimed"); n != 40-len(w.held.list) || n == 0 {
		t.Errorf("%d messages are reported and %d are held, want 40 in total", n, len(w.held.list))
	}
	w.Disconnect(w.now, 9)
	if len(w.held.list) != 0 || w.held.bytes != 0 {
		t.Error("a closed client holds messages")
	}
}

// subscribe() before connect() waits for the connection. Its subscription receives the first
// stored message.
func TestSubscribeBeforeConnect(t *testing.T) {
	w := newWorld(t)
	w.sub(2, "t", 1)
	w.expectCalls("")
	o := unsigned()
	o.CleanStart = false
	w.Connect(0, 1, &o)
	w.Opened(0, w.attempt)
	w.sends("CONNECT clean=false")
	w.connack(true)
	w.sendStored(1, false)
	w.sends("PUBACK; SUBSCRIBE t:1")
	w.suback(1, 1)
	w.expectCalls("connecting[connecting]; open; connected[connected]; connected 1; message t=1 for [1]; subscribed 2 q1")

	// The failure of connect() settles subscribe().
	w = newWorld(t)
	w.sub(2, "t", 1)
	o.Reconnect = false
	w.Connect(0, 1, &o)
	w.loseSocket(1006)
	w.log = nil
	w.probed(Probe{})
	w.expectCalls("failed 1 ERR_UNREACHABLE; failed 2 ERR_UNREACHABLE; disconnected ERR_UNREACHABLE[closed]; closed ERR_UNREACHABLE[closed]")
}

// disconnect() ends the subscriptions of the page, but not those of the session. After the
// next connect(), the page can subscribe again until UnclaimedTimeout. Then the client
// unsubscribes from the other filters.
func TestSessionAfterDisconnect(t *testing.T) {
	w := online(t, func(o *Options) { o.CleanStart = true })
	w.sub(2, "t", 1)
	w.sub(3, "u", 1)
	w.sends("SUBSCRIBE t:1 u:1")
	w.suback(1, 1, 1)
	w.Disconnect(w.now, 4)
	o := unsigned()
	o.CleanStart = false
	w.Connect(w.now, 5, &o)
	w.Opened(w.now, w.attempt)
	w.sends("CONNECT clean=false")
	w.connack(true)
	w.log = nil
	w.sendStored(2, false)
	w.sends("")
	w.sub(6, "t", 1)
	w.sends("PUBACK; PUBACK; SUBSCRIBE t:1")
	w.expectCalls("message t=1 for [3]; message t=2 for [3]")
	w.tick(o.UnclaimedTimeout)
	w.sends("UNSUBSCRIBE u")
}

// The client performs the calls before CONNACK in their order, so that the page receives a
// message that it publishes after subscribe().
func TestSubscribeThenPublishBeforeConnack(t *testing.T) {
	w := newWorld(t)
	o := unsigned()
	w.Connect(0, 1, &o)
	w.sub(2, "t", 1)
	w.pub(3, 1, "t", "x")
	w.Opened(0, w.attempt)
	w.sends("CONNECT clean=true")
	w.connack(false)
	w.sends("SUBSCRIBE t:1; PUBLISH x")
}
