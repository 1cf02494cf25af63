package main

import (
	"context"
	"fmt"
	"log"
	"strings"
	"time"

	"github.com/chromedp/cdproto/browser"
	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/heapprofiler"
	"github.com/chromedp/cdproto/performance"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"

	"iot.wasm/test/harness"
)

// patience is how long a page may take for one operation.
const patience = 30 * time.Second

// product returns "Chromium" and the browser's version, or "" after an error.
func product(ctx context.Context) string {
	v, err := chromedp.CallBrowser(ctx, browser.GetVersion, cdp.Empty{})
	if err != nil {
		return ""
	}
	_, version, _ := strings.Cut(v.Product, "/")
	return "Chromium " + version
}

// A tab is a page that runs a client.
type tab struct{ ctx context.Context }

// openTab opens a tab. The option chromedp.WithNewBrowserContext gives the tab a profile of its
// own, with an empty cache.
func openTab(in context.Context, options ...chromedp.ContextOption) (*tab, func(), error) {
	ctx, cancel := chromedp.NewContext(in, options...)
	err := chromedp.Listen(ctx, func(ev any) {
		if ev, ok := ev.(*runtime.EventExceptionThrown); ok {
			d := ev.ExceptionDetails
			if d.Exception != nil {
				log.Printf("page: %s %s", d.Text, d.Exception.Description)
			}
		}
	})
	if err == nil {
		_, err = chromedp.Call(ctx, performance.Enable, performance.EnableParams{TimeDomain: performance.EnableTimeDomainThreadTicks})
	}
	if err != nil {
		cancel()
		return nil, nil, err
	}
	return &tab{ctx}, cancel, nil
}

func (t *tab) navigate(url string) error {
	ctx, cancel := context.WithTimeout(t.ctx, patience)
	defer cancel()
	return chromedp.Do(ctx, chromedp.Navigate(url))
}

// eval runs an expression, awaits its promise and decodes the value into out.
func (t *tab) eval(expression string, out any) error {
	ctx, cancel := context.WithTimeout(t.ctx, patience)
	defer cancel()
	if err := harness.Evaluate(ctx, "await "+expression, out); err != nil {
		return fmt.Errorf("%s: %w", expression, err)
	}
	return nil
}

// work is the CPU time of a page's thread in µs: all of it, and the part that Chromium
// counts as scripts.
type work struct{ task, script float64 }

// busy returns the work of the page's thread since the start of the thread.
func (t *tab) busy() (w work, err error) {
	result, err := chromedp.Call(t.ctx, performance.GetMetrics, cdp.Empty{})
	for _, m := range result.Metrics {
		switch m.Name {
		case "TaskDuration":
			w.task = m.Value * 1e6
		case "ScriptDuration":
			w.script = m.Value * 1e6
		}
	}
	return w, err
}

// heap collects garbage and returns the size of the JavaScript heap in bytes.
func (t *tab) heap() (float64, error) {
	for range 2 { // the second collection frees the objects that finalizers have released
		if _, err := chromedp.Call(t.ctx, heapprofiler.CollectGarbage, cdp.Empty{}); err != nil {
			return 0, err
		}
	}
	usage, err := chromedp.Call(t.ctx, runtime.GetHeapUsage, cdp.Empty{})
	return usage.UsedSize, err
}
