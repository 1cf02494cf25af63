package e2e

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"testing"
	"time"

	"iot.wasm/test/harness"
)

// The request for the WebSocket arrives before the server has sent the wasm, and the connection uses that
// WebSocket.
func TestSocketOpensBeforeTheWasmArrives(t *testing.T) {
	t.Parallel()
	www := filepath.Join(harness.Root, "www")
	s := harness.ServeStandIn(t, www)
	// This server sends the wasm after the request for the WebSocket.
	late := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		for s.Sockets.Load() == 0 && r.Context().Err() == nil {
			time.Sleep(time.Millisecond)
		}
		w.Header().Set("Access-Control-Allow-Origin", "*")
		harness.SetType(w, "iot.wasm")
		http.ServeFile(w, r, filepath.Join(www, "iot.wasm"))
	}))
	t.Cleanup(late.Close)
	b := open(t, s.URL+"iot.js")
	b.Patience = time.Minute // the page waits without an end if the client opens the WebSocket after the wasm has arrived
	loadModule(b)
	var settings harness.Settings
	b.Eval(`local`, &settings)
	url, err := settings.SignedURL()
	if err != nil {
		t.Fatal(err)
	}
	b.Is(fmt.Sprintf(`await (async () => { const { load } = await import("/iot.js"); load({ wasm: %q }); await iot.connect({ url: %q });
		const { reasonCode } = await iot.publish("t", "x", { qos: 1 }); return [iot.state, iot.stats().connects, reasonCode === 0 || reasonCode === 16] })()`, late.URL+"/iot.wasm", url.Reveal()), `["connected",1,true]`)
	if n := s.Sockets.Load(); n != 1 {
		t.Errorf("the page has opened %d WebSockets, want 1", n)
	}
}
