// Package hostile tests a page in Chromium with brokers that send the largest packets, and
// as many packets as possible, of every type.
//
// The page must remain responsive, the wasm's memory must remain bounded, and another client
// of the page must keep working. The attacked client may end the connection, but only with
// a reason code that the attack allows.
package hostile

import (
	"context"
	_ "embed"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"iot.wasm/test/harness"
)

const (
	forever    = 24 * time.Hour
	mostMemory = 128 << 20 // bytes of the wasm
)

var (
	during = flag.Duration("for", 2*time.Second, "how long each attack lasts")
	// The default is high, because other tests may share the machine. Only a page that hangs exceeds it.
	mostGap = flag.Duration("gap", 10*time.Second, "how long the page may take to respond")
)

//go:embed page.js
var pageJS string

// An outcome is the result of an attack.
type outcome struct {
	// Gap is the longest time in ms in which the page's thread ran no timer.
	Gap float64
	// Received is the number of messages that the attacked client has received.
	Received int
	// Most is the largest size of the wasm's memory in bytes.
	Most int
	// RoundTrips is the number of round trips of the other client. Longest is the duration of
	// the longest one in ms. Errors are the codes of the other client's lost connections.
	RoundTrips int
	Longest    float64
	Errors     []string
	// Ended describes the error of the attacked client, and State is its state.
	Ended string
	State string

	response time.Duration // the longest time until a response of the page to the test
	sent     int64         // WebSocket messages of the broker
	bytes    int64         // in these messages
	reason   int           // of the page's DISCONNECT; -1: none
	load     float64       // the number of runnable threads per core, at least 1
	broken   []string      // broken rules that run has found; check finds the others
}

func TestMain(m *testing.M) { os.Exit(harness.Run(m, harness.RequireWasm)) }

func TestHostileBroker(t *testing.T) {
	var mu sync.Mutex
	var table []string
	t.Cleanup(func() {
		slices.Sort(table)
		t.Logf("%-50s %9s %8s %9s %8s %8s %6s %5s  %s\n%s", "attack", "messages", "MB", "received", "gap ms", "response", "wasm", "load", "end", strings.Join(table, "\n"))
	})
	site := harness.ServeStandIn(t, filepath.Join(harness.Root, "www")).URL
	for _, a := range attacks {
		t.Run(a.name, func(t *testing.T) {
			t.Parallel()
			o := run(t, site, a, false)
			bound := time.Duration(float64(*mostGap) * o.load)
			broken := o.check(a, bound)
			if len(o.check(a, forever)) == 0 && o.slow(bound) {
				// The machine or the browser itself may be the cause. The test repeats the attack, and
				// compares the page with one that has only a WebSocket.
				t.Logf("the attack is repeated, because %s", strings.Join(broken, "; "))
				raw := run(t, site, a, true)
				// The bound is higher by three times the time of the page with only a WebSocket. If the
				// browser itself hangs, as it does for many tiny messages, the times vary a lot.
				o = run(t, site, a, false)
				bound = time.Duration(float64(*mostGap)*o.load) + 3*max(raw.response, time.Duration(raw.Gap*float64(time.Millisecond)))
				broken = o.check(a, bound)
				t.Logf("with only a WebSocket, the page's thread was busy for %.0f ms, and the page took %v to respond", raw.Gap, raw.response.Round(time.Millisecond))
			}
			for _, rule := range broken {
				t.Error(rule)
			}
			verdict := ""
			if len(broken) > 0 {
				verdict = "  BROKEN"
			}
			end := "none"
			if o.reason >= 0 {
				end = fmt.Sprintf("DISCONNECT 0x%02x", o.reason)
			} else if o.State == "closed" {
				end = fmt.Sprintf("%.40s", o.Ended)
			}
			mu.Lock()
			table = append(table, fmt.Sprintf("%-50s %9d %8.1f %9d %8.0f %8d %6.1f %5.1f  %s%s", a.name, o.sent, float64(o.bytes)/1e6, o.Received, o.Gap, o.response.Milliseconds(), float64(o.Most)/(1<<20), o.load, end, verdict))
			mu.Unlock()
		})
	}
}

// slow reports whether the page was unresponsive for longer than the bound.
func (o *outcome) slow(bound time.Duration) bool {
	return max(o.response, time.Duration(o.Gap*float64(time.Millisecond))) > bound
}

// run runs an attack on a page. If raw is true, the page has only a WebSocket instead of a
// client.
// Each page has a Chromium of its own, because a browser may end slowly after an attack.
func run(t *testing.T, site string, a attack, raw bool) *outcome {
	t.Helper()
	browser, stop, err := harness.LaunchChromium(context.Background(), harness.Local)
	if err != nil {
		t.Fatal(err)
	}
	defer stop()
	o := &outcome{reason: -1}
	length := *during
	if a.must { // the page ends the connection sooner; only a slow machine needs the whole length
		length = max(length, 20*time.Second)
	}
	endpoint, peers := serveAttack(t, a, length)
	const patience = time.Minute
	tab := harness.Open(t, browser, site+"iot.js", patience)
	idle := harness.Open(t, browser, site+"iot.js", patience)
	tab.Eval(harness.WatchWasm+pageJS, nil)
	tab.Eval(`const local = await (await fetch("/local.json")).json(); await hostile.start(local)`, nil)
	if raw {
		tab.Eval(fmt.Sprintf(`hostile.raw(%q)`, endpoint), nil)
	} else {
		tab.Eval(fmt.Sprintf(`hostile.attack(%q, %t, %t)`, endpoint, a.publishes, a.subscribes), nil)
	}
	var p *peer
	select {
	case p = <-peers:
	case <-time.After(time.Minute):
		t.Fatal("the page does not connect")
	}

	samples, threads := 0, 0
	end := time.After(length)
	for waiting := true; waiting; {
		select {
		case <-end:
			waiting = false
		case <-p.ended:
			waiting = false
		default:
			o.response = max(o.response, responseTime(t, tab, idle))
			samples++
			threads += runnable()
		}
	}
	o.load = max(1, float64(threads)/float64(max(1, samples)*runtime.NumCPU()))
	// The page may still handle messages that it received during the attack.
	o.response = max(o.response, responseTime(t, tab, idle))
	before := 0
	tab.Eval(`hostile.roundTrips`, &before)
	if err := tab.Try(fmt.Sprintf(`while (hostile.roundTrips < %d) await new Promise((resolve) => setTimeout(resolve, 10))`, before+2), nil); err != nil {
		o.broken = append(o.broken, fmt.Sprintf("the other client makes no round trips any more: %v", err))
	}
	tab.Eval(`await hostile.report()`, o)
	if o.State == "closed" {
		select {
		case <-p.ended: // a broker that does not read during the attack reads the DISCONNECT afterwards
		case <-time.After(30 * time.Second):
			o.broken = append(o.broken, "the client is closed, but its socket is open")
		}
	}
	p.mu.Lock()
	o.reason = p.reason
	p.mu.Unlock()
	o.sent, o.bytes = p.sent.Load(), p.bytes.Load()
	return o
}

// check returns the broken rules. bound is how long the page may be unresponsive.
func (o *outcome) check(a attack, bound time.Duration) []string {
	broken := slices.Clone(o.broken)
	add := func(format string, args ...any) { broken = append(broken, fmt.Sprintf(format, args...)) }
	if gap := time.Duration(o.Gap * float64(time.Millisecond)); gap > bound {
		add("the page's thread was busy for %v", gap.Round(time.Millisecond))
	}
	if o.response > bound {
		add("the page took %v to respond", o.response.Round(time.Millisecond))
	}
	if o.Most > mostMemory {
		add("the wasm used %d MiB", o.Most>>20)
	}
	if len(o.Errors) > 0 || o.RoundTrips == 0 {
		add("the other client made %d round trips, and its connections were lost: %v", o.RoundTrips, o.Errors)
	}
	switch {
	case o.State != "closed" && a.must:
		add("the attacked client is %s, want closed", o.State)
	case o.State != "closed", o.reason < 0 && a.silent:
	case o.reason < 0:
		add("the connection ended without DISCONNECT: %s", o.Ended)
	case !slices.Contains(a.ends, byte(o.reason)):
		add("the connection ended with DISCONNECT 0x%02x, want one of %x: %s", o.reason, a.ends, o.Ended)
	}
	return broken
}

// runnable returns how many threads of the machine run or wait for a core. The more threads
// there are, the longer the page may take to respond.
func runnable() (n int) {
	data, _ := os.ReadFile("/proc/loadavg") // exists only on Linux
	if fields := strings.Fields(string(data)); len(fields) > 3 {
		_, _ = fmt.Sscanf(fields[3], "%d/", &n)
	}
	return n
}

// responseTime returns how long the page takes to respond to the test, minus the time that
// an idle page takes at the same moment.
func responseTime(t *testing.T, busy, idle *harness.Tab) time.Duration {
	t.Helper()
	measure := func(b *harness.Tab) time.Duration {
		begin := time.Now()
		if err := b.Try(`1`, nil); err != nil {
			t.Errorf("the page does not respond: %v", err)
		}
		return time.Since(begin)
	}
	other := make(chan time.Duration, 1)
	go func() { other <- measure(idle) }()
	took := measure(busy)
	took -= <-other
	time.Sleep(20 * time.Millisecond) // limits the load of these requests
	return took
}
