package e2e

import (
	"bytes"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/heapprofiler"
	"github.com/chromedp/cdproto/performance"
	"github.com/chromedp/chromedp"
)

// What is taken is given back: after ten thousand subscriptions and a thousand
// connections there is as much of everything as after the first hundred.
func TestNothingLeaks(t *testing.T) {
	t.Parallel()
	s := serve(t)
	b := open(t, exposed(t)+"/iot.js")
	b.eval(`const { iot, IotClient } = await import("/iot.js"); const local = await (await fetch("`+s.url+`local.json")).json();
		const o = { endpoint: local.endpoint, region: local.region, credentials: local.credentials, clientId: "leak" };
		globalThis.stop = new AbortController(); // lives as long as the page does, as a signal may
		globalThis.subscribe = async (n) => {
			await iot.connect({ ...o, signal: stop.signal });
			for (let i = 0; i < n; i++) {
				const one = await iot.subscribe("leak/" + i, () => {}, { qos: 1, signal: stop.signal });
				const other = await iot.subscribe("leak/" + i, { qos: 1, signal: stop.signal });
				await one.unsubscribe(); await other[Symbol.asyncIterator]().return();
			}
			await iot.disconnect();
		};
		globalThis.connect = async (n) => {
			for (let i = 0; i < n; i++) {
				const client = i % 2 ? iot : new IotClient();
				await client.connect({ ...o, signal: stop.signal }); await client.publish("leak", "x", { qos: 1, signal: stop.signal }); await client.disconnect();
			}
		};
		globalThis.count = () => ({
			made: funcsMade, // js.Funcs, ever
			funcs: go._values.filter((v) => typeof v === "function").length, values: go._values.filter((v) => v !== null && v !== undefined).length,
			memory: go._inst.exports.mem.buffer.byteLength,
		})`, nil)
	// Enough garbage for Go to collect it, and enough calls for it to let go of what it had.
	b.eval(`globalThis.settle = async () => {
			for (let round = 0; round < 2; round++) {
				await iot.connect(o); for (let i = 0; i < 100; i++) await iot.publish("leak", new Uint8Array(100_000), { qos: 1 }); await iot.disconnect();
				await subscribe(300);
			}
		}`, nil)
	b.eval(`await subscribe(100); await connect(100); await settle()`, nil)
	first := b.count()
	b.eval(`await subscribe(2_500); await connect(500); await settle()`, nil) // two subscriptions each
	half := b.count()
	b.eval(`await subscribe(2_500); await connect(500); await settle()`, nil)
	end := b.count()
	t.Logf("after the first hundred of each: %+v; halfway: %+v; at the end: %+v", first, half, end)
	if end.Made != 1 || end.Funcs > first.Funcs {
		t.Errorf("%d js.Funcs were made, want 1; Go holds %d functions, %d at first", end.Made, end.Funcs, first.Funcs)
	}
	if end.listeners > first.listeners {
		t.Errorf("%v event listeners, %v at first", end.listeners, first.listeners)
	}
	const grace = 2000 // Go lets go of them by the thousand
	if end.Values > first.Values+grace {
		t.Errorf("Go holds %d values, %d at first", end.Values, first.Values)
	}
	const garbage = 4 << 20 // that Go lets come together before it first collects any
	const step = 1 << 20    // by which its heap may end
	if end.Memory > half.Memory+step || half.Memory > first.Memory+garbage {
		t.Errorf("the wasm has %d bytes, %d halfway, %d at first", end.Memory, half.Memory, first.Memory)
	}
}

type holdings struct {
	Made, Funcs, Values, Memory int
	listeners                   float64
}

// count says what the page and its Go hold, once all garbage is away.
func (b *tab) count() (h holdings) {
	b.t.Helper()
	if _, err := chromedp.Call(b.ctx, performance.Enable, performance.EnableParams{}); err != nil {
		b.t.Fatal(err)
	}
	if _, err := chromedp.Call(b.ctx, heapprofiler.CollectGarbage, cdp.Empty{}); err != nil {
		b.t.Fatal(err)
	}
	metrics, err := chromedp.Call(b.ctx, performance.GetMetrics, cdp.Empty{})
	if err != nil {
		b.t.Fatal(err)
	}
	for _, m := range metrics.Metrics {
		if m.Name == "JSEventListeners" {
			h.listeners = m.Value
		}
	}
	b.eval(`count()`, &h)
	return h
}

// exposed serves www/ with a wasm_exec.js that shows its Go object, as the
// global go, and counts the js.Funcs that Go makes.
func exposed(t *testing.T) string {
	t.Helper()
	script, err := os.ReadFile(filepath.Join(root, "www/wasm_exec.js"))
	if err != nil {
		t.Fatal(err)
	}
	const made = "return new globalThis.Go();"
	if !bytes.Contains(script, []byte(made)) {
		t.Fatalf("wasm_exec.js has no %q", made)
	}
	script = bytes.Replace(script, []byte(made), []byte(`const go = self.go = new globalThis.Go();
	const wrap = go._makeFuncWrapper; self.funcsMade = 0;
	go._makeFuncWrapper = (id) => (self.funcsMade++, wrap.call(go, id));
	return go;`), 1)
	files := http.FileServer(http.Dir(filepath.Join(root, "www")))
	web := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/wasm_exec.js" {
			w.Header().Set("Content-Type", "text/javascript")
			_, _ = w.Write(script)
			return
		}
		files.ServeHTTP(w, r)
	}))
	t.Cleanup(web.Close)
	return web.URL
}
