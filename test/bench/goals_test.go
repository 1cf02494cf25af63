package main

import "testing"

// concluded returns results with the given rounds of a metric, by client.
func concluded(key string, rounds map[string][]float64) *results {
	r := newResults("", nil)
	r.Rounds[key] = rounds
	r.conclude()
	return r
}

// TestGoals checks that each goal has a metric and a client that exist.
func TestGoals(t *testing.T) {
	r := newResults("", nil)
	r.conclude()
	if len(r.verdicts) != len(goals) {
		t.Fatalf("%d goals have %d verdicts", len(goals), len(r.verdicts))
	}
	for _, v := range r.verdicts {
		if v.limit() == "" || v.result() != "–" || v.distance() != "not measured" {
			t.Errorf("%s %s without a measurement: %s, %s", v.what, v.limit(), v.result(), v.distance())
		}
	}
}

func TestJudge(t *testing.T) {
	for _, test := range []struct {
		name                            string
		goal                            goal
		rounds                          map[string][]float64
		limit, result, spread, distance string
	}{
		{
			"more is better, met", goal{"", "receive1", "raw", true, 0.95},
			map[string][]float64{"iot": {114, 95, 190}, "raw": {100, 100, 100}},
			"≥ 0.95 × raw WebSocket", "1.14 ×", "0.95–1.90", "met, 20 % to spare",
		},
		{
			"more is better, missed", goal{"", "receive1", "raw", true, 2},
			map[string][]float64{"iot": {188}, "raw": {100}},
			"≥ 2 × raw WebSocket", "1.88 ×", "", "missed by 6 %",
		},
		{
			"less is better, met", goal{"", "start.cold", "mqttjs", false, 0.5},
			map[string][]float64{"iot": {44}, "mqttjs": {100}},
			"≤ 0.5 × MQTT.js", "0.44 ×", "", "met, 12 % to spare",
		},
		{
			"less is better, missed", goal{"", "start.cold", "mqttjs", false, 0.5},
			map[string][]float64{"iot": {125}, "mqttjs": {100}},
			"≤ 0.5 × MQTT.js", "1.25 ×", "", "missed by 150 %",
		},
		{
			"at the bound", goal{"", "wasm.bytes", "", false, 760_000},
			map[string][]float64{"iot": {760_000}},
			"≤ 760,000 bytes", "760,000 bytes", "", "met, 0 % to spare",
		},
		{
			"just missed", goal{"", "wasm.bytes", "", false, 760_000},
			map[string][]float64{"iot": {760_001}},
			"≤ 760,000 bytes", "760,001 bytes", "", "missed by less than 0.1 %",
		},
		{
			// The values of a round belong together: the median of the ratios is 2, and the ratio
			// of the medians is 1.
			"ratios of the rounds", goal{"", "publish", "raw", true, 2},
			map[string][]float64{"iot": {20, 200, 600}, "raw": {10, 200, 300}},
			"≥ 2 × raw WebSocket", "2.00 ×", "1.00–2.00", "met, 0 % to spare",
		},
		{
			// The raw WebSocket is not a peer.
			"the best peer by rate", goal{"", "publish", "best", true, 1},
			map[string][]float64{"iot": {90}, "mqttjs": {50}, "paho": {100}, "raw": {1000}},
			"≥ 1 × the best peer", "0.90 × paho-mqtt", "", "missed by 10 %",
		},
		{
			"the best peer by time", goal{"", "publish.task", "best", false, 1},
			map[string][]float64{"iot": {90}, "mqttjs": {50}, "paho": {100}, "raw": {1}},
			"≤ 1 × the best peer", "1.80 × MQTT.js", "", "missed by 80 %",
		},
		{
			"a divisor of 0", goal{"", "soak.growth", "best", false, 1},
			map[string][]float64{"iot": {90}, "mqttjs": {0}},
			"≤ 1 × the best peer", "–", "", "not measured",
		},
		{
			"a missing round", goal{"", "publish", "raw", true, 1},
			map[string][]float64{"iot": {90, 90}, "raw": {90}},
			"≥ 1 × raw WebSocket", "–", "", "not measured",
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			v := test.goal.judge(concluded(test.goal.metric, test.rounds))
			for _, text := range []struct{ what, got, want string }{
				{"limit", v.limit(), test.limit},
				{"result", v.result(), test.result},
				{"spread", v.spread(), test.spread},
				{"distance", v.distance(), test.distance},
			} {
				if text.got != text.want {
					t.Errorf("the %s is %q, want %q", text.what, text.got, text.want)
				}
			}
		})
	}
}
