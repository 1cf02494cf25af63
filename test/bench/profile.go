package main

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/andybalholm/brotli"
	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/profiler"
	"github.com/chromedp/chromedp"
)

// top is the number of functions that a profile lists.
const top = 40

// profile runs a load of a client under Chromium's profiler. It prints the functions of the
// page's thread, sorted by the time in the function itself. For the client iot, it builds
// the wasm with function names, because the published wasm does not contain them. target
// is client/measurement. If file is not empty, profile writes the profile to it.
func (c *runner) profile(ctx context.Context, s *site, target, file string) error {
	name, key, _ := strings.Cut(target, "/")
	n := slices.IndexFunc(connected, func(cl client) bool { return cl.name == name })
	if n < 0 {
		return fmt.Errorf("-profile %s: no client is called %q", target, name)
	}
	i := slices.IndexFunc(loads, func(l load) bool { return l.key == key })
	if i < 0 {
		return fmt.Errorf("-profile %s: no load is called %q", target, key)
	}
	if name == "iot" {
		if err := s.nameFunctions(ctx); err != nil {
			return err
		}
	}
	t, leave, err := c.open(connected[n])
	if err != nil {
		return err
	}
	defer leave()
	l := loads[i]
	done, err := l.once(t)
	if err != nil {
		return err
	}
	l.count *= 10
	if l.publish {
		l.count = min(l.count, 60<<20/l.size) // iot.wasm holds at most 64 MiB of messages
	}
	l.count = l.within(done, 3000)
	p, done, err := t.profile(func() (outcome, error) { return l.once(t) })
	if err != nil {
		return err
	}
	if file != "" {
		b, err := json.Marshal(p)
		if err != nil {
			return err
		}
		if err := os.WriteFile(file, b, 0o644); err != nil {
			return err
		}
	}
	printProfile(target, p, done)
	return nil
}

func (t *tab) profile(do func() (outcome, error)) (*profiler.Profile, outcome, error) {
	var done outcome
	if _, err := chromedp.Call(t.ctx, profiler.Enable, cdp.Empty{}); err != nil {
		return nil, done, err
	}
	if _, err := chromedp.Call(t.ctx, profiler.SetSamplingInterval, profiler.SetSamplingIntervalParams{Interval: 200}); err != nil {
		return nil, done, err
	}
	if _, err := chromedp.Call(t.ctx, profiler.Start, cdp.Empty{}); err != nil {
		return nil, done, err
	}
	done, err := do()
	if err != nil {
		return nil, done, err
	}
	result, err := chromedp.Call(t.ctx, profiler.Stop, cdp.Empty{})
	return result.Profile, done, err
}

// nameFunctions builds a wasm with function names. The site then serves it instead of the
// published wasm.
func (s *site) nameFunctions(ctx context.Context) error {
	folder, err := os.MkdirTemp("", "iot-bench-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(folder)
	named := filepath.Join(folder, "iot.wasm")
	build := exec.CommandContext(ctx, "go", "run", "./internal/build", "-names", "-o", named)
	build.Stderr = os.Stderr
	if err := build.Run(); err != nil {
		return err
	}
	body, err := os.ReadFile(named)
	if err != nil {
		return err
	}
	var b bytes.Buffer
	w := brotli.NewWriterLevel(&b, brotli.BestSpeed)
	if _, err := w.Write(body); err != nil {
		return err
	}
	if err := w.Close(); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.packed["/www/iot.wasm"] = b.Bytes()
	return nil
}

func printProfile(target string, p *profiler.Profile, done outcome) {
	names := map[int64]string{}
	for _, n := range p.Nodes {
		f := n.CallFrame
		name := cmp.Or(f.FunctionName, "(anonymous)")
		if file := path.Base(f.URL); f.URL != "" && !strings.HasSuffix(file, ".wasm") {
			name += fmt.Sprintf(" %s:%d", file, f.LineNumber+1)
		}
		names[n.ID] = name
	}
	self := map[string]float64{}
	total := 0.0
	for i, id := range p.Samples {
		self[names[id]] += float64(p.TimeDeltas[i])
		total += float64(p.TimeDeltas[i])
	}
	idle := self["(idle)"]
	fmt.Printf("%s: %.0f messages at %.0f/s; %.0f ms, of which %.0f ms idle\n", target, done.Messages, done.rate(), total/1000, idle/1000)
	fmt.Printf("%9s %7s  function (time in the function itself; part of the time that is not idle)\n", "µs/msg", "")
	order := slices.SortedFunc(func(yield func(string) bool) {
		for name := range self {
			if name != "(idle)" && !yield(name) {
				return
			}
		}
	}, func(a, b string) int { return cmp.Or(cmp.Compare(self[b], self[a]), cmp.Compare(a, b)) })
	for _, name := range order[:min(top, len(order))] {
		fmt.Printf("%9.3f %6.1f%%  %s\n", self[name]/done.Messages, 100*self[name]/(total-idle), name)
	}
}
