package dist

import (
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"iot.wasm/test/harness"
)

// TestPreload checks that a page with the lines of preload.html downloads each file once, before a script runs.
func TestPreload(t *testing.T) {
	t.Parallel()
	lines, err := os.ReadFile(filepath.Join(distDir, "preload.html"))
	if err != nil {
		t.Fatal(err)
	}
	page := "<!doctype html><title>preload</title>" + strings.ReplaceAll(string(lines), `href="`, `href="/dist/`)
	var wasm, script atomic.Int32
	files := http.FileServer(http.Dir(distDir))
	web := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Cache-Control", "no-store") // a second use of a response must be that of the preload
		harness.SetType(w, r.URL.Path)
		switch r.URL.Path {
		case "/":
			_, _ = w.Write([]byte(page))
			return
		case "/dist/iot.wasm":
			wasm.Add(1)
		case "/dist/iot.js":
			script.Add(1)
		}
		http.StripPrefix("/dist", files).ServeHTTP(w, r)
	}))
	t.Cleanup(web.Close)

	b := harness.Open(t, harness.Browser, web.URL, patience)
	b.Until(`performance.getEntriesByType("resource").filter(({ name, responseEnd }) => /iot\.(js|wasm\?)/.test(name) && responseEnd > 0).length === 2`)
	if wasm.Load() != 1 || script.Load() != 1 {
		t.Errorf("before the script, the server got %d requests for the wasm and %d for iot.js, want 1 of each", wasm.Load(), script.Load())
	}
	b.Is(`await import("/dist/iot.js").then(({ iot }) => iot.load()).then((module) => module instanceof WebAssembly.Module)`, `true`)
	if wasm.Load() != 1 || script.Load() != 1 {
		t.Errorf("the server got %d requests for the wasm and %d for iot.js, want 1 of each", wasm.Load(), script.Load())
	}
}
