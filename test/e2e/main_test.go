// Package e2e tests the console page and the module in Chromium. serve.go serves them, and the
// tests use them as a user or a script does.
package e2e

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"iot.wasm/test/harness"
)

func TestMain(m *testing.M) {
	os.Exit(harness.Run(m, harness.RequireWasm, harness.BuildServe, harness.StartChromium))
}

// patience is how long a tab may take for one operation. It is longer than any test
// needs.
const patience = 4 * time.Minute

// open opens a URL in a tab with a profile of its own.
func open(t *testing.T, url string) *harness.Tab {
	t.Helper()
	return harness.Open(t, harness.Browser, url, patience)
}

// openModule opens a page of the server and loads the module. It does not connect.
// The server has no empty document, so the opened page is the text of iot.js.
//
// The page's variables are the exports iot, IotClient and IotError, local (the content of
// /local.json) and at (the connect options endpoint and region).
func openModule(t *testing.T, s *harness.Server) *harness.Tab {
	t.Helper()
	b := open(t, s.URL+"iot.js")
	loadModule(b)
	return b
}

// loadModule loads the module in a page of the server, as openModule describes.
func loadModule(b *harness.Tab) {
	b.T.Helper()
	b.Eval(`const { iot, IotClient, IotError } = await import("/iot.js");
		const local = await (await fetch("/local.json")).json(); const at = { endpoint: local.endpoint, region: local.region };`, nil)
}

// embed serves a page that runs a module script, beside the files of www/. The page has a
// Content-Security-Policy.
func embed(t *testing.T, policy, script string) (url string) {
	t.Helper()
	return embedWith(t, "Content-Security-Policy", policy, script)
}

// embedWith is like embed. header is the name of the header that contains the policy.
func embedWith(t *testing.T, header, policy, script string) (url string) {
	t.Helper()
	www := filepath.Join(harness.Root, "www")
	wasm, err := os.ReadFile(filepath.Join(www, "iot.wasm"))
	if err != nil {
		t.Fatal(err)
	}
	return harness.Web(t, www, harness.Files{
		"/":                    {Body: `<!doctype html><title>embed</title><script type="module" src="embed.js"></script>`, Header: map[string]string{header: policy}},
		"/embed.js":            {Body: script},
		"/wrong-type/iot.wasm": {Body: string(wasm), Header: map[string]string{"Content-Type": "application/octet-stream"}},
	})
}
