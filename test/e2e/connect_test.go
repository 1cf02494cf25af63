package e2e

import (
	"strings"
	"testing"

	"iot.wasm/test/harness"
)

func TestRefusals(t *testing.T) {
	s := harness.Serve(t)
	b := openModule(t, s)
	for _, c := range []struct{ name, options, code, words string }{ // words of AWS's response
		{"wrong key", `{ ...at, credentials: { ...local.credentials, secretAccessKey: "wrong" } }`, "ERR_SIGNATURE", "signature we calculated does not match"},
		{"unknown key", `{ ...at, credentials: { ...local.credentials, accessKeyId: "AKIDUNKNOWN" } }`, "ERR_ACCESS_KEY", "security token included in the request is invalid"},
		{"wrong region", `{ ...at, region: "eu-west-1", credentials: local.credentials }`, "ERR_SIGNATURE", "valid region"},
		{"session token for a key without one", `{ ...at, credentials: { ...local.credentials, sessionToken: "a+b/c=" } }`, "ERR_ACCESS_KEY", "security token"},
		{"no signature", `at`, "ERR_SIGNATURE", ""},
		{"expired date", `{ url: await iot.presign({ ...at, credentials: local.credentials, date: new Date(Date.now() - 600e3) }) }`, "ERR_SIGNATURE_EXPIRED", "Signature expired"},
		{"expired X-Amz-Expires", `{ url: await iot.presign({ ...at, credentials: local.credentials, date: new Date(Date.now() - 60e3), expires: 30 }) }`, "ERR_SIGNATURE_EXPIRED", "Signature expired"},
		{"future date", `{ url: await iot.presign({ ...at, credentials: local.credentials, date: new Date(Date.now() + 600e3) }) }`, "ERR_CLOCK_SKEW", "not yet current"},
		{"tampered query", `{ url: await iot.presign({ ...at, credentials: local.credentials }) + "&x=1" }`, "ERR_SIGNATURE", "does not match"},
		{"tampered signature", `{ url: (await iot.presign({ ...at, credentials: local.credentials })).replace(/.$/, (c) => (c === "0" ? "1" : "0")) }`, "ERR_SIGNATURE", "does not match"},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := b.With(t)
			b.Fails(`iot.connect(`+c.options+`)`, "IotError", c.code, c.words, "HTTP 403")
			b.Is(`iot.state`, `"closed"`)
		})
	}
	t.Run("wrong clock", func(t *testing.T) {
		b := openModule(t, s)
		b.Eval(`const RealDate = Date; globalThis.Date = class extends RealDate { constructor(...a) { if (a.length) super(...a); else super(RealDate.now() + 3600e3) } static now() { return RealDate.now() + 3600e3 } }`, nil)
		// The response to the first attempt contains the service's time. The client uses that time for the second signature.
		b.Is(`await (async () => { let code; iot.addEventListener("disconnected", (e) => (code = e.detail.error.code));
			await iot.connect({ ...at, credentials: { ...local.credentials, expiration: new Date(Date.now() - 1800e3) } }).catch(() => {});
			await iot.connect({ ...at, credentials: local.credentials }); return [code, iot.state, iot.stats().connects] })()`, `["ERR_CLOCK_SKEW","connected",1]`)
	})
	t.Run("the WebSocket constructor throws", func(t *testing.T) {
		b := b.With(t)
		b.Eval(`globalThis.RealSocket = WebSocket; WebSocket = class { constructor() { throw new DOMException("insecure", "SecurityError") } }`, nil)
		b.Fails(`iot.connect({ ...at, credentials: local.credentials })`, "IotError", "ERR_WEBSOCKET", "SecurityError")
		b.Eval(`WebSocket = RealSocket`, nil)
	})
	t.Run("no server", func(t *testing.T) {
		b := b.With(t)
		b.Fails(`iot.connect({ endpoint: "ws://127.0.0.1:1/mqtt", reconnect: false })`, "IotError", "ERR_UNREACHABLE")
	})
	t.Run("not a WebSocket", func(t *testing.T) {
		b := b.With(t)
		b.Fails(`iot.connect({ endpoint: "ws://"+location.host+"/index.html", reconnect: false })`, "IotError", "ERR_UPGRADE", "HTTP 302")
	})
	t.Run("valid options after the refusals", func(t *testing.T) {
		b := b.With(t)
		b.Is(`(await iot.connect({ ...at, credentials: local.credentials, clientId: "me" })).clientId`, `"me"`)
		b.Eval(`await iot.disconnect()`, nil)
	})
}

func TestBadInput(t *testing.T) {
	b := openModule(t, harness.Serve(t))
	b.Fails(`iot.publish("t", "x")`, "IotError", "ERR_NOT_CONNECTED")
	b.Fails(`iot.connect({})`, "TypeError", "ERR_OPTION", "endpoint")
	b.Fails(`new IotClient().connect()`, "TypeError", "ERR_OPTION")
	b.Fails(`iot.connect(5)`, "TypeError", "ERR_OPTION")
	b.Fails(`iot.connect({ endpiont: "x" })`, "TypeError", "ERR_OPTION", "did you mean endpoint?")
	b.Fails(`iot.connect({ endpoint: "ftp://x" })`, "TypeError", "ERR_ENDPOINT")
	b.Fails(`iot.connect({ ...at, region: undefined, credentials: local.credentials })`, "TypeError", "ERR_REGION", "region")
	b.Fails(`iot.connect({ ...at, keepAlive: 70000 })`, "RangeError", "ERR_OPTION", "keepAlive", "70000")
	b.Fails(`iot.connect({ ...at, clientId: "\0" })`, "TypeError", "ERR_UNICODE")
	b.Fails(`iot.connect({ ...at, password: 12345678 })`, "TypeError", "ERR_OPTION", "password")
	b.Is(`await iot.connect({ ...at, password: 12345678 }).catch((e) => e.message.includes("12345678"))`, `false`)
	b.Fails(`iot.connect({ url: async () => undefined, reconnect: false })`, "IotError", "ERR_CREDENTIALS")
	b.Fails(`iot.load({ wasm: 5 })`, "TypeError", "ERR_OPTION", "wasm")
	b.Fails(`iot.load({ wasm: fetch("/iot.wasm"), integrity: "sha256-x" })`, "TypeError", "ERR_OPTION", "integrity")
	b.Fails(`iot.connect({ ...at, will: {} })`, "TypeError", "ERR_OPTION", "will", "topic")
	b.Fails(`iot.connect({ ...at, will: { topic: "a/#" } })`, "TypeError", "ERR_TOPIC")
	b.Fails(`iot.connect({ ...at, reconnect: true })`, "TypeError", "ERR_OPTION", "reconnect")
	b.Fails(`iot.connect({ get endpoint() { throw new RangeError("from the getter") } })`, "RangeError", "undefined", "from the getter")
	b.Fails(`iot.connect(new Proxy({}, { ownKeys() { throw new RangeError("from the proxy") } }))`, "RangeError", "undefined", "from the proxy")
	b.Fails(`iot.connect({ ...at, credentials: { accessKeyId: 5 } })`, "TypeError", "ERR_OPTION", "accessKeyId")
	b.Fails(`iot.connect({ ...at, credentials: {} })`, "IotError", "ERR_CREDENTIALS", "accessKeyId")
	b.Fails(`iot.connect({ ...at, credentials: () => { throw Object.assign(new Error("no network at home: https://x/?X-Amz-Signature=abc"), { retryable: false }) } })`,
		"IotError", "ERR_CREDENTIALS")
	b.Fails(`iot.presign({ ...at, credentials: local.credentials, date: new Date(NaN) })`, "TypeError", "ERR_OPTION", "date")
	b.Fails(`iot.presign({ ...at, credentials: local.credentials, expires: 604801 })`, "TypeError", "ERR_SIGN", "604801")

	b.Eval(`await iot.connect({ ...at, credentials: local.credentials })`, nil)
	for _, topic := range []string{`""`, `"a/+"`, `"#"`} {
		b.Fails(`iot.publish(`+topic+`, "x")`, "TypeError", "ERR_TOPIC")
	}
	b.Fails(`iot.publish("a\0b", "x")`, "TypeError", "ERR_UNICODE")
	b.Fails(`iot.publish("a\ud800", "x")`, "TypeError", "ERR_UNICODE")
	b.Fails(`iot.publish(5, "x")`, "TypeError", "ERR_OPTION", "topic", "5")
	b.Fails(`iot.publish("t".repeat(3e8), "x")`, "TypeError", "ERR_TOPIC")
	b.Fails(`iot.subscribe("a", 5, {})`, "TypeError", "ERR_OPTION", "handler")
	b.Fails(`iot.publish("t".repeat(65536), "x")`, "TypeError", "ERR_TOPIC")
	b.Fails(`iot.publish("t", 5)`, "TypeError", "ERR_PAYLOAD", "5")
	b.Fails(`iot.publish("t", { a: 1 })`, "TypeError", "ERR_PAYLOAD", "json")
	b.Fails(`iot.publish("t", { json: undefined })`, "TypeError", "ERR_PAYLOAD")
	b.Fails(`iot.publish("t", "\udc00")`, "TypeError", "ERR_UNICODE")
	b.Fails(`iot.publish("t", new Uint8Array(300e6))`, "RangeError", "ERR_PACKET_TOO_LARGE")
	b.Fails(`iot.publish("t", new Uint8Array(200e6))`, "IotError", "ERR_PACKET_TOO_LARGE")
	b.Fails(`iot.publish("t", "x".repeat(150_000), { qos: 1 })`, "IotError", "ERR_PACKET_TOO_LARGE")
	b.Fails(`iot.publish("t", "x", { qos: 3 })`, "RangeError", "ERR_QOS")
	b.Fails(`iot.publish("t", "x", { qos: 2 })`, "IotError", "ERR_QOS_NOT_SUPPORTED")
	b.Fails(`iot.publish("t", "x", { qso: 1 })`, "TypeError", "ERR_OPTION", "did you mean qos?")
	b.Fails(`iot.publish("t", "x", { get qos() { throw new RangeError("from the getter") } })`, "RangeError", "undefined", "from the getter")
	b.Fails(`iot.publish("t", "x", { userProperties: [["a"]] })`, "TypeError", "ERR_OPTION", "userProperties")
	b.Fails(`iot.publish("t", "x", { userProperties: { a: "x".repeat(65536) } })`, "RangeError", "ERR_OPTION")
	b.Fails(`iot.publish("t", "x", { responseTopic: "a/+" })`, "TypeError", "ERR_OPTION")
	b.Fails(`iot.publish("t", "x", { messageExpiry: -1 })`, "RangeError", "ERR_OPTION", "messageExpiry", "-1")
	b.Fails(`iot.subscribe("a/#/b")`, "TypeError", "ERR_FILTER")
	b.Fails(`iot.subscribe("$share/g/")`, "TypeError", "ERR_FILTER")
	b.Fails(`iot.subscribe("a", () => {}, { qos: 7 })`, "RangeError", "ERR_QOS")
	b.Fails(`iot.subscribe("a", { bufferSize: 0 })`, "RangeError", "ERR_OPTION", "bufferSize")
	b.Fails(`iot.connect({ ...at, clientId: "other" })`, "IotError", "ERR_ALREADY_CONNECTED")

	// Members of the prototype are not options.
	b.Eval(`Object.prototype.qos = 2; try { await iot.publish("t", "x", {}) } finally { delete Object.prototype.qos }`, nil)
	b.Is(`await (async () => { Object.assign(Object.prototype, { will: { topic: "x" }, username: "u", region: "r" }); const c = new IotClient();
		try { await c.connect({ ...at, credentials: local.credentials }); await c.disconnect(); return c.stats().connects } finally { for (const k of ["will", "username", "region"]) delete Object.prototype[k] } })()`, `1`)
	// The client keeps delivering messages after a handler has thrown.
	b.Eval(`globalThis.errors = []; addEventListener("error", (e) => { errors.push(e.message); e.preventDefault() }); iot.addEventListener("handlererror", (e) => errors.push(e.detail.filter, e.detail.error.message));
		globalThis.after = []; await iot.subscribe("h/+", () => { throw new Error("mine") }, { qos: 1 }); await iot.subscribe("h/#", (m) => after.push(m.text()), { qos: 1 });
		await iot.publish("h/1", "one", { qos: 1 }); await iot.publish("h/1", "two", { qos: 1 })`, nil)
	b.Until(`after.length === 2 && errors.length === 6`)
	b.Is(`errors.slice(0, 3)`, `["h/+","mine","Uncaught Error: mine"]`)
	b.Is(`iot.state`, `"connected"`)
	b.Is(`iot.stats().connects`, `1`)
}

func TestEveryPublishOption(t *testing.T) {
	s := harness.Serve(t)
	b := openModule(t, s)
	b.Eval(`await iot.connect({ ...at, credentials: local.credentials }); globalThis.got = []; await iot.subscribe("o/#", (m) => got.push(m))`, nil)
	b.Is(`await iot.publish("o/1", { json: { a: [1] } }, { qos: 1, contentType: "application/json", utf8: true, responseTopic: "o/reply", correlationData: Uint8Array.of(0, 255),
		messageExpiry: 60, userProperties: [["k", "1"], ["k", "2"], ["ü", ""]] })`, `{"reasonCode":0}`)
	b.Until(`got.length === 1`)
	b.Is(`(() => { const m = got[0]; return [m.topic, m.json(), m.text(), m.payload.length, m.qos, m.retain, m.duplicate, m.contentType, m.utf8, m.responseTopic, [...m.correlationData], m.messageExpiry <= 60, m.userProperties] })()`,
		`["o/1",{"a":[1]},"{\"a\":[1]}",9,0,false,false,"application/json",true,"o/reply",[0,255],true,[["k","1"],["k","2"],["ü",""]]]`)
	b.Eval(`await got[0].reply("answer", { qos: 1 })`, nil)
	b.Until(`got.length === 2`)
	b.Is(`[got[1].topic, got[1].text(), [...got[1].correlationData], got[1].contentType ?? null]`, `["o/reply","answer",[0,255],null]`)
	b.Eval(`await iot.publish("o/2"); await iot.publish("o/2", null); await iot.publish("o/2", new Uint16Array([258]).subarray(0)); await iot.publish("o/2", new Uint8Array([1,2,3,4]).subarray(1, 3).buffer.slice(1,3), { qos: 1 })`, nil)
	b.Until(`got.length === 6`)
	b.Is(`got.slice(2).map((m) => [...m.payload])`, `[[],[],[2,1],[2,3]]`)
	// A later subscription receives the retained message.
	b.Eval(`await iot.publish("o/kept", "still here", { qos: 1, retain: true })`, nil)
	b.Until(`got.length === 7`) // the live message has arrived, so the later subscription can receive only the retained one
	b.Eval(`const late = await iot.subscribe("o/kept", { qos: 1 }); const first = (await late[Symbol.asyncIterator]().next()).value;`, nil)
	b.Is(`[first.text(), first.retain]`, `["still here",true]`)
	b.Eval(`await iot.publish("o/kept", "", { qos: 1, retain: true })`, nil)
}

func TestSubscriptions(t *testing.T) {
	b := openModule(t, harness.Serve(t))
	b.Eval(`await iot.connect({ ...at, credentials: local.credentials })`, nil)
	t.Run("iterator", func(t *testing.T) {
		b := b.With(t)
		b.Is(`await (async () => { const s = await iot.subscribe("i/#", { qos: 1 }); const seen = [];
			for (const n of [1, 2, 3]) await iot.publish("i/" + n, String(n), { qos: 1 });
			for await (const m of s) { seen.push(m.topic, m.text()); if (seen.length === 6) break }
			return [seen, s.received, s.filter, s.qos, await s.closed ?? "closed", iot.stats().subscriptions] })()`,
			`[["i/1","1","i/2","2","i/3","3"],3,"i/#",1,"closed",0]`)
	})
	t.Run("overlapping filters", func(t *testing.T) {
		b := b.With(t)
		b.Eval(`globalThis.hits = {}; const hit = (k) => () => (hits[k] = (hits[k] ?? 0) + 1);
			for (const f of ["x/y", "x/+", "x/#", "#", "+/y", "$share/g/x/y"]) await iot.subscribe(f, hit(f), { qos: 1 });
			await iot.subscribe("x/y", hit("x/y again")); await iot.subscribe("end", hit("end"));
			await iot.publish("x/y", "m", { qos: 1 }); await iot.publish("end", "", { qos: 1 })`, nil)
		b.Until(`hits.end === 1`)
		// The broker delivers the message once for all filters without $share, and once for the shared subscription. The client passes each delivery to the subscriptions of every filter that matches.
		b.Is(`(({ "x/y": a, "x/+": b, "x/#": c, "+/y": d, "x/y again": e }) => [a, b, c, d, e].every((n) => n === a && n >= 1))(hits)`, `true`)
		b.Eval(`await iot.unsubscribe("x/y"); for (const f of ["x/+", "x/#", "#", "+/y", "$share/g/x/y", "end"]) await iot.unsubscribe(f)`, nil)
		b.Is(`iot.stats().subscriptions`, `0`)
	})
	t.Run("slow consumer", func(t *testing.T) {
		b := b.With(t)
		b.Is(`await (async () => { let dropped = 0; const on = (e) => dropped = e.detail.dropped; iot.addEventListener("slowconsumer", on);
			const s = await iot.subscribe("slow", { bufferSize: 2 }); await iot.subscribe("done", () => {});
			for (let i = 0; i < 5; i++) await iot.publish("slow", String(i), { qos: 1 });
			while (s.received < 5) await new Promise((r) => setTimeout(r));
			const it = s[Symbol.asyncIterator](); const rest = [(await it.next()).value.text(), (await it.next()).value.text()];
			await it.return(); iot.removeEventListener("slowconsumer", on); return [dropped, s.dropped, rest] })()`, `[3,3,["3","4"]]`)
	})
	t.Run("aborted by a signal", func(t *testing.T) {
		b := b.With(t)
		b.Is(`await (async () => { const stop = new AbortController(); const s = await iot.subscribe("sig", () => {}, { signal: stop.signal }); stop.abort(); return [await s.closed ?? null, iot.stats().subscriptions] })()`, `[null,1]`)
		b.Fails(`iot.subscribe("sig", () => {}, { signal: AbortSignal.abort(new RangeError("enough")) })`, "RangeError", "undefined", "enough")
		b.Fails(`iot.publish("sig", "", { qos: 1, signal: AbortSignal.abort(new RangeError("enough")) })`, "RangeError", "undefined", "enough")
	})
	t.Run("ended by disconnect", func(t *testing.T) {
		b := b.With(t)
		b.Is(`await (async () => { const s = await iot.subscribe("d"); const next = s[Symbol.asyncIterator]().next(); await iot.disconnect(); return [await s.closed ?? null, (await next).done, iot.state] })()`, `[null,true,"closed"]`)
	})
}

func TestClientsShareTheWasm(t *testing.T) {
	b := openModule(t, harness.Serve(t))
	b.Is(`await (async () => {
		const a = new IotClient({ ...at, credentials: local.credentials }), c = new IotClient({ ...at, credentials: local.credentials });
		const [one, two] = await Promise.all([a.connect(), c.connect()]);
		const got = new Promise((resolve) => c.subscribe("pair", (m) => resolve(m.text())).then(() => a.publish("pair", "from a")));
		const text = await got; await a.disconnect();
		const states = [a.state, c.state]; await c.disconnect();
		return [text, one.clientId !== two.clientId, states, performance.getEntriesByType("resource").filter((e) => e.name.includes("/iot.wasm")).length] })()`,
		`["from a",true,["closed","connected"],1]`)
	// Two calls in one tick, as React's StrictMode makes them, open one connection.
	b.Is(`await (async () => { const o = () => ({ ...at, credentials: local.credentials }); const [x, y] = await Promise.all([iot.connect(o()), iot.connect(o())]); return [x.clientId === y.clientId, iot.stats().connects] })()`, `[true,1]`)
	b.Is(`await (async () => { const d = iot.disconnect(); const again = iot.disconnect(); await d; await again; return iot.state })()`, `"closed"`)
	// disconnect() and an abort reject a connect() that is pending.
	b.Fails(`(() => { const c = new IotClient({ ...at, credentials: local.credentials }); const done = c.connect(); c.disconnect(); return done })()`, "IotError", "ERR_CLOSED")
	b.Fails(`(() => { const c = new IotClient(); const stop = new AbortController(); const done = c.connect({ ...at, credentials: local.credentials, signal: stop.signal }); stop.abort(new RangeError("enough")); return done })()`, "RangeError", "undefined", "enough")
}

func TestOnlyGlobalIsIot(t *testing.T) {
	s := harness.Serve(t)
	const names = `Object.getOwnPropertyNames(globalThis)`
	for _, script := range []string{`await import("/iot.js")`, `await new Promise((resolve, reject) => document.head.append(Object.assign(document.createElement("script"), { src: "/iot.global.js", onload: resolve, onerror: reject })))`} {
		b := open(t, s.URL+"iot.js")
		b.Eval(`globalThis.before = new Set(`+names+`)`, nil)
		b.Eval(script, nil)
		b.Is(`typeof iot.connect`, `"function"`)
		b.Eval(`const local = await (await fetch("/local.json")).json(); await iot.connect({ endpoint: local.endpoint, region: local.region, credentials: local.credentials }); await iot.publish("a", "b", { qos: 1 })`, nil)
		b.Is(names+`.filter((n) => !before.has(n))`, `["before","iot"]`)
		b.Is(`[typeof iot.IotClient, typeof iot.IotError, typeof iot.presign, typeof iot.matches, typeof iot.load, typeof iot.version]`, `["function","function","function","function","function","string"]`)
	}
}

func TestPageContainsNoSecret(t *testing.T) {
	s := harness.Serve(t)
	b := openPage(t, s)
	key := s.Settings().Credentials
	html := b.Text(`document.documentElement.outerHTML + location.href + JSON.stringify(iot) + JSON.stringify(iot.connection)`)
	for _, secret := range []string{key.SecretAccessKey, "X-Amz-Signature"} {
		if strings.Contains(html, secret) {
			t.Errorf("the page contains %q", secret)
		}
	}
}

// A page may call the client within an event listener or a message handler. The client
// performs the calls in their order.
func TestCallsInCallbacks(t *testing.T) {
	b := openModule(t, harness.Serve(t))
	b.Eval(`globalThis.o = () => ({ ...at, credentials: local.credentials });
		globalThis.listen = (c) => { const seen = []; for (const type of ["connecting", "connected", "disconnected", "closed"]) c.addEventListener(type, () => seen.push(type + ":" + c.state)); return seen }`, nil)
	t.Run("disconnect in a disconnected event", func(t *testing.T) {
		b := b.With(t)
		b.Is(`await (async () => { const c = new IotClient(); await c.connect(o()); const seen = listen(c); let left;
			c.addEventListener("disconnected", () => (left = c.disconnect()), { once: true }); c.reconnect(); await left;
			await c.connect(o()); const state = c.state; await c.disconnect(); return [seen, state] })()`,
			`[["disconnected:reconnecting","connecting:reconnecting","closed:closed","connecting:connecting","connected:connected","closed:closed"],"connected"]`)
	})
	t.Run("disconnect in a connecting event", func(t *testing.T) {
		b := b.With(t)
		b.Is(`await (async () => { const c = new IotClient(); let opened = 0; const Real = WebSocket; WebSocket = class extends Real { constructor(...a) { super(...a); opened++; this.addEventListener("close", () => opened--) } };
			c.addEventListener("connecting", () => c.disconnect(), { once: true });
			const code = await c.connect({ endpoint: local.endpoint }).catch((e) => e.code); WebSocket = Real;
			while (opened) await new Promise((r) => setTimeout(r)); return [code, c.state] })()`, `["ERR_CLOSED","closed"]`)
	})
	t.Run("publish and disconnect in a handler", func(t *testing.T) {
		b := b.With(t)
		b.Is(`await (async () => { const c = new IotClient(); await c.connect(o()); const seen = [];
			await c.subscribe("in/+", (m) => { seen.push(m.text()); if (m.text() === "1") c.publish("in/b", "2", { qos: 1 }); else c.disconnect() }, { qos: 1 });
			const closed = new Promise((r) => c.addEventListener("closed", r)); c.publish("in/a", "1", { qos: 1 }); await closed; return [seen, c.state] })()`, `[["1","2"],"closed"]`)
	})
	t.Run("unsubscribe the next handler", func(t *testing.T) {
		b := b.With(t)
		b.Is(`await (async () => { const c = new IotClient(); await c.connect(o()); let calls = 0, second;
			await c.subscribe("two", () => second.unsubscribe(), { qos: 1 }); second = await c.subscribe("two", () => calls++, { qos: 1 });
			let done; const end = new Promise((r) => (done = r)); await c.subscribe("end", done); await c.publish("two", "", { qos: 1 }); await c.publish("end"); await end; await c.disconnect(); return calls })()`, `0`)
	})
}

func TestSignals(t *testing.T) {
	b := openModule(t, harness.Serve(t))
	// The signal of a connect() that failed has no effect later.
	b.Is(`await (async () => { const stop = new AbortController(); await iot.connect({ endpoint: "ftp://x", signal: stop.signal }).catch(() => {});
		await iot.connect({ ...at, credentials: local.credentials }); stop.abort(); return iot.state })()`, `"connected"`)
	// An abort drops a message that is still queued.
	b.Is(`await (async () => { const got = []; await iot.subscribe("q", (m) => got.push(m.text()), { qos: 1 }); iot.reconnect();
		const stop = new AbortController(); const dropped = iot.publish("q", "no", { qos: 1, signal: stop.signal }).catch((e) => e.message); const kept = iot.publish("q", "yes", { qos: 1 });
		stop.abort(new Error("enough")); const reason = await dropped; await kept; while (!got.length) await new Promise((r) => setTimeout(r)); return [reason, got, iot.stats().queued] })()`, `["enough",["yes"],0]`)
	b.Eval(`const stop = new AbortController(); await iot.disconnect(); await iot.connect({ ...at, credentials: local.credentials, signal: stop.signal }); stop.abort()`, nil)
	b.Until(`iot.state === "closed"`)
	b.Is(`(await iot.connect()).clientId.length > 0`, `true`) // connect() uses the previous options without their aborted signal
}

// The AWS SDK's credential objects have more members than a client needs.
func TestCredentialsOfTheSDK(t *testing.T) {
	b := openModule(t, harness.Serve(t))
	b.Is(`(await iot.connect({ ...at, credentials: { ...local.credentials, expiration: new Date(Date.now() + 3600e3), accountId: "1", credentialScope: "x" } })).keepAlive`, `120`)
	b.Eval(`await iot.disconnect()`, nil)
	b.Fails(`iot.connect({ ...at, credentials: { ...local.credentials, expiration: new Date(Date.now() - 1) } })`, "IotError", "ERR_CREDENTIALS_EXPIRED")
}

func TestUnicode(t *testing.T) {
	b := openModule(t, harness.Serve(t))
	b.Is(`await (async () => { await iot.connect({ ...at, credentials: local.credentials }); const got = new Promise((r) => iot.subscribe("\uFEFFü/#", r, { qos: 1 }).then(() => iot.publish("\uFEFFü/😀", "\uFEFFß😀", { qos: 1, userProperties: { "\uFEFFk": "😀" } })));
		const m = await got; return [m.topic, m.text(), m.payload.length, m.userProperties] })()`, `["\ufeffü/😀","ß😀",9,[["\ufeffk","😀"]]]`)
}

// A crash of the wasm rejects all pending promises. A later connect() works, and does not download the wasm again after load().
func TestCrash(t *testing.T) {
	b := openModule(t, harness.Serve(t))
	b.Eval(harness.WatchWasm, nil)
	b.Eval(`await iot.load(); await iot.connect({ ...at, credentials: local.credentials }); const s = await iot.subscribe("x"); const first = wasm;
		globalThis.next = s[Symbol.asyncIterator]().next().catch((e) => e.code); globalThis.over = new Promise((r) => iot.addEventListener("closed", (e) => r(e.detail.error.code), { once: true }));
		first.iot_publish(1, 1, 4e9, 4e9, 4e9, 0, 0)`, nil) // lengths that iot.js never passes
	b.Fails(`iot.publish("x", "y", { qos: 1 })`, "IotError", "ERR_CRASHED")
	b.Is(`[await next, await over, iot.state, iot.stats().connects]`, `["ERR_CRASHED","ERR_CRASHED","closed",0]`)
	b.Is(`(await iot.connect({ ...at, credentials: local.credentials })).sessionPresent`, `false`)
	b.Is(`[await iot.publish("x", "y", { qos: 1 }), wasm !== first]`, `[{"reasonCode":0},true]`)
	b.Is(`performance.getEntriesByType("resource").filter(({ name }) => name.includes("iot.wasm")).length`, `1`)
}

// The wasm's memory does not grow with the number of calls.
func TestMemoryIsBounded(t *testing.T) {
	b := openModule(t, harness.Serve(t))
	b.Eval(harness.WatchWasm, nil)
	b.Eval(`await iot.connect({ ...at, credentials: local.credentials });
		globalThis.work = async (n) => { for (let i = 0; i < n; i++) { await iot.publish("t/#", "x").catch(() => {}); await iot.publish("t/" + i, "x".repeat(1000), { qos: 1, contentType: "a" }); const s = await iot.subscribe("f/" + i, () => {}); await s.unsubscribe() } };
		await work(600); globalThis.before = wasm.mem.buffer.byteLength; await work(2400)`, nil)
	b.Is(`wasm.mem.buffer.byteLength - before < 4 * 2 ** 20`, `true`)
}

func TestElementCalledIot(t *testing.T) {
	b := open(t, embed(t, "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'", `document.body.append(Object.assign(document.createElement("div"), { id: "iot" })); await import("./iot.js"); globalThis.result = typeof iot.publish`))
	b.Until(`globalThis.result !== undefined`)
	b.Is(`result`, `"function"`)
}
