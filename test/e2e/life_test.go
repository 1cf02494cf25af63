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

	"iot.wasm/test/harness"
)

// Each of forty reconnects uses new credentials. Credentials are valid for three seconds.
func TestFortyReconnects(t *testing.T) {
	t.Parallel()
	s := harness.Serve(t, "-faults", "-attach-policy", "-cognito-lifetime", "3s")
	b := openModule(t, s)
	b.Eval(harness.WatchWasm, nil)
	b.Eval(`const { cognito } = await import("/cognito.js");
		globalThis.keys = []; globalThis.got = new Set(); globalThis.sent = []; globalThis.errors = [];
		const credentials = async () => { const c = await cognito({ ...local.cognito, logins: { localhost: "ann" }, storage: null })(); keys.push(c.accessKeyId); return c };
		await iot.connect({ ...at, clientId: "forty", credentials, reconnect: { minDelayMs: 5, maxDelayMs: 50 } });
		await iot.subscribe("forty/#", (m) => got.add(m.text()), { qos: 1 });
		iot.addEventListener("disconnected", (e) => errors.push(e.detail.error.code))`, nil)
	for i := range 40 {
		b.Eval(fmt.Sprintf(`for (let n = 0; n < 25; n++) sent.push(iot.publish("forty/" + n, "%d." + n, { qos: 1 }))`, i), nil)
		s.Control(`{"cut":"forty"}`)
		b.Until(fmt.Sprintf(`iot.stats().connects === %d`, i+2))
		if i == 5 {
			b.Eval(`globalThis.before = wasm.mem.buffer.byteLength`, nil)
		}
	}
	b.Is(`(await Promise.all(sent)).length`, `1000`)
	b.Until(`got.size === 1000`)
	b.Is(`[new Set(keys).size, keys.length, new Set(errors).size]`, `[41,41,1]`)
	b.Is(`wasm.mem.buffer.byteLength - before < 2 * 2 ** 20`, `true`)
}

// The connection is cut two hundred times. Each time, the page publishes a thousand messages,
// and the cut follows the acknowledgement of a random one.
func TestTwoHundredCuts(t *testing.T) {
	t.Parallel()
	s := harness.Serve(t, "-faults")
	b := openModule(t, s)
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
	b.Eval(`await iot.connect({ ...at, clientId: "c", credentials: () => local.credentials, reconnect: { minDelayMs: 1, maxDelayMs: 20 }, offline: { maxMessages: 5000 } });
		globalThis.delivered = 0; globalThis.rejected = 0; globalThis.acknowledged = 0;
		globalThis.burst = (round) => Promise.all(Array.from({ length: 1000 }, (_, i) => iot.publish("cut/t", round + "." + i, { qos: 1 }).then(() => { delivered++; acknowledged = i }, () => rejected++)))`, nil)
	random := rand.New(rand.NewPCG(7, 7))
	for round := range 200 {
		b.Eval(fmt.Sprintf(`globalThis.acknowledged = -1; globalThis.done = burst(%d); while (acknowledged < %d) await new Promise((r) => setTimeout(r))`, round, random.IntN(900)), nil)
		s.Control(`{"cut":"c"}`)
		b.Eval(`await done`, nil)
	}
	b.Is(`[delivered, rejected, iot.stats().inflight, iot.stats().queued]`, `[200000,0,0,0]`)
	b.Eval(`await iot.publish("cut/end", "", { qos: 1 })`, nil)
	select {
	case all := <-seen:
		if len(all) != 200_000 {
			t.Errorf("%d of 200,000 acknowledged messages have arrived", len(all))
		}
	case <-time.After(time.Minute):
		t.Error("the last message does not arrive at the witness")
	}
}

// The page connects to a real endpoint name over TLS. The browser resolves the name to
// this machine.
func TestRealEndpointName(t *testing.T) {
	const host = "a1b2c3d4e5f6g7-ats.iot.us-east-1.amazonaws.com"
	s := harness.Serve(t, "-faults", "-attach-policy", "-allow-host", host)
	target, err := url.Parse(s.URL)
	if err != nil {
		t.Fatal(err)
	}
	aws := httptest.NewTLSServer(&httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) {
		r.SetURL(target)
		r.Out.Host = r.In.Host // the signature covers the host
	}})
	t.Cleanup(aws.Close)
	ctx, stop, err := harness.LaunchChromium(context.Background(), chromedp.Flag("host-resolver-rules", "MAP *.amazonaws.com:443 "+aws.Listener.Addr().String()+", MAP * ~NOTFOUND, EXCLUDE 127.0.0.1"), chromedp.IgnoreCertErrors)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(stop)
	b := harness.Open(t, ctx, s.URL+"iot.js", patience)
	loadModule(b)
	b.Eval(`const { cognito } = await import("/cognito.js");
		globalThis.errors = []; iot.addEventListener("disconnected", (e) => errors.push(e.detail.error.code)); globalThis.got = [];
		await iot.connect({ endpoint: "`+host+`", clientId: "real", credentials: cognito({ ...local.cognito, logins: { localhost: "ann" } }), reconnect: { minDelayMs: 5, maxDelayMs: 100 } });
		await iot.subscribe("real", (m) => got.push(m.text()), { qos: 1 }); await iot.publish("real", "one", { qos: 1 })`, nil)
	// The credentials are revoked before they expire, so the client requests new ones from the provider.
	s.Control(`{"expireCredentials":true,"cut":"real"}`)
	b.Until(`iot.stats().connects === 2`)
	b.Eval(`await iot.publish("real", "two", { qos: 1 })`, nil)
	b.Until(`got.at(-1) === "two"`) // "one" may arrive twice, because its PUBACK may have been lost
	b.Is(`errors[0]`, `"ERR_CONNECTION_LOST"`)
	b.Is(`errors.slice(1).every((c) => c === "ERR_CREDENTIALS_EXPIRED" || c === "ERR_ACCESS_KEY")`, `true`)
	// The client enforces the quotas of AWS IoT Core for this name.
	b.Fails(`iot.publish("1/2/3/4/5/6/7/8/9", "")`, "IotError", "ERR_QUOTA")
	b.Fails(`iot.publish("t", new Uint8Array(131073))`, "IotError", "ERR_QUOTA", "131073", "131072")
	b.Fails(`iot.publish("t", "", { qos: 2 })`, "IotError", "ERR_QUOTA")
	b.Fails(`iot.subscribe("x".repeat(257))`, "IotError", "ERR_QUOTA", "257")
	// The client limits sent and received messages together to a hundred per second. It loses no message.
	b.Is(`await (async () => { const start = performance.now(); let n = 0; await iot.subscribe("pace", () => n++, { qos: 0 });
		await Promise.all(Array.from({ length: 100 }, (_, i) => iot.publish("pace", String(i), { qos: i % 2 }))); while (n < 100) await new Promise((r) => setTimeout(r, 5)); return [n, performance.now() - start > 1500] })()`, `[100,true]`)
}

func TestTwoTabs(t *testing.T) {
	s := harness.Serve(t)
	one, two := openModule(t, s), openModule(t, s)
	for _, b := range []*harness.Tab{one, two} {
		b.Eval(`globalThis.errors = []; iot.addEventListener("closed", (e) => errors.push(e.detail.error.code)); await iot.connect({ ...at, credentials: () => local.credentials, clientId: "both" })`, nil)
	}
	one.Until(`iot.state === "closed"`)
	one.Is(`[errors, iot.stats().connects]`, `[["ERR_SUPERSEDED"],1]`)
	two.Is(`[errors, iot.stats().connects, iot.state]`, `[[],1,"connected"]`)
}

func TestReload(t *testing.T) {
	s := harness.Serve(t)
	n := dial(t, s, "watcher")
	n.subscribe("life/#", 1)
	b := openModule(t, s)
	const connect = `await iot.connect({ ...at, credentials: () => local.credentials, cleanStart: false, will: { topic: "life/will", payload: "gone", qos: 1 } })`
	b.Eval(connect+`; await iot.subscribe("life/kept", () => {}, { qos: 1 })`, nil)
	id := b.Text(`iot.connection.clientId`)
	b.Do(chromedp.Reload())
	n.publish("life/kept", "meanwhile", 1)
	loadModule(b)
	b.Eval(`globalThis.got = []; iot.addEventListener("message", (e) => got.push(e.detail.text())); `+connect, nil)
	if again := b.Text(`iot.connection.clientId`); again != id {
		t.Errorf("the client id was %s, and is %s after a reload", id, again)
	}
	b.Is(`iot.connection.sessionPresent`, `true`)
	b.Until(`got.includes("meanwhile")`) // the session contains the subscription
	// A duplicate of the tab has another client id.
	b.Is(`await (async () => { const w = window.open("/iot.js"); await new Promise((r) => (w.onload = r)); const other = await w.eval('import("/iot.js")');
		const { clientId } = await other.iot.connect({ ...at, credentials: () => local.credentials }); w.close(); return [clientId === iot.connection.clientId, iot.state] })()`, `[false,"connected"]`)
	b.Eval(`await iot.publish("life/end", "", { qos: 1 })`, nil)
	for {
		m := n.message()
		if m.Topic == "life/will" {
			t.Error("the broker has published the will at a reload")
		}
		if m.Topic == "life/end" {
			break
		}
	}
}

// The events of a page that becomes active again end the back-off, and make the client
// send PINGREQ.
func TestWake(t *testing.T) {
	s := harness.Serve(t, "-faults")
	b := openModule(t, s)
	b.Eval(`globalThis.errors = []; iot.addEventListener("disconnected", (e) => errors.push(e.detail.error.code));
		await iot.connect({ ...at, clientId: "w", credentials: () => local.credentials, reconnect: { minDelayMs: 600_000, maxDelayMs: 600_000 } })`, nil)
	for _, event := range []string{`dispatchEvent(new Event("online"))`, `document.dispatchEvent(new Event("visibilitychange"))`, `document.dispatchEvent(new Event("resume"))`, `dispatchEvent(new PageTransitionEvent("pageshow", { persisted: true }))`} {
		s.Control(`{"cut":"w"}`)
		b.Until(`iot.state === "reconnecting"`)
		b.Eval(event, nil)
		b.Until(`iot.state === "connected"`)
	}
	// The connection becomes half-open: the socket stays open, and PINGREQ has no answer.
	s.Control(`{"freeze":"w"}`)
	b.Eval(`dispatchEvent(new Event("online"))`, nil)
	b.Until(`errors.at(-1) === "ERR_KEEP_ALIVE"`)
	b.Is(`errors.length`, `5`)
}
