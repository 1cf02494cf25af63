package localiot

import (
	"net/http"
	"strings"
	"testing"
	"testing/fstest"
)

func TestStaticFiles(t *testing.T) {
	s := start(t, Options{WWW: fstest.MapFS{
		"index.html":  {Data: []byte("<!doctype html>page")},
		"iot.wasm":    {Data: []byte("\x00asm")},
		"iot.js":      {Data: []byte("// js")},
		"worker.mjs":  {Data: []byte("// mjs")},
		"iot.d.ts":    {Data: []byte("// ts")},
		"sub/main.js": {Data: []byte("// sub")},
		"a/App.jsx":   {Data: []byte("<App />")},
		"a/App.vue":   {Data: []byte("<template></template>")},
		"a.html.tmpl": {Data: []byte("<!doctype html>")},
	}})
	for path, want := range map[string]string{
		"/":            "text/html; charset=utf-8",
		"/iot.wasm":    "application/wasm",
		"/iot.js":      "text/javascript; charset=utf-8",
		"/worker.mjs":  "text/javascript; charset=utf-8",
		"/iot.d.ts":    "text/plain; charset=utf-8",
		"/sub/main.js": "text/javascript; charset=utf-8",
		"/a/App.jsx":   "text/plain; charset=utf-8",
		"/a/App.vue":   "text/plain; charset=utf-8",
		"/a.html.tmpl": "text/plain; charset=utf-8",
	} {
		r, _ := get(t, s.url+path, nil)
		if got := r.Header.Get("Content-Type"); r.StatusCode != http.StatusOK || got != want {
			t.Errorf("%s: %d %s, want 200 %s", path, r.StatusCode, got, want)
		}
		if r.Header.Get("Cache-Control") != "no-cache" || r.Header.Get("X-Content-Type-Options") != "nosniff" {
			t.Errorf("%s: headers %v", path, r.Header)
		}
	}
	if r, _ := get(t, s.url+"/missing.js", nil); r.StatusCode != http.StatusNotFound {
		t.Errorf("missing file: %d", r.StatusCode)
	}
	if r, err := http.Post(s.url+"/iot.js", "text/plain", nil); err != nil || r.StatusCode != http.StatusMethodNotAllowed {
		t.Errorf("POST: %v, %v", r, err)
	}
	r, _ := get(t, s.url+"/iot.js", map[string]string{"Origin": "https://localhost:3000"})
	if got := r.Header.Get("Access-Control-Allow-Origin"); got != "https://localhost:3000" {
		t.Errorf("Access-Control-Allow-Origin: %q", got)
	}
}

// The files of www may have names with which the paths of the HTTP APIs begin.
func TestFilesBesideAPIs(t *testing.T) {
	s := start(t, Options{WWW: fstest.MapFS{"jobs/index.html": {Data: []byte("page")}, "things": {Data: []byte("file")}}})
	for path, want := range map[string]string{"/jobs/": "page", "/things": "file"} {
		if r, body := get(t, s.url+path, nil); r.StatusCode != http.StatusOK || body != want {
			t.Errorf("%s: %s %s", path, r.Status, body)
		}
	}
	if r, body := get(t, s.url+"/jobs/other", nil); r.StatusCode != http.StatusForbidden {
		t.Errorf("no file: %s %s", r.Status, body)
	}
	if r, body := s.call("iot", "GET", "/jobs", ""); r.StatusCode != http.StatusOK || !strings.Contains(body, `"jobs":[]`) {
		t.Errorf("ListJobs: %s %s", r.Status, body)
	}
}
