// Package hostile has a broker send to a page in a real Chromium the largest and
// the most of every packet that a server may send, at full speed.
//
// Meanwhile the page answers, its wasm has a bound, and another client of the page
// works on; or else the connection ends with the right DISCONNECT.
package hostile

import (
	"context"
	_ "embed"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"net/http/httptest"
	"os"
	"path/filepath"
	goruntime "runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"

	"iot.wasm/internal/localiot"
	"iot.wasm/test/chromium"
)

const (
	forever    = 24 * time.Hour
	mostMemory = 128 << 20
)

var (
	during = flag.Duration("for", 2*time.Second, "how long each kind of packet is sent")
	// Within make test, where other tests share the machine, only a frozen page fails.
	mostGap = flag.Duration("gap", 10*time.Second, "how long the page may take to answer")
)

//go:embed page.js
var pageJS string

// outcome is what came of an attack.
type outcome struct {
	Gap     float64 // ms
	Heard   int
	Most    int // bytes of the wasm
	Alive   int
	Longest float64 // ms
	Told    []string
	Ended   string
	State   string

	outside time.Duration // the longest time that the page took to answer the test
	sent    int64
	bytes   int64
	reason  int
	share   float64  // how many threads wanted each core meanwhile, at least 1
	broken  []string // what cannot be told from the rest
}

func TestHostileBroker(t *testing.T) {
	www := filepath.Join("../..", "www")
	if _, err := os.Stat(filepath.Join(www, "iot.wasm")); err != nil {
		t.Fatal("www/iot.wasm is missing; run: make wasm")
	}
	stand, err := localiot.New(localiot.Options{WWW: os.DirFS(www)})
	if err != nil {
		t.Fatal(err)
	}
	site := httptest.NewServer(stand)
	var mu sync.Mutex
	var table []string
	t.Cleanup(func() {
		_ = stand.Close()
		site.Close()
		slices.Sort(table)
		t.Logf("%-50s %9s %8s %9s %8s %6s %6s %5s  %s\n%s", "what", "messages", "MB", "heard", "gap ms", "answer", "wasm", "share", "how it ended", strings.Join(table, "\n"))
	})
	for _, a := range attacks {
		t.Run(a.name, func(t *testing.T) {
			t.Parallel()
			o := run(t, site.URL, a, false)
			bound := time.Duration(float64(*mostGap) * o.share)
			broken := o.check(a, bound)
			if len(o.check(a, forever)) == 0 && o.slow(bound) {
				// The machine may have been busy, or the browser itself is slow with what comes: a
				// second time, held against a page with a bare WebSocket.
				t.Logf("a second time, as in the first: %s", strings.Join(broken, "; "))
				raw := run(t, site.URL, a, true)
				// Where the browser alone freezes, as it does for endless tiny messages, times vary a lot.
				o = run(t, site.URL, a, false)
				bound = time.Duration(float64(*mostGap)*o.share) + 3*max(raw.outside, time.Duration(raw.Gap*float64(time.Millisecond)))
				broken = o.check(a, bound)
				t.Logf("a bare WebSocket: the page's thread did nothing else for %.0f ms, and took %v to answer", raw.Gap, raw.outside.Round(time.Millisecond))
			}
			for _, what := range broken {
				t.Error(what)
			}
			verdict := ""
			if len(broken) > 0 {
				verdict = "  BROKEN"
			}
			how := "it holds"
			if o.reason >= 0 {
				how = fmt.Sprintf("DISCONNECT 0x%02x", o.reason)
			} else if o.State == "closed" {
				how = fmt.Sprintf("%.40s", o.Ended)
			}
			mu.Lock()
			table = append(table, fmt.Sprintf("%-50s %9d %8.1f %9d %8.0f %6d %6.1f %5.1f  %s%s", a.name, o.sent, float64(o.bytes)/1e6, o.Heard, o.Gap, o.outside.Milliseconds(), float64(o.Most)/(1<<20), o.share, how, verdict))
			mu.Unlock()
		})
	}
}

// slow says whether the page was busy with what came for longer than the bound.
func (o *outcome) slow(bound time.Duration) bool {
	return max(o.outside, time.Duration(o.Gap*float64(time.Millisecond))) > bound
}

// run lets a page be attacked, or one with a bare WebSocket.
// Each has a Chromium of its own, as one that was attacked may be slow to let go.
func run(t *testing.T, site string, a attack, raw bool) *outcome {
	t.Helper()
	browser, stop, err := chromium.Launch(context.Background(), chromium.Local)
	if err != nil {
		t.Fatal(err)
	}
	defer stop()
	o := &outcome{reason: -1}
	length := *during
	if a.must { // it ends sooner, unless the machine is slow
		length = max(length, 20*time.Second)
	}
	endpoint, peers := serveAttack(t, a, length)
	tab, control := open(t, browser, site), open(t, browser, site)
	tab.eval(t, pageJS, nil)
	tab.eval(t, `const local = await (await fetch("/local.json")).json(); await hostile.start(local)`, nil)
	if raw {
		tab.eval(t, fmt.Sprintf(`hostile.raw(%q)`, endpoint), nil)
	} else {
		tab.eval(t, fmt.Sprintf(`hostile.attack(%q, %t, %t)`, endpoint, a.publishes, a.subscribes), nil)
	}
	var p *peer
	select {
	case p = <-peers:
	case <-time.After(time.Minute):
		t.Fatal("the page does not connect")
	}

	samples, wanted := 0, 0
	end := time.After(length)
	for asking := true; asking; {
		select {
		case <-end:
			asking = false
		case <-p.ended:
			asking = false
		default:
			o.outside = max(o.outside, ask(t, tab, control))
			samples++
			wanted += runnable()
		}
	}
	o.share = max(1, float64(wanted)/float64(max(1, samples)*goruntime.NumCPU()))
	// Whatever has come is dealt with once the page answers a last time.
	o.outside = max(o.outside, ask(t, tab, control))
	before := 0
	tab.eval(t, `hostile.alive`, &before)
	if err := tab.try(fmt.Sprintf(`while (hostile.alive < %d) await new Promise((resolve) => setTimeout(resolve, 10))`, before+2), nil); err != nil {
		o.broken = append(o.broken, fmt.Sprintf("the healthy client is not heard any more: %v", err))
	}
	tab.eval(t, `await hostile.report()`, o)
	if o.State == "closed" {
		select {
		case <-p.ended: // which finds the DISCONNECT that a deaf broker has not read yet
		case <-time.After(30 * time.Second):
			o.broken = append(o.broken, "the client is closed, and its socket is open")
		}
	}
	p.mu.Lock()
	o.reason = p.reason
	p.mu.Unlock()
	o.sent, o.bytes = p.sent.Load(), p.bytes.Load()
	return o
}

// check says which rules were broken.
func (o *outcome) check(a attack, bound time.Duration) []string {
	broken := slices.Clone(o.broken)
	say := func(format string, args ...any) { broken = append(broken, fmt.Sprintf(format, args...)) }
	if gap := time.Duration(o.Gap * float64(time.Millisecond)); gap > bound {
		say("the page's thread did nothing else for %v", gap.Round(time.Millisecond))
	}
	if o.outside > bound {
		say("the page took %v to answer", o.outside.Round(time.Millisecond))
	}
	if o.Most > mostMemory {
		say("the wasm has %d MB", o.Most>>20)
	}
	if len(o.Told) > 0 || o.Alive == 0 {
		say("the healthy client had %d round trips, and was disconnected: %v", o.Alive, o.Told)
	}
	switch {
	case o.State != "closed" && a.must:
		say("the connection holds (%s)", o.State)
	case o.State != "closed", o.reason < 0 && a.silent:
	case o.reason < 0:
		say("the connection ended without a DISCONNECT: %s", o.Ended)
	case !slices.Contains(a.ends, byte(o.reason)):
		say("the connection ended with DISCONNECT 0x%02x, want one of %x: %s", o.reason, a.ends, o.Ended)
	}
	return broken
}

// runnable is how many threads of the machine run or wait for a core. A page that
// shares its core with others is slower by that much, which is not its fault.
func runnable() (n int) {
	data, _ := os.ReadFile("/proc/loadavg") // there is none but on Linux
	if fields := strings.Fields(string(data)); len(fields) > 3 {
		_, _ = fmt.Sscanf(fields[3], "%d/", &n)
	}
	return n
}

// ask is how long the page takes to answer, less the time of a page that has nothing
// to do, which is asked at the same time.
func ask(t *testing.T, busy, idle *tab) time.Duration {
	t.Helper()
	answer := func(b *tab) (took time.Duration) {
		begin := time.Now()
		if err := b.try(`1`, nil); err != nil {
			t.Errorf("the page does not answer: %v", err)
		}
		return time.Since(begin)
	}
	other := make(chan time.Duration, 1)
	go func() { other <- answer(idle) }()
	took := answer(busy)
	took -= <-other
	time.Sleep(20 * time.Millisecond) // the questions are not to be a load of their own
	return took
}

// A tab is a page in the browser.
type tab struct{ ctx context.Context }

func open(t *testing.T, browser context.Context, site string) *tab {
	t.Helper()
	ctx, cancel := chromedp.NewContext(browser, chromedp.WithNewBrowserContext())
	t.Cleanup(cancel)
	late, stop := context.WithTimeout(ctx, time.Minute)
	defer stop()
	if err := chromedp.Do(ctx); err != nil {
		t.Fatal(err)
	}
	if err := chromedp.Do(late, chromedp.Navigate(site+"/iot.js")); err != nil {
		t.Fatal(err)
	}
	return &tab{ctx}
}

func (b *tab) eval(t *testing.T, expression string, out any) {
	t.Helper()
	if err := b.try(expression, out); err != nil {
		t.Fatalf("%v\nin %.200s", err, expression)
	}
}

// try runs an expression, await included, and reads its value into out.
func (b *tab) try(expression string, out any) error {
	ctx, cancel := context.WithTimeout(b.ctx, time.Minute)
	defer cancel()
	result, err := chromedp.Call(ctx, runtime.Evaluate, runtime.EvaluateParams{
		Expression: expression, ReplMode: new(true), AwaitPromise: new(true), ReturnByValue: new(true),
	})
	if err != nil {
		return err
	}
	if e := result.ExceptionDetails; e != nil {
		if e.Exception != nil {
			return errors.New(e.Exception.Description + string(e.Exception.Value))
		}
		return errors.New(e.Text)
	}
	if out == nil || len(result.Result.Value) == 0 {
		return nil
	}
	return json.Unmarshal(result.Result.Value, out)
}
