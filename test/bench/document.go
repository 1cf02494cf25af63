package main

import (
	"bytes"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"text/template"
)

// The published results and the document with their tables, relative to the project's folder.
const (
	resultsFile  = dir + "/results.json"
	documentFile = "docs/performance.md"
)

//go:embed performance.md.tmpl
var documentText string

// complete fails if a measurement has failed or if a goal has not been measured.
func (r *results) complete() error {
	if len(r.Failures) > 0 {
		return fmt.Errorf("%d measurements have failed", len(r.Failures))
	}
	for _, v := range r.verdicts {
		if !v.measured {
			return errors.New("the run has not measured " + v.metric)
		}
	}
	return nil
}

// publish writes the results and the document. It fails if the results are not complete, because
// the document would then have gaps.
func (r *results) publish(root string) error {
	if err := r.complete(); err != nil {
		return fmt.Errorf("not published: %w", err)
	}
	if err := r.write(filepath.Join(root, resultsFile)); err != nil {
		return err
	}
	return writeDocument(root)
}

// writeDocument writes the document from the published results.
func writeDocument(root string) error {
	r, err := readResults(filepath.Join(root, resultsFile))
	if err != nil {
		return err
	}
	text, err := r.document()
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(root, documentFile), text, 0o644)
}

// readResults reads results that write has written.
func readResults(file string) (*results, error) {
	b, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	r := &results{metrics: newMetrics()}
	d := json.NewDecoder(bytes.NewReader(b))
	d.DisallowUnknownFields()
	if err := d.Decode(r); err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	for key := range r.Rounds {
		if !slices.ContainsFunc(r.metrics, func(m *metric) bool { return m.key == key }) {
			return nil, fmt.Errorf("%s: unknown metric %s", file, key)
		}
	}
	r.conclude()
	return r, nil
}

// document returns the document: the text of the template with the tables of the results.
func (r *results) document() ([]byte, error) {
	t, err := template.New("performance.md.tmpl").Funcs(template.FuncMap{
		"table":  r.table,
		"goals":  r.goals,
		"value":  func(client, key string) string { return r.metric(key).value(client) },
		"rounds": func(key string) int { return len(r.metric(key).clients["iot"]) },
		"mb":     func(key string) string { return fmt.Sprintf("%.2f MB", median(r.metric(key).clients["iot"])/1e6) },
		"against": func(key string, bound float64) string {
			apart := median(r.metric(key).clients["iot"]) - bound
			if apart > 0 {
				return count(apart) + " bytes above"
			}
			return count(-apart) + " bytes below"
		},
	}).Parse(documentText)
	if err != nil {
		return nil, err
	}
	var b bytes.Buffer
	err = t.Execute(&b, r)
	return b.Bytes(), err
}

// table returns a Markdown table of metrics. Its columns are the clients with a value.
func (r *results) table(keys ...string) string {
	columns := slices.DeleteFunc(slices.Clone(clients), func(c client) bool {
		return !slices.ContainsFunc(keys, func(key string) bool { return r.metric(key).clients[c.name] != nil })
	})
	var b strings.Builder
	b.WriteString("| measurement |")
	for _, c := range columns {
		b.WriteString(" " + strings.TrimSpace(c.title+" "+r.Versions[c.name]) + " |")
	}
	b.WriteString("\n|---|" + strings.Repeat("--:|", len(columns)))
	for _, key := range keys {
		m := r.metric(key)
		b.WriteString("\n| " + m.label() + " |")
		for _, c := range columns {
			b.WriteString(" " + m.value(c.name) + " |")
		}
	}
	return b.String()
}

// goals returns a Markdown table of the goals.
func (r *results) goals() string {
	var b strings.Builder
	b.WriteString("| | goal | median | rounds | distance |\n|---|---|--:|--:|---|")
	for _, v := range r.verdicts {
		fmt.Fprintf(&b, "\n| %s | %s | %s | %s | %s |", v.what, v.limit(), v.result(), v.spread(), v.distance())
	}
	return b.String()
}
