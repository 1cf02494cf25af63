package client

import (
	"strings"
	"testing"
	"time"
)

// signedAt answers the request for credentials. It returns the time of the signature as an
// offset from midnight.
func (w *world) signedAt() time.Duration {
	w.t.Helper()
	w.Provided(w.now, w.attempt, ProviderResult{Credentials: &goodKey}, midnight)
	_, date, _ := strings.Cut(w.url, "X-Amz-Date=")
	signed, err := time.Parse("20060102T150405Z", date[:16])
	if err != nil {
		w.t.Fatal(err)
	}
	return signed.Sub(midnight)
}

// expectSignedAt calls signedAt and checks the result.
func (w *world) expectSignedAt(want time.Duration) {
	w.t.Helper()
	if got := w.signedAt(); got != want {
		w.t.Fatalf("the time of the signature is midnight + %v, want midnight + %v", got, want)
	}
}

// refusedSocket closes the socket before it opens, and answers the probes. The clock
// advances by more than connectInterval.
func (w *world) refusedSocket(p Probe) {
	w.t.Helper()
	w.loseSocket(1006)
	w.now += 2 * time.Second
	w.log = nil
	w.probed(p)
}

// refusedAt returns the result of a probe. The service has refused the signature, and the
// clock of the service is ahead by skew.
func refusedAt(skew time.Duration) Probe {
	return Probe{Status: 403, Code: "InvalidSignatureException", Dated: true, Skew: skew}
}

// skewed returns a world whose client has measured a skew of an hour. Its next attempt
// waits for credentials.
func skewed(t *testing.T) *world {
	t.Helper()
	w := signed(t)
	w.expectSignedAt(0)
	w.refusedSocket(refusedAt(time.Hour))
	return w
}

func TestSkew(t *testing.T) {
	next := func(w *world) { w.tick(w.Deadline() - w.now) }
	t.Run("is discarded when the next attempt fails", func(t *testing.T) {
		w := skewed(t)
		w.expectSignedAt(time.Hour)
		w.refusedSocket(Probe{}) // the network fails
		next(w)
		w.expectSignedAt(0)
	})
	t.Run("is kept after a signature was accepted", func(t *testing.T) {
		w := skewed(t)
		w.expectSignedAt(time.Hour)
		w.Opened(w.now, w.attempt)
		w.connack(false)
		w.loseSocket(1006)
		next(w)
		w.expectSignedAt(time.Hour)
		w.refusedSocket(Probe{})
		next(w)
		w.expectSignedAt(time.Hour)
		// A refusal without a skew shows that the measured skew is wrong now. The client tries again at once.
		w.refusedSocket(refusedAt(0))
		w.expectCalls("disconnected ERR_SIGNATURE retry 0s[reconnecting]; connecting[reconnecting]; provide refused")
		w.expectSignedAt(0)
	})
	t.Run("is discarded by a refusal", func(t *testing.T) {
		w := skewed(t)
		w.expectSignedAt(time.Hour)
		w.refusedSocket(refusedAt(time.Hour)) // refused, although the signature has the service's time
		next(w)
		w.expectSignedAt(0)
	})
	t.Run("is bounded", func(t *testing.T) {
		for _, skew := range []time.Duration{10 * 365 * day, -10 * 365 * day, day + time.Minute} {
			w := signed(t)
			w.expectSignedAt(0)
			w.refusedSocket(refusedAt(skew))
			w.expectCalls("disconnected ERR_SIGNATURE retry 1s[connecting]")
			next(w)
			w.expectSignedAt(0)
		}
	})
	t.Run("is discarded by disconnect()", func(t *testing.T) {
		w := skewed(t)
		w.expectSignedAt(time.Hour)
		w.Opened(w.now, w.attempt)
		w.connack(false)
		w.Disconnect(w.now, 8)
		w.now += time.Minute
		o := w.options
		w.Connect(w.now, 9, &o)
		w.expectSignedAt(0)
	})
}

func TestClockSkew(t *testing.T) {
	w := signed(t)
	wall := midnight // the time of day of the machine; the service's clock is an hour ahead
	w.Provided(0, w.attempt, ProviderResult{Credentials: &goodKey}, wall)
	w.loseSocket(1006)
	w.tick(2 * time.Second)
	w.log = nil
	refusal := Probe{Status: 403, Code: "InvalidSignatureException", Message: "Signature expired: x", Dated: true, Skew: time.Hour}
	w.probed(refusal)
	w.expectCalls("disconnected ERR_CLOCK_SKEW retry 0s[connecting]; connecting[connecting]; provide refused")
	key := goodKey
	key.Expiration = midnight.Add(30 * time.Minute) // expired by the service's clock
	w.Provided(w.now, w.attempt, ProviderResult{Credentials: &key}, wall)
	w.expectCalls("disconnected ERR_CREDENTIALS_EXPIRED retry 1s[connecting]")
	// No signature has confirmed the skew, so the client measures it again.
	w.tick(w.Deadline() - w.now)
	w.Provided(w.now, w.attempt, ProviderResult{Credentials: &key}, wall)
	w.loseSocket(1006)
	w.probed(refusal)
	w.tick(w.Deadline() - w.now)
	key.Expiration = midnight.Add(90 * time.Minute)
	w.Provided(w.now, w.attempt, ProviderResult{Credentials: &key}, wall)
	if !strings.Contains(w.url, "X-Amz-Date=20260101T010000Z") {
		t.Error("the time of the signature is not the service's time")
	}
	// Only the first correction of the time skips the back-off. Here, the client waits.
	w.loseSocket(1006)
	w.log = nil
	w.probed(Probe{Status: 403, Code: "InvalidSignatureException", Dated: true, Skew: 5 * time.Hour})
	w.expectCalls("disconnected ERR_SIGNATURE retry 1s[connecting]")
}
