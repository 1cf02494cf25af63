package dist

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"testing"
)

// TestLinters lets the tools judge that judge npm's packages.
func TestLinters(t *testing.T) {
	t.Parallel()
	for name, args := range map[string][]string{
		"publint": {"publint/src/cli.js", "--strict", packed},
		// esm-only, as every Node since 20.19 can require() a module. A wasm has no typings.
		"attw": {"@arethetypeswrong/cli/dist/index.js", "--profile", "esm-only", "--exclude-entrypoints", "./iot.wasm", "--", packed},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			args[0] = filepath.Join(modules, args[0])
			if err := command(project, node(22), args...); err != nil {
				t.Error(err)
			}
		})
	}
}

// TestNode uses the package where there is no page: as a server does that renders
// pages, or that signs for them. Node 20 has no WebSocket.
func TestNode(t *testing.T) {
	t.Parallel()
	golden, err := filepath.Abs(filepath.Join(root, "wasm/sigv4/testdata/sigv4-golden.json"))
	if err != nil {
		t.Fatal(err)
	}
	copyTo(t, project, "hello.js", "node.mjs")
	for major, want := range map[int]result{
		20: {Error: "IotError ERR_WEBSOCKET: the browser does not open a WebSocket to this address (ReferenceError): check that the URL is valid; a page that came by https: needs wss:; Node has a WebSocket from version 22 on"},
		22: heard,
	} {
		s := serve(t, distDir)
		cmd := exec.CommandContext(t.Context(), node(major), "node.mjs", golden, s.url)
		cmd.Dir = project
		cmd.Stderr = os.Stderr
		out, err := cmd.Output()
		if err != nil {
			t.Fatalf("Node %d: %v", major, err)
		}
		var got struct {
			Presigned, Wasm int
			Wrong, Names    []string
			Same            bool
			Hello           result
		}
		if err := json.Unmarshal(out, &got); err != nil {
			t.Fatalf("Node %d: %v: %s", major, err, out)
		}
		if got.Presigned < 20 || len(got.Wrong) > 0 {
			t.Errorf("Node %d: of %d URLs these are not as they should be: %v", major, got.Presigned, got.Wrong)
		}
		if !got.Same || got.Wasm == 0 {
			t.Errorf("Node %d: require() and import do not give the same: %s", major, out)
		}
		if names := []string{"IotClient", "IotError", "IotClient"}; !reflect.DeepEqual(got.Names, names) {
			t.Errorf("Node %d: the classes are called %v, want %v", major, got.Names, names)
		}
		if got.Hello != want {
			t.Errorf("Node %d: %+v, want %+v", major, got.Hello, want)
		}
	}
}

// copyTo copies files of testdata into a folder, under their last name.
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
