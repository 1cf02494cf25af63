package client

import (
	"strings"
	"testing"
	"time"

	"github.com/eclipse/paho.golang/packets"

	"iot.wasm/wasm/sigv4"
)

// signed is a world whose page has a provider, and whose broker is AWS's.
func signed(t *testing.T) *world {
	w := newWorld(t)
	o := DefaultOptions()
	o.Endpoint, o.ClientID, o.Source, o.Fresh, o.Quotas = "a-ats.iot.eu-west-1.amazonaws.com", "c", FromCredentials, true, AWSQuotas
	w.Connect(0, 1, &o)
	return w
}

var midnight = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

// A week: keys for an hour, a connection for at most a day, a broker that says so.
func TestAWeek(t *testing.T) {
	w := signed(t)
	fetched := 0
	connect := func() {
		fetched++
		key := goodKey
		key.Expiration = midnight.Add(w.now + time.Hour)
		w.Resolved(w.now, w.attempt, Resolution{Credentials: &key}, midnight.Add(w.now))
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
	if s, _, _, subscriptions := w.Stats(); s.Connects != 7 && s.Connects != 8 || fetched != int(s.Connects) || subscriptions != 1 || w.State() != Connected {
		t.Errorf("%+v, %d keys, %d subscriptions, %s", s, fetched, subscriptions, w.State())
	}
}

func TestClockSkew(t *testing.T) {
	w := signed(t)
	wall := midnight // while the service's clock says one
	w.Resolved(0, w.attempt, Resolution{Credentials: &goodKey}, wall)
	w.lost(1006)
	w.tick(2 * time.Second)
	w.log = nil
	refusal := Probe{Status: 403, Code: "InvalidSignatureException", Message: "Signature expired: x", Dated: true, Skew: time.Hour}
	w.probed(refusal)
	w.hears("disconnected ERR_CLOCK_SKEW retry 0s[connecting]; connecting[connecting]; resolve anew")
	key := goodKey
	key.Expiration = midnight.Add(30 * time.Minute) // of the service's time, by which it is dead
	w.Resolved(w.now, w.attempt, Resolution{Credentials: &key}, wall)
	w.hears("disconnected ERR_CREDENTIALS_EXPIRED retry 1s[connecting]")
	// What was measured has not been confirmed, so it is measured again.
	w.tick(w.Deadline() - w.now)
	w.Resolved(w.now, w.attempt, Resolution{Credentials: &key}, wall)
	w.lost(1006)
	w.probed(refusal)
	w.tick(w.Deadline() - w.now)
	key.Expiration = midnight.Add(90 * time.Minute)
	w.Resolved(w.now, w.attempt, Resolution{Credentials: &key}, wall)
	if !strings.Contains(w.url, "X-Amz-Date=20260101T010000Z") {
		t.Error("the signature is not by the service's clock")
	}
	// Refused again, it was not the clock: no third signature at once.
	w.lost(1006)
	w.log = nil
	w.probed(Probe{Status: 403, Code: "InvalidSignatureException", Dated: true, Skew: 5 * time.Hour})
	w.hears("disconnected ERR_SIGNATURE retry 1s[connecting]")
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

func TestAuthorizer(t *testing.T) {
	w := newWorld(t)
	o := unsigned()
	o.Endpoint = "wss://a.iot.eu-west-1.amazonaws.com/mqtt"
	o.Authorizer = Authorizer("door", "key", "to ken", "a+b/c=")
	w.Connect(0, 1, &o)
	if want := "wss://a.iot.eu-west-1.amazonaws.com/mqtt?x-amz-customauthorizer-name=door&key=to%20ken&x-amz-customauthorizer-signature=a%2Bb%2Fc%3D"; w.url != want {
		t.Errorf("%s, want %s", w.url, want)
	}
	if a := Authorizer("door", "", "", ""); a.Reveal() != "x-amz-customauthorizer-name=door" || Authorizer("", "", "t", "") != "" {
		t.Error(a.Reveal())
	}
}

func TestRefusedKeysAreNotAskedForAgain(t *testing.T) {
	w := signed(t)
	w.Resolved(0, w.attempt, Resolution{Credentials: &goodKey}, midnight)
	w.lost(1006)
	w.tick(time.Second)
	w.probed(Probe{Status: 403, Code: "ExpiredTokenException"})
	w.log = nil
	w.tick(w.Deadline() - w.now)
	w.hears("connecting[connecting]; resolve anew")
	w.Resolved(w.now, w.attempt, Resolution{Credentials: &sigv4.Credentials{AccessKeyID: "NEW", SecretAccessKey: "s"}}, midnight)
	w.Opened(w.now, w.attempt)
	w.connack(false)
	w.lost(1006)
	w.log = nil
	w.tick(w.Deadline() - w.now)
	w.hears("connecting[reconnecting]; resolve")
}
