// Package chaos disturbs a page in Chromium: the network cuts and stalls connections, the
// page is busy, frozen or offline, clocks are changed, and the broker loses sessions. Meanwhile
// the page and an observer, which has an undisturbed connection, exchange messages of
// every QoS. After the disturbances, the results must satisfy the rules in
// rules_test.go.
//
// A seed determines the schedule of the disturbances. Because a browser's timing varies, a
// seed does not repeat a run exactly.
package chaos

import (
	"context"
	_ "embed"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/chromedp"

	"iot.wasm/test/harness"
)

var (
	seed    = flag.Uint64("seed", 1, "the `seed` of the first round; 0 selects a random seed")
	seconds = flag.Int("seconds", 60, "how many `seconds` the disturbances last, in rounds of 20 s")
	mutants = flag.Bool("mutants", false, "also run rounds with deliberate bugs, which must break a rule")
)

// roundLength is how long the disturbances of a round last.
const roundLength = 20 * time.Second

var (
	//go:embed page.html
	pageHTML string
	//go:embed page.js
	pageJS string
)

func TestMain(m *testing.M) { os.Exit(harness.Run(m, harness.RequireWasm)) }

func TestChaos(t *testing.T) {
	first := *seed
	if first == 0 {
		first = uint64(rand.Uint32())
		fmt.Printf("seed %d\n", first)
	}
	tab := open(t, filepath.Join(harness.Root, "www"))
	var sum struct{ faults, promises, received, connects, acknowledged, duplicates, deleted int }
	for left := time.Duration(*seconds) * time.Second; left > 0; left -= roundLength {
		r := runRound(t, tab, first, min(left, roundLength))
		if t.Failed() {
			return
		}
		sum.faults += r.faults
		sum.promises += len(r.report.Settled)
		sum.received += len(r.report.Received)
		sum.connects += r.report.Stats.Connects
		sum.acknowledged += len(r.traffic.acknowledged)
		sum.duplicates += r.traffic.duplicates
		sum.deleted += r.deleted
		first++
	}
	t.Logf("%d faults, %d connections, %d deleted sessions; %d promises settled; the page received %d messages and acknowledged %d; %d retransmissions",
		sum.faults, sum.connects, sum.deleted, sum.promises, sum.received, sum.acknowledged, sum.duplicates)
}

// runRound runs the round of a seed. If a rule is broken, runRound fails the test and prints
// the command that runs the round again.
func runRound(t *testing.T, tab *harness.Tab, seed uint64, length time.Duration) *round {
	t.Helper()
	r := &round{seed: seed, length: length, prefix: fmt.Sprintf("%d/", seed), tab: tab}
	if err := r.run(); err != nil {
		r.broken("the test failed: %v", err)
	}
	rejections := map[string]int{} // by code
	for _, s := range r.report.Settled {
		if s[1] != "" {
			rejections[s[1]]++
		}
	}
	t.Logf("seed %d: %d faults, %d deleted sessions, events %v; rejections of %d promises: %v", seed, r.faults, r.deleted, r.report.Events, len(r.report.Settled), rejections)
	if len(r.failure) > 0 {
		more := ""
		if n := len(r.failure) - 20; n > 0 {
			more = fmt.Sprintf("\n… and %d more", n)
			r.failure = r.failure[:20]
		}
		t.Errorf("seed %d:\n%s%s\nthe last events:\n%s\nrun it again: make chaos SEED=%d SECONDS=%.0f",
			seed, strings.Join(r.failure, "\n"), more, r.log.last(40), seed, length.Seconds())
	}
	return r
}

// open opens the page in a Chromium of its own. www is the folder of the module.
func open(t *testing.T, www string) *harness.Tab {
	t.Helper()
	browser, stop, err := harness.LaunchChromium(context.Background(), harness.Local)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(stop)
	url := harness.Web(t, www, harness.Files{"/chaos.html": {Body: pageHTML}, "/chaos.js": {Body: harness.WatchWasm + pageJS}})
	tab := &harness.Tab{T: t, Ctx: browser, Patience: time.Minute}
	if _, err := chromedp.Call(browser, network.Enable, network.EnableParams{}); err != nil {
		t.Fatal(err)
	}
	tab.Do(chromedp.Navigate(url + "/chaos.html"))
	return tab
}
