package main

import (
	"context"
	"fmt"
	"time"

	"iot.wasm/test/harness"
)

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
		select {
		case <-time.After(c.later):
		case <-ctx.Done():
			return nil, ctx.Err()
		}
		cached, err := visit(true)
		if err != nil {
			return nil, err
		}
		s["start.cached"] = cached.MS
	}
	return s, nil
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
