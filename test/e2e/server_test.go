package e2e

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"iot.wasm/test/harness"
)

func TestBrokerRestart(t *testing.T) {
	s := harness.Serve(t)
	b := openPage(t, s)
	b.Eval(`globalThis.got = []; globalThis.events = [];
		for (const type of ["connecting", "connected", "disconnected", "closed"]) iot.addEventListener(type, ({ detail }) => events.push(type + (detail.error ? " " + detail.error.code : "") + (detail.recovered ? " recovered" : "")));
		for (let i = 0; i < 20; i++) await iot.subscribe("many/" + i, (m) => got.push(m.topic), { qos: 1 })`, nil)
	s.Kill()
	b.Until(`iot.state === "reconnecting"`)
	// A message of QoS 1 is queued while the client is offline.
	b.Eval(`globalThis.queued = iot.publish("many/7", "queued", { qos: 1 })`, nil)
	b.Fails(`iot.publish("many/7", "not queued")`, "IotError", "ERR_OFFLINE_QOS0")
	s = harness.Serve(t, "-addr", s.Addr) // the new server has new credentials, which the page's provider fetches
	b.Until(`iot.state === "connected"`)
	b.Is(`await queued`, `{"reasonCode":0}`)
	b.Eval(`for (let i = 0; i < 20; i++) await iot.publish("many/" + i, "again", { qos: 1 })`, nil)
	b.Until(`new Set(got).size === 20`)
	b.Is(`events.filter((x) => x.startsWith("connected"))`, `["connected"]`) // the session is not recovered, because the new broker has no sessions
	b.Is(`events[0]`, `"disconnected ERR_CONNECTION_LOST"`)
	b.Is(`iot.stats().connects`, `2`)
	b.Until(`document.querySelectorAll("#subscriptions li").length === 1 && document.querySelector("#state").textContent === "connected"`)
	// A graceful shutdown sends DISCONNECT.
	if code := s.Interrupt(); code != 0 {
		t.Errorf("serve.go exits with %d, want 0", code)
	}
	b.Until(`events.includes("disconnected ERR_DISCONNECTED")`)
}

func TestTakeover(t *testing.T) {
	s := harness.Serve(t)
	b := openModule(t, s)
	b.Is(`await (async () => {
		const a = new IotClient(), c = new IotClient(); const o = { ...at, credentials: local.credentials, clientId: "same" };
		await a.connect(o); const closed = new Promise((resolve) => a.addEventListener("closed", (e) => resolve(e.detail.error.code)));
		await c.connect(o); return [await closed, a.state, c.state, c.stats().connects] })()`, `["ERR_SUPERSEDED","closed","connected",1]`)
}

func TestStrictCSP(t *testing.T) {
	s := harness.Serve(t)
	ws := "ws://" + s.Addr
	url := embed(t, "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; connect-src 'self' "+ws+" http://"+s.Addr, `
		import iot from "./iot.js";
		const { endpoint, region, credentials } = await (await fetch("http://`+s.Addr+`/local.json")).json();
		globalThis.blocked = []; document.addEventListener("securitypolicyviolation", (e) => blocked.push(e.violatedDirective + " " + e.blockedURI));
		await iot.connect({ endpoint, region, credentials });
		await iot.subscribe("hello", (message) => (globalThis.received = message.text()));
		await iot.publish("hello", "world");`)
	b := open(t, url)
	b.Until(`globalThis.received === "world"`)
	b.Is(`blocked`, `[]`)
	// The error names the missing source: wasm-unsafe-eval, or connect-src for the endpoint.
	b = open(t, embed(t, "default-src 'none'; script-src 'self'; connect-src 'self' "+ws, `
		import iot from "./iot.js"; try { await iot.load() } catch (e) { globalThis.failed = [e.name, e.code, e.message.includes("'wasm-unsafe-eval'")] }`))
	b.Until(`globalThis.failed !== undefined`)
	b.Is(`failed`, `["IotError","ERR_CSP",true]`)

	b = open(t, embed(t, "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; connect-src 'self'", `
		import iot from "./iot.js"; try { await iot.connect({ endpoint: "`+ws+`" }) } catch (e) { globalThis.failed = [e.name, e.code, e.phase, e.message.includes("connect-src")] }`))
	b.Until(`globalThis.failed !== undefined`)
	b.Is(`failed`, `["IotError","ERR_CSP","open",true]`)
}

func TestLoading(t *testing.T) {
	const policy = "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; connect-src 'self'"
	for name, c := range map[string]struct{ script, want string }{
		"wrong Content-Type": {`await iot.load({ wasm: "/wrong-type/iot.wasm" }); globalThis.result = [iot.version]`, `["0.1.0"]`},
		"missing, then present": {`let code; try { await iot.load({ wasm: "/nothing/iot.wasm" }) } catch (e) { code = [e.code, e.phase, e.retryable, e.message.includes("404")] } await iot.load(); globalThis.result = code`,
			`["ERR_LOAD","load",true,true]`},
		"not wasm":        {`let code; try { await iot.load({ wasm: "/iot.js" }) } catch (e) { code = e.code } await iot.load(); globalThis.result = code`, `"ERR_LOAD"`},
		"wrong integrity": {`let code; try { await iot.load({ wasm: "/iot.wasm", integrity: "sha256-AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=" }) } catch (e) { code = e.code } globalThis.result = code`, `"ERR_LOAD"`},
		"version in URL":  {`await iot.load(); globalThis.result = performance.getEntriesByType("resource").some((e) => e.name.includes("/iot.wasm?" + iot.version + "+"))`, `true`},
		"provider called while loading": {`let calls = 0; iot.connect({ endpoint: "ws://127.0.0.1:1", region: "x", reconnect: false, credentials: () => (calls++, { accessKeyId: "a", secretAccessKey: "b" }) })
			.catch((e) => (globalThis.result = [before, calls, e.code])); const before = calls;`, `[1,1,"ERR_CSP"]`},
		"import does not fetch the wasm": {`globalThis.result = performance.getEntriesByType("resource").filter((e) => e.name.includes(".wasm")).length`, `0`},
	} {
		t.Run(name, func(t *testing.T) {
			b := open(t, embed(t, policy, `import iot from "./iot.js"; `+c.script))
			b.Until(`globalThis.result !== undefined`)
			b.Is(`result`, c.want)
		})
	}
}

// The stand-in accepts requests of pages of this machine. It refuses requests of other
// origins, and requests whose Host header contains another host name.
func TestGuard(t *testing.T) {
	s := harness.Serve(t)
	for _, c := range []struct{ host, origin, want string }{
		{s.Addr, "http://localhost:5173", "200"},
		{s.Addr, "http://evil.example", "403"},
		{"evil.example", "http://evil.example", "403"},
		{"evil.example", "", "403"},
	} {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, s.URL+"local.json", nil)
		if err != nil {
			t.Fatal(err)
		}
		r.Host = c.host
		if c.origin != "" {
			r.Header.Set("Origin", c.origin)
		}
		response, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		response.Body.Close()
		if got := response.Status[:3]; got != c.want {
			t.Errorf("Host %s, Origin %s: %s, want %s", c.host, c.origin, got, c.want)
		}
	}
}

func TestServeErrors(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	_, port, _ := net.SplitHostPort(taken.Addr().String())
	for _, c := range []struct {
		args []string
		code int
		want string
	}{
		{[]string{"-addr", "127.0.0.1:" + port}, 1, "port " + port + " is taken; choose another with -addr"},
		{[]string{"-www", t.TempDir()}, 1, "iot.wasm is missing; run: make wasm"},
		{[]string{"-www", "nowhere"}, 1, "run this from the project's folder"},
		{[]string{"-adr", "x"}, 2, "flag provided but not defined: -adr"},
		{[]string{"stray"}, 2, "takes flags only"},
	} {
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
		cmd := harness.ServeCommand(ctx, c.args...)
		var stderr bytes.Buffer
		cmd.Stderr = &stderr
		_ = cmd.Run()
		cancel()
		if cmd.ProcessState.ExitCode() != c.code || !strings.Contains(stderr.String(), c.want) {
			t.Errorf("%v: exit code %d, %q; want %d, %q", c.args, cmd.ProcessState.ExitCode(), stderr.String(), c.code, c.want)
		}
	}
}

// The broker publishes the will when the tab is closed, but not after disconnect().
func TestClosingTheTab(t *testing.T) {
	s := harness.Serve(t)
	n, events := dial(t, s, "watcher"), dial(t, s, "events")
	n.subscribe("last/words", 1)
	events.subscribe("$aws/events/presence/disconnected/tab", 1)
	b := openModule(t, s)
	b.Eval(`await iot.connect({ ...at, clientId: "tab", credentials: local.credentials, will: { topic: "last/words", payload: "gone", qos: 1, delay: 0 }, sessionExpiry: 0 })`, nil)
	b.Eval(`await iot.disconnect()`, nil)
	events.message() // The broker has handled the DISCONNECT before it accepts the next connection.
	b.Eval(`await iot.connect({ ...at, credentials: local.credentials, will: { topic: "last/words", payload: "cut off", qos: 1, delay: 0 }, sessionExpiry: 0 })`, nil)
	b.Close()
	if m := n.message(); string(m.Payload) != "cut off" {
		t.Errorf("the will is %q, want cut off", m.Payload)
	}
}

// A will has the properties of a message. mosquitto publishes all of them. The stand-in
// publishes only the user properties.
func TestWillProperties(t *testing.T) {
	s := harness.Serve(t)
	endpoint := mosquitto(t, "allow_anonymous true")
	watcher, b := openModule(t, s), openModule(t, s)
	watcher.Eval(`globalThis.got = []; await iot.connect({ endpoint: "`+endpoint+`" }); await iot.subscribe("will", (m) => got.push(m), { qos: 1 })`, nil)
	b.Eval(`await iot.connect({ endpoint: "`+endpoint+`", sessionExpiry: 0, will: { topic: "will", payload: { json: [1] }, qos: 1, delay: 0, utf8: true, messageExpiry: 60,
		contentType: "application/json", responseTopic: "reply", correlationData: Uint8Array.of(7), userProperties: { k: "v" } } })`, nil)
	b.Close()
	watcher.Until(`got.length === 1`)
	watcher.Is(`(({ qos, utf8, contentType, responseTopic, correlationData, messageExpiry, userProperties }) =>
		[got[0].json(), qos, utf8, contentType, responseTopic, [...correlationData], messageExpiry > 0 && messageExpiry <= 60, userProperties])(got[0])`,
		`[[1],1,true,"application/json","reply",[7],true,[["k","v"]]]`)
}

// The server limits the time and the size of every request. The time limit does not apply to
// a WebSocket.
func TestUnfinishedRequests(t *testing.T) {
	t.Parallel()
	s := harness.Serve(t, "-faults")
	n := dial(t, s, "long lived")
	n.subscribe("still/here", 1)

	const headers = " HTTP/1.1\r\nHost: localhost\r\nX-Amz-Target: AWSCognitoIdentityService.GetId\r\n"
	unfinished := map[string]string{
		"request line":       "GET /lo",
		"header":             "GET / HTTP/1.1\r\nHost: local",
		"body for Cognito":   "POST /cognito" + headers + "Content-Length: 100\r\n\r\n{",
		"body for control":   "POST /control" + headers + "Content-Length: 100\r\n\r\n{",
		"chunk":              "POST /cognito" + headers + "Transfer-Encoding: chunked\r\n\r\n64\r\n{",
		"body of a GET":      "GET /iot.js" + headers + "Content-Length: 100\r\n\r\n{",
		"body for a refusal": "GET /mqtt" + headers + "Content-Length: 100\r\n\r\n{",
	}
	var all sync.WaitGroup
	for name, text := range unfinished {
		all.Go(func() {
			c, err := net.Dial("tcp", s.Addr)
			if err != nil {
				t.Errorf("%s: %v", name, err)
				return
			}
			defer c.Close()
			_, _ = io.WriteString(c, text)
			_ = c.SetReadDeadline(time.Now().Add(time.Minute))
			if _, err := io.Copy(io.Discard, c); errors.Is(err, os.ErrDeadlineExceeded) {
				t.Errorf("the server still waits for an unfinished %s after a minute", name)
			}
		})
	}
	all.Wait()
	n.publish("still/here", "x", 0)
	if m := n.message(); string(m.Payload) != "x" {
		t.Errorf("the received payload is %q, want x", m.Payload)
	}

	for name, c := range map[string]struct{ header, body, want string }{
		"header":           {strings.Repeat("x", 128<<10), "", "431"},
		"body for Cognito": {"", `{"IdentityPoolId":"` + strings.Repeat("x", 128<<10) + `"}`, "413"},
		"body for control": {"", `{"cut":"` + strings.Repeat("x", 128<<10) + `"}`, "400"},
	} {
		path := "control"
		if strings.HasSuffix(name, "Cognito") {
			path = "cognito"
		}
		r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, s.URL+path, strings.NewReader(c.body))
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("X-Amz-Target", "AWSCognitoIdentityService.GetId")
		if c.header != "" {
			r.Header.Set("X-Large", c.header)
		}
		response, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		response.Body.Close()
		if got := response.Status[:3]; got != c.want {
			t.Errorf("a large %s: %s, want %s", name, got, c.want)
		}
	}
}
