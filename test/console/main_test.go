// Package console tests the console page, www/index.html, in Chromium, as a person uses it: with mouse and keyboard.
package console

import (
	"os"
	"testing"
	"time"

	"iot.wasm/test/harness"
)

func TestMain(m *testing.M) {
	os.Exit(harness.Run(m, harness.RequireWasm, harness.BuildServe, harness.StartChromium))
}

// patience is how long a page may take for one operation. It is longer than any test needs.
const patience = time.Minute

// open opens the page at a path of the server, like "#/packets", and waits until it is connected and has subscribed to
// all topics.
func open(t *testing.T, s *harness.Server, path string) *harness.Person {
	t.Helper()
	p := harness.NewPerson(t, s.URL+path, patience)
	p.Until(`globalThis.iot?.state === "connected" && iot.stats().subscriptions === 1 && document.querySelectorAll("#subscriptions li").length === 1`)
	return p
}
