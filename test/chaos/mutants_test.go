package chaos

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"iot.wasm/internal/mutant"
	"iot.wasm/test/harness"
)

// bugs are deliberate bugs. Each replaces old by new in a source file. The test finds a bug
// if the text of a broken rule matches the regular expression failure.
var bugs = []struct{ name, file, old, new, failure string }{
	{"a message without a call of its handler", "www/iot/client.js",
		"#deliver(recipients, message) {\n", "#deliver(recipients, message) {\n    if (message.qos > 0 && Math.random() < 0.02) return;\n",
		`the page acknowledged ".*down/.*without receiving it`},
	{"a promise that resolves too early", "www/iot/turns.js",
		"    const done = this.tokens_.promise_(token);\n", "    const done = Promise.resolve(OK);\n    this.tokens_.promise_(token).catch(() => {});\n",
		`publish\(\) of .* resolved, but the message did not arrive`},
	{"a resumed session without its unacknowledged messages", "wasm/mqtt/inbound.go", "e.resume()\n", "e.resends = nil\n", "has not settled"},
	{"a QoS 2 message delivered twice", "wasm/mqtt/inbound.go", "case !duplicate:", "case true:", `the page received .* times`},
	{"retransmission in the wrong order", "wasm/mqtt/session.go", "slices.Sort(keys)\n", "slices.Sort(keys)\n\tslices.Reverse(keys)\n", "arrived after number"},
}

// mutantRounds is the number of rounds in which a deliberate bug must break a rule.
const mutantRounds = 5

// TestMutants checks that each deliberate bug breaks a rule. It does nothing without the
// flag -mutants.
func TestMutants(t *testing.T) {
	if !*mutants {
		t.Skip("make chaos runs rounds with deliberate bugs")
	}
	for _, m := range bugs {
		t.Run(m.name, func(t *testing.T) {
			www := mutate(t, m.file, m.old, m.new)
			failure := regexp.MustCompile(m.failure)
			tab := open(t, www)
			for i := range uint64(mutantRounds) {
				r := &round{seed: i + 1, length: roundLength / 2, prefix: "mutant/", tab: tab}
				if err := r.run(); err != nil {
					t.Fatal(err)
				}
				for _, text := range r.failure {
					if failure.MatchString(text) {
						t.Logf("found in round %d: %s", i+1, text)
						return
					}
				}
			}
			t.Errorf("no broken rule of %d rounds matches %q", mutantRounds, m.failure)
		})
	}
}

// mutate replaces a text of a file and returns a copy of www with the changed module. The
// file is JavaScript in www/, or Go that the wasm is built from.
func mutate(t *testing.T, file, old, new string) (www string) {
	t.Helper()
	www = t.TempDir()
	if err := os.CopyFS(www, os.DirFS(filepath.Join(harness.Root, "www"))); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(harness.Root, file)
	if name, ok := strings.CutPrefix(file, "www/"); ok {
		changed, err := mutant.Source(path, old, new)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(www, name), changed, 0o644); err != nil {
			t.Fatal(err)
		}
		return www
	}
	config, err := mutant.Overlay(t.TempDir(), path, old, new)
	if err != nil {
		t.Fatal(err)
	}
	version, err := harness.Build("-stamp")
	if err != nil {
		t.Fatal(err)
	}
	build := exec.Command("go", "build", "-overlay", config, "-tags", "nethttpomithttp2", "-ldflags", "-X main.version="+version,
		"-o", filepath.Join(www, "iot.wasm"), "./wasm")
	build.Dir = harness.Root
	build.Env = append(os.Environ(), "GOOS=js", "GOARCH=wasm")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	return www
}
