package e2e

import (
	"bytes"
	"fmt"
	"path/filepath"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/eclipse/paho.golang/packets"
	"nhooyr.io/websocket"

	"iot.wasm/test/harness"
)

// publication encodes a PUBLISH packet of QoS 0.
func publication(topic string, retain bool, payload []byte) []byte {
	var b bytes.Buffer
	_, _ = (&packets.Publish{Topic: topic, Retain: retain, Payload: payload, Properties: &packets.Properties{}}).WriteTo(&b)
	return b.Bytes()
}

// An unread message of an iterator does not retain the large WebSocket message that
// contained it. The unread messages of a subscription are bounded in bytes.
func TestUnreadMessagesAreBounded(t *testing.T) {
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
	b := openModule(t, harness.Serve(t))
	b.Eval(`globalThis.frames = []; const Real = WebSocket;
		globalThis.WebSocket = class extends Real { constructor(...a) { super(...a); this.addEventListener("message", (e) => frames.push([new WeakRef(e.data), e.data.byteLength])) } };
		globalThis.dropped = []; iot.addEventListener("slowconsumer", (e) => dropped.push(e.detail.dropped));
		await iot.connect({ endpoint: "`+endpoint+`" }); globalThis.unread = await iot.subscribe("unread/#", { bufferBytes: 10 * 2 ** 20 }); globalThis.tail = () => frames.at(-1)[1] < 50 && unread.received === 151`, nil)
	b.Until(`tail()`)
	// The last message exceeds the bound, so it replaces all others.
	b.Is(`[unread.received, unread.dropped, dropped.at(-1)]`, `[151,150,150]`)
	b.Is(`(await unread[Symbol.asyncIterator]().next()).value.payload.length`, `15728640`)

	b.Eval(`frames.length = 0; globalThis.bounded = await iot.subscribe("unread/small"); globalThis.tail = () => frames.length >= 152 && frames.at(-1)[1] < 50`, nil)
	b.Until(`tail()`)
	b.CollectGarbage()
	b.Is(`frames.filter(([ref, n]) => n > 2 ** 20 && n < 2 ** 22 && ref.deref()).length <= 1`, `true`)
	b.Is(`[bounded.received, bounded.dropped]`, `[50,0]`)
	b.Is(`await (async () => { const messages = bounded[Symbol.asyncIterator](); for (let i = 0; i < 50; i++) if ((await messages.next()).value.text() !== "x") return i; return 50 })()`, `50`)
}

// The memory of the frames that wait for a busy page is bounded. The client adds an overhead
// for each frame to the counted bytes. Empty frames use no memory.
func TestSmallFramesAreBounded(t *testing.T) {
	t.Parallel()
	const frames = 120_000
	release := make(chan struct{})
	endpoint := scripted(t, func(ws *websocket.Conn) {
		one := publication("flood", false, []byte("x"))
		_ = ws.Write(t.Context(), websocket.MessageBinary, bytes.Repeat(one, 100)) // the page is busy for a second
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
	b := openModule(t, harness.Serve(t))
	// The handler takes 10 ms for each of the first hundred messages, and 20 µs for each of the others.
	b.Eval(`globalThis.arrived = 0; globalThis.handled = 0; globalThis.most = 0; globalThis.last = ""; const Real = WebSocket;
		globalThis.WebSocket = class extends Real { constructor(...a) { super(...a); this.addEventListener("message", () => { most = Math.max(most, ++arrived - handled) }) } };
		globalThis.busy = (ms) => { const end = performance.now() + ms; while (performance.now() < end); };
		await iot.connect({ endpoint: "`+endpoint+`" });
		await iot.subscribe("flood", (m) => { last = m.text(); busy(handled++ < 100 ? 10 : 0.02) })`, nil)
	b.Until(fmt.Sprintf(`handled === %d`, frames+100))
	var most int
	b.Eval(`most`, &most)
	t.Logf("at most %d of %d frames waited at once", most, frames)
	if most > 70_000 {
		t.Errorf("%d frames waited at once, want at most 70,000", most)
	}
	before := b.Metric("JSHeapUsedSize")
	close(release)
	b.Until(`last === "z"`)
	if grown := b.Metric("JSHeapUsedSize") - before; grown > 10e6 {
		t.Errorf("the page uses %.0f bytes more after %d empty frames", grown, frames)
	}
	b.Is(`iot.state`, `"connected"`)
}

// Empty frames are not stored while the page is busy.
func TestEmptyFramesAreNotStored(t *testing.T) {
	t.Parallel()
	const frames = 300_000
	endpoint := scripted(t, func(ws *websocket.Conn) {
		for range 3 {
			_ = ws.Write(t.Context(), websocket.MessageBinary, bytes.Repeat(publication("busy", false, []byte("x")), 100))
		}
		for range frames {
			if err := ws.Write(t.Context(), websocket.MessageBinary, nil); err != nil {
				return
			}
		}
	})
	b := openModule(t, harness.Serve(t))
	b.Eval(`globalThis.handled = 0; globalThis.empties = new Set(); const Real = WebSocket;
		globalThis.WebSocket = class extends Real { constructor(...a) { super(...a); this.addEventListener("message", (e) => { if (!e.data.byteLength && empties.size < 100) empties.add(new WeakRef(e.data)) }) } };
		const busy = (ms) => { const end = performance.now() + ms; while (performance.now() < end); };
		await iot.connect({ endpoint: "`+endpoint+`", keepAlive: 0 });
		await iot.subscribe("busy", () => { handled++; busy(handled < 50 ? 15 : 30) })`, nil)
	b.Until(`empties.size === 100`)
	b.CollectGarbage()
	b.Is(`[...empties].filter((ref) => ref.deref()).length`, `0`)
	b.Until(`handled === 300`)
}

// The module does not retain clients that are not connected.
func TestUnconnectedClientsAreFreed(t *testing.T) {
	t.Parallel()
	s := harness.Serve(t)
	b := openModule(t, s)
	b.Eval(`await iot.connect({ ...at, credentials: local.credentials });
		globalThis.freed = 0; globalThis.registry = new FinalizationRegistry(() => freed++); globalThis.controller = new AbortController();
		await (async () => {
			const { signal } = controller; const refused = (promise) => promise.then(() => { throw new Error("it resolved") }, () => {});
			for (let i = 0; i < 50; i++) {
				const clients = Array.from({ length: 6 }, () => new IotClient()); for (const c of clients) registry.register(c, 0);
				const [bad, aborted, publisher, subscriber, failing, closed] = clients; const stop = new AbortController();
				const stopped = [aborted.connect({ ...at, credentials: local.credentials, signal: stop.signal }), subscriber.subscribe("a", { signal: stop.signal })].map(refused); stop.abort();
				await Promise.all([...stopped, refused(bad.connect({ endpoint: "ftp://x", signal })), refused(publisher.publish("a", "x", { qos: 1, signal })),
					refused(failing.connect({ ...at, signal, reconnect: false, credentials: () => { throw new Error("none") } }))]);
				await closed.connect({ ...at, signal, credentials: local.credentials, clientId: "closed" }); await closed.disconnect();
			}
		})()`, nil)
	for range 100 {
		b.CollectGarbage()
		var freed int
		b.Eval(`await new Promise((r) => setTimeout(r)); freed`, &freed)
		if freed == 300 {
			break
		}
	}
	b.Is(`freed`, `300`)
	b.Is(`(await iot.publish("a", "x", { qos: 1 })).reasonCode >= 0`, `true`)
}

// The module retains a connected client that the page has no reference to.
func TestConnectedClientIsRetained(t *testing.T) {
	t.Parallel()
	s := harness.Serve(t)
	b := openModule(t, s)
	b.Eval(`globalThis.got = []; await (async () => { const one = new IotClient(); await one.connect({ ...at, credentials: local.credentials }); await one.subscribe("retained", (m) => got.push(m.text()), { qos: 1 }) })();
		await iot.connect({ ...at, credentials: local.credentials })`, nil)
	for range 3 {
		b.CollectGarbage()
		b.Eval(`await new Promise((r) => setTimeout(r))`, nil)
	}
	b.Eval(`await iot.publish("retained", "x", { qos: 1 })`, nil)
	b.Until(`got.length === 1`)
}

// The module replaces a global iot of the page only if its property is configurable. In any
// case, importing the module succeeds.
func TestGlobalOfThePage(t *testing.T) {
	t.Parallel()
	const module = `<script type="module">import iot, { IotClient } from "/iot.js"; globalThis.found = iot instanceof IotClient</script>`
	pages := map[string]struct{ html, intact string }{
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
	files := harness.Files{}
	for name, page := range pages {
		files[name] = harness.File{Body: "<!doctype html><link rel=icon href=data:,>" + page.html}
	}
	url := harness.Web(t, filepath.Join(harness.Root, "www"), files)
	for name, page := range pages {
		t.Run(name[1:], func(t *testing.T) {
			b := open(t, url+name)
			b.Do(chromedp.WaitReady("html"))
			b.Until(`globalThis.found !== undefined`)
			b.Is(`found`, `true`)
			b.Is(page.intact, `true`)
		})
	}
}
