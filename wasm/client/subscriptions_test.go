package client

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/eclipse/paho.golang/packets"

	"iot.wasm/wasm/mqtt"
)

func TestSmallMaximumPacketSize(t *testing.T) {
	w := newWorld(t)
	o := unsigned()
	w.Connect(0, 1, &o)
	w.Opened(0, w.attempt)
	w.out()
	w.fromBroker(packets.CONNACK, &packets.Connack{Properties: &packets.Properties{MaximumPacketSize: new(uint32(40))}})
	w.log = nil
	for i := range 4 {
		w.sub(mqtt.Token(i+2), fmt.Sprintf("a/long/filter/%d", i), 0)
	}
	w.sub(9, strings.Repeat("x", 40), 0)
	w.sends("SUBSCRIBE a/long/filter/0:0; SUBSCRIBE a/long/filter/1:0; SUBSCRIBE a/long/filter/2:0; SUBSCRIBE a/long/filter/3:0")
	for i := range 4 {
		w.suback(uint16(i+1), 0)
	}
	w.expectCalls("failed 9 ERR_SUBSCRIBE; subscribed 2 q0; subscribed 3 q0; subscribed 4 q0; subscribed 5 q0")
	w.Unsubscribe(0, 20, 1)
	w.Unsubscribe(0, 21, 2)
	w.Unsubscribe(0, 22, 3)
	w.sends("UNSUBSCRIBE a/long/filter/0; UNSUBSCRIBE a/long/filter/1 a/long/filter/2")
}

func TestUnavailableFilters(t *testing.T) {
	w := newWorld(t)
	o := unsigned()
	w.Connect(0, 1, &o)
	w.Opened(0, w.attempt)
	w.out()
	w.sub(2, "a/#", 0)
	w.fromBroker(packets.CONNACK, &packets.Connack{Properties: &packets.Properties{WildcardSubAvailable: new(byte(0)), SharedSubAvailable: new(byte(0))}})
	if !slices.Contains(w.log, "failed 2 ERR_SUBSCRIBE_REFUSED") {
		t.Errorf("the calls are %q", w.log)
	}
	w.sub(3, "$share/g/a", 0)
	w.sub(4, "a", 0)
	w.log = nil
	w.sends("SUBSCRIBE a:0")
	w.expectCalls("failed 3 ERR_SUBSCRIBE_REFUSED")
}

func TestHigherQoS(t *testing.T) {
	t.Run("before the first SUBACK", func(t *testing.T) {
		w := online(t, nil)
		w.sub(2, "f", 0)
		w.sends("SUBSCRIBE f:0")
		w.sub(3, "f", 1)
		w.sends("SUBSCRIBE f:1")
		w.suback(1, 0)
		w.expectCalls("")
		w.suback(2, 1)
		w.expectCalls("subscribed 2 q1; subscribed 3 q1")
	})
	t.Run("refused", func(t *testing.T) {
		w := online(t, nil)
		w.sub(2, "f", 0)
		w.sends("SUBSCRIBE f:0")
		w.suback(1, 0)
		w.sub(3, "f", 1)
		w.sends("SUBSCRIBE f:1")
		w.log = nil
		w.suback(2, 0x97)
		w.sub(4, "f", 0)
		w.expectCalls("failed 3 ERR_SUBSCRIBE_REFUSED; subscribed 4 q0")
	})
}

// An unanswered CONNECT may have created a new session. The next CONNACK then has Session
// Present set, although the previous session is lost.
func TestUncertainSession(t *testing.T) {
	w := online(t, nil)
	w.sub(2, "f", 1)
	w.sends("SUBSCRIBE f:1")
	w.suback(1, 1)
	w.pub(3, 2, "t", "exactly once")
	w.pub(4, 1, "t", "at least once")
	w.sends("PUBLISH exactly once; PUBLISH at least once")
	w.loseSocket(1006)
	w.tick(w.Deadline() - w.now)
	w.Opened(w.now, w.attempt)
	w.sends("CONNECT clean=false")
	w.loseSocket(1006)
	w.log = nil
	w.reconnected(true)
	w.expectCalls("connecting[reconnecting]; open; failed 3 ERR_SESSION_LOST; connected[connected]")
	out := w.out()
	if len(out) != 3 || out[0].Type != packets.PUBREL || out[1].Type != packets.SUBSCRIBE || out[2].Type != packets.PUBLISH || out[1].Content.(*packets.Subscribe).Subscriptions[0].RetainHandling != 1 {
		t.Errorf("the client sends %v", out)
	}
	w.loseSocket(1006)
	w.log = nil
	w.reconnected(true)
	w.expectCalls("connecting[reconnecting]; open; connected recovered[connected]")
}

// A resumed session must not restore subscriptions that the page has ended.
func TestResumedSessionRestoresNoEndedSubscription(t *testing.T) {
	t.Run("subscribed and unsubscribed again while offline", func(t *testing.T) {
		w := online(t, nil)
		id := w.sub(2, "f", 0)
		w.sends("SUBSCRIBE f:0")
		w.loseSocket(1006)
		w.Unsubscribe(w.now, 3, id)
		id = w.sub(4, "f", 0)
		w.Unsubscribe(w.now, 5, id)
		w.reconnected(true)
		w.sends("UNSUBSCRIBE f")
	})
	t.Run("ended by disconnect()", func(t *testing.T) {
		w := online(t, func(o *Options) { o.CleanStart = true })
		w.sub(2, "f", 0)
		w.sends("SUBSCRIBE f:0")
		w.Disconnect(w.now, 3)
		o := unsigned()
		o.CleanStart = false
		w.Connect(w.now, 4, &o)
		w.Opened(w.now, w.attempt)
		w.out()
		w.connack(true)
		w.sends("") // the page can still subscribe again
		w.tick(o.UnclaimedTimeout)
		w.sends("UNSUBSCRIBE f")
	})
	t.Run("unsubscribed in the turn in which the connection is lost", func(t *testing.T) {
		w := online(t, nil)
		id := w.sub(2, "f", 0)
		w.sends("SUBSCRIBE f:0")
		w.suback(1, 0)
		w.Unsubscribe(w.now, 3, id)
		w.loseSocket(1006)
		w.log = nil
		w.reconnected(false)
		w.expectCalls("connecting[reconnecting]; open; done 3; connected[connected]")
	})
}

func TestResubscribe(t *testing.T) {
	w := online(t, nil)
	for i := range 19 {
		w.sub(mqtt.Token(i+2), fmt.Sprintf("f%02d", i), 1)
	}
	w.sends("SUBSCRIBE f00:1 f01:1 f02:1 f03:1 f04:1 f05:1 f06:1 f07:1; SUBSCRIBE f08:1 f09:1 f10:1 f11:1 f12:1 f13:1 f14:1 f15:1; SUBSCRIBE f16:1 f17:1 f18:1")
	w.suback(1, make([]byte, 8)...)
	w.suback(2, make([]byte, 8)...)
	// The broker has not answered the SUBSCRIBE of f16 to f18.
	w.log = nil
	w.loseSocket(1006)
	w.reconnected(true)
	w.sends("SUBSCRIBE f16:1 f17:1 f18:1")
	w.suback(4, 1, 1, 1)
	w.expectCalls("close; disconnected ERR_CONNECTION_LOST retry 1s[reconnecting]; connecting[reconnecting]; open; connected recovered[connected]; subscribed 18 q1; subscribed 19 q1; subscribed 20 q1")
	w.loseSocket(1006)
	w.reconnected(false)
	var filters int
	for _, cp := range w.out() {
		n := len(cp.Content.(*packets.Subscribe).Subscriptions)
		if n > 8 {
			t.Errorf("a SUBSCRIBE contains %d filters", n)
		}
		filters += n
	}
	if filters != 19 {
		t.Errorf("the client resubscribes %d filters, want 19", filters)
	}
	w.log = nil
	w.suback(5, 0x87, 0, 0, 0, 0, 0, 0, 0)
	w.expectCalls("ended 1 ERR_SUBSCRIBE_REFUSED")
}

func TestSubscriptionsToOneFilter(t *testing.T) {
	w := online(t, nil)
	w.sub(2, "f", 0)
	w.sub(3, "f", 0)
	w.sends("SUBSCRIBE f:0")
	w.suback(1, 0)
	// A subscription that requests no retained messages needs no SUBSCRIBE.
	w.Subscribe(w.now, 4, mqtt.Subscription{Filter: "f", RetainHandling: 2}, nil)
	w.sends("")
	w.expectCalls("subscribed 2 q0; subscribed 3 q0; subscribed 4 q0")
	w.sub(5, "f", 1) // needs a higher QoS
	w.sends("SUBSCRIBE f:1")
	w.suback(2, 1)
	w.expectCalls("subscribed 5 q1")
	w.Subscribe(w.now, 6, mqtt.Subscription{Filter: "f", NoLocal: true}, nil)
	w.expectCalls("failed 6 ERR_OPTION")
	for id := range uint32(3) {
		w.Unsubscribe(w.now, mqtt.Token(10+id), id+1)
	}
	w.sends("")
	w.Unsubscribe(w.now, 20, 4)
	w.sends("UNSUBSCRIBE f")
	w.expectCalls("ended 1; done 10; ended 2; done 11; ended 3; done 12; ended 4")
	w.fromBroker(packets.UNSUBACK, &packets.Unsuback{PacketID: 3, Reasons: []byte{0}, Properties: &packets.Properties{}})
	w.expectCalls("done 20")
}

func TestLateSubscription(t *testing.T) {
	for _, c := range []struct {
		name         string
		first, later byte // Retain Handling
		filter       string
		answered     bool // SUBACK arrives before the later subscription
		received     bool // a message arrives before the later subscription
		want         string
	}{
		{"requests retained messages", 0, 0, "f", true, true, "SUBSCRIBE f:0"},
		{"requests retained messages that the first does not request", 2, 0, "f", true, false, "SUBSCRIBE f:0"},
		{"requests retained messages before the first SUBACK", 2, 0, "f", false, false, "SUBSCRIBE f:0"},
		{"requests retained messages with Retain Handling 1", 0, 1, "f", true, true, "SUBSCRIBE f:0"},
		{"shares the request of the first", 0, 0, "f", false, false, ""},
		{"shares the result of the first, which received none", 0, 0, "f", true, false, ""},
		{"requests no retained messages", 0, 2, "f", true, true, ""},
		{"is a shared subscription", 0, 0, "$share/g/f", true, true, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := online(t, nil)
			w.Subscribe(w.now, 2, mqtt.Subscription{Filter: c.filter, RetainHandling: c.first}, nil)
			w.sends("SUBSCRIBE " + c.filter + map[byte]string{0: ":0", 2: ":0r2"}[c.first])
			if c.answered {
				w.suback(1, 0)
			}
			w.expectCalls(map[bool]string{true: "subscribed 2 q0"}[c.answered])
			if c.received {
				w.fromBroker(packets.PUBLISH, &packets.Publish{Topic: "f", Properties: &packets.Properties{}})
			}
			w.log = nil
			w.Subscribe(w.now, 3, mqtt.Subscription{Filter: c.filter, RetainHandling: c.later}, nil)
			w.sends(c.want)
			if !c.answered {
				w.suback(1, 0)
			}
			if c.want != "" {
				w.suback(2, 0)
			}
			if c.answered {
				w.expectCalls("subscribed 3 q0")
			} else {
				w.expectCalls("subscribed 2 q0; subscribed 3 q0")
			}
		})
	}
}

func TestUnsubscribe(t *testing.T) {
	t.Run("before SUBSCRIBE", func(t *testing.T) {
		w := online(t, nil)
		id := w.sub(2, "f", 0)
		w.Unsubscribe(w.now, 3, id)
		w.sends("")
		w.expectCalls("failed 2 ERR_UNSUBSCRIBED; done 3")
	})
	t.Run("before SUBACK", func(t *testing.T) {
		w := online(t, nil)
		w.sub(2, "f", 0)
		w.sends("SUBSCRIBE f:0")
		w.UnsubscribeAll(w.now, 3, "f")
		w.sends("UNSUBSCRIBE f")
		w.suback(1, 0)
		w.expectCalls("failed 2 ERR_UNSUBSCRIBED")
	})
	t.Run("with another subscribe() in the same turn", func(t *testing.T) {
		w := online(t, nil)
		id := w.sub(2, "f", 0)
		w.sends("SUBSCRIBE f:0")
		w.suback(1, 0)
		w.Unsubscribe(w.now, 3, id)
		w.sub(4, "f", 0)
		w.sends("UNSUBSCRIBE f; SUBSCRIBE f:0")
	})
	t.Run("while offline, with a session that is resumed", func(t *testing.T) {
		w := online(t, nil)
		id, other := w.sub(2, "f", 0), w.sub(3, "g", 0)
		w.sends("SUBSCRIBE f:0 g:0")
		w.suback(1, 0, 0)
		w.loseSocket(1006)
		w.log = nil
		w.Unsubscribe(w.now, 4, id)
		w.Unsubscribe(w.now, 5, other)
		w.sub(6, "g", 0)
		w.expectCalls("ended 1; done 4; ended 2; done 5")
		w.reconnected(true)
		w.sends("UNSUBSCRIBE f; SUBSCRIBE g:0")
	})
	t.Run("while offline, with a session that is lost", func(t *testing.T) {
		w := online(t, nil)
		id := w.sub(2, "f", 0)
		w.sends("SUBSCRIBE f:0")
		w.loseSocket(1006)
		w.Unsubscribe(w.now, 4, id)
		w.reconnected(false)
		w.sends("")
	})
	t.Run("with a lost UNSUBACK", func(t *testing.T) {
		w := online(t, nil)
		id := w.sub(2, "f", 0)
		w.sends("SUBSCRIBE f:0")
		w.suback(1, 0)
		w.Unsubscribe(w.now, 4, id)
		w.sends("UNSUBSCRIBE f")
		w.log = nil
		w.loseSocket(1006)
		w.reconnected(true)
		w.sends("UNSUBSCRIBE f")
		if !slices.Contains(w.log, "done 4") {
			t.Errorf("the calls %q do not contain done 4", w.log)
		}
	})
}
