package sim

import (
	"container/heap"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"
)

// A world is a simulation: a virtual clock, a source of random numbers and future events.
type world struct {
	t      testing.TB
	seed   uint64
	rand   *rand.Rand
	now    time.Duration
	events agenda
	seq    int
	log    []string
	failed []string // broken rules
}

func newWorld(t testing.TB, seed uint64) *world {
	return &world{t: t, seed: seed, rand: rand.New(rand.NewPCG(seed, 1))}
}

// after calls do after the duration d.
func (w *world) after(d time.Duration, do func()) {
	w.seq++
	heap.Push(&w.events, event{w.now + d, w.seq, do})
}

// run runs the events until the time end, or until a rule is broken.
func (w *world) run(end time.Duration) {
	for len(w.events) > 0 && w.events[0].at <= end && len(w.failed) == 0 {
		e := heap.Pop(&w.events).(event)
		w.now = max(w.now, e.at)
		e.do()
	}
	w.now = max(w.now, end)
}

// chance returns true with the probability p.
func (w *world) chance(p float64) bool { return w.rand.Float64() < p }

// between draws a duration. Short durations are more likely.
func (w *world) between(least, most time.Duration) time.Duration {
	x := w.rand.Float64()
	return least + time.Duration(x*x*x*float64(most-least))
}

// note adds a line to the log.
func (w *world) note(format string, args ...any) {
	w.log = append(w.log, fmt.Sprintf("%12v ", w.now)+fmt.Sprintf(format, args...))
}

// broken reports a broken rule.
func (w *world) broken(format string, args ...any) {
	w.note("BROKEN: "+format, args...)
	w.failed = append(w.failed, fmt.Sprintf(format, args...))
}

// report fails the test if a rule is broken. It prints the end of the log and the command
// that repeats the simulation.
func (w *world) report() {
	if len(w.failed) == 0 {
		return
	}
	log := w.log
	if len(log) > 60 && !testing.Verbose() {
		log = log[len(log)-60:]
	}
	w.t.Errorf("seed %d: %s\nrun it again: go test ./wasm/client/sim -run TestSim -seed %d -v\n%s",
		w.seed, strings.Join(w.failed, "; "), w.seed, strings.Join(log, "\n"))
}

type event struct {
	at  time.Duration
	seq int
	do  func()
}

// agenda is a heap of events, ordered by time. Simultaneous events are in the order in which
// they were added.
type agenda []event

func (a agenda) Len() int { return len(a) }
func (a agenda) Less(i, j int) bool {
	return a[i].at < a[j].at || a[i].at == a[j].at && a[i].seq < a[j].seq
}
func (a agenda) Swap(i, j int) { a[i], a[j] = a[j], a[i] }
func (a *agenda) Push(x any)   { *a = append(*a, x.(event)) }
func (a *agenda) Pop() any {
	old := *a
	e := old[len(old)-1]
	*a = old[:len(old)-1]
	return e
}
