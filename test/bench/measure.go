package main

import (
	"encoding/json"
	"fmt"
	"slices"
)

// sample contains the results of one measurement of a client, by metric.
type sample map[string]float64

// A load is a number of messages that are sent in one direction as fast as possible.
type load struct {
	key      string
	publish  bool
	size     int // of the payload in bytes
	qos      int
	perFrame int     // received packets in one WebSocket message
	count    int     // the highest number of messages
	ms       float64 // the intended duration
}

var loads = []load{
	{key: "receive50", size: 200, perFrame: 50, count: 100_000, ms: 700},
	{key: "receive1", size: 200, perFrame: 1, count: 20_000, ms: 700},
	{key: "receive50-64", size: 64, perFrame: 50, count: 100_000, ms: 250},
	{key: "receive50-1k", size: 1 << 10, perFrame: 50, count: 50_000, ms: 250},
	{key: "receive50-64k", size: 64 << 10, perFrame: 50, count: 2_000, ms: 250},
	{key: "receive1-64", size: 64, perFrame: 1, count: 20_000, ms: 250},
	{key: "receive1-1k", size: 1 << 10, perFrame: 1, count: 20_000, ms: 250},
	{key: "receive1-64k", size: 64 << 10, perFrame: 1, count: 2_000, ms: 250},
	{key: "receive50-qos1", size: 200, qos: 1, perFrame: 50, count: 50_000, ms: 500},
	{key: "receive1-qos1", size: 200, qos: 1, perFrame: 1, count: 20_000, ms: 500},
	{key: "publish", publish: true, size: 200, count: 50_000, ms: 700},
	{key: "publish-64", publish: true, size: 64, count: 50_000, ms: 250},
	{key: "publish-1k", publish: true, size: 1 << 10, count: 20_000, ms: 250},
	{key: "publish-64k", publish: true, size: 64 << 10, count: 1_000, ms: 250},
	{key: "publish-qos1", publish: true, size: 200, qos: 1, count: 30_000, ms: 700},
}

// run measures a load after a warm-up. A load cannot be stopped, so each part of the warm-up
// determines the number of messages of the next part.
func (l load) run(t *tab) (sample, error) {
	warm := l
	warm.count = l.count / 50
	done, err := warm.once(t)
	if err != nil {
		return nil, err
	}
	warm.count = l.within(done, 150)
	if done, err = warm.once(t); err != nil {
		return nil, err
	}
	l.count = l.within(done, l.ms)
	before, err := t.busy()
	if err != nil {
		return nil, err
	}
	if done, err = l.once(t); err != nil {
		return nil, err
	}
	after, err := t.busy()
	if err != nil {
		return nil, err
	}
	return sample{
		l.key:             done.rate(),
		l.key + ".task":   (after.task - before.task) / done.Messages,
		l.key + ".script": (after.script - before.script) / done.Messages,
	}, nil
}

// within returns how many messages take about ms milliseconds at the rate of an outcome.
func (l load) within(done outcome, ms float64) int {
	return min(l.count, max(int(done.rate()*ms/1000), l.count/50))
}

// An outcome is a number of messages and their duration.
type outcome struct{ Messages, MS float64 }

func (o outcome) rate() float64 { return o.Messages / o.MS * 1000 }

func (l load) once(t *tab) (o outcome, err error) {
	if l.publish {
		return o, t.eval(fmt.Sprintf("bench.publish(%s)", object{"count": l.count, "size": l.size, "qos": l.qos}), &o)
	}
	return o, t.eval(fmt.Sprintf("bench.receive(%s)", object{"count": l.count, "size": l.size, "qos": l.qos, "perFrame": l.perFrame}), &o)
}

// object is a JavaScript object. Its text is JSON.
type object map[string]int

func (o object) String() string {
	b, _ := json.Marshal(map[string]int(o)) // cannot fail for strings and numbers
	return string(b)
}

// latency measures round trip times, in ms, at 100 messages per second.
func (c *runner) latency(t *tab) (sample, error) {
	count := 150
	if c.quick {
		count = 100
	}
	var trips []float64
	for _, n := range []int{20, count} {
		if err := t.eval(fmt.Sprintf("bench.latency(%s)", object{"count": n, "every": 10, "size": 200}), &trips); err != nil {
			return nil, err
		}
	}
	slices.Sort(trips)
	at := func(q float64) float64 { return trips[int(q*float64(len(trips)-1))] }
	return sample{"latency.p50": at(0.5), "latency.p99": at(0.99)}, nil
}

// soak measures the page's memory and its long tasks while the page receives a million
// messages. A slow client receives fewer.
func (c *runner) soak(cl client) (sample, error) {
	t, leave, err := c.open(cl)
	if err != nil {
		return nil, err
	}
	defer leave()
	part := load{size: 200, perFrame: 50, count: 10_000}
	if _, err := part.once(t); err != nil {
		return nil, err
	}
	heap, wasm, err := memory(t)
	if err != nil {
		return nil, err
	}
	if err := t.eval("bench.longTasks()", nil); err != nil {
		return nil, err
	}
	enough := outcome{Messages: 990_000, MS: 15_000}
	if c.quick {
		enough = outcome{Messages: 190_000, MS: 2_000}
	}
	var total outcome
	for total.Messages < enough.Messages && total.MS < enough.MS {
		done, err := part.once(t)
		if err != nil {
			return nil, err
		}
		total.Messages += done.Messages
		total.MS += done.MS
	}
	var tasks struct{ Count, Longest float64 }
	if err := t.eval("bench.longTasks()", &tasks); err != nil {
		return nil, err
	}
	heapLast, wasmLast, err := memory(t)
	return sample{
		"soak": total.rate(), "soak.messages": float64(part.count) + total.Messages,
		"soak.longtasks": tasks.Count, "soak.longest": tasks.Longest,
		"soak.heap.first": heap, "soak.heap.last": heapLast,
		"soak.wasm.first": wasm, "soak.wasm.last": wasmLast,
		"soak.growth": heapLast + wasmLast - heap - wasm,
	}, err
}

// memory returns the sizes of the JavaScript heap and of the wasm's memory in bytes.
func memory(t *tab) (heap, wasm float64, err error) {
	if heap, err = t.heap(); err != nil {
		return 0, 0, err
	}
	return heap, wasm, t.eval("bench.wasmBytes()", &wasm)
}
