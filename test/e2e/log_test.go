package e2e

import (
	"bufio"
	"bytes"
	"encoding/json"
	"net/http"
	"os"
	"regexp"
	"strings"
	"testing"

	"iot.wasm/test/harness"
)

// The flags -v and -log select the lines on stderr.
func TestLogFlags(t *testing.T) {
	for _, test := range []struct {
		args  []string
		valid func(line string) bool // nil: there are no lines
	}{
		{nil, nil},
		{[]string{"-v"}, regexp.MustCompile(`^\d\d:\d\d:\d\d\.\d{3} (refused .*check=host|policy )`).MatchString},
		{[]string{"-log", "json"}, func(line string) bool {
			var record struct{ Time, Level, Msg, Check string }
			return json.Unmarshal([]byte(line), &record) == nil && record.Level == "INFO" && (record.Msg == "policy" || record.Check == "host")
		}},
	} {
		cmd := harness.ServeCommand(t.Context(), append([]string{"-addr", "127.0.0.1:0"}, test.args...)...)
		var stderr bytes.Buffer
		cmd.Stderr = &stderr
		stdout, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		line, _ := bufio.NewReader(stdout).ReadString('\n')
		_, url, _ := strings.Cut(strings.TrimSpace(line), " is at ")
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url+"local.json", nil)
		if err != nil {
			t.Fatal(err)
		}
		r.Host = "evil.example"
		response, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		response.Body.Close()
		if err := cmd.Process.Signal(os.Interrupt); err != nil {
			t.Fatal(err)
		}
		_ = cmd.Wait()
		lines := strings.Split(strings.TrimSpace(stderr.String()), "\n")
		if test.valid == nil {
			if stderr.Len() > 0 {
				t.Errorf("%v: stderr contains %s", test.args, stderr.String())
			}
			continue
		}
		if len(lines) != 2 {
			t.Errorf("%v: %d lines, want 2", test.args, len(lines))
		}
		for _, line := range lines {
			if !test.valid(line) {
				t.Errorf("%v: %s", test.args, line)
			}
		}
	}
}
