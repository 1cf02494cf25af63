package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"log"
	"os"
	"regexp"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"
)

// A metric is a line of the report.
type metric struct {
	key     string
	title   string
	unit    string
	better  string               // "more", "less" or "" for neither
	clients map[string][]float64 // the values of each client in all rounds
	best    string               // the peer with the best median, or ""
}

type failure struct {
	Client      string `json:"client"`
	Measurement string `json:"measurement"`
	Error       string `json:"error"`
}

// results are the results of a run. The exported members are those of the JSON.
type results struct {
	Date     string            `json:"date"`
	Browser  string            `json:"browser"`
	Go       string            `json:"go"`
	CPUs     int               `json:"cpus"`
	Versions map[string]string `json:"versions"`
	Failures []failure         `json:"failures"`
	// Rounds contains the values of the rounds, by metric and client.
	Rounds map[string]map[string][]float64 `json:"rounds"`

	metrics  []*metric
	verdicts []verdict
}

func newResults(browser string, versions map[string]string) *results {
	return &results{
		Date: time.Now().UTC().Format(time.DateOnly), Browser: browser, Go: runtime.Version(), CPUs: runtime.NumCPU(),
		Versions: versions, Failures: []failure{}, Rounds: map[string]map[string][]float64{}, metrics: newMetrics(),
	}
}

// newMetrics returns all metrics in the order of the report.
func newMetrics() (all []*metric) {
	add := func(key, title, unit, better string) {
		all = append(all, &metric{key: key, title: title, unit: unit, better: better})
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
	add("start.cold", "import to CONNACK, fresh browser", "ms", "less")
	add("start.warm", "import to CONNACK, second page", "ms", "less")
	add("start.link", "import to CONNACK, next page in the same tab", "ms", "less")
	add("start.cached", "import to CONNACK, new tab later", "ms", "less")
	add("start.page", "navigation to CONNACK, fresh browser", "ms", "less")
	add("start.bytes", "download, brotli 11", "bytes", "less")
	add("start.raw", "download, uncompressed", "bytes", "less")
	add("start.requests", "requests", "", "less")
	add("wasm.bytes", "iot.wasm, brotli 11", "bytes", "")
	add("wasm.raw", "iot.wasm, uncompressed", "bytes", "")
	add("soak.messages", "long run, 200 B, 50 per frame: messages", "", "")
	add("soak", "long run: rate", "msg/s", "more")
	add("soak.longtasks", "long run: long tasks", "", "less")
	add("soak.longest", "long run: longest task", "ms", "less")
	add("soak.heap.first", "JavaScript's heap after 10,000", "bytes", "less")
	add("soak.heap.last", "JavaScript's heap after the long run", "bytes", "less")
	add("soak.wasm.first", "wasm's memory after 10,000", "bytes", "less")
	add("soak.wasm.last", "wasm's memory after the long run", "bytes", "less")
	add("soak.growth", "growth of both memories", "bytes", "less")
	return all
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

// metric returns a metric. The key must be one of newMetrics.
func (r *results) metric(key string) *metric {
	i := slices.IndexFunc(r.metrics, func(m *metric) bool { return m.key == key })
	return r.metrics[i]
}

func (r *results) add(client string, s sample) {
	for key, value := range s {
		if r.Rounds[key] == nil {
			r.Rounds[key] = map[string][]float64{}
		}
		r.Rounds[key][client] = append(r.Rounds[key][client], significant(value))
	}
}

// significant rounds a value to four digits, and to an integer above 1000.
func significant(v float64) float64 {
	format, digits := byte('g'), 4
	if v >= 1000 || v <= -1000 {
		format, digits = 'f', 0
	}
	v, _ = strconv.ParseFloat(strconv.FormatFloat(v, format, digits, 64), 64) // cannot fail
	return v
}

func (r *results) fail(client, measurement string, err error) {
	log.Printf("%s, %s: %v", client, measurement, err)
	r.Failures = append(r.Failures, failure{client, measurement, err.Error()})
}

// conclude finds the best peer of each metric and decides whether the goals are met.
func (r *results) conclude() {
	for _, m := range r.metrics {
		m.clients = r.Rounds[m.key]
		m.best = ""
		for _, c := range connected {
			if !c.peer || m.better == "" || m.clients[c.name] == nil {
				continue
			}
			if m.best == "" || (m.better == "more") == (median(m.clients[c.name]) > median(m.clients[m.best])) {
				m.best = c.name
			}
		}
	}
	r.verdicts = nil
	for _, g := range goals {
		r.verdicts = append(r.verdicts, g.judge(r))
	}
}

// ratios returns the ratios of iot.wasm to another client in each round, because only values
// of the same round are comparable. It returns nil if a value is missing or a divisor is 0.
func (m *metric) ratios(to string) (ratios []float64) {
	iot, other := m.clients["iot"], m.clients[to]
	if len(iot) != len(other) || slices.Contains(other, 0) {
		return nil
	}
	for i := range iot {
		ratios = append(ratios, iot[i]/other[i])
	}
	return ratios
}

// ratio returns the median of the rounds' ratios as text, or "".
func (m *metric) ratio(to string) string {
	if ratios := m.ratios(to); m.better != "" && len(ratios) > 0 {
		return ratio(median(ratios))
	}
	return ""
}

// value returns the median of a client as text, or "–" without a value.
func (m *metric) value(client string) string {
	if len(m.clients[client]) == 0 {
		return "–"
	}
	return m.text(median(m.clients[client]))
}

func median(values []float64) float64 {
	v := slices.Sorted(slices.Values(values))
	n := len(v)
	return (v[(n-1)/2] + v[n/2]) / 2
}

// print writes the report as text.
func (r *results) print(to io.Writer) error {
	fmt.Fprintf(to, "%s, %s, %s, %d CPUs\n\n", r.Date, r.Browser, r.Go, r.CPUs)
	t := tabwriter.NewWriter(to, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprint(t, "\t")
	for _, c := range clients {
		fmt.Fprintf(t, "%s\t", c.name)
	}
	fmt.Fprint(t, "to best\tto raw\t\n")
	for _, m := range r.metrics {
		if m.clients == nil || strings.HasSuffix(m.key, ".script") {
			continue
		}
		fmt.Fprintf(t, "%s\t", m.label())
		for _, c := range clients {
			fmt.Fprintf(t, "%s\t", m.value(c.name))
		}
		fmt.Fprintf(t, "%s\t%s\t\n", m.ratio(m.best), m.ratio("raw"))
	}
	if err := t.Flush(); err != nil {
		return err
	}
	fmt.Fprint(to, "\nDistance to the goals: the median of the rounds, their lowest and highest value, the distance in parts of the goal\n\n")
	t = tabwriter.NewWriter(to, 0, 0, 2, ' ', 0)
	for _, v := range r.verdicts {
		fmt.Fprintf(t, "%s\t%s\t%s\t%s\t%s\n", v.what, v.limit(), v.result(), v.spread(), v.distance())
	}
	if err := t.Flush(); err != nil {
		return err
	}
	for _, f := range r.Failures {
		fmt.Fprintf(to, "failed   %s, %s: %s\n", f.Client, f.Measurement, f.Error)
	}
	return nil
}

// label returns the title with the unit.
func (m *metric) label() string {
	if m.unit == "" {
		return m.title
	}
	return m.title + ", " + m.unit
}

func ratio(v float64) string { return fmt.Sprintf("%.2f ×", v) }

// text returns a value of the metric as text.
func (m *metric) text(v float64) string {
	if m.unit == "" || m.unit == "bytes" {
		return count(v)
	}
	return number(v)
}

// number returns a value as text: with two digits after the point below 10, with one below 100,
// and otherwise as an integer.
func number(v float64) string {
	switch {
	case v < 9.995:
		return strconv.FormatFloat(v, 'f', 2, 64)
	case v < 99.95:
		return strconv.FormatFloat(v, 'f', 1, 64)
	}
	return count(v)
}

// count returns an integer as text, with commas between the thousands.
func count(v float64) string {
	if v < 0 {
		return "-" + count(-v)
	}
	digits := strconv.FormatFloat(v, 'f', 0, 64)
	for i := len(digits) - 3; i > 0; i -= 3 {
		digits = digits[:i] + "," + digits[i:]
	}
	return digits
}

// list matches an array of numbers in indented JSON.
var list = regexp.MustCompile(`\[\s[-+.\deE,\s]*\]`)

// write writes the results as JSON, with the rounds of a client in one line.
func (r *results) write(file string) error {
	b, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		return err
	}
	b = list.ReplaceAllFunc(b, func(numbers []byte) []byte {
		return bytes.Join(bytes.Fields(numbers), nil)
	})
	return os.WriteFile(file, append(b, '\n'), 0o644)
}
