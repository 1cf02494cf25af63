package main

import (
	"bytes"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"iot.wasm/test/harness"
)

// TestDocument checks that docs/performance.md was written from the published results and the
// template, and that the results are complete.
func TestDocument(t *testing.T) {
	r, err := readResults(filepath.Join(harness.Root, resultsFile))
	if err != nil {
		t.Fatal(err)
	}
	want, err := r.document()
	if err != nil {
		t.Fatal(err)
	}
	got, err := os.ReadFile(filepath.Join(harness.Root, documentFile))
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("%s differs from its template and %s; run: go run ./test/bench -render", documentFile, resultsFile)
	}
	if err := r.complete(); err != nil {
		t.Error(err)
	}
}

// TestPublished checks the files of a complete run, and that an incomplete run writes none.
func TestPublished(t *testing.T) {
	root := t.TempDir()
	for _, file := range []string{resultsFile, documentFile} {
		if err := os.MkdirAll(filepath.Dir(filepath.Join(root, file)), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	r := newResults("Chromium 1", map[string]string{"mqttjs": "5.6.7"})
	for round := range 2 {
		for _, m := range r.metrics {
			for i, c := range connected {
				r.add(c.name, sample{m.key: 1000 * float64(i+1+round)})
			}
		}
	}
	r.conclude()
	r.Failures = append(r.Failures, failure{"mqttjs", "latency", "timeout"})
	if err := r.publish(root); err == nil {
		t.Error("a run with a failure is published")
	}
	r.Failures = r.Failures[:0]
	times := r.Rounds["latency.p99"]
	delete(r.Rounds, "latency.p99")
	r.conclude()
	if err := r.publish(root); err == nil || !strings.Contains(err.Error(), "latency.p99") {
		t.Errorf("the error of a run without latency.p99 is %v", err)
	}
	if _, err := os.Stat(filepath.Join(root, resultsFile)); err == nil {
		t.Error("an incomplete run has written results")
	}

	r.Rounds["latency.p99"] = times
	r.conclude()
	if err := r.publish(root); err != nil {
		t.Fatal(err)
	}
	b, err := os.ReadFile(filepath.Join(root, resultsFile))
	if err != nil {
		t.Fatal(err)
	}
	if line := `"iot": [1000,2000]`; !bytes.Contains(b, []byte(line)) {
		t.Errorf("the results do not contain the rounds of a client in one line: %s", line)
	}
	read, err := readResults(filepath.Join(root, resultsFile))
	if err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(read, r) {
		t.Errorf("the results that are read differ from those that were written:\n%+v\n%+v", read, r)
	}
	document, err := os.ReadFile(filepath.Join(root, documentFile))
	if err != nil {
		t.Fatal(err)
	}
	for _, text := range []string{
		"Chromium 1", "Rounds: 2;",
		"| measurement | iot.wasm | MQTT.js 5.6.7 |",
		// The medians of iot.wasm and of the first peer are 1.5 and 2.5 times the value.
		"| import to CONNACK, fresh browser, ms | 1,500 | 2,500 |",
		// The ratios of the rounds are 1/2 and 2/3.
		"| import to CONNACK, fresh browser | ≤ 0.95 × MQTT.js | 0.58 × | 0.50–0.67 | met, 39 % to spare |",
	} {
		if !bytes.Contains(document, []byte(text)) {
			t.Errorf("the document does not contain %q", text)
		}
	}

	unknown := bytes.Replace(b, []byte(`"start.cold"`), []byte(`"start.other"`), 1)
	if err := os.WriteFile(filepath.Join(root, resultsFile), unknown, 0o644); err != nil {
		t.Fatal(err)
	}
	if err := writeDocument(root); err == nil || !strings.Contains(err.Error(), "start.other") {
		t.Errorf("the error of results with an unknown metric is %v", err)
	}
}

func TestNumber(t *testing.T) {
	for _, test := range []struct {
		value         float64
		number, count string
	}{
		{0, "0.00", "0"}, {3, "3.00", "3"}, {4.256, "4.26", "4"}, {9.996, "10.0", "10"}, {99.5, "99.5", "100"}, {99.96, "100", "100"},
		{123.4, "123", "123"}, {999.96, "1,000", "1,000"}, {1234.5678, "1,235", "1,235"}, {5_094_202, "5,094,202", "5,094,202"},
	} {
		v := significant(test.value)
		if got := number(v); got != test.number {
			t.Errorf("the number %v is %q, want %q", test.value, got, test.number)
		}
		if got := count(v); got != test.count {
			t.Errorf("the count %v is %q, want %q", test.value, got, test.count)
		}
	}
}
