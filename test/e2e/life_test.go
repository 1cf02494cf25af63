package e2e

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"iot.wasm/test/chromium"
)

// Keys that live three seconds, and forty connections, each with keys of its own.
func TestFortyReconnects(t *testing.T) {
	t.Parallel()
	s := serve(t, "-faults", "-attach-policy", "-cognito-lifetime", "3s")
	b := blank(t, s)
	b.eval(`const { cognito } = await import("/cognito.js");
		const real = WebAssembly.instantiateStreaming; WebAssembly.instantiateStreaming = async (...a) => { const r = await real.apply(WebAssembly, a); globalThis.memory = r.instance.exports.mem; return r };
		globalThis.keys = []; globalThis.got = new Map(); globalThis.sent = []; globalThis.lost = [];
		const credentials = async () => { const c = await cognito({ ...local.cognito, logins: { localhost: "ann" }, storage: null })(); keys.push(c.accessKeyId); return c };
		await iot.connect({ ...at, clientId: "forty", credentials, reconnect: { minDelayMs: 5, maxDelayMs: 50 } });
		await iot.subscribe("forty/#", (m) => got.set(m.text(), (got.get(m.text()) ?? 0) + (m.duplicate ? 0 : 1)), { qos: 1 });
		iot.addEventListener("disconnected", (e) => lost.push(e.detail.error.code))`, nil)
	for i := range 40 {
		b.eval(fmt.Sprintf(`for (let n = 0; n < 25; n++) sent.push(iot.publish("forty/" + n, "%d." + n, { qos: 1 }))`, i), nil)
		s.control(`{"cut":"forty"}`)
		b.until(fmt.Sprintf(`iot.stats().connects === %d`, i+2))
		if i == 5 {
			b.eval(`globalThis.before = memory.buffer.byteLength`, nil)
		}
	}
	b.is(`(await Promise.all(sent)).length`, `1000`)
	b.until(`got.size === 1000`)
	b.is(`[new Set(keys).size, keys.length, [...got.values()].every((n) => n <= 1), new Set(lost).size]`, `[41,41,true,1]`)
	b.is(`memory.buffer.byteLength - before < 2 * 2 ** 20`, `true`)
}

// Two hundred cuts, each somewhere in a thousand messages.
func TestTwoHundredCuts(t *testing.T) {
	t.Parallel()
	s := serve(t, "-faults")
	b := blank(t, s)
	n := dial(t, s, "witness")
	n.subscribe("cut/+", 1)
	seen := make(chan map[string]bool)
	go func() {
		all := map[string]bool{}
		for {
			m := n.message()
			if m.Topic == "cut/end" {
				break
			}
			all[string(m.Payload)] = true
		}
		seen <- all
	}()
	b.eval(`await iot.connect({ ...at, clientId: "c", credentials: () => local.credentials, reconnect: { minDelayMs: 1, maxDelayMs: 20 }, offline: { maxMessages: 5000 } });
		globalThis.delivered = 0; globalThis.rejected = 0; globalThis.acknowledged = 0;
		globalThis.burst = (round) => Promise.all(Array.from({ length: 1000 }, (_, i) => iot.publish("cut/t", round + "." + i, { qos: 1 }).then(() => { delivered++; acknowledged = i }, () => rejected++)))`, nil)
	random := rand.New(rand.NewPCG(7, 7))
	for round := range 200 {
		b.eval(fmt.Sprintf(`globalThis.acknowledged = -1; globalThis.done = burst(%d); while (acknowledged < %d) await new Promise((r) => setTimeout(r))`, round, random.IntN(900)), nil)
		s.control(`{"cut":"c"}`)
		b.eval(`await done`, nil)
	}
	b.is(`[delivered, rejected, iot.stats().inflight, iot.stats().queued]`, `[200000,0,0,0]`)
	b.eval(`await iot.publish("cut/end", "", { qos: 1 })`, nil)
	select {
	case all := <-seen:
		if len(all) != 200_000 {
			t.Errorf("%d of 200,000 messages that were said to be delivered have come", len(all))
		}
	case <-time.After(time.Minute):
		t.Error("the witness waits for the end")
	}
}

// The page by the service's real name, over TLS, all of it on this machine.
func TestRealName(t *testing.T) {
	const host = "a1b2c3d4e5f6g7-ats.iot.us-east-1.amazonaws.com"
	s := serve(t, "-faults", "-attach-policy", "-allow-host", host)
	target, err := url.Parse(s.url)
	if err != nil {
		t.Fatal(err)
	}
	aws := httptest.NewTLSServer(&httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) {
		r.SetURL(target)
		r.Out.Host = r.In.Host // which is signed
	}})
	t.Cleanup(aws.Close)
	ctx, stop, err := chromium.Launch(context.Background(), chromedp.Flag("host-resolver-rules", "MAP *.amazonaws.com:443 "+aws.Listener.Addr().String()+", MAP * ~NOTFOUND, EXCLUDE 127.0.0.1"), chromedp.IgnoreCertErrors)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(stop)
	b := openIn(t, ctx, s.url+"iot.js")
	b.eval(`const { iot } = await import("/iot.js"); const { cognito } = await import("/cognito.js"); const local = await (await fetch("/local.json")).json();
		globalThis.told = []; iot.addEventListener("disconnected", (e) => told.push(e.detail.error.code)); globalThis.got = [];
		await iot.connect({ endpoint: "`+host+`", clientId: "real", credentials: cognito({ ...local.cognito, logins: { localhost: "ann" } }), reconnect: { minDelayMs: 5, maxDelayMs: 100 } });
		await iot.subscribe("real", (m) => got.push(m.text()), { qos: 1 }); await iot.publish("real", "one", { qos: 1 })`, nil)
	// The keys are revoked, though their date is good: the provider is asked for others.
	s.control(`{"expireCredentials":true,"cut":"real"}`)
	b.until(`iot.stats().connects === 2`)
	b.eval(`await iot.publish("real", "two", { qos: 1 })`, nil)
	b.until(`got.at(-1) === "two"`) // the first may come again: its PUBACK may not have left
	b.is(`told[0]`, `"ERR_CONNECTION_LOST"`)
	b.is(`told.slice(1).every((c) => c === "ERR_CREDENTIALS_EXPIRED" || c === "ERR_ACCESS_KEY")`, `true`)
	// Its quotas hold, by its name.
	b.fails(`iot.publish("1/2/3/4/5/6/7/8/9", "")`, "IotError", "ERR_QUOTA", "8 slashes; the quota is 7", `quotas: "none"`)
	b.fails(`iot.publish("t", new Uint8Array(131073))`, "IotError", "ERR_QUOTA", "131073 bytes; the quota is 131072")
	b.fails(`iot.publish("t", "", { qos: 2 })`, "IotError", "ERR_QUOTA", "QoS 2")
	b.fails(`iot.subscribe("x".repeat(257))`, "IotError", "ERR_QUOTA", "257 bytes")
	// A hundred messages a second are kept to, and none is lost.
	b.is(`await (async () => { const start = performance.now(); let n = 0; await iot.subscribe("pace", () => n++, { qos: 0 });
		await Promise.all(Array.from({ length: 100 }, (_, i) => iot.publish("pace", String(i), { qos: i % 2 }))); while (n < 100) await new Promise((r) => setTimeout(r, 5)); return [n, performance.now() - start > 1500] })()`, `[100,true]`)
}

func TestTwoTabs(t *testing.T) {
	s := serve(t)
	one, two := blank(t, s), blank(t, s)
	for _, b := range []*tab{one, two} {
		b.eval(`globalThis.told = []; iot.addEventListener("closed", (e) => told.push(e.detail.error.code)); await iot.connect({ ...at, credentials: () => local.credentials, clientId: "both" })`, nil)
	}
	one.until(`iot.state === "closed"`)
	one.is(`[told, iot.stats().connects]`, `[["ERR_SUPERSEDED"],1]`)
	two.is(`[told, iot.stats().connects, iot.state]`, `[[],1,"connected"]`)
}

func TestReload(t *testing.T) {
	s := serve(t)
	n := dial(t, s, "watcher")
	n.subscribe("life/#", 1)
	b := blank(t, s)
	const connect = `await iot.connect({ ...at, credentials: () => local.credentials, cleanStart: false, will: { topic: "life/will", payload: "gone", qos: 1 } })`
	b.eval(connect+`; await iot.subscribe("life/kept", () => {}, { qos: 1 })`, nil)
	id := b.text(`iot.connection.clientId`)
	b.do(chromedp.Reload())
	n.publish("life/kept", "meanwhile", 1)
	b.eval(`const { iot } = await import("/iot.js"); const local = await (await fetch("/local.json")).json(); const at = { endpoint: local.endpoint, region: local.region };
		globalThis.got = []; iot.addEventListener("message", (e) => got.push(e.detail.text())); `+connect, nil)
	if again := b.text(`iot.connection.clientId`); again != id {
		t.Errorf("after a reload %s is %s", id, again)
	}
	b.is(`iot.connection.sessionPresent`, `true`)
	b.until(`got.includes("meanwhile")`) // for which nobody had to subscribe again
	// A duplicate of the tab is another client.
	b.is(`await (async () => { const w = window.open("/iot.js"); await new Promise((r) => (w.onload = r)); const other = await w.eval('import("/iot.js")');
		const { clientId } = await other.iot.connect({ ...at, credentials: () => local.credentials }); w.close(); return [clientId === iot.connection.clientId, iot.state] })()`, `[false,"connected"]`)
	b.eval(`await iot.publish("life/end", "", { qos: 1 })`, nil)
	for {
		m := n.message()
		if m.Topic == "life/will" {
			t.Error("a reload has sent the will")
		}
		if m.Topic == "life/end" {
			break
		}
	}
}

// What wakes a page up ends a wait, and asks a connection whether it lives.
func TestWake(t *testing.T) {
	s := serve(t, "-faults")
	b := blank(t, s)
	b.eval(`globalThis.told = []; iot.addEventListener("disconnected", (e) => told.push(e.detail.error.code));
		await iot.connect({ ...at, clientId: "w", credentials: () => local.credentials, reconnect: { minDelayMs: 600_000, maxDelayMs: 600_000 } })`, nil)
	for _, event := range []string{`dispatchEvent(new Event("online"))`, `document.dispatchEvent(new Event("visibilitychange"))`, `document.dispatchEvent(new Event("resume"))`, `dispatchEvent(new PageTransitionEvent("pageshow", { persisted: true }))`} {
		s.control(`{"cut":"w"}`)
		b.until(`iot.state === "reconnecting"`)
		b.eval(event, nil)
		b.until(`iot.state === "connected"`)
	}
	// A socket that only looks alive: nothing closes it, and the PING is not answered.
	s.control(`{"freeze":"w"}`)
	b.eval(`dispatchEvent(new Event("online"))`, nil)
	b.until(`told.at(-1) === "ERR_KEEP_ALIVE"`)
	b.is(`told.length`, `5`)
}
