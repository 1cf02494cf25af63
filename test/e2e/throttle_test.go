package e2e

import (
	"context"
	"testing"

	"github.com/chromedp/cdproto/browser"
	"github.com/chromedp/chromedp"

	"iot.wasm/test/chromium"
)

// A tab in the background, whose timers the browser really holds back to one a
// minute. Its connection holds, even with a keep-alive of 60 s: the ping is due
// at half of it, and the broker waits for one and a half.
func TestThrottledTab(t *testing.T) {
	t.Parallel()
	s := serve(t)
	ctx, stop, err := chromium.Launch(context.Background(),
		chromedp.Flag("enable-features", "IntensiveWakeUpThrottling:grace_period_seconds/1"),
		chromedp.Flag("disable-background-timer-throttling", false),
		chromedp.Flag("disable-backgrounding-occluded-windows", false),
		chromedp.Flag("disable-renderer-backgrounding", false),
	)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(stop)
	b := &tab{t, ctx}
	b.do(chromedp.Navigate(s.url + "iot.js"))
	b.eval(`const { iot } = await import("/iot.js"); const local = await (await fetch("/local.json")).json();
		globalThis.told = []; iot.addEventListener("disconnected", (e) => told.push(e.detail.error.code));
		globalThis.gaps = []; let last = performance.now();
		globalThis.held = new Promise((resolve) => setInterval(() => { const now = performance.now(); if (now - last > 50e3 && gaps.push(now - last) === 2) resolve(); last = now }, 1000));
		await iot.connect({ endpoint: local.endpoint, region: local.region, credentials: local.credentials, keepAlive: 60 })`, nil)
	b.do(chromedp.Func(func(ctx context.Context, target *chromedp.Target) error {
		w, err := chromedp.CallBrowser(b.ctx, browser.GetWindowForTarget, browser.GetWindowForTargetParams{TargetID: target.TargetID})
		if err != nil {
			return err
		}
		_, err = chromedp.CallBrowser(b.ctx, browser.SetWindowBounds, browser.SetWindowBoundsParams{WindowID: w.WindowID, Bounds: &browser.Bounds{WindowState: browser.WindowStateMinimized}})
		return err
	}))
	b.is(`document.visibilityState`, `"hidden"`)
	b.eval(`await held`, nil) // twice, its timers have stood still for most of a minute
	b.is(`[iot.state, iot.stats().connects, told]`, `["connected",1,[]]`)
	b.is(`await iot.publish("still", "here", { qos: 1 })`, `{"reasonCode":0}`)
}
