package dist

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"iot.wasm/test/harness"
)

// TestLinters runs two linters for npm packages.
func TestLinters(t *testing.T) {
	t.Parallel()
	for name, args := range map[string][]string{
		"publint": {"publint/src/cli.js", "--strict", packed},
		// The profile is esm-only, because Node can require() a module since version 20.19. The
		// entry point of the wasm is excluded, because the wasm has no typings.
		"attw": {"@arethetypeswrong/cli/dist/index.js", "--profile", "esm-only", "--exclude-entrypoints", "./iot.wasm", "--", packed},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			args[0] = filepath.Join(modules, args[0])
			if err := harness.Command(project, node22, args...); err != nil {
				t.Error(err)
			}
		})
	}
}

// TestNode uses the package in Node, like a server that renders pages or signs URLs. Node 20
// has no WebSocket.
func TestNode(t *testing.T) {
	t.Parallel()
	golden, err := filepath.Abs(filepath.Join(harness.Root, "wasm/sigv4/testdata/sigv4-golden.json"))
	if err != nil {
		t.Fatal(err)
	}
	copyTo(t, project, "hello.js", "node.mjs")
	for node, want := range map[string]outcome{
		node20: {Error: "IotError ERR_WEBSOCKET"},
		node22: success,
	} {
		s := harness.ServeStandIn(t, distDir)
		cmd := exec.CommandContext(t.Context(), node, "node.mjs", golden, s.URL)
		cmd.Dir = project
		cmd.Stderr = os.Stderr
		out, err := cmd.Output()
		if err != nil {
			t.Fatalf("%s: %v", node, err)
		}
		var got struct {
			Presigned, Wasm int
			Wrong, Names    []string
			Same            bool
			Hello           outcome
		}
		if err := json.Unmarshal(out, &got); err != nil {
			t.Fatalf("%s: %v: %s", node, err, out)
		}
		if got.Presigned < 20 || len(got.Wrong) > 0 {
			t.Errorf("%s: %d URLs were signed; the URLs of these cases differ: %v", node, got.Presigned, got.Wrong)
		}
		if !got.Same || got.Wasm == 0 {
			t.Errorf("%s: require() and import return different objects, or the wasm is empty: %s", node, out)
		}
		if names := []string{"IotClient", "IotError", "IotClient"}; !reflect.DeepEqual(got.Names, names) {
			t.Errorf("%s: the names of the classes are %v, want %v", node, got.Names, names)
		}
		got.Hello.Error, _, _ = strings.Cut(got.Hello.Error, ":")
		if got.Hello != want {
			t.Errorf("%s: the outcome is %+v, want %+v", node, got.Hello, want)
		}
	}
}

// copyTo copies files of testdata into a folder.
func copyTo(t *testing.T, folder string, names ...string) {
	t.Helper()
	for _, name := range names {
		data, err := os.ReadFile(filepath.Join("testdata", name))
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(folder, filepath.Base(name)), data, 0o644); err != nil {
			t.Fatal(err)
		}
	}
}
