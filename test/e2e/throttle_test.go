package e2e

import (
	"context"
	"testing"

	"github.com/chromedp/cdproto/browser"
	"github.com/chromedp/chromedp"

	"iot.wasm/test/harness"
)

// Chromium limits the timers of a tab in the background to one run per minute. A
// connection with a keep-alive of 60 s is not lost: PINGREQ is due after half of the
// keep-alive, and the broker waits for one and a half times the keep-alive.
func TestThrottledTab(t *testing.T) {
	t.Parallel()
	s := harness.Serve(t)
	ctx, stop, err := harness.LaunchChromium(context.Background(),
		chromedp.Flag("enable-features", "IntensiveWakeUpThrottling:grace_period_seconds/1"),
		chromedp.Flag("disable-background-timer-throttling", false),
		chromedp.Flag("disable-backgrounding-occluded-windows", false),
		chromedp.Flag("disable-renderer-backgrounding", false),
	)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(stop)
	b := &harness.Tab{T: t, Ctx: ctx, Patience: patience} // the only tab, so its window can be minimised
	b.Do(chromedp.Navigate(s.URL + "iot.js"))
	loadModule(b)
	b.Eval(`globalThis.errors = []; iot.addEventListener("disconnected", (e) => errors.push(e.detail.error.code));
		globalThis.gaps = []; let last = performance.now();
		globalThis.throttled = new Promise((resolve) => setInterval(() => { const now = performance.now(); if (now - last > 50e3 && gaps.push(now - last) === 2) resolve(); last = now }, 1000));
		await iot.connect({ ...at, credentials: local.credentials, keepAlive: 60 })`, nil)
	b.Do(chromedp.Func(func(ctx context.Context, target *chromedp.Target) error {
		w, err := chromedp.CallBrowser(b.Ctx, browser.GetWindowForTarget, browser.GetWindowForTargetParams{TargetID: target.TargetID})
		if err != nil {
			return err
		}
		_, err = chromedp.CallBrowser(b.Ctx, browser.SetWindowBounds, browser.SetWindowBoundsParams{WindowID: w.WindowID, Bounds: &browser.Bounds{WindowState: browser.WindowStateMinimized}})
		return err
	}))
	b.Is(`document.visibilityState`, `"hidden"`)
	b.Eval(`await throttled`, nil) // the timers have paused twice for more than 50 s
	b.Is(`[iot.state, iot.stats().connects, errors]`, `["connected",1,[]]`)
	b.Is(`await iot.publish("throttled", "x", { qos: 1 })`, `{"reasonCode":0}`)
}
