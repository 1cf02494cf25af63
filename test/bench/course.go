package main

import (
	"context"
	"fmt"
	"log"
)

// A course is the measurements of a run.
type course struct {
	browser context.Context
	address string
	quick   bool
	want    func(name string) bool
	results *results
	visits  int
}

// run measures everything, round after round. In each, all clients have a page
// open, and take turns with every measurement, so that what else the machine does
// meets all of them. Who is first changes.
func (c *course) run(ctx context.Context, rounds int) error {
	// A first visit to each, which is not measured, has the browser started and
	// everything compressed.
	for _, client := range clients {
		if _, err := c.start(client.name); err != nil {
			return err
		}
	}
	for round := range rounds {
		log.Printf("round %d of %d", round+1, rounds)
		c.turns(ctx, round, "start", c.start)
		c.visit(ctx, round)
		if round == 0 {
			c.turns(ctx, round, "soak", c.soak)
		}
		if err := ctx.Err(); err != nil {
			return err
		}
	}
	return nil
}

// visit measures what is measured in one page.
func (c *course) visit(ctx context.Context, round int) {
	tabs := map[string]*tab{}
	leave := map[string]func(){}
	defer func() {
		for _, f := range leave {
			f()
		}
	}()
	in := func(measure func(*tab) (sample, error)) func(string) (sample, error) {
		return func(client string) (s sample, err error) {
			if tabs[client] == nil {
				if tabs[client], leave[client], err = c.open(client); err != nil {
					return nil, err
				}
			}
			if s, err = measure(tabs[client]); err != nil {
				leave[client]()
				delete(tabs, client)
				delete(leave, client)
			}
			return s, err
		}
	}
	c.turns(ctx, round, "latency", in(c.latency))
	for i, l := range loads {
		if c.quick && l.size != 200 {
			continue
		}
		c.turns(ctx, round+i, l.key, in(l.run))
	}
}

// turns has one client after the other measured, if that is wanted, and keeps
// what was found. A client that fails is no reason to stop.
func (c *course) turns(ctx context.Context, first int, name string, measure func(client string) (sample, error)) {
	if !c.want(name) {
		return
	}
	for i := range clients {
		if ctx.Err() != nil {
			return
		}
		client := clients[(first+i)%len(clients)].name
		s, err := measure(client)
		if err != nil {
			c.results.fail(client, name, err)
		}
		c.results.add(client, s)
	}
}

// open opens a client's page, connected and subscribed.
func (c *course) open(client string) (*tab, func(), error) {
	t, leave, err := openTab(c.browser)
	if err != nil {
		return nil, nil, err
	}
	_, err = c.connect(t, client)
	if err == nil {
		err = t.eval("bench.subscribe()", nil)
	}
	if err != nil {
		leave()
		return nil, nil, err
	}
	return t, func() { _ = t.eval("bench.close()", nil); leave() }, nil
}

// opening is what a client took to be connected.
type opening struct {
	MS       float64
	Bytes    float64
	Requests float64
}

func (c *course) connect(t *tab, client string) (o opening, err error) {
	c.visits++
	if err := t.navigate(fmt.Sprintf("http://%s/?client=%s&conn=%d", c.address, client, c.visits)); err != nil {
		return o, err
	}
	return o, t.eval("bench.open()", &o)
}
