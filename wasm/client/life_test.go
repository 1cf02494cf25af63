package client

import (
	"strings"
	"testing"
	"time"

	"github.com/eclipse/paho.golang/packets"
)

// A week: keys for an hour, a connection for at most a day, a broker that says so.
func TestAWeek(t *testing.T) {
	w := signed(t)
	fetched := 0
	connect := func() {
		fetched++
		key := goodKey
		key.Expiration = midnight.Add(w.now + time.Hour)
		w.Provided(w.now, w.attempt, ProviderResult{Credentials: &key}, midnight.Add(w.now))
		if want := midnight.Add(w.now).Format("20060102T150405Z"); !strings.Contains(w.url, want) {
			t.Fatalf("the signature is not of %s", want)
		}
		w.Opened(w.now, w.attempt)
		w.out()
		w.connack(fetched > 1)
	}
	connect()
	w.sub(2, "f", 1)
	w.sends("SUBSCRIBE f:1")
	w.suback(1, 1)
	born := w.now
	for w.now < 7*24*time.Hour {
		w.tick(w.Deadline() - w.now)
		for _, cp := range w.out() {
			if cp.Type != packets.PINGREQ {
				t.Fatalf("%s in a quiet week", cp.PacketType())
			}
			w.gets(packets.PINGRESP, &packets.Pingresp{})
		}
		if w.now-born >= 24*time.Hour {
			w.gets(packets.DISCONNECT, &packets.Disconnect{ReasonCode: 0x8d, Properties: &packets.Properties{}})
			if w.State() != Reconnecting {
				t.Fatal(w.State())
			}
			w.tick(w.Deadline() - w.now)
			connect()
			born = w.now
		}
	}
	if s := w.Stats(); s.Connects != 7 && s.Connects != 8 || fetched != int(s.Connects) || s.Subscriptions != 1 || w.State() != Connected {
		t.Errorf("%+v, %d keys, %s", s, fetched, w.State())
	}
}

func TestSleep(t *testing.T) {
	t.Run("a connection that has died is noticed in seconds", func(t *testing.T) {
		w := online(t, nil)
		w.now += 8 * time.Hour
		w.Wake(w.now)
		w.sends("PINGREQ")
		w.tick(wakeTimeout)
		w.hears("close; disconnected ERR_KEEP_ALIVE retry 1s[reconnecting]")
	})
	t.Run("even with a ping on its way that has longer", func(t *testing.T) {
		w := online(t, nil)
		w.tick(w.Deadline() - w.now)
		w.sends("PINGREQ")
		w.Wake(w.now)
		w.sends("PINGREQ")
		w.now += time.Second
		w.Wake(w.now)
		w.sends("")
		w.tick(wakeTimeout - time.Second)
		w.hears("close; disconnected ERR_KEEP_ALIVE retry 1s[reconnecting]")
	})
	t.Run("one that lives goes on", func(t *testing.T) {
		w := online(t, nil)
		w.now += 8 * time.Hour
		w.Wake(w.now)
		w.sends("PINGREQ")
		w.gets(packets.PINGRESP, &packets.Pingresp{})
		w.tick(wakeTimeout)
		w.hears("")
	})
	t.Run("a wait ends", func(t *testing.T) {
		w := online(t, nil)
		w.lost(1006)
		w.log = nil
		w.Wake(w.now)
		w.hears("connecting[reconnecting]; open")
		w.Wake(w.now)
		w.hears("")
	})
}

// A hidden page's timers run once a minute. With the keep-alive of 120 s, and a
// broker that waits one and a half of it, the connection holds.
func TestThrottledTimers(t *testing.T) {
	w := online(t, nil)
	heard := w.now // by the broker
	for minute := range 24 * 60 {
		w.now = time.Duration(minute+1)*time.Minute - time.Millisecond
		w.Tick(w.now)
		for range w.out() {
			heard = w.now
			w.gets(packets.PINGRESP, &packets.Pingresp{})
		}
		if w.now-heard > 180*time.Second {
			t.Fatalf("after %v the broker has heard nothing for %v", w.now, w.now-heard)
		}
	}
	w.hears("")
}
