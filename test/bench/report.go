package main

import (
	"encoding/json"
	"fmt"
	"io"
	"log"
	"os"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"text/tabwriter"
)

// A metric is a line of the report. A ratio is the value of iot.wasm divided by that of
// another client.
type metric struct {
	Key     string             `json:"key"`
	Title   string             `json:"title"`
	Unit    string             `json:"unit"`
	Better  string             `json:"better,omitempty"` // "more", "less" or "" for neither
	Clients map[string]*series `json:"clients"`

	BestPeer string  `json:"bestPeer,omitempty"`
	ToBest   float64 `json:"toBestPeer,omitempty"`
	ToRaw    float64 `json:"toRaw,omitempty"`
}

// A series contains the values of a client in all rounds.
type series struct {
	Rounds []float64 `json:"rounds"`
	Median float64   `json:"median"`
}

// A verdict is the result of a goal. An unmet goal is not an error.
type verdict struct {
	Goal  string  `json:"goal"`
	Value float64 `json:"value"`
	Met   bool    `json:"met"`
}

type failure struct {
	Client      string `json:"client"`
	Measurement string `json:"measurement"`
	Error       string `json:"error"`
}

// results are the results of a run.
type results struct {
	Browser  string            `json:"browser"`
	Go       string            `json:"go"`
	CPUs     int               `json:"cpus"`
	Versions map[string]string `json:"versions"`
	Metrics  []*metric         `json:"metrics"`
	Goals    []verdict         `json:"goals"`
	Failures []failure         `json:"failures"`
}

func newResults(browser string, versions map[string]string) *results {
	r := &results{Browser: browser, Go: runtime.Version(), CPUs: runtime.NumCPU(), Versions: versions, Goals: []verdict{}, Failures: []failure{}}
	add := func(key, title, unit, better string) {
		r.Metrics = append(r.Metrics, &metric{Key: key, Title: title, Unit: unit, Better: better, Clients: map[string]*series{}})
	}
	for _, l := range loads {
		add(l.key, l.title(), "msg/s", "more")
	}
	for _, l := range loads {
		add(l.key+".task", "page's thread, "+l.title(), "µs/msg", "less")
	}
	for _, l := range loads {
		add(l.key+".script", "scripts, "+l.title(), "µs/msg", "less")
	}
	add("latency.p50", "round trip at 100 msg/s, p50", "ms", "less")
	add("latency.p99", "round trip at 100 msg/s, p99", "ms", "less")
	add("start.cold", "import to CONNACK, cold", "ms", "less")
	add("start.warm", "import to CONNACK, warm", "ms", "less")
	add("start.bytes", "script and wasm, brotli 11", "bytes", "less")
	add("start.requests", "requests for script and wasm", "", "less")
	add("soak.messages", "long run, 200 B, 50 per frame: messages", "", "")
	add("soak", "long run: rate", "msg/s", "more")
	add("soak.longtasks", "long run: long tasks", "", "less")
	add("soak.longest", "long run: longest task", "ms", "less")
	add("soak.heap.first", "JavaScript's heap after 10,000", "bytes", "less")
	add("soak.heap.last", "JavaScript's heap after the long run", "bytes", "less")
	add("soak.wasm.first", "wasm's memory after 10,000", "bytes", "less")
	add("soak.wasm.last", "wasm's memory after the long run", "bytes", "less")
	add("soak.growth", "growth of both memories", "bytes", "less")
	return r
}

func (l load) title() string {
	verb := "receive"
	if l.publish {
		verb = "publish"
	}
	size := fmt.Sprintf("%d B", l.size)
	if l.size >= 1<<10 {
		size = fmt.Sprintf("%d KiB", l.size>>10)
	}
	title := fmt.Sprintf("%s QoS %d, %s", verb, l.qos, size)
	if !l.publish {
		title += fmt.Sprintf(", %d per frame", l.perFrame)
	}
	return title
}

func (r *results) metric(key string) *metric {
	i := slices.IndexFunc(r.Metrics, func(m *metric) bool { return m.Key == key })
	return r.Metrics[i]
}

func (r *results) add(client string, s sample) {
	for key, value := range s {
		m := r.metric(key)
		if m.Clients[client] == nil {
			m.Clients[client] = &series{}
		}
		m.Clients[client].Rounds = append(m.Clients[client].Rounds, value)
	}
}

func (r *results) fail(client, measurement string, err error) {
	log.Printf("%s, %s: %v", client, measurement, err)
	r.Failures = append(r.Failures, failure{client, measurement, err.Error()})
}

// conclude computes the medians, the ratios and the verdicts.
func (r *results) conclude() {
	r.Metrics = slices.DeleteFunc(r.Metrics, func(m *metric) bool { return len(m.Clients) == 0 })
	for _, m := range r.Metrics {
		for _, s := range m.Clients {
			s.Median = median(s.Rounds)
		}
		if m.Better == "" {
			continue
		}
		best := ""
		for _, c := range clients {
			s := m.Clients[c.name]
			if !c.peer || s == nil {
				continue
			}
			if best == "" || (m.Better == "more") == (s.Median > m.Clients[best].Median) {
				best = c.name
			}
		}
		m.BestPeer = best
		m.ToBest, _ = m.ratio(best)
		m.ToRaw, _ = m.ratio("raw")
	}
	for _, g := range goals {
		if v, ok := g.judge(r); ok {
			r.Goals = append(r.Goals, v)
		}
	}
}

// ratio returns the ratio of iot.wasm to another client. It is the median of the rounds'
// ratios, because only values of the same round are comparable. ratio returns false if a
// value is missing, or if a divisor is 0.
func (m *metric) ratio(to string) (float64, bool) {
	iot, other := m.Clients["iot"], m.Clients[to]
	if iot == nil || other == nil || slices.Contains(other.Rounds, 0) {
		return 0, false
	}
	var ratios []float64
	for i := range min(len(iot.Rounds), len(other.Rounds)) {
		ratios = append(ratios, iot.Rounds[i]/other.Rounds[i])
	}
	return median(ratios), true
}

func median(values []float64) float64 {
	v := slices.Sorted(slices.Values(values))
	n := len(v)
	return (v[(n-1)/2] + v[n/2]) / 2
}

// print writes the report as text.
func (r *results) print(to io.Writer) error {
	fmt.Fprintf(to, "%s, %s, %d CPUs\n\n", r.Browser, r.Go, r.CPUs)
	t := tabwriter.NewWriter(to, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprint(t, "\t")
	for _, c := range clients {
		fmt.Fprintf(t, "%s\t", c.name)
	}
	fmt.Fprint(t, "to best\tto raw\t\n")
	for _, m := range r.Metrics {
		if strings.HasSuffix(m.Key, ".script") {
			continue
		}
		title := m.Title
		if m.Unit != "" {
			title += ", " + m.Unit
		}
		fmt.Fprintf(t, "%s\t", title)
		for _, c := range clients {
			fmt.Fprintf(t, "%s\t", m.Clients[c.name])
		}
		fmt.Fprintf(t, "%s\t%s\t\n", times(m.ToBest), times(m.ToRaw))
	}
	if err := t.Flush(); err != nil {
		return err
	}
	fmt.Fprintln(to)
	for _, g := range r.Goals {
		word := "met    "
		if !g.Met {
			word = "not met"
		}
		fmt.Fprintf(to, "%s  %s: %s\n", word, g.Goal, number(g.Value))
	}
	for _, f := range r.Failures {
		fmt.Fprintf(to, "failed   %s, %s: %s\n", f.Client, f.Measurement, f.Error)
	}
	return nil
}

func (s *series) String() string {
	if s == nil {
		return "–"
	}
	return number(s.Median)
}

func times(ratio float64) string {
	if ratio == 0 {
		return ""
	}
	return strconv.FormatFloat(ratio, 'f', 2, 64) + "×"
}

func number(v float64) string {
	switch {
	case v == float64(int(v)) || v >= 1000 || v <= -1000:
		return strconv.FormatFloat(v, 'f', 0, 64)
	case v >= 100:
		return strconv.FormatFloat(v, 'f', 1, 64)
	}
	return strconv.FormatFloat(v, 'f', 2, 64)
}

func (r *results) write(file string) error {
	b, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		return err
	}
	return os.WriteFile(file, append(b, '\n'), 0o644)
}
