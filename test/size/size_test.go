// Package size holds what the browser downloads to its budget.
package size

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/andybalholm/brotli"
)

const root = "../.."

// budget is in bytes, at brotli's best (11).
var budget = map[string]int{
	"www/iot.wasm":      1_250_000,
	"www/iot.global.js": 20_000, // as it is served here: not minified, comments and all
}

func TestBudget(t *testing.T) {
	for name, most := range budget {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			data, err := os.ReadFile(filepath.Join(root, name))
			if err != nil {
				t.Fatalf("%v; run: make wasm", err)
			}
			var b bytes.Buffer
			w := brotli.NewWriterLevel(&b, brotli.BestCompression)
			if _, err := w.Write(data); err != nil {
				t.Fatal(err)
			}
			if err := w.Close(); err != nil {
				t.Fatal(err)
			}
			t.Logf("%s: %d bytes, brotli 11: %d bytes (at most %d)", name, len(data), b.Len(), most)
			if b.Len() > most {
				t.Errorf("%s is %d bytes over its budget", name, b.Len()-most)
			}
		})
	}
}

// TestImports keeps out of the wasm what costs much and is not needed there.
func TestImports(t *testing.T) {
	cmd := exec.Command("go", "list", "-deps", "./wasm")
	cmd.Dir = root
	cmd.Env = append(os.Environ(), "GOOS=js", "GOARCH=wasm")
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	packages := strings.Fields(string(out))
	for _, not := range []string{"encoding/json", "github.com/eclipse/paho.golang/autopaho", "github.com/eclipse/paho.golang/paho", "nhooyr.io/websocket"} {
		if slices.Contains(packages, not) {
			t.Errorf("%s is in the wasm", not)
		}
	}
	for _, p := range packages {
		if strings.HasPrefix(p, "iot.wasm/internal") {
			t.Errorf("%s is in the wasm", p)
		}
	}
}

// TestFresh fails where the wasm was built from other sources than those here.
func TestFresh(t *testing.T) {
	cmd := exec.Command("go", "run", "./internal/build", "-stamp")
	cmd.Dir = root
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	stamp := strings.TrimSpace(string(out))
	for _, name := range []string{"www/iot.wasm", "www/wasm_exec.js", "www/iot.global.js"} {
		data, err := os.ReadFile(filepath.Join(root, name))
		if err != nil {
			t.Fatalf("%v; run: make wasm", err)
		}
		if !bytes.Contains(data, []byte(stamp)) {
			t.Errorf("%s is not of %s; run: make wasm", name, stamp)
		}
	}
}
