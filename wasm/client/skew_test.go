package client

import (
	"strings"
	"testing"
	"time"
)

// attempted answers the question for credentials, and returns the time by which the
// URL was signed, as an offset from midnight.
func (w *world) attempted() time.Duration {
	w.t.Helper()
	w.Provided(w.now, w.attempt, ProviderResult{Credentials: &goodKey}, midnight)
	_, date, _ := strings.Cut(w.url, "X-Amz-Date=")
	signed, err := time.Parse("20060102T150405Z", date[:16])
	if err != nil {
		w.t.Fatal(err)
	}
	return signed.Sub(midnight)
}

func refusedAt(skew time.Duration) Probe {
	return Probe{Status: 403, Code: "InvalidSignatureException", Dated: true, Skew: skew}
}

func TestSkew(t *testing.T) {
	next := func(w *world) { w.tick(w.Deadline() - w.now) }
	t.Run("is forgotten when the attempt that uses it fails", func(t *testing.T) {
		w := signed(t)
		w.attempted()
		w.lost(1006)
		w.now += 2 * time.Second // AWS's pace of connections
		w.probed(refusedAt(time.Hour))
		if got := w.attempted(); got != time.Hour {
			t.Fatalf("signed %v off", got)
		}
		w.lost(1006)
		w.now += 2 * time.Second // AWS's pace of connections
		w.probed(Probe{})        // the network has failed, and meanwhile the clocks agree
		next(w)
		if got := w.attempted(); got != 0 {
			t.Errorf("signed %v off", got)
		}
	})
	t.Run("is kept when the signature is accepted", func(t *testing.T) {
		w := signed(t)
		w.attempted()
		w.lost(1006)
		w.now += 2 * time.Second // AWS's pace of connections
		w.probed(refusedAt(time.Hour))
		w.attempted()
		w.Opened(w.now, w.attempt)
		w.connack(false)
		w.lost(1006)
		next(w)
		if got := w.attempted(); got != time.Hour {
			t.Errorf("signed %v off", got)
		}
		w.lost(1006)
		w.now += 2 * time.Second // AWS's pace of connections
		w.probed(Probe{})
		next(w)
		if got := w.attempted(); got != time.Hour {
			t.Errorf("signed %v off after a failed attempt", got)
		}
		// Refused while the clocks agree, it is wrong by now, and the next attempt
		// follows at once.
		w.lost(1006)
		w.now += 2 * time.Second
		w.log = nil
		w.probed(refusedAt(0))
		w.hears("disconnected ERR_SIGNATURE retry 0s[reconnecting]; connecting[reconnecting]; provide anew")
		if got := w.attempted(); got != 0 {
			t.Errorf("signed %v off after a refusal", got)
		}
	})
	t.Run("is discarded by a refusal", func(t *testing.T) {
		w := signed(t)
		w.attempted()
		w.lost(1006)
		w.now += 2 * time.Second // AWS's pace of connections
		w.probed(refusedAt(time.Hour))
		w.attempted()
		w.lost(1006)
		w.now += 2 * time.Second       // AWS's pace of connections
		w.probed(refusedAt(time.Hour)) // by the service's own clock, and refused all the same
		next(w)
		if got := w.attempted(); got != 0 {
			t.Errorf("signed %v off", got)
		}
	})
	t.Run("has a bound", func(t *testing.T) {
		for _, skew := range []time.Duration{10 * 365 * day, -10 * 365 * day, day + time.Minute} {
			w := signed(t)
			w.attempted()
			w.lost(1006)
			w.now += 2 * time.Second
			w.log = nil
			w.probed(refusedAt(skew))
			w.hears("disconnected ERR_SIGNATURE retry 1s[connecting]")
			next(w)
			if got := w.attempted(); got != 0 {
				t.Errorf("%v is believed", skew)
			}
		}
	})
	t.Run("is forgotten with the connection", func(t *testing.T) {
		w := signed(t)
		w.attempted()
		w.lost(1006)
		w.now += 2 * time.Second // AWS's pace of connections
		w.probed(refusedAt(time.Hour))
		w.attempted()
		w.Opened(w.now, w.attempt)
		w.connack(false)
		w.Disconnect(w.now, 8)
		w.now += time.Minute
		o := w.options
		w.Connect(w.now, 9, &o)
		if got := w.attempted(); got != 0 {
			t.Errorf("signed %v off", got)
		}
	})
}

func TestClockSkew(t *testing.T) {
	w := signed(t)
	wall := midnight // while the service's clock says one
	w.Provided(0, w.attempt, ProviderResult{Credentials: &goodKey}, wall)
	w.lost(1006)
	w.tick(2 * time.Second)
	w.log = nil
	refusal := Probe{Status: 403, Code: "InvalidSignatureException", Message: "Signature expired: x", Dated: true, Skew: time.Hour}
	w.probed(refusal)
	w.hears("disconnected ERR_CLOCK_SKEW retry 0s[connecting]; connecting[connecting]; provide anew")
	key := goodKey
	key.Expiration = midnight.Add(30 * time.Minute) // of the service's time, by which it is dead
	w.Provided(w.now, w.attempt, ProviderResult{Credentials: &key}, wall)
	w.hears("disconnected ERR_CREDENTIALS_EXPIRED retry 1s[connecting]")
	// What was measured has not been confirmed, so it is measured again.
	w.tick(w.Deadline() - w.now)
	w.Provided(w.now, w.attempt, ProviderResult{Credentials: &key}, wall)
	w.lost(1006)
	w.probed(refusal)
	w.tick(w.Deadline() - w.now)
	key.Expiration = midnight.Add(90 * time.Minute)
	w.Provided(w.now, w.attempt, ProviderResult{Credentials: &key}, wall)
	if !strings.Contains(w.url, "X-Amz-Date=20260101T010000Z") {
		t.Error("the signature is not by the service's clock")
	}
	// Refused again, it was not the clock: no third signature at once.
	w.lost(1006)
	w.log = nil
	w.probed(Probe{Status: 403, Code: "InvalidSignatureException", Dated: true, Skew: 5 * time.Hour})
	w.hears("disconnected ERR_SIGNATURE retry 1s[connecting]")
}
