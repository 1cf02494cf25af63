package client

import (
	"testing"
	"time"
)

func TestBackOff(t *testing.T) {
	for _, random := range []float64{0, 0.5, 0.999999} {
		w := newWorld(t)
		w.random = random
		o := unsigned()
		w.Connect(0, 1, &o)
		limit := 2 * time.Second
		for i := range 12 {
			w.loseSocket(1006)
			w.probed(Probe{})
			wait := w.Deadline() - w.now
			if want := time.Second + time.Duration(random*float64(limit-time.Second)); wait != want {
				t.Errorf("failure %d, random %v: the client waits %v, want %v", i+1, random, wait, want)
			}
			w.tick(wait - 1)
			if w.sockets != 0 {
				t.Error("the client connects too early")
			}
			w.tick(1)
			limit = min(2*limit, 2*time.Minute)
		}
	}
}

func TestStableConnectionResetsBackOff(t *testing.T) {
	w := online(t, nil)
	w.random = 0.999
	for range 3 { // a short connection does not reset the back-off
		w.tick(time.Second)
		w.loseSocket(1006)
		w.reconnected(true)
	}
	w.loseSocket(1006)
	if d := w.Deadline() - w.now; d < 8*time.Second {
		t.Errorf("after four short connections the client waits only %v", d)
	}
	w.reconnected(true)
	w.now += 30 * time.Second
	w.loseSocket(1006)
	if d := w.Deadline() - w.now; d > 2*time.Second {
		t.Errorf("after a stable connection the client waits %v", d)
	}
}

func TestMaxAttempts(t *testing.T) {
	w := newWorld(t)
	o := unsigned()
	o.MaxAttempts = 2
	w.Connect(0, 1, &o)
	w.loseSocket(1006)
	w.probed(Probe{})
	w.tick(time.Minute)
	w.log = nil
	w.loseSocket(1006)
	w.probed(Probe{})
	w.expectCalls("probe; failed 1 ERR_UNREACHABLE; disconnected ERR_UNREACHABLE[closed]; closed ERR_UNREACHABLE[closed]")
	o.Reconnect, o.MaxAttempts = false, 0
	w.Connect(w.now, 2, &o)
	w.Opened(w.now, w.attempt)
	w.log = nil
	w.loseSocket(1006)
	w.expectCalls("close; failed 2 ERR_NO_CONNACK; disconnected ERR_NO_CONNACK[closed]; closed ERR_NO_CONNACK[closed]")
}
