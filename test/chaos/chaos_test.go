// Package chaos puts a page in a real Chromium through bad times: a network that
// cuts, stalls and falls silent, a page that is busy, frozen and offline, clocks
// that jump, sessions that are lost. Messages go both ways with every QoS, and an
// observer on a good connection sees the truth. When all is calm again, what was
// promised must have come true; the rules are in rules_test.go.
//
// All that goes wrong is drawn from a seed. A real browser does not replay exactly,
// but a seed always has the same schedule.
package chaos

import (
	"context"
	_ "embed"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"

	"iot.wasm/test/chromium"
)

var (
	seed    = flag.Uint64("seed", 1, "the seed of the first round; 0 draws one")
	seconds = flag.Int("seconds", 60, "how long to make trouble, in rounds of 20 s; 0: not at all")
	mutants = flag.Bool("mutants", false, "also put deliberate bugs into the code, which must be caught")
)

const (
	root        = "../.."
	roundLength = 20 * time.Second
)

var (
	//go:embed page.html
	pageHTML []byte
	//go:embed page.js
	pageJS []byte
)

func TestChaos(t *testing.T) {
	if _, err := os.Stat(filepath.Join(root, "www/iot.wasm")); err != nil {
		t.Fatal("www/iot.wasm is missing; run: make wasm")
	}
	first := *seed
	if first == 0 {
		first = uint64(rand.Uint32())
		fmt.Printf("seed %d\n", first)
	}
	tab := open(t, filepath.Join(root, "www"))
	var sum struct{ faults, published, heard, connects, acknowledged, again, deleted int }
	for left := time.Duration(*seconds) * time.Second; left > 0; left -= roundLength {
		r := live(t, tab, first, min(left, roundLength))
		if t.Failed() {
			return
		}
		sum.faults += r.faults
		sum.published += len(r.report.Settled)
		sum.heard += len(r.report.Heard)
		sum.connects += r.report.Stats.Connects
		sum.acknowledged += len(r.book.acknowledged)
		sum.again += r.book.again
		sum.deleted += r.deleted
		first++
	}
	t.Logf("%d faults, %d connections, %d sessions deleted; the page asked for %d things and heard %d messages, of which it acknowledged %d; %d retransmissions",
		sum.faults, sum.connects, sum.deleted, sum.published, sum.heard, sum.acknowledged, sum.again)
}

// live runs the round of a seed, and reports how to run it again if a rule is broken.
func live(t *testing.T, tab context.Context, seed uint64, length time.Duration) *round {
	t.Helper()
	r := &round{seed: seed, length: length, prefix: fmt.Sprintf("%d/", seed), tab: tab}
	if err := r.run(); err != nil {
		r.broken("the test itself failed: %v", err)
	}
	ends := map[string]int{}
	for _, s := range r.report.Settled {
		if s[1] != "" {
			ends[s[1]]++
		}
	}
	t.Logf("seed %d: %d faults, %d sessions deleted, %v; of %d promises some were rejected: %v", seed, r.faults, r.deleted, r.report.Told, len(r.report.Settled), ends)
	if len(r.failure) > 0 {
		more := ""
		if n := len(r.failure) - 20; n > 0 {
			more = fmt.Sprintf("\n… and %d more", n)
			r.failure = r.failure[:20]
		}
		t.Errorf("seed %d:\n%s%s\nthe end of the schedule:\n%s\nagain: make chaos SEED=%d SECONDS=%.0f",
			seed, strings.Join(r.failure, "\n"), more, r.log.last(40), seed, length.Seconds())
	}
	return r
}

// open opens the page, with the files of www beside it, in a Chromium of its own.
func open(t *testing.T, www string) context.Context {
	t.Helper()
	browser, stop, err := chromium.Launch(context.Background(), chromium.Local)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(stop)
	files := http.FileServer(http.Dir(www))
	web := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/chaos.html":
			w.Header().Set("Content-Type", "text/html; charset=utf-8")
			_, _ = w.Write(pageHTML)
		case "/chaos.js":
			w.Header().Set("Content-Type", "text/javascript")
			_, _ = w.Write(pageJS)
		default:
			files.ServeHTTP(w, r)
		}
	}))
	t.Cleanup(web.Close)
	if _, err := chromedp.Call(browser, network.Enable, network.EnableParams{}); err != nil {
		t.Fatal(err)
	}
	if err := chromedp.Do(browser, chromedp.Navigate(web.URL+"/chaos.html")); err != nil {
		t.Fatal(err)
	}
	return browser
}

// eval runs an expression in the page, await included, and reads its value into out.
func (r *round) eval(expression string, out any) error {
	ctx, cancel := context.WithTimeout(r.tab, time.Minute)
	defer cancel()
	result, err := chromedp.Call(ctx, runtime.Evaluate, runtime.EvaluateParams{
		Expression: expression, ReplMode: new(true), AwaitPromise: new(true), ReturnByValue: new(true),
	})
	if err != nil {
		return fmt.Errorf("%s: %w", expression, err)
	}
	if e := result.ExceptionDetails; e != nil {
		if e.Exception != nil {
			return errors.New(expression + ": " + e.Exception.Description + string(e.Exception.Value))
		}
		return errors.New(expression + ": " + e.Text)
	}
	if out == nil || len(result.Result.Value) == 0 {
		return nil
	}
	return json.Unmarshal(result.Result.Value, out)
}
