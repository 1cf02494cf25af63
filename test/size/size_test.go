// Package size checks the size of the unminified script, and the functions that the wasm contains. It also checks that the files of make wasm are up to
// date.
package size

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"

	"github.com/andybalholm/brotli"

	"iot.wasm/test/harness"
)

// budget is the largest allowed size of www/iot.global.js in bytes with brotli 11: with comments, as serve.go serves it.
const budget = 20_000

// TestBudget checks the budget. The package test/dist checks the files of make dist, including iot.wasm.
func TestBudget(t *testing.T) {
	data, err := os.ReadFile(filepath.Join(harness.Root, "www/iot.global.js"))
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
	if b.Len() > budget {
		t.Errorf("%d bytes, brotli 11: %d bytes; want at most %d", len(data), b.Len(), budget)
	}
}

// TestLinked checks that the wasm does not contain large code that it does not need. It
// checks the linked functions and not the imported packages: signer/v4 imports
// encoding/json and net/http, and uses little of them.
func TestLinked(t *testing.T) {
	wasm := filepath.Join(t.TempDir(), "names.wasm")
	if _, err := harness.Build("-names", "-o", wasm); err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile(wasm)
	if err != nil {
		t.Fatal(err)
	}
	for _, in := range []string{"net_http.__Request_.Clone", "packets.__Connack_.Unpack", "main.receive"} {
		if !bytes.Contains(data, []byte(in)) {
			t.Errorf("the wasm does not contain %s; the names of functions may have changed", in)
		}
	}
	for _, out := range []string{"encoding_json.Marshal", "encoding_json.Unmarshal", "encoding_json.__decodeState_", "encoding_json.newTypeEncoder",
		"crypto_internal_fips140_nistec.", "crypto_x509.", "net_http.__Transport_", "autopaho.", "websocket.", "localiot."} {
		if bytes.Contains(data, []byte(out)) {
			t.Errorf("the wasm contains %s", out)
		}
	}
}

// TestFresh checks that the files of make wasm were built from the current sources.
func TestFresh(t *testing.T) {
	stamp, err := harness.Build("-stamp")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"www/iot.wasm", "www/wasm_exec.js", "www/iot.global.js"} {
		data, err := os.ReadFile(filepath.Join(harness.Root, name))
		if err != nil {
			t.Fatalf("%v; run: make wasm", err)
		}
		if !bytes.Contains(data, []byte(stamp)) {
			t.Errorf("%s was not built from %s; run: make wasm", name, stamp)
		}
	}
}
