package e2e

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"iot.wasm/test/harness"
)

// The page makes ten thousand subscriptions and a thousand connections. After the last ones,
// the page and the wasm use about as much memory, and as many values and listeners, as after
// the first ones.
func TestNothingLeaks(t *testing.T) {
	t.Parallel()
	s := harness.Serve(t)
	b := open(t, exposed(t)+"/iot.js")
	b.Eval(`const { iot, IotClient } = await import("/iot.js"); const local = await (await fetch("`+s.URL+`local.json")).json();
		const o = { endpoint: local.endpoint, region: local.region, credentials: local.credentials, clientId: "leak" };
		globalThis.stop = new AbortController(); // one signal for all calls
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
			created: createdFuncs,
			funcs: go._values.filter((v) => typeof v === "function").length, values: go._values.filter((v) => v !== null && v !== undefined).length,
			memory: go._inst.exports.mem.buffer.byteLength,
		})`, nil)
	// settle() produces enough garbage for a collection by Go, and makes enough calls for Go to release unused JavaScript values.
	b.Eval(`globalThis.settle = async () => {
			for (let round = 0; round < 2; round++) {
				await iot.connect(o); for (let i = 0; i < 100; i++) await iot.publish("leak", new Uint8Array(100_000), { qos: 1 }); await iot.disconnect();
				await subscribe(300);
			}
		}`, nil)
	b.Eval(`await subscribe(100); await connect(100); await settle()`, nil)
	first := count(b)
	b.Eval(`await subscribe(5_000); await connect(1_000); await settle()`, nil) // subscribe(n) makes 2n subscriptions
	end := count(b)
	t.Logf("at first: %+v; at the end: %+v", first, end)
	if end.Created != 1 || end.Funcs > first.Funcs {
		t.Errorf("Go created %d js.Funcs, want 1; it refers to %d functions, at first to %d", end.Created, end.Funcs, first.Funcs)
	}
	if end.listeners > first.listeners {
		t.Errorf("the page has %v event listeners, at first %v", end.listeners, first.listeners)
	}
	// The calls of settle use about 5,000 values, which may all wait for a collection. If each
	// call between the counts kept one value, there would be 20,000 more.
	const waiting = 6000
	if end.Values > first.Values+waiting {
		t.Errorf("Go refers to %d values, at first to %d", end.Values, first.Values)
	}
	// The size includes the garbage since the last collection, so it detects only a large leak. TestNothingLeaks of
	// wasm/client measures without garbage.
	const garbage = 4 << 20 // the garbage before Go's first collection
	if end.Memory > first.Memory+garbage {
		t.Errorf("the wasm's memory is %d bytes, at first %d", end.Memory, first.Memory)
	}
}

// usage contains the resources that the page and the wasm use, without garbage.
type usage struct {
	Created   int // js.Funcs since the start
	Funcs     int // JavaScript functions that Go refers to
	Values    int // JavaScript values that Go refers to
	Memory    int // bytes of the wasm's memory
	listeners float64
}

func count(b *harness.Tab) (u usage) {
	b.T.Helper()
	u.listeners = b.Metric("JSEventListeners")
	b.Eval(`count()`, &u)
	return u
}

// exposed serves www/ with a changed wasm_exec.js, which sets two globals of the page. go is
// the Go object, and createdFuncs is the number of js.Funcs that Go has created.
func exposed(t *testing.T) (url string) {
	t.Helper()
	script, err := os.ReadFile(filepath.Join(harness.Root, "www/wasm_exec.js"))
	if err != nil {
		t.Fatal(err)
	}
	const original = "return new globalThis.Go();"
	if !strings.Contains(string(script), original) {
		t.Fatalf("wasm_exec.js does not contain %q", original)
	}
	changed := strings.Replace(string(script), original, `const go = self.go = new globalThis.Go();
	const wrap = go._makeFuncWrapper; self.createdFuncs = 0;
	go._makeFuncWrapper = (id) => (self.createdFuncs++, wrap.call(go, id));
	return go;`, 1)
	return harness.Web(t, filepath.Join(harness.Root, "www"), harness.Files{"/wasm_exec.js": {Body: changed}})
}
