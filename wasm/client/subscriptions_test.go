package client

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/eclipse/paho.golang/packets"

	"iot.wasm/wasm/mqtt"
)

func TestSmallPackets(t *testing.T) {
	w := newWorld(t)
	o := unsigned()
	w.Connect(0, 1, &o)
	w.Opened(0, w.attempt)
	w.out()
	w.gets(packets.CONNACK, &packets.Connack{Properties: &packets.Properties{MaximumPacketSize: new(uint32(40))}})
	w.log = nil
	for i := range 4 {
		w.sub(mqtt.Token(i+2), fmt.Sprintf("a/long/filter/%d", i), 0)
	}
	w.sub(9, strings.Repeat("x", 40), 0)
	w.sends("SUBSCRIBE a/long/filter/0:0; SUBSCRIBE a/long/filter/1:0; SUBSCRIBE a/long/filter/2:0; SUBSCRIBE a/long/filter/3:0")
	for i := range 4 {
		w.suback(uint16(i+1), 0)
	}
	w.hears("failed 9 ERR_SUBSCRIBE; subscribed 2 q0; subscribed 3 q0; subscribed 4 q0; subscribed 5 q0")
	w.Unsubscribe(0, 20, 1)
	w.Unsubscribe(0, 21, 2)
	w.Unsubscribe(0, 22, 3)
	w.sends("UNSUBSCRIBE a/long/filter/0; UNSUBSCRIBE a/long/filter/1 a/long/filter/2")
}

func TestFiltersThatTheBrokerHasNot(t *testing.T) {
	w := newWorld(t)
	o := unsigned()
	w.Connect(0, 1, &o)
	w.Opened(0, w.attempt)
	w.out()
	w.sub(2, "a/#", 0)
	w.gets(packets.CONNACK, &packets.Connack{Properties: &packets.Properties{WildcardSubAvailable: new(byte(0)), SharedSubAvailable: new(byte(0))}})
	if !slices.Contains(w.log, "failed 2 ERR_SUBSCRIBE_REFUSED") {
		t.Errorf("heard %q", w.log)
	}
	w.sub(3, "$share/g/a", 0)
	w.sub(4, "a", 0)
	w.log = nil
	w.sends("SUBSCRIBE a:0")
	w.hears("failed 3 ERR_SUBSCRIBE_REFUSED")
}

func TestRaise(t *testing.T) {
	t.Run("asked for before the first answer", func(t *testing.T) {
		w := online(t, nil)
		w.sub(2, "f", 0)
		w.sends("SUBSCRIBE f:0")
		w.sub(3, "f", 1)
		w.sends("SUBSCRIBE f:1")
		w.suback(1, 0)
		w.hears("")
		w.suback(2, 1)
		w.hears("subscribed 2 q1; subscribed 3 q1")
	})
	t.Run("refused, it leaves what there was", func(t *testing.T) {
		w := online(t, nil)
		w.sub(2, "f", 0)
		w.sends("SUBSCRIBE f:0")
		w.suback(1, 0)
		w.sub(3, "f", 1)
		w.sends("SUBSCRIBE f:1")
		w.log = nil
		w.suback(2, 0x97)
		w.sub(4, "f", 0)
		w.hears("failed 3 ERR_SUBSCRIBE_REFUSED; subscribed 4 q0")
	})
}

// A CONNECT that was not answered may have made a new session, which the next
// CONNACK calls present.
func TestAnotherSession(t *testing.T) {
	w := online(t, nil)
	w.sub(2, "f", 1)
	w.sends("SUBSCRIBE f:1")
	w.suback(1, 1)
	w.pub(3, 2, "t", "twice?")
	w.pub(4, 1, "t", "again")
	w.sends("PUBLISH twice?; PUBLISH again")
	w.lost(1006)
	w.tick(w.Deadline() - w.now)
	w.Opened(w.now, w.attempt)
	w.sends("CONNECT clean=false")
	w.lost(1006)
	w.log = nil
	w.again(true)
	w.hears("connecting[reconnecting]; open; failed 3 ERR_SESSION_LOST; connected[connected]")
	out := w.out()
	if len(out) != 3 || out[0].Type != packets.PUBREL || out[1].Type != packets.SUBSCRIBE || out[2].Type != packets.PUBLISH || out[1].Content.(*packets.Subscribe).Subscriptions[0].RetainHandling != 1 {
		t.Errorf("sent %v", out)
	}
	w.lost(1006)
	w.log = nil
	w.again(true)
	w.hears("connecting[reconnecting]; open; connected recovered[connected]")
}

// A session that is resumed must not bring back what the page has given up.
func TestWhatIsGivenUpStaysSo(t *testing.T) {
	t.Run("offline, wanted again and given up again", func(t *testing.T) {
		w := online(t, nil)
		id := w.sub(2, "f", 0)
		w.sends("SUBSCRIBE f:0")
		w.lost(1006)
		w.Unsubscribe(w.now, 3, id)
		id = w.sub(4, "f", 0)
		w.Unsubscribe(w.now, 5, id)
		w.again(true)
		w.sends("UNSUBSCRIBE f")
	})
	t.Run("by the end of the client", func(t *testing.T) {
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
		w.sends("") // the page may subscribe to it again
		w.tick(o.UnclaimedTimeout)
		w.sends("UNSUBSCRIBE f")
	})
	t.Run("unsubscribed in the turn that the connection is lost in", func(t *testing.T) {
		w := online(t, nil)
		id := w.sub(2, "f", 0)
		w.sends("SUBSCRIBE f:0")
		w.suback(1, 0)
		w.Unsubscribe(w.now, 3, id)
		w.lost(1006)
		w.log = nil
		w.again(false)
		w.hears("connecting[reconnecting]; open; done 3; connected[connected]")
	})
}

func TestResubscribes(t *testing.T) {
	w := online(t, nil)
	for i := range 19 {
		w.sub(mqtt.Token(i+2), fmt.Sprintf("f%02d", i), 1)
	}
	w.sends("SUBSCRIBE f00:1 f01:1 f02:1 f03:1 f04:1 f05:1 f06:1 f07:1; SUBSCRIBE f08:1 f09:1 f10:1 f11:1 f12:1 f13:1 f14:1 f15:1; SUBSCRIBE f16:1 f17:1 f18:1")
	w.suback(1, make([]byte, 8)...)
	w.suback(2, make([]byte, 8)...)
	// f16 to f18 are still unanswered.
	w.log = nil
	w.lost(1006)
	w.again(true)
	w.sends("SUBSCRIBE f16:1 f17:1 f18:1")
	w.suback(4, 1, 1, 1)
	w.hears("close; disconnected ERR_CONNECTION_LOST retry 1s[reconnecting]; connecting[reconnecting]; open; connected recovered[connected]; subscribed 18 q1; subscribed 19 q1; subscribed 20 q1")
	w.lost(1006)
	w.again(false)
	var filters int
	for _, cp := range w.out() {
		n := len(cp.Content.(*packets.Subscribe).Subscriptions)
		if n > 8 {
			t.Errorf("%d filters in one SUBSCRIBE", n)
		}
		filters += n
	}
	if filters != 19 {
		t.Errorf("%d filters resubscribed", filters)
	}
	w.log = nil
	w.suback(5, 0x87, 0, 0, 0, 0, 0, 0, 0)
	w.hears("ended 1 ERR_SUBSCRIBE_REFUSED")
}

func TestSharedSubscribe(t *testing.T) {
	w := online(t, nil)
	w.sub(2, "f", 0)
	w.sub(3, "f", 0)
	w.sends("SUBSCRIBE f:0")
	w.suback(1, 0)
	// One without an interest in retained messages has what it wants already.
	w.Subscribe(w.now, 4, mqtt.Subscription{Filter: "f", RetainHandling: 2}, nil)
	w.sends("")
	w.hears("subscribed 2 q0; subscribed 3 q0; subscribed 4 q0")
	w.sub(5, "f", 1) // more than was asked for
	w.sends("SUBSCRIBE f:1")
	w.suback(2, 1)
	w.hears("subscribed 5 q1")
	w.Subscribe(w.now, 6, mqtt.Subscription{Filter: "f", NoLocal: true}, nil)
	w.hears("failed 6 ERR_OPTION")
	for id := range uint32(3) {
		w.Unsubscribe(w.now, mqtt.Token(10+id), id+1)
	}
	w.sends("")
	w.Unsubscribe(w.now, 20, 4)
	w.sends("UNSUBSCRIBE f")
	w.hears("ended 1; done 10; ended 2; done 11; ended 3; done 12; ended 4")
	w.gets(packets.UNSUBACK, &packets.Unsuback{PacketID: 3, Reasons: []byte{0}, Properties: &packets.Properties{}})
	w.hears("done 20")
}

func TestLateSubscription(t *testing.T) {
	for _, c := range []struct {
		name         string
		first, later byte // Retain Handling
		filter       string
		answered     bool // before the later one comes
		heard        bool // so has a message
		want         string
	}{
		{"gets what is retained", 0, 0, "f", true, true, "SUBSCRIBE f:0"},
		{"though the first wanted none", 2, 0, "f", true, false, "SUBSCRIBE f:0"},
		{"and the first is not answered", 2, 0, "f", false, false, "SUBSCRIBE f:0"},
		{"though the broker knows the filter", 0, 1, "f", true, true, "SUBSCRIBE f:0"},
		{"shares what is on its way", 0, 0, "f", false, false, ""},
		{"when there is nothing", 0, 0, "f", true, false, ""},
		{"wants none", 0, 2, "f", true, true, ""},
		{"of a shared subscription, which has none", 0, 0, "$share/g/f", true, true, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := online(t, nil)
			w.Subscribe(w.now, 2, mqtt.Subscription{Filter: c.filter, RetainHandling: c.first}, nil)
			w.sends("SUBSCRIBE " + c.filter + map[byte]string{0: ":0", 2: ":0r2"}[c.first])
			if c.answered {
				w.suback(1, 0)
			}
			w.hears(map[bool]string{true: "subscribed 2 q0"}[c.answered])
			if c.heard {
				w.gets(packets.PUBLISH, &packets.Publish{Topic: "f", Properties: &packets.Properties{}})
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
				w.hears("subscribed 3 q0")
			} else {
				w.hears("subscribed 2 q0; subscribed 3 q0")
			}
		})
	}
}

func TestUnsubscribe(t *testing.T) {
	t.Run("before the SUBSCRIBE went", func(t *testing.T) {
		w := online(t, nil)
		id := w.sub(2, "f", 0)
		w.Unsubscribe(w.now, 3, id)
		w.sends("")
		w.hears("failed 2 ERR_UNSUBSCRIBED; done 3")
	})
	t.Run("before its answer", func(t *testing.T) {
		w := online(t, nil)
		w.sub(2, "f", 0)
		w.sends("SUBSCRIBE f:0")
		w.UnsubscribeAll(w.now, 3, "f")
		w.sends("UNSUBSCRIBE f")
		w.suback(1, 0)
		w.hears("failed 2 ERR_UNSUBSCRIBED")
	})
	t.Run("and again in the same turn", func(t *testing.T) {
		w := online(t, nil)
		id := w.sub(2, "f", 0)
		w.sends("SUBSCRIBE f:0")
		w.suback(1, 0)
		w.Unsubscribe(w.now, 3, id)
		w.sub(4, "f", 0)
		w.sends("UNSUBSCRIBE f; SUBSCRIBE f:0")
	})
	t.Run("while offline, of a session that lives on", func(t *testing.T) {
		w := online(t, nil)
		id, other := w.sub(2, "f", 0), w.sub(3, "g", 0)
		w.sends("SUBSCRIBE f:0 g:0")
		w.suback(1, 0, 0)
		w.lost(1006)
		w.log = nil
		w.Unsubscribe(w.now, 4, id)
		w.Unsubscribe(w.now, 5, other)
		w.sub(6, "g", 0) // wanted again
		w.hears("ended 1; done 4; ended 2; done 5")
		w.again(true)
		w.sends("UNSUBSCRIBE f; SUBSCRIBE g:0")
	})
	t.Run("while offline, of a session that is gone", func(t *testing.T) {
		w := online(t, nil)
		id := w.sub(2, "f", 0)
		w.sends("SUBSCRIBE f:0")
		w.lost(1006)
		w.Unsubscribe(w.now, 4, id)
		w.again(false)
		w.sends("")
	})
	t.Run("the UNSUBACK is lost with the connection", func(t *testing.T) {
		w := online(t, nil)
		id := w.sub(2, "f", 0)
		w.sends("SUBSCRIBE f:0")
		w.suback(1, 0)
		w.Unsubscribe(w.now, 4, id)
		w.sends("UNSUBSCRIBE f")
		w.log = nil
		w.lost(1006)
		w.again(true)
		w.sends("UNSUBSCRIBE f")
		if !slices.Contains(w.log, "done 4") {
			t.Error(w.log)
		}
	})
}
