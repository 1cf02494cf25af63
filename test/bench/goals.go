package main

// A goal is a bound for a metric of iot.wasm, or for its ratio to the metric of another
// client.
type goal struct {
	text    string
	metric  string
	to      string // the other client; "best": the best peer; "": no ratio
	atLeast bool
	bound   float64
}

var goals = []goal{
	{"publish QoS 0 ≥ 2 × the best peer", "publish", "best", true, 2},
	{"publish QoS 1 until acknowledged ≥ 1.5 × the best peer", "publish-qos1", "best", true, 1.5},
	{"receive, one per frame ≥ 0.9 × the raw WebSocket", "receive1", "raw", true, 0.9},
	{"receive, one per frame ≥ the best peer", "receive1", "best", true, 1},
	{"receive, 50 per frame ≥ 1.5 × the best peer", "receive50", "best", true, 1.5},
	{"round trip p50 ≤ the best peer", "latency.p50", "best", false, 1},
	{"round trip p99 ≤ the best peer", "latency.p99", "best", false, 1},
	{"thread time per received message, 50 per frame ≤ the best peer", "receive50.task", "best", false, 1},
	{"thread time per received message, one per frame ≤ the best peer", "receive1.task", "best", false, 1},
	{"thread time per published message ≤ the best peer", "publish.task", "best", false, 1},
	{"memory growth after the first 10,000 messages of the long run < 1 MiB", "soak.growth", "", false, 1<<20 - 1},
	{"import to CONNACK, cold ≤ aws-iot-device-sdk-v2", "start.cold", "aws", false, 1},
}

// judge decides whether the goal is met. It returns false for ok if the metric was not
// measured.
func (g goal) judge(r *results) (v verdict, ok bool) {
	for _, m := range r.Metrics {
		if m.Key != g.metric {
			continue
		}
		switch g.to {
		case "":
			if s := m.Clients["iot"]; s != nil {
				v.Value, ok = s.Median, true
			}
		case "best":
			v.Value, ok = m.ratio(m.BestPeer)
		default:
			v.Value, ok = m.ratio(g.to)
		}
	}
	v.Goal = g.text
	v.Met = ok && (v.Value == g.bound || (v.Value > g.bound) == g.atLeast)
	return v, ok
}
