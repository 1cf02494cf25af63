package client

import (
	"strings"
	"testing"
	"time"

	"github.com/eclipse/paho.golang/packets"
)

// In a week without messages, the broker ends each connection after a day. Credentials are
// valid for an hour.
func TestOneWeek(t *testing.T) {
	w := signed(t)
	calls := 0 // of the provider
	connect := func() {
		calls++
		key := goodKey
		key.Expiration = midnight.Add(w.now + time.Hour)
		w.Provided(w.now, w.attempt, ProviderResult{Credentials: &key}, midnight.Add(w.now))
		if want := midnight.Add(w.now).Format("20060102T150405Z"); !strings.Contains(w.url, want) {
			t.Fatalf("the date of the signature is not %s: %s", want, w.url)
		}
		w.Opened(w.now, w.attempt)
		w.out()
		w.connack(calls > 1)
	}
	connect()
	w.sub(2, "f", 1)
	w.sends("SUBSCRIBE f:1")
	w.suback(1, 1)
	connected := w.now
	for w.now < 7*24*time.Hour {
		w.tick(w.Deadline() - w.now)
		for _, cp := range w.out() {
			if cp.Type != packets.PINGREQ {
				t.Fatalf("the client sends %s, want PINGREQ", cp.PacketType())
			}
			w.fromBroker(packets.PINGRESP, &packets.Pingresp{})
		}
		if w.now-connected >= 24*time.Hour {
			w.fromBroker(packets.DISCONNECT, &packets.Disconnect{ReasonCode: 0x8d, Properties: &packets.Properties{}})
			if w.State() != Reconnecting {
				t.Fatalf("the state is %s, want %s", w.State(), Reconnecting)
			}
			w.tick(w.Deadline() - w.now)
			connect()
			connected = w.now
		}
	}
	if s := w.Stats(); s.Connects != 7 && s.Connects != 8 || calls != int(s.Connects) || s.Subscriptions != 1 || w.State() != Connected {
		t.Errorf("the statistics are %+v after %d calls of the provider, and the state is %s", s, calls, w.State())
	}
}

func TestSleep(t *testing.T) {
	t.Run("a lost connection is detected in seconds", func(t *testing.T) {
		w := online(t, nil)
		w.now += 8 * time.Hour
		w.Wake(w.now)
		w.sends("PINGREQ")
		w.tick(wakeTimeout)
		w.expectCalls("close; disconnected ERR_KEEP_ALIVE retry 1s[reconnecting]")
	})
	t.Run("a lost connection is detected while an earlier PINGREQ is unanswered", func(t *testing.T) {
		w := online(t, nil)
		w.tick(w.Deadline() - w.now)
		w.sends("PINGREQ")
		w.Wake(w.now)
		w.sends("PINGREQ")
		w.now += time.Second
		w.Wake(w.now)
		w.sends("")
		w.tick(wakeTimeout - time.Second)
		w.expectCalls("close; disconnected ERR_KEEP_ALIVE retry 1s[reconnecting]")
	})
	t.Run("a working connection is kept", func(t *testing.T) {
		w := online(t, nil)
		w.now += 8 * time.Hour
		w.Wake(w.now)
		w.sends("PINGREQ")
		w.fromBroker(packets.PINGRESP, &packets.Pingresp{})
		w.tick(wakeTimeout)
		w.expectCalls("")
	})
	t.Run("the back-off ends", func(t *testing.T) {
		w := online(t, nil)
		w.loseSocket(1006)
		w.log = nil
		w.Wake(w.now)
		w.expectCalls("connecting[reconnecting]; open")
		w.Wake(w.now)
		w.expectCalls("")
	})
}

// The timers of a hidden page run once per minute. With a keep-alive of 120 s, the broker
// waits 180 s, so it keeps the connection.
func TestThrottledTimers(t *testing.T) {
	w := online(t, nil)
	last := w.now // when the broker received the last packet
	for minute := range 24 * 60 {
		w.now = time.Duration(minute+1)*time.Minute - time.Millisecond
		w.Tick(w.now)
		for range w.out() {
			last = w.now
			w.fromBroker(packets.PINGRESP, &packets.Pingresp{})
		}
		if w.now-last > 180*time.Second {
			t.Fatalf("at %v the broker has received nothing for %v", w.now, w.now-last)
		}
	}
	w.expectCalls("")
}
