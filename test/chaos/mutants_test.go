package chaos

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// Deliberate bugs, each in one place of the code, and what the report of a round
// says of them, as a regular expression.
var deliberate = []struct{ name, file, old, new, says string }{
	{"a message that no handler gets", "www/iot/client.js",
		"#deliver(topic, message) {\n", "#deliver(topic, message) {\n    if (message.qos > 0 && Math.random() < 0.02) return;\n",
		`the page acknowledged ".*down/.*no handler and no event got it`},
	{"a promise that resolves when it is asked for", "www/iot/wire.js",
		"    const done = new Promise((resolve, reject) => this.#tokens.set(token, { resolve, reject }));\n    try {",
		"    const done = this.client.state === \"connected\" ? Promise.resolve(OK) : new Promise((resolve, reject) => this.#tokens.set(token, { resolve, reject }));\n    try {",
		"was said to be delivered, and did not arrive"},
	{"a session resumed without what was in flight", "wasm/mqtt/receive.go", "e.resume()\n", "e.again = nil\n", "has not settled"},
	{"a QoS 2 arrival handed on twice", "wasm/mqtt/receive.go", "if !again { //", "if again = false; !again { //", "times"},
	{"sent again in any order", "wasm/mqtt/session.go", "slices.Sort(keys)\n", "slices.Sort(keys)\n\tslices.Reverse(keys)\n", "came after number"},
}

// mutantRounds is how many rounds a deliberate bug may live.
const mutantRounds = 5

// TestMutants shows that the rules can be broken: each deliberate bug must break one
// within a few rounds.
func TestMutants(t *testing.T) {
	if !*mutants {
		t.Log("deliberate bugs are put into the code by make chaos")
		return
	}
	for _, m := range deliberate {
		t.Run(m.name, func(t *testing.T) {
			www := mutate(t, m.file, m.old, m.new)
			says := regexp.MustCompile(m.says)
			tab := open(t, www)
			for i := range uint64(mutantRounds) {
				r := &round{seed: i + 1, length: roundLength / 2, prefix: "mutant/", tab: tab}
				if err := r.run(); err != nil {
					t.Fatal(err)
				}
				for _, what := range r.failure {
					if says.MatchString(what) {
						t.Logf("caught in round %d: %s", i+1, what)
						return
					}
				}
			}
			t.Errorf("%d rounds of %v, and no rule says %q", mutantRounds, roundLength/2, m.says)
		})
	}
}

// mutate returns a copy of www with one text changed, in JavaScript or in what the
// wasm is made of.
func mutate(t *testing.T, file, old, new string) (www string) {
	t.Helper()
	www = t.TempDir()
	if err := os.CopyFS(www, os.DirFS(filepath.Join(root, "www"))); err != nil {
		t.Fatal(err)
	}
	path, err := filepath.Abs(filepath.Join(root, file))
	if err != nil {
		t.Fatal(err)
	}
	source, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if n := strings.Count(string(source), old); n != 1 {
		t.Fatalf("%s has %q %d times, want it once", file, old, n)
	}
	mutant := []byte(strings.Replace(string(source), old, new, 1))
	if name, ok := strings.CutPrefix(file, "www/"); ok {
		if err := os.WriteFile(filepath.Join(www, name), mutant, 0o644); err != nil {
			t.Fatal(err)
		}
		return www
	}
	dir := t.TempDir()
	changed, config := filepath.Join(dir, "mutant.go"), filepath.Join(dir, "overlay.json")
	if err := os.WriteFile(changed, mutant, 0o644); err != nil {
		t.Fatal(err)
	}
	overlay, err := json.Marshal(map[string]any{"Replace": map[string]string{path: changed}})
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(config, overlay, 0o644); err != nil {
		t.Fatal(err)
	}
	stamp := exec.Command("go", "run", "./internal/build", "-stamp")
	stamp.Dir = root
	version, err := stamp.Output()
	if err != nil {
		t.Fatal(err)
	}
	build := exec.Command("go", "build", "-overlay", config, "-tags", "nethttpomithttp2", "-ldflags", "-X main.version="+strings.TrimSpace(string(version)),
		"-o", filepath.Join(www, "iot.wasm"), "./wasm")
	build.Dir = root
	build.Env = append(os.Environ(), "GOOS=js", "GOARCH=wasm")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	return www
}
