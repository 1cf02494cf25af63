package e2e

import (
	"bytes"
	"fmt"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/heapprofiler"
	"github.com/chromedp/cdproto/performance"
	"github.com/chromedp/chromedp"
	"github.com/eclipse/paho.golang/packets"
	"nhooyr.io/websocket"
)

// publication is a PUBLISH packet of QoS 0.
func publication(topic string, retain bool, payload []byte) []byte {
	var b bytes.Buffer
	_, _ = (&packets.Publish{Topic: topic, Retain: retain, Payload: payload, Properties: &packets.Properties{}}).WriteTo(&b)
	return b.Bytes()
}

// collect lets the page collect its garbage.
func (b *tab) collect() {
	b.t.Helper()
	if _, err := chromedp.Call(b.ctx, heapprofiler.CollectGarbage, cdp.Empty{}); err != nil {
		b.t.Fatal(err)
	}
}

// heap is how many bytes of JavaScript the page holds, without its garbage.
func (b *tab) heap() (bytes float64) {
	b.t.Helper()
	if _, err := chromedp.Call(b.ctx, performance.Enable, performance.EnableParams{}); err != nil {
		b.t.Fatal(err)
	}
	b.collect()
	metrics, err := chromedp.Call(b.ctx, performance.GetMetrics, cdp.Empty{})
	if err != nil {
		b.t.Fatal(err)
	}
	for _, m := range metrics.Metrics {
		if m.Name == "JSHeapUsedSize" {
			bytes = m.Value
		}
	}
	return bytes
}

// A message that waits for its reader does not keep the large WebSocket message
// that it came in, and all that wait are bounded in bytes.
func TestUnreadBytes(t *testing.T) {
	t.Parallel()
	endpoint := scripted(t, func(ws *websocket.Conn) {
		frame := append(publication("unread/small", false, []byte("x")), publication("other", false, make([]byte, 2<<20))...)
		for range 50 {
			_ = ws.Write(t.Context(), websocket.MessageBinary, frame)
		}
		for range 100 {
			_ = ws.Write(t.Context(), websocket.MessageBinary, publication("unread/large", false, make([]byte, 300_000)))
		}
		_ = ws.Write(t.Context(), websocket.MessageBinary, publication("unread/vast", false, make([]byte, 15<<20)))
		_ = ws.Write(t.Context(), websocket.MessageBinary, publication("other/end", false, nil))
	})
	b := blank(t, serve(t))
	b.eval(`globalThis.frames = []; const Real = WebSocket;
		globalThis.WebSocket = class extends Real { constructor(...a) { super(...a); this.addEventListener("message", (e) => frames.push([new WeakRef(e.data), e.data.byteLength])) } };
		globalThis.told = []; iot.addEventListener("slowconsumer", (e) => told.push(e.detail.dropped));
		await iot.connect({ endpoint: "`+endpoint+`" }); globalThis.unread = await iot.subscribe("unread/#", { bufferBytes: 10 * 2 ** 20 }); globalThis.tail = () => frames.at(-1)[1] < 50 && unread.received === 151`, nil)
	b.until(`tail()`)
	// The vast one is alone.
	b.is(`[unread.received, unread.dropped, told.at(-1)]`, `[151,150,150]`)
	b.is(`(await unread[Symbol.asyncIterator]().next()).value.payload.length`, `15728640`)

	b.eval(`frames.length = 0; globalThis.bounded = await iot.subscribe("unread/small"); globalThis.tail = () => frames.length >= 152 && frames.at(-1)[1] < 50`, nil)
	b.until(`tail()`)
	b.collect()
	b.is(`frames.filter(([ref, n]) => n > 2 ** 20 && n < 2 ** 22 && ref.deref()).length <= 1`, `true`)
	b.is(`[bounded.received, bounded.dropped]`, `[50,0]`)
	b.is(`await (async () => { const messages = bounded[Symbol.asyncIterator](); for (let i = 0; i < 50; i++) if ((await messages.next()).value.text() !== "x") return i; return 50 })()`, `50`)
}

// The retained messages that a subscription has had are remembered by their
// topics, and those are bounded in bytes.
func TestTopicsThatWereHeard(t *testing.T) {
	t.Parallel()
	const topics = 1500
	endpoint := scripted(t, func(ws *websocket.Conn) {
		for i := range topics {
			_ = ws.Write(t.Context(), websocket.MessageBinary, publication(fmt.Sprintf("heard/%d/%s", i, strings.Repeat("x", 60_000)), true, nil))
		}
	})
	b := blank(t, serve(t))
	b.eval(`globalThis.got = 0; globalThis.kept = 0; const { add } = Set.prototype;
		Set.prototype.add = function (value) { if (typeof value === "string") kept += value.length; return add.call(this, value) };
		await iot.connect({ endpoint: "`+endpoint+`" }); await iot.subscribe("heard/#", () => got++)`, nil)
	b.until(fmt.Sprintf(`got === %d`, topics))
	b.is(`[kept > 2 ** 19, kept <= 2 ** 20]`, `[true,true]`)
}

// What waits while the page is behind is bounded by what it costs, and not only by
// the bytes in it. Empty frames cost nothing.
func TestSmallFramesInAFlood(t *testing.T) {
	t.Parallel()
	const frames = 120_000
	release := make(chan struct{})
	endpoint := scripted(t, func(ws *websocket.Conn) {
		one := publication("flood", false, []byte("x"))
		_ = ws.Write(t.Context(), websocket.MessageBinary, bytes.Repeat(one, 100)) // with which the page is behind for a second
		for range frames {
			if err := ws.Write(t.Context(), websocket.MessageBinary, one); err != nil {
				return
			}
		}
		<-release
		_ = ws.Write(t.Context(), websocket.MessageBinary, publication("flood", false, []byte("y")))
		for range frames {
			if err := ws.Write(t.Context(), websocket.MessageBinary, nil); err != nil {
				return
			}
		}
		_ = ws.Write(t.Context(), websocket.MessageBinary, publication("flood", false, []byte("z")))
	})
	b := blank(t, serve(t))
	// The handler takes 10 ms for the first hundred, and 20 µs for each of the others.
	b.eval(`globalThis.came = 0; globalThis.heard = 0; globalThis.most = 0; globalThis.last = ""; const Real = WebSocket;
		globalThis.WebSocket = class extends Real { constructor(...a) { super(...a); this.addEventListener("message", () => { most = Math.max(most, ++came - heard) }) } };
		globalThis.busy = (ms) => { const end = performance.now() + ms; while (performance.now() < end); };
		await iot.connect({ endpoint: "`+endpoint+`" });
		await iot.subscribe("flood", (m) => { last = m.text(); busy(heard++ < 100 ? 10 : 0.02) })`, nil)
	b.until(fmt.Sprintf(`heard === %d`, frames+100))
	var most int
	b.eval(`most`, &most)
	t.Logf("at most %d of %d frames waited", most, frames)
	if most > 70_000 {
		t.Errorf("%d frames waited at once", most)
	}
	before := b.heap()
	close(release)
	b.until(`last === "z"`)
	if grown := b.heap() - before; grown > 10e6 {
		t.Errorf("the page holds %.0f bytes more after %d empty frames", grown, frames)
	}
	b.is(`iot.state`, `"connected"`)
}

// Empty frames are not kept while the page is behind.
func TestEmptyFramesWhileBehind(t *testing.T) {
	t.Parallel()
	const frames = 300_000
	endpoint := scripted(t, func(ws *websocket.Conn) {
		for range 3 {
			_ = ws.Write(t.Context(), websocket.MessageBinary, bytes.Repeat(publication("behind", false, []byte("x")), 100))
		}
		for range frames {
			if err := ws.Write(t.Context(), websocket.MessageBinary, nil); err != nil {
				return
			}
		}
	})
	b := blank(t, serve(t))
	b.eval(`globalThis.came = 0; globalThis.heard = 0; globalThis.held = false; const Real = WebSocket;
		globalThis.WebSocket = class extends Real { constructor(...a) { super(...a); this.addEventListener("message", (e) => { came++; if (!e.data.byteLength && !globalThis.empties) globalThis.empties = new Set(); if (!e.data.byteLength && empties.size < 100) empties.add(new WeakRef(e.data)) }) } };
		const busy = (ms) => { const end = performance.now() + ms; while (performance.now() < end); };
		await iot.connect({ endpoint: "`+endpoint+`", keepAlive: 0 });
		await iot.subscribe("behind", () => { heard++; busy(heard < 50 ? 15 : 30) })`, nil)
	b.until(`globalThis.empties?.size === 100`)
	b.collect()
	b.is(`[...empties].filter((ref) => ref.deref()).length`, `0`)
	b.until(`heard === 300`)
}

// Clients that never were connected, or are not any more, are not held.
func TestUnconnectedClientsAreFreed(t *testing.T) {
	t.Parallel()
	s := serve(t)
	b := blank(t, s)
	b.eval(`await iot.connect({ ...at, credentials: local.credentials });
		globalThis.freed = 0; globalThis.registry = new FinalizationRegistry(() => freed++); globalThis.lives = new AbortController();
		await (async () => {
			const { signal } = lives; const refused = (promise) => promise.then(() => { throw new Error("it resolved") }, () => {});
			for (let i = 0; i < 50; i++) {
				const clients = Array.from({ length: 6 }, () => new IotClient()); for (const c of clients) registry.register(c, 0);
				const [bad, aborted, publisher, subscriber, failing, left] = clients; const stop = new AbortController();
				const stopped = [aborted.connect({ ...at, credentials: local.credentials, signal: stop.signal }), subscriber.subscribe("a", { signal: stop.signal })].map(refused); stop.abort();
				await Promise.all([...stopped, refused(bad.connect({ endpoint: "ftp://x", signal })), refused(publisher.publish("a", "x", { qos: 1, signal })),
					refused(failing.connect({ ...at, signal, reconnect: false, credentials: () => { throw new Error("none") } }))]);
				await left.connect({ ...at, signal, credentials: local.credentials, clientId: "left" }); await left.disconnect();
			}
		})()`, nil)
	for range 100 {
		b.collect()
		var freed int
		b.eval(`await new Promise((r) => setTimeout(r)); freed`, &freed)
		if freed == 300 {
			break
		}
	}
	b.is(`freed`, `300`)
	b.is(`(await iot.publish("a", "x", { qos: 1 })).reasonCode >= 0`, `true`)
}

// A client whose life goes on is held, though the page has let go of it.
func TestALivingClientIsHeld(t *testing.T) {
	t.Parallel()
	s := serve(t)
	b := blank(t, s)
	b.eval(`globalThis.got = []; await (async () => { const one = new IotClient(); await one.connect({ ...at, credentials: local.credentials }); await one.subscribe("held", (m) => got.push(m.text()), { qos: 1 }) })();
		await iot.connect({ ...at, credentials: local.credentials })`, nil)
	for range 3 {
		b.collect()
		b.eval(`await new Promise((r) => setTimeout(r))`, nil)
	}
	b.eval(`await iot.publish("held", "x", { qos: 1 })`, nil)
	b.until(`got.length === 1`)
}

// A page that has a global "iot" of its own keeps it, and the module works.
func TestAGlobalOfThePage(t *testing.T) {
	t.Parallel()
	const module = `<script type="module">import iot, { IotClient } from "/iot.js"; globalThis.found = iot instanceof IotClient</script>`
	pages := map[string]struct{ html, kept string }{
		"/var":      {`<script>var iot = { mine: 1 }</script>` + module, `iot.mine === 1`},
		"/function": {`<script>function iot() {}</script>` + module, `typeof iot === "function"`},
		"/fixed":    {`<script>Object.defineProperty(globalThis, "iot", { value: 1 })</script>` + module, `iot === 1`},
		"/getter":   {`<script>Object.defineProperty(globalThis, "iot", { get() { throw new Error("mine") } })</script>` + module, `true`},
		"/let":      {`<script>let iot = 5</script>` + module, `iot === 5`},
		"/plain":    {`<script>globalThis.iot = 5</script>` + module, `typeof iot.publish === "function"`},
		"/classic":  {`<script>var iot = 1; addEventListener("error", (e) => (globalThis.failed = e.message))</script><script src="/iot.global.js"></script><script>globalThis.found = !globalThis.failed</script>`, `iot === 1`},
		"/worker": {`<script>new Worker(URL.createObjectURL(new Blob(["Object.preventExtensions(globalThis); import('" + location.origin + "/iot.js').then((m) => postMessage(typeof m.iot.publish === 'function' && !globalThis.iot), (e) => postMessage(e.message))"])))
			.onmessage = (e) => (globalThis.found = e.data)</script>`, `true`},
		"/polluted": {`<script>Object.prototype.get = () => 1; Object.prototype.value = 2</script>` + module + `<script type="module">delete Object.prototype.get; delete Object.prototype.value</script>`, `typeof iot.publish === "function"`},
	}
	files := http.FileServer(http.Dir(filepath.Join(root, "www")))
	web := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if page, ok := pages[r.URL.Path]; ok {
			w.Header().Set("Content-Type", "text/html; charset=utf-8")
			_, _ = fmt.Fprint(w, "<!doctype html><link rel=icon href=data:,>"+page.html)
			return
		}
		files.ServeHTTP(w, r)
	}))
	t.Cleanup(web.Close)
	for name, page := range pages {
		t.Run(name[1:], func(t *testing.T) {
			b := open(t, web.URL+name)
			b.do(chromedp.WaitReady("html"))
			b.is(`await new Promise((resolve) => { const look = () => globalThis.found === undefined ? setTimeout(look, 5) : resolve(found); look(); setTimeout(resolve, 20_000, "the import has failed") })`, `true`)
			b.is(page.kept, `true`)
		})
	}
}
