package e2e

import (
	"testing"

	"iot.wasm/test/harness"
)

// openPage opens the console page and waits until it is connected.
func openPage(t *testing.T, s *harness.Server) *harness.Tab {
	t.Helper()
	b := open(t, s.URL)
	b.Until(`globalThis.iot?.state === "connected" && document.querySelectorAll("#subscriptions li").length === 1`)
	return b
}

// A classic worker cannot determine the address of the wasm, so its script passes the address
// to load().
func TestClassicWorker(t *testing.T) {
	b := openModule(t, harness.Serve(t))
	b.Is(`await new Promise((resolve) => {
		const script = "importScripts('" + location.origin + "/iot.global.js'); iot.load({ wasm: '" + location.origin + "/iot.wasm' })"
			+ ".then(() => iot.connect(" + JSON.stringify({ ...at, credentials: local.credentials }) + ")).then(() => postMessage(iot.state), (e) => postMessage(e.message))";
		new Worker(URL.createObjectURL(new Blob([script]))).onmessage = (e) => resolve(e.data) })`, `"connected"`)
}
