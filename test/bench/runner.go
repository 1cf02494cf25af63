package main

import (
	"context"
	"fmt"
	"log"
)

// A runner runs the measurements.
type runner struct {
	browser context.Context
	address string
	quick   bool
	selects func(name string) bool
	results *results
	visits  int // the number of opened pages
}

// run measures all clients in several rounds. In a round, each client has an open page. The
// clients take turns in every measurement, so that other load of the machine affects all
// of them. The first client is another one in each round and for each load.
func (c *runner) run(ctx context.Context, rounds int) error {
	// After a first visit, which is not measured, the browser has started and all files are
	// compressed.
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

// visit runs the measurements that share a page.
func (c *runner) visit(ctx context.Context, round int) {
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

// turns runs a measurement for one client after the other and stores the results. It does
// nothing if the measurement is not selected. If a client fails, turns continues with the
// next. first is the index of the first client.
func (c *runner) turns(ctx context.Context, first int, name string, measure func(client string) (sample, error)) {
	if !c.selects(name) {
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

// open opens a page with a connected and subscribed client.
func (c *runner) open(client string) (*tab, func(), error) {
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

// opening is the cost of connecting a client.
type opening struct {
	MS       float64 // from the import to CONNACK
	Bytes    float64 // the compressed size of the downloaded files
	Requests float64 // the number of downloaded files
}

func (c *runner) connect(t *tab, client string) (o opening, err error) {
	c.visits++
	if err := t.navigate(fmt.Sprintf("http://%s/?client=%s&conn=%d", c.address, client, c.visits)); err != nil {
		return o, err
	}
	return o, t.eval("bench.open()", &o)
}
