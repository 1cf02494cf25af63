package main

import (
	"context"
	"log"
	"time"

	"github.com/chromedp/chromedp"
)

// A runner runs the measurements.
type runner struct {
	browser context.Context
	address string
	quick   bool
	selects func(name string) bool
	later   time.Duration // how long a page of a start is open before the last page; 0: no last page
	results *results
	visits  int // the number of opened pages
}

// run measures all clients in several rounds, the starts first. The clients take turns in
// every measurement, so that other load of the machine affects all of them. The first client
// is another one in each round and for each load.
func (c *runner) run(ctx context.Context, rounds, starts int) error {
	// A visit of each client, which is not measured, makes the site compress all files.
	for _, client := range clients {
		t, leave, err := openTab(c.browser, chromedp.WithNewBrowserContext())
		if err == nil {
			_, err = c.connect(t, client)
			leave()
		}
		if err != nil {
			return err
		}
	}
	for round := range starts {
		if !c.selects("start") {
			break
		}
		log.Printf("starts, round %d of %d", round+1, starts)
		c.turns(ctx, round, "start", clients, func(cl client) (sample, error) { return c.start(ctx, cl) })
	}
	for round := range rounds {
		log.Printf("round %d of %d", round+1, rounds)
		c.visit(ctx, round)
		if round == 0 {
			c.turns(ctx, round, "soak", connected, c.soak)
		}
	}
	return ctx.Err()
}

// visit runs the measurements of a round that share a page: each client has an open page.
func (c *runner) visit(ctx context.Context, round int) {
	tabs := map[client]*tab{}
	leave := map[client]func(){}
	defer func() {
		for _, f := range leave {
			f()
		}
	}()
	in := func(measure func(*tab) (sample, error)) func(client) (sample, error) {
		return func(cl client) (s sample, err error) {
			if tabs[cl] == nil {
				t, stop, err := c.open(cl)
				if err != nil {
					return nil, err
				}
				tabs[cl], leave[cl] = t, stop
			}
			if s, err = measure(tabs[cl]); err != nil {
				leave[cl]()
				delete(tabs, cl)
				delete(leave, cl)
			}
			return s, err
		}
	}
	c.turns(ctx, round, "latency", connected, in(c.latency))
	for i, l := range loads {
		if c.quick && l.size != 200 {
			continue
		}
		c.turns(ctx, round+i, l.key, connected, in(l.run))
	}
}

// turns runs a measurement for one client after the other and stores the results. It does
// nothing if the measurement is not selected. If a client fails, turns continues with the
// next. first is the index of the first client.
func (c *runner) turns(ctx context.Context, first int, name string, of []client, measure func(client) (sample, error)) {
	if !c.selects(name) {
		return
	}
	for i := range of {
		if ctx.Err() != nil {
			return
		}
		cl := of[(first+i)%len(of)]
		s, err := measure(cl)
		if err != nil {
			c.results.fail(cl.name, name, err)
		}
		c.results.add(cl.name, s)
	}
}

// open opens a page with a connected and subscribed client.
func (c *runner) open(cl client) (*tab, func(), error) {
	t, leave, err := openTab(c.browser, chromedp.WithNewBrowserContext())
	if err != nil {
		return nil, nil, err
	}
	_, err = c.connect(t, cl)
	if err == nil {
		err = t.eval("bench.subscribe()", nil)
	}
	if err != nil {
		leave()
		return nil, nil, err
	}
	return t, func() { _ = t.eval("bench.close()", nil); leave() }, nil
}
