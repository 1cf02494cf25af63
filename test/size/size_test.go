// Package size holds what the browser downloads to its budget.
package size

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/andybalholm/brotli"
)

const root = "../.."

// budget is in bytes, at brotli's best (11).
var budget = map[string]int{
	"www/iot.global.js": 20_000, // as it is served here: not minified, comments and all
	"lean/iot.wasm":     800_000,
}

// What make dist makes, iot.wasm too, is held to its budget in test/dist.
func TestBudget(t *testing.T) {
	for name, most := range budget {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			file := filepath.Join(root, name)
			if name == "lean/iot.wasm" {
				file = filepath.Join(t.TempDir(), "iot.wasm")
				cmd := exec.Command("go", "run", "./internal/build", "-lean", "-o", file)
				cmd.Dir = root
				if out, err := cmd.CombinedOutput(); err != nil {
					t.Fatalf("%v: %s", err, out)
				}
			}
			data, err := os.ReadFile(file)
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

// TestLinked keeps out of the wasm what costs much and is not needed there. It
// looks at what the linker kept, not at what is imported: signer/v4 imports
// encoding/json and net/http, and calls hardly anything of them.
func TestLinked(t *testing.T) {
	wasm := filepath.Join(t.TempDir(), "names.wasm")
	cmd := exec.Command("go", "build", "-o", wasm, "./wasm")
	cmd.Dir = root
	cmd.Env = append(os.Environ(), "GOOS=js", "GOARCH=wasm")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	data, err := os.ReadFile(wasm)
	if err != nil {
		t.Fatal(err)
	}
	for _, in := range []string{"net_http.__Request_.Clone", "packets.__Connack_.Unpack", "main.receive"} {
		if !bytes.Contains(data, []byte(in)) {
			t.Errorf("%s is not there: are functions named otherwise by now?", in)
		}
	}
	for _, out := range []string{"encoding_json.Marshal", "encoding_json.Unmarshal", "encoding_json.__decodeState_", "encoding_json.__encodeState_",
		"net_http.__Client_", "net_http.__Transport_", "autopaho.", "websocket.", "localiot."} {
		if bytes.Contains(data, []byte(out)) {
			t.Errorf("%s is in the wasm", out)
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
