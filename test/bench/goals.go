package main

import (
	"fmt"
	"math"
	"slices"
	"strings"
)

// A goal is a bound for a metric of iot.wasm, or for its ratio to the metric of another
// client.
type goal struct {
	what    string
	metric  string
	to      string // the other client; "best": the best peer; "": no ratio
	atLeast bool
	bound   float64
}

var goals = []goal{
	{"size of iot.wasm with brotli 11", "wasm.bytes", "", false, 760_000},
	{"import to CONNACK, fresh browser", "start.cold", "mqttjs", false, 0.95},
	{"import to CONNACK, fresh browser", "start.cold", "aws", false, 1.1},
	{"import to CONNACK, second page", "start.warm", "mqttjs", false, 0.6},
	{"receive, 50 per frame", "receive50", "best", true, 1.75},
	{"receive, 50 per frame", "receive50", "raw", true, 0.85},
	{"receive, one per frame", "receive1", "best", true, 1},
	{"receive, one per frame", "receive1", "raw", true, 0.95},
	{"thread time per received message, one per frame", "receive1.task", "best", false, 1},
	{"thread time per received message of 64 KiB, one per frame", "receive1-64k.task", "best", false, 0.9},
	{"thread time per received message of 64 KiB, 50 per frame", "receive50-64k.task", "best", false, 0.9},
	{"thread time per published message of 64 KiB", "publish-64k.task", "best", false, 0.9},
	{"publish QoS 0", "publish", "best", true, 5},
	{"publish QoS 1 until PUBACK", "publish-qos1", "best", true, 2.2},

	{"thread time per received message, 50 per frame", "receive50.task", "best", false, 1},
	{"thread time per published message", "publish.task", "best", false, 1},
	{"round trip p50", "latency.p50", "best", false, 1},
	{"round trip p99", "latency.p99", "best", false, 1},
	{"memory growth after the first 10,000 messages of the long run", "soak.growth", "", false, 1 << 20},
}

// limit returns the bound as text, for example "≥ 1.75 × the best peer" or "≤ 760,000 bytes".
func (g goal) limit() string {
	sign := "≤ "
	if g.atLeast {
		sign = "≥ "
	}
	switch g.to {
	case "":
		return sign + count(g.bound) + " bytes"
	case "best":
		return fmt.Sprintf("%s%v × the best peer", sign, g.bound)
	}
	return fmt.Sprintf("%s%v × %s", sign, g.bound, title(g.to))
}

// A verdict is the result of a goal. An unmet goal is not an error.
type verdict struct {
	goal
	measured  bool
	client    string    // the other client of the ratio, or ""
	rounds    []float64 // the values or the ratios of the rounds
	value     float64   // their median
	low, high float64   // the lowest and the highest of them
	met       bool
}

// judge decides whether the goal is met.
func (g goal) judge(r *results) verdict {
	v := verdict{goal: g, client: g.to}
	m := r.metric(g.metric)
	if v.client == "best" {
		v.client = m.best
	}
	if g.to == "" {
		v.rounds = m.clients["iot"]
	} else {
		v.rounds = m.ratios(v.client)
	}
	if len(v.rounds) == 0 {
		return v
	}
	v.measured = true
	v.value, v.low, v.high = median(v.rounds), slices.Min(v.rounds), slices.Max(v.rounds)
	v.met = v.spare() >= 0
	return v
}

// spare returns the distance from the bound as a part of the bound. It is negative if the goal
// is missed.
func (v verdict) spare() float64 {
	if v.atLeast {
		return (v.value - v.bound) / v.bound
	}
	return (v.bound - v.value) / v.bound
}

// distance returns the distance from the bound in words.
func (v verdict) distance() string {
	switch spare := v.spare(); {
	case !v.measured:
		return "not measured"
	case v.met:
		return "met, " + percent(spare) + " to spare"
	default:
		return "missed by " + percent(-spare)
	}
}

// percent returns a part as text. A value above 0 is never "0 %".
func percent(part float64) string {
	p := 100 * part
	switch {
	case p > 0 && p < 0.1:
		return "less than 0.1 %"
	case p < 9.95:
		return strings.TrimSuffix(fmt.Sprintf("%.1f", p), ".0") + " %"
	}
	return fmt.Sprintf("%.0f %%", math.Round(p))
}

// result returns the value as text. It names the best peer.
func (v verdict) result() string {
	switch {
	case !v.measured:
		return "–"
	case v.to == "":
		return count(v.value) + " bytes"
	case v.to == "best":
		return ratio(v.value) + " " + title(v.client)
	}
	return ratio(v.value)
}

// spread returns the lowest and the highest value of the rounds, or "" for one round.
func (v verdict) spread() string {
	switch {
	case len(v.rounds) < 2:
		return ""
	case v.to == "":
		return count(v.low) + "–" + count(v.high)
	}
	return fmt.Sprintf("%.2f–%.2f", v.low, v.high)
}
