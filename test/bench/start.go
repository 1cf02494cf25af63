package main

import (
	"context"
	"fmt"
	"time"

	"iot.wasm/test/harness"
)

// settling is how long a new browser runs before its first page. Its own start, and the end of
// the browser before it, then no longer use the processors.
const settling = time.Second

// start measures the time from the import to CONNACK, in ms, in a Chromium that it starts with
// an empty profile. It measures four pages:
//
//   - the first page of the browser
//   - a second page in a new tab, which has a process of its own
//   - a third page in the tab of the second, as after a link or a reload
//   - a page in a new tab when the third has been open for c.later, because Chromium stores
//     compiled code in its cache some time after the load
func (c *runner) start(ctx context.Context, cl client) (sample, error) {
	browser, stop, err := harness.LaunchChromium(ctx, harness.Local)
	if err != nil {
		return nil, err
	}
	defer stop()
	var t *tab
	visit := func(newTab bool) (o opening, err error) {
		if newTab {
			if t, _, err = openTab(browser); err != nil {
				return o, err
			}
		}
		return c.connect(t, cl)
	}
	if err := wait(ctx, settling); err != nil {
		return nil, err
	}
	cold, err := visit(true)
	if err != nil {
		return nil, err
	}
	warm, err := visit(true)
	if err != nil {
		return nil, err
	}
	link, err := visit(false)
	if err != nil {
		return nil, err
	}
	s := sample{
		"start.cold": cold.MS, "start.warm": warm.MS, "start.link": link.MS, "start.page": cold.Page,
		"start.bytes": cold.Bytes, "start.raw": cold.Raw, "start.requests": cold.Requests,
	}
	if c.later > 0 {
		if err := wait(ctx, c.later); err != nil {
			return nil, err
		}
		cached, err := visit(true)
		if err != nil {
			return nil, err
		}
		s["start.cached"] = cached.MS
	}
	return s, nil
}

// wait waits for a duration, or until ctx ends.
func wait(ctx context.Context, d time.Duration) error {
	select {
	case <-time.After(d):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// opening is the cost of connecting a client.
type opening struct {
	MS       float64 // from the import to CONNACK
	Page     float64 // from the navigation to CONNACK, in ms
	Bytes    float64 // the compressed size of the downloaded files
	Raw      float64 // their size without compression
	Requests float64 // the number of downloaded files
}

// connect opens a page in a tab and connects the client.
func (c *runner) connect(t *tab, cl client) (o opening, err error) {
	c.visits++
	page, script := "", cl.name
	if cl == preloaded {
		page, script = "preload", "iot"
	}
	if err := t.navigate(fmt.Sprintf("http://%s/%s?client=%s&conn=%d", c.address, page, script, c.visits)); err != nil {
		return o, err
	}
	return o, t.eval("bench.open()", &o)
}
