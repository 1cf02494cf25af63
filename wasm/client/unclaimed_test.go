package client

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/eclipse/paho.golang/packets"
)

// resumed is a world that has connected to a session which it does not know, with
// the stored messages 1 to n right behind CONNACK.
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
	w.stored(n, false)
	return w
}

// stored has the broker send the messages 1 to n of QoS 1.
func (w *world) stored(n int, again bool) {
	w.t.Helper()
	for i := range n {
		w.gets(packets.PUBLISH, &packets.Publish{Topic: "t", Payload: []byte(fmt.Sprint(i + 1)), QoS: 1, PacketID: uint16(i + 1),
			Duplicate: again, Properties: &packets.Properties{}})
	}
}

const up = "connecting[connecting]; open; connected[connected]; connected 1"

// Stored messages wait for the subscription that comes after CONNACK.
func TestStoredMessagesWaitForTheirSubscription(t *testing.T) {
	w := resumed(t, 5, nil)
	w.hears(up)
	w.sends("")
	w.tick(5 * time.Second)
	w.sub(2, "other", 1)
	w.sends("SUBSCRIBE other:1")
	w.hears("")
	w.sub(3, "t", 1)
	w.sends("PUBACK; PUBACK; PUBACK; PUBACK; PUBACK; SUBSCRIBE t:1")
	w.hears("message t=1 for [2]; message t=2 for [2]; message t=3 for [2]; message t=4 for [2]; message t=5 for [2]")
	w.tick(time.Minute / 2)
	w.hears("")
}

// What comes before the held messages are handed on comes behind them.
func TestHeldMessagesKeepTheirOrder(t *testing.T) {
	w := resumed(t, 2, nil)
	w.log = nil
	w.sub(2, "t", 1)
	w.gets(packets.PUBLISH, &packets.Publish{Topic: "t", Payload: []byte("3"), QoS: 1, PacketID: 3, Properties: &packets.Properties{}})
	w.hears("message t=1 for [1]; message t=2 for [1]; message t=3 for [1]")
}

// After the time, and from then on for the topic, messages are reported and
// acknowledged.
func TestUnclaimedMessagesAreReported(t *testing.T) {
	w := resumed(t, 2, func(o *Options) { o.UnclaimedTimeout = 3 * time.Second })
	w.log = nil
	if d := w.Deadline(); d != 3*time.Second {
		t.Errorf("due at %v", d)
	}
	w.tick(3*time.Second - 1)
	w.hears("")
	w.sends("")
	w.tick(1)
	w.hears("unclaimed t=1; unclaimed t=2")
	w.sends("PUBACK; PUBACK")
	w.stored(1, false)
	w.hears("unclaimed t=1")
	w.sends("PUBACK")
	w.sub(2, "u", 1) // from here on the page may want other topics, too
	w.sends("SUBSCRIBE u:1")
	w.stored(1, false)
	w.hears("")
	w.sends("")

	w = resumed(t, 1, func(o *Options) { o.UnclaimedTimeout = 0 })
	w.hears(up + "; unclaimed t=1")
	w.sends("PUBACK")
}

// A listener for all messages is a recipient.
func TestListenerClaimsEverything(t *testing.T) {
	w := resumed(t, 1, nil)
	w.log = nil
	w.Listen(w.now)
	w.sends("PUBACK")
	w.stored(1, false)
	w.hears("message t=1 for []; message t=1 for []")
}

// What the page has unsubscribed from is not held.
func TestWhatThePageHasLeftIsNotHeld(t *testing.T) {
	w := online(t, nil)
	id := w.sub(2, "t", 1)
	w.sends("SUBSCRIBE t:1")
	w.Unsubscribe(w.now, 3, id)
	w.sends("UNSUBSCRIBE t")
	w.log = nil
	w.stored(1, false)
	w.hears("unclaimed t=1")
	w.sends("PUBACK")
}

// A connection that is lost takes the held messages along: the broker sends them
// again, unless it has lost the session.
func TestHeldMessagesAndALostConnection(t *testing.T) {
	w := resumed(t, 2, nil)
	w.lost(1006)
	w.again(true)
	w.log = nil
	w.stored(2, true)
	w.sub(2, "t", 1)
	w.sends("PUBACK; PUBACK; SUBSCRIBE t:1")
	w.hears("message t=1 for [1]; message t=2 for [1]")

	w = resumed(t, 2, nil)
	w.lost(1006)
	w.again(false)
	w.log = nil
	w.tick(9 * time.Second)
	w.sub(2, "t", 1)
	w.sends("SUBSCRIBE t:1") // and no PUBACK for a message of another connection
	w.hears("message t=1 for [1]; message t=2 for [1]")
}

// Held messages are bounded in bytes: the oldest are reported.
func TestHeldMessagesAreBounded(t *testing.T) {
	w := resumed(t, 0, nil)
	w.log = nil
	payload := strings.Repeat("x", 1<<20)
	for i := range 40 {
		w.gets(packets.PUBLISH, &packets.Publish{Topic: fmt.Sprintf("t/%d", i), Payload: []byte(payload), QoS: 1, PacketID: uint16(i + 1), Properties: &packets.Properties{}})
		if w.held.bytes > maxUnclaimed {
			t.Fatalf("%d bytes are held", w.held.bytes)
		}
	}
	if n := strings.Count(strings.Join(w.log, ";"), "unclaimed"); n != 40-len(w.held.list) || n == 0 {
		t.Errorf("%d reported, %d held", n, len(w.held.list))
	}
	w.Disconnect(w.now, 9)
	if len(w.held.list) != 0 || w.held.bytes != 0 {
		t.Error("a client that is closed holds messages")
	}
}

// subscribe() before connect() waits for the connection; what comes first then has
// its recipient.
func TestSubscribeBeforeConnect(t *testing.T) {
	w := newWorld(t)
	w.sub(2, "t", 1)
	w.hears("")
	o := unsigned()
	o.CleanStart = false
	w.Connect(0, 1, &o)
	w.Opened(0, w.attempt)
	w.sends("CONNECT clean=false")
	w.connack(true)
	w.stored(1, false)
	w.sends("PUBACK; SUBSCRIBE t:1")
	w.suback(1, 1)
	w.hears("connecting[connecting]; open; connected[connected]; connected 1; message t=1 for [1]; subscribed 2 q1")

	// A connect() that fails settles it.
	w = newWorld(t)
	w.sub(2, "t", 1)
	o.Reconnect = false
	w.Connect(0, 1, &o)
	w.lost(1006)
	w.log = nil
	w.probed(Probe{})
	w.hears("failed 1 ERR_UNREACHABLE; failed 2 ERR_UNREACHABLE; disconnected ERR_UNREACHABLE[closed]; closed ERR_UNREACHABLE[closed]")
}

// disconnect() ends the subscriptions of the page and not those of the session. The
// next connect() to it gives the page time to subscribe again, before it leaves them.
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
	w.stored(2, false)
	w.sends("")
	w.sub(6, "t", 1)
	w.sends("PUBACK; PUBACK; SUBSCRIBE t:1")
	w.hears("message t=1 for [3]; message t=2 for [3]")
	w.tick(o.UnclaimedTimeout)
	w.sends("UNSUBSCRIBE u")
}

// What the page asked for before there was a connection is sent in its order: a
// message that it publishes itself finds the subscription.
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
