package load

import (
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"iot.wasm/test/harness"
)

// members is the number of clients in a room.
const members = 20

// settled is how long the memory of the server may grow.
const settled = 20 * time.Second

// Clients in rooms publish to their rooms with QoS 1. Every member receives every message of its room once
// and in order.
func TestLoad(t *testing.T) {
	var args []string
	if *persistent {
		args = []string{"-data", t.TempDir()}
	}
	s := harness.Serve(t, args...)
	settings := s.Settings()
	clients := make([]*client, *connections)
	for i := range clients {
		c, err := join(&settings, i/members, i%members)
		if err != nil {
			t.Fatalf("connection %d: %v", i, err)
		}
		clients[i] = c
	}
	var receiving, publishing sync.WaitGroup
	for _, c := range clients {
		receiving.Go(func() { c.receive(members) })
	}
	began := time.Now()
	before := usageOf(t, s.PID())
	interval := time.Duration(len(clients) * members * int(time.Second) / *deliveries)
	for _, c := range clients {
		publishing.Go(func() {
			// The n-th message has a time of its own, so a late message does not delay the later ones.
			for at := rand.N(interval); at < *duration; at += interval {
				time.Sleep(time.Until(began.Add(at)))
				if c.publish() != nil {
					return // receive reports the end of the connection
				}
			}
		})
	}
	memory := []usage{before}
	published := make(chan struct{})
	go func() { publishing.Wait(); close(published) }()
	for done := false; !done; {
		select {
		case <-published:
			done = true
		case <-time.After(time.Second):
			memory = append(memory, usageOf(t, s.PID()))
		}
	}
	sent := total(clients, func(c *client) int64 { return c.sent.Load() })
	deadline := time.Now().Add(20 * time.Second)
	for total(clients, received) < sent*members || total(clients, acked) < sent {
		if time.Now().After(deadline) {
			break
		}
		time.Sleep(time.Millisecond)
	}
	elapsed, after := time.Since(began), usageOf(t, s.PID())
	for _, c := range clients {
		c.closing.Store(true)
		c.conn.Close()
	}
	receiving.Wait()
	var latencies []time.Duration
	for i, c := range clients {
		if c.failure != nil {
			t.Errorf("connection %d: %v", i, c.failure)
		}
		latencies = append(latencies, c.latencies...)
	}
	if got := total(clients, received); got != sent*members || total(clients, acked) != sent {
		t.Fatalf("%d of %d messages arrived, %d of %d PUBACKs", got, sent*members, total(clients, acked), sent)
	}
	slices.Sort(latencies)
	at := func(p int) time.Duration { return latencies[len(latencies)*p/100].Round(100 * time.Microsecond) }
	t.Logf("%d connections, %d messages in, %d out in %v: %.0f/s; latency p50 %v, p99 %v, max %v; server: %.0f %% of a core, memory %d to %d MB",
		len(clients), sent, sent*members, elapsed.Round(time.Millisecond), float64(sent*members)/elapsed.Seconds(), at(50), at(99),
		latencies[len(latencies)-1].Round(time.Millisecond), 100*(after.cpu-before.cpu).Seconds()/elapsed.Seconds(), before.memory>>20, after.memory>>20)
	if *duration >= 2*settled {
		if elapsed > *duration+time.Second {
			t.Errorf("the server did not keep up: the last message arrived after %v", elapsed)
		}
		checkMemory(t, memory[int(settled.Seconds()):])
	}
}

// checkMemory checks that the memory is the same in both halves of the time.
func checkMemory(t *testing.T, memory []usage) {
	t.Helper()
	most := func(u []usage) int {
		return slices.MaxFunc(u, func(a, b usage) int { return a.memory - b.memory }).memory
	}
	first, second := most(memory[:len(memory)/2]), most(memory[len(memory)/2:])
	t.Logf("most memory: %d MB in the first half, %d MB in the second half", first>>20, second>>20)
	if second > first+first/10 {
		t.Errorf("the memory grows from %d to %d bytes", first, second)
	}
}

func received(c *client) int64 { return c.received.Load() }
func acked(c *client) int64    { return c.acked.Load() }

func total(clients []*client, count func(*client) int64) (n int64) {
	for _, c := range clients {
		n += count(c)
	}
	return n
}

// usage is the memory and the CPU time of a process.
type usage struct {
	memory int // the resident set, in bytes
	cpu    time.Duration
}

func usageOf(t *testing.T, pid int) usage {
	t.Helper()
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		t.Skip("this system has no /proc")
	}
	// The fields after the name of the program, from field 3 on ("man 5 proc").
	_, rest, _ := strings.Cut(string(text), ") ")
	fields := strings.Fields(rest)
	number := func(field int) int {
		n, err := strconv.Atoi(fields[field-3])
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	const tick = 10 * time.Millisecond
	return usage{number(24) * os.Getpagesize(), time.Duration(number(14)+number(15)) * tick}
}
