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
	w.Resolved(w.now, w.attempt, Resolution{Credentials: &goodKey}, midnight)
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
		w.hears("disconnected ERR_SIGNATURE retry 0s[reconnecting]; connecting[reconnecting]; resolve anew")
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

// The request without a query goes first, and the one with it only where the page's
// policy lets the address pass.
func TestProbeKeepsTheSecret(t *testing.T) {
	for _, c := range []struct {
		name  string
		first Probe
		asks  int
		code  string
	}{
		{"allowed", Probe{Status: 403}, 2, "ERR_ACCESS_KEY"},
		{"forbidden", Probe{Reported: true}, 1, "ERR_UNREACHABLE"},
		{"reported only", Probe{Status: 403, Reported: true}, 1, "ERR_FORBIDDEN"},
		{"the WebSocket is forbidden", Probe{Blocked: true}, 1, "ERR_CSP"},
		{"unreachable", Probe{}, 1, "ERR_UNREACHABLE"},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld(t)
			o := DefaultOptions()
			o.ClientID, o.Source, o.Reconnect = "c", FromURL, false
			w.Connect(0, 1, &o)
			const url = "wss://h.example/mqtt?X-Amz-Signature=0123abcd"
			w.Resolved(0, w.attempt, Resolution{URL: url}, time.Unix(0, 0))
			w.lost(1006)
			if w.probes[0] != "wss://h.example/mqtt" {
				t.Fatalf("it asks first for %s", w.probes[0])
			}
			w.log = nil
			w.Probed(w.now, w.attempt, c.first)
			if len(w.probes) == 2 {
				if w.probes[1] != url {
					t.Errorf("it asks then for %s", w.probes[1])
				}
				w.Probed(w.now, w.attempt, Probe{Status: 403, Code: "UnrecognizedClientException"})
			}
			if len(w.probes) != c.asks {
				t.Errorf("%d requests", len(w.probes))
			}
			w.hears("failed 1 " + c.code + "; disconnected " + c.code + "[closed]; closed " + c.code + "[closed]")
		})
	}
}

// authorizer stands in the place of a signature.
func TestAuthorizerWithASignature(t *testing.T) {
	for _, source := range []Source{FromCredentials, FromURL} {
		o := unsigned()
		o.Source, o.Region, o.Authorizer = source, "eu-west-1", Authorizer("a", "k", "t", "s")
		if err := o.Check(); err == nil || err.Code != "ERR_OPTION" || !strings.Contains(err.Message, "authorizer") {
			t.Errorf("%v", err)
		}
	}
}
