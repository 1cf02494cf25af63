package main

import (
	"context"
	"encoding/json"
	"fmt"
	"log"
	"time"

	"github.com/chromedp/cdproto/browser"
	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/heapprofiler"
	"github.com/chromedp/cdproto/performance"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
)

// patience is how long a page may take for any one thing.
const patience = 30 * time.Second

// product is the browser's name and version.
func product(ctx context.Context) string {
	v, err := chromedp.CallBrowser(ctx, browser.GetVersion, cdp.Empty{})
	if err != nil {
		return ""
	}
	return v.Product
}

// A tab is a page of a client's.
type tab struct{ ctx context.Context }

// openTab opens a tab in a profile of its own, with nothing in its cache.
func openTab(in context.Context) (*tab, func(), error) {
	ctx, cancel := chromedp.NewContext(in, chromedp.WithNewBrowserContext())
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

// eval runs an expression, awaits it, and reads its value into out.
func (t *tab) eval(expression string, out any) error {
	ctx, cancel := context.WithTimeout(t.ctx, patience)
	defer cancel()
	result, err := chromedp.Call(ctx, runtime.Evaluate, runtime.EvaluateParams{
		Expression: expression, AwaitPromise: new(true), ReturnByValue: new(true),
	})
	if err != nil {
		return fmt.Errorf("%s: %w", expression, err)
	}
	if e := result.ExceptionDetails; e != nil {
		text := e.Text
		if e.Exception != nil {
			text += " " + e.Exception.Description + string(e.Exception.Value)
		}
		return fmt.Errorf("%s: %s", expression, text)
	}
	if out == nil || len(result.Result.Value) == 0 {
		return nil
	}
	return json.Unmarshal(result.Result.Value, out)
}

// work is how long a page's thread has had a CPU, in µs: for anything, and for
// what Chromium counts as scripts.
type work struct{ task, script float64 }

// busy is the work of the page's thread so far.
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

// heap is what the page holds of JavaScript's memory, in bytes, when its garbage
// has been collected.
func (t *tab) heap() (float64, error) {
	for range 2 { // what finalizers let go of is garbage only then
		if _, err := chromedp.Call(t.ctx, heapprofiler.CollectGarbage, cdp.Empty{}); err != nil {
			return 0, err
		}
	}
	usage, err := chromedp.Call(t.ctx, runtime.GetHeapUsage, cdp.Empty{})
	return usage.UsedSize, err
}
