package chaos

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"time"
)

// A fault is an entry of a schedule. inject implements the kinds.
type fault struct {
	at     time.Duration // since the start of the round
	kind   string
	during time.Duration
	n      int // the meaning depends on the kind: bytes, bytes per second or milliseconds
	way    direction
}

func (f fault) String() string {
	words := []string{f.kind}
	if f.during > 0 {
		words = append(words, "for "+f.during.Round(time.Millisecond).String())
	}
	if f.n != 0 {
		words = append(words, fmt.Sprint(f.n))
	}
	return strings.Join(append(words, [...]string{up: "up", down: "down"}[f.way]), " ")
}

// kinds are the kinds of faults.
var kinds = []struct {
	kind              string
	weight            int // how often the kind occurs, relative to the others
	shortest, longest int // bounds of fault.during, in ms
	least, most       int // bounds of fault.n
}{
	{kind: "reset", weight: 8},
	{kind: "reset one side", weight: 4, longest: 1500},
	{kind: "cut after", weight: 14, most: 3000},
	{kind: "half-close", weight: 4, shortest: 100, longest: 2000},
	{kind: "stall", weight: 8, shortest: 50, longest: 2500},
	{kind: "silence", weight: 4, shortest: 2000, longest: 8000},
	{kind: "delay", weight: 4, shortest: 500, longest: 3000, least: 5, most: 300},
	{kind: "slice", weight: 5, shortest: 500, longest: 3000, least: 1, most: 40},
	{kind: "throttle", weight: 4, shortest: 500, longest: 3000, least: 5_000, most: 200_000},
	{kind: "refuse", weight: 4, shortest: 100, longest: 1500},
	{kind: "busy", weight: 10, shortest: 50, longest: 800},
	{kind: "freeze", weight: 2, shortest: 100, longest: 2000},
	{kind: "offline", weight: 4, shortest: 200, longest: 3000},
	{kind: "clock set", weight: 4, least: -7_200_000, most: 7_200_000},
	{kind: "sleep", weight: 3, least: 100, most: 600_000},
	{kind: "wake", weight: 4},
	{kind: "reconnect", weight: 2},
	{kind: "part off", weight: 5},
	{kind: "part on", weight: 6},
	{kind: "session deleted", weight: 1},
}

// schedule draws the faults of a round from a seed.
func schedule(seed uint64, length time.Duration) (list []fault) {
	r := rand.New(rand.NewPCG(seed, 1))
	sum := 0
	for _, k := range kinds {
		sum += k.weight
	}
	between := func(least, most int) int {
		if most <= least {
			return least
		}
		x := r.Float64()
		return least + int(x*x*float64(most-least)) // small numbers are more likely
	}
	deletes := r.IntN(3) == 0 // in other rounds, every message must arrive
	for at := time.Duration(0); ; {
		at += time.Duration(r.ExpFloat64() * float64(400*time.Millisecond))
		if at > length {
			return list
		}
		n := r.IntN(sum)
		for _, k := range kinds {
			if n -= k.weight; n >= 0 {
				continue
			}
			f := fault{at: at, kind: k.kind, during: time.Duration(between(k.shortest, k.longest)) * time.Millisecond, n: between(k.least, k.most), way: direction(r.IntN(2))}
			if f.kind != "session deleted" || deletes {
				list = append(list, f)
			}
			break
		}
	}
}

// A journal records events for the report of a failure.
type journal struct {
	begin time.Time

	mu    sync.Mutex
	lines []string
}

func (j *journal) note(format string, args ...any) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.lines = append(j.lines, fmt.Sprintf("%8.3f ", time.Since(j.begin).Seconds())+fmt.Sprintf(format, args...))
}

// last returns the last n lines.
func (j *journal) last(n int) string {
	j.mu.Lock()
	defer j.mu.Unlock()
	return strings.Join(j.lines[max(0, len(j.lines)-n):], "\n")
}
