package client

import (
	"strings"
	"testing"
	"time"

	"iot.wasm/wasm/mqtt"
)

// The size of the window adapts to the speed of the network.
func TestWindow(t *testing.T) {
	for _, c := range []struct {
		name        string
		speed       int // bytes per second
		least, most int // bounds of the final size
	}{
		{"slow", 100_000, leastWindow, 128 << 10},
		{"a few Mbit/s", 1_000_000, 400_000, 1_200_000},
		{"loopback", 1 << 30, mostWindow, mostWindow},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWindow(0)
			buffered := 0
			for now := time.Duration(0); now < 20*time.Second; now += lookAgain {
				buffered = max(0, buffered-int(float64(c.speed)*lookAgain.Seconds()))
				w.look(now, buffered)
				n := w.room()
				w.gave(n)
				if buffered += n; buffered > mostWindow+leastWindow {
					t.Fatalf("the socket buffers %d bytes", buffered)
				}
			}
			if w.size < c.least || w.size > c.most {
				t.Errorf("the size is %d bytes, want %d to %d", w.size, c.least, c.most)
			}
		})
	}
}

// An upload that takes longer than the keep-alive completes. Its bytes wait in the browser
// or in the network.
func TestSlowUpload(t *testing.T) {
	const speed = 100_000 // bytes per second
	// The capacity of the machine's network buffers, in bytes, determines where the bytes wait.
	for name, capacity := range map[string]int{"waits in the browser": 50_000, "waits in the network": 4 << 20} {
		t.Run(name, func(t *testing.T) {
			w := online(t, func(o *Options) { o.KeepAlive = 10 })
			for k := range mqtt.Token(15) {
				w.pub(k+10, 1, "t", strings.Repeat("x", 100_000))
			}
			w.pub(9, 1, "t", strings.Repeat("y", 1_500_000))
			var inNetwork, inBrowser, sent float64 // bytes
			for w.now < 40*time.Second {
				const step = 10 * time.Millisecond
				sent += min(inNetwork, speed*step.Seconds())
				inNetwork = max(0, inNetwork-speed*step.Seconds())
				moved := min(inBrowser, float64(capacity)-inNetwork)
				inNetwork, inBrowser = inNetwork+moved, inBrowser-moved
				w.now += step
				w.Buffered(w.now, int(inBrowser))
				if w.Deadline() <= w.now {
					w.Tick(w.now)
				}
				w.PrepareOutput()
				for n := len(w.Output()); n > 0; n = len(w.Output()) {
					inBrowser += float64(n)
					w.Flushed(w.now, n)
				}
			}
			w.expectCalls("")
			if sent < 3_000_000 {
				t.Errorf("only %.0f bytes have arrived", sent)
			}
		})
	}
}

// While the socket is full, the output waits, and the client has a deadline to check the
// socket again.
func TestFullSocket(t *testing.T) {
	w := online(t, nil)
	w.sends("")
	for k := range mqtt.Token(30) {
		w.pub(k+10, 0, "t", strings.Repeat("x", 100_000))
	}
	passed := 0
	for n := len(w.Output()); n > 0; n = len(w.Output()) {
		passed += n
		w.Flushed(w.now, n)
	}
	if passed > firstWindow+leastWindow {
		t.Errorf("the client passes %d bytes to a socket that sends nothing", passed)
	}
	if unsent, now := w.Pending(); now || !unsent {
		t.Errorf("Pending returns %v, %v, want true, false", unsent, now)
	}
	if due := w.Deadline() - w.now; due != lookAgain {
		t.Errorf("the deadline is in %v, want %v", due, lookAgain)
	}
	w.now += lookAgain
	w.Buffered(w.now, passed)
	if _, now := w.Pending(); now {
		t.Error("the client passes more bytes to a full socket")
	}
	w.Buffered(w.now, 0)
	if _, now := w.Pending(); !now || len(w.Output()) == 0 {
		t.Error("the client passes no bytes to an empty socket")
	}
}
