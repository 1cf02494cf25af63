package e2e

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
)

func TestBrokerRestart(t *testing.T) {
	s := serve(t)
	b := openPage(t, s)
	b.eval(`globalThis.got = []; globalThis.told = [];
		for (const type of ["connecting", "connected", "disconnected", "closed"]) iot.addEventListener(type, ({ detail }) => told.push(type + (detail.error ? " " + detail.error.code : "") + (detail.recovered ? " recovered" : "")));
		for (let i = 0; i < 20; i++) await iot.subscribe("many/" + i, (m) => got.push(m.topic), { qos: 1 })`, nil)
	s.kill()
	b.until(`iot.state === "reconnecting"`)
	// What is published meanwhile waits.
	b.eval(`globalThis.queued = iot.publish("many/7", "kept", { qos: 1 })`, nil)
	b.fails(`iot.publish("many/7", "not kept")`, "IotError", "ERR_OFFLINE_QOS0", "qos: 1")
	s = serve(t, "-addr", s.addr) // with new keys, which the page's provider fetches
	b.until(`iot.state === "connected"`)
	b.is(`await queued`, `{"reasonCode":0}`)
	b.eval(`for (let i = 0; i < 20; i++) await iot.publish("many/" + i, "again", { qos: 1 })`, nil)
	b.until(`new Set(got).size === 20`)
	b.is(`told.filter((x) => x.startsWith("connected"))`, `["connected"]`) // once, and not recovered: the session went with the broker
	b.is(`told[0]`, `"disconnected ERR_CONNECTION_LOST"`)
	b.is(`iot.stats().connects`, `2`)
	b.until(`document.querySelectorAll("#subscriptions li").length === 1 && document.querySelector("#state").textContent === "connected"`)
	// A graceful stop says so.
	if code := s.interrupt(); code != 0 {
		t.Errorf("serve.go exits with %d", code)
	}
	b.until(`told.includes("disconnected ERR_DISCONNECTED")`)
}

func TestTakeover(t *testing.T) {
	s := serve(t)
	b := blank(t, s)
	b.is(`await (async () => {
		const a = new IotClient(), c = new IotClient(); const o = { ...at, credentials: local.credentials, clientId: "same" };
		await a.connect(o); const closed = new Promise((resolve) => a.addEventListener("closed", (e) => resolve(e.detail.error.code)));
		await c.connect(o); return [await closed, a.state, c.state, c.stats().connects] })()`, `["ERR_SUPERSEDED","closed","connected",1]`)
}

// embed serves one page that embeds the module from the server at s, with a
// Content-Security-Policy.
func embed(t *testing.T, policy, body string) string {
	t.Helper()
	return embedWith(t, "Content-Security-Policy", policy, body)
}

// embedWith does so with a policy in the header of that name.
func embedWith(t *testing.T, header, policy, body string) string {
	t.Helper()
	web := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/embed.js" {
			w.Header().Set("Content-Type", "text/javascript")
			_, _ = w.Write([]byte(body))
			return
		}
		if r.URL.Path != "/" {
			name := r.URL.Path
			if name == "/wrong-type/iot.wasm" { // a server that does not know wasm
				w.Header().Set("Content-Type", "application/octet-stream")
				name = "/iot.wasm"
			}
			http.ServeFile(w, r, filepath.Join(root, "www", filepath.Clean(name)))
			return
		}
		w.Header().Set(header, policy)
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		_, _ = w.Write([]byte(`<!doctype html><title>embed</title><script type="module" src="embed.js"></script>`))
	}))
	t.Cleanup(web.Close)
	return web.URL
}

func TestStrictCSP(t *testing.T) {
	s := serve(t)
	ws := "ws://" + s.addr
	url := embed(t, "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; connect-src 'self' "+ws+" http://"+s.addr, `
		import iot from "./iot.js";
		const { endpoint, region, credentials } = await (await fetch("http://`+s.addr+`/local.json")).json();
		globalThis.blocked = []; document.addEventListener("securitypolicyviolation", (e) => blocked.push(e.violatedDirective + " " + e.blockedURI));
		await iot.connect({ endpoint, region, credentials });
		await iot.subscribe("hello", (message) => (globalThis.heard = message.text()));
		await iot.publish("hello", "world");`)
	b := open(t, url)
	b.until(`globalThis.heard === "world"`)
	b.is(`blocked`, `[]`)
	// Without wasm-unsafe-eval the error says what to add.
	b = open(t, embed(t, "default-src 'none'; script-src 'self'; connect-src 'self' "+ws, `
		import iot from "./iot.js"; try { await iot.load() } catch (e) { globalThis.failed = [e.name, e.code, e.message.includes("'wasm-unsafe-eval'")] }`))
	b.until(`globalThis.failed !== undefined`)
	b.is(`failed`, `["IotError","ERR_CSP",true]`)
	// Nor without the endpoint in connect-src.
	b = open(t, embed(t, "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; connect-src 'self'", `
		import iot from "./iot.js"; try { await iot.connect({ endpoint: "`+ws+`" }) } catch (e) { globalThis.failed = [e.name, e.code, e.phase, e.message.includes("connect-src")] }`))
	b.until(`globalThis.failed !== undefined`)
	b.is(`failed`, `["IotError","ERR_CSP","open",true]`)
}

func TestLoading(t *testing.T) {
	const policy = "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; connect-src 'self'"
	for name, c := range map[string]struct{ script, want string }{
		"wrong Content-Type": {`await iot.load({ wasm: "/wrong-type/iot.wasm" }); globalThis.result = [iot.version]`, `["0.1.0"]`},
		"missing, then there": {`let code; try { await iot.load({ wasm: "/nothing/iot.wasm" }) } catch (e) { code = [e.code, e.phase, e.retryable, e.message.includes("404")] } await iot.load(); globalThis.result = code`,
			`["ERR_LOAD","load",true,true]`},
		"not wasm":        {`let code; try { await iot.load({ wasm: "/iot.js" }) } catch (e) { code = e.code } await iot.load(); globalThis.result = code`, `"ERR_LOAD"`},
		"wrong integrity": {`let code; try { await iot.load({ wasm: "/iot.wasm", integrity: "sha256-AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=" }) } catch (e) { code = e.code } globalThis.result = code`, `"ERR_LOAD"`},
		"by its build":    {`await iot.load(); globalThis.result = performance.getEntriesByType("resource").some((e) => e.name.includes("/iot.wasm?" + iot.version + "+"))`, `true`},
		"credentials meanwhile": {`let asked = 0; iot.connect({ endpoint: "ws://127.0.0.1:1", region: "x", reconnect: false, credentials: () => (asked++, { accessKeyId: "a", secretAccessKey: "b" }) })
			.catch((e) => (globalThis.result = [at, asked, e.code])); const at = asked;`, `[1,1,"ERR_CSP"]`},
		"importing fetches nothing": {`globalThis.result = performance.getEntriesByType("resource").filter((e) => e.name.includes(".wasm")).length`, `0`},
	} {
		t.Run(name, func(t *testing.T) {
			b := open(t, embed(t, policy, `import iot from "./iot.js"; `+c.script))
			b.until(`globalThis.result !== undefined`)
			b.is(`result`, c.want)
		})
	}
}

// A page of another origin on this machine may use the stand-in; one from
// elsewhere, or by another name for this machine, may not.
func TestGuard(t *testing.T) {
	s := serve(t)
	for _, c := range []struct{ host, origin, want string }{
		{s.addr, "http://localhost:5173", "200"},
		{s.addr, "http://evil.example", "403"},
		{"evil.example", "http://evil.example", "403"},
		{"evil.example", "", "403"},
	} {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, s.url+"local.json", nil)
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

func TestServeSaysWhatIsWrong(t *testing.T) {
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
		cmd := exec.CommandContext(ctx, serveBinary, c.args...)
		cmd.Dir = root
		var stderr bytes.Buffer
		cmd.Stderr = &stderr
		_ = cmd.Run()
		cancel()
		if cmd.ProcessState.ExitCode() != c.code || !strings.Contains(stderr.String(), c.want) {
			t.Errorf("%v: exit code %d, %q", c.args, cmd.ProcessState.ExitCode(), stderr.String())
		}
	}
}

func TestLeavingThePage(t *testing.T) {
	s := serve(t)
	n := dial(t, s, "watcher")
	n.subscribe("last/words", 1)
	b := blank(t, s)
	b.eval(`await iot.connect({ ...at, credentials: local.credentials, will: { topic: "last/words", payload: "gone", qos: 1, delay: 0 }, sessionExpiry: 0 })`, nil)
	b.eval(`await iot.disconnect()`, nil) // no will
	b.eval(`await iot.connect({ ...at, credentials: local.credentials, will: { topic: "last/words", payload: "cut off", qos: 1, delay: 0 }, sessionExpiry: 0 })`, nil)
	if err := chromedp.Cancel(b.ctx); err != nil { // closes the tab
		t.Fatal(err)
	}
	if m := n.message(); string(m.Payload) != "cut off" {
		t.Errorf("the will is %q", m.Payload)
	}
}

// Every request has an end and a bound, whatever its client does; what has become
// a WebSocket is not cut by the request's deadline.
func TestUnfinishedRequests(t *testing.T) {
	t.Parallel()
	s := serve(t, "-faults")
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
			c, err := net.Dial("tcp", s.addr)
			if err != nil {
				t.Errorf("%s: %v", name, err)
				return
			}
			defer c.Close()
			_, _ = io.WriteString(c, text)
			_ = c.SetReadDeadline(time.Now().Add(time.Minute))
			if _, err := io.Copy(io.Discard, c); errors.Is(err, os.ErrDeadlineExceeded) {
				t.Errorf("an unfinished %s is waited for after a minute", name)
			}
		})
	}
	all.Wait()
	n.publish("still/here", "and well", 0)
	if m := n.message(); string(m.Payload) != "and well" {
		t.Errorf("%q", m.Payload)
	}

	for name, c := range map[string]struct{ header, body, want string }{
		"header":           {strings.Repeat("x", 128<<10), "", "431"},
		"body for Cognito": {"", `{"IdentityPoolId":"` + strings.Repeat("x", 128<<10) + `"}`, "400"},
		"body for control": {"", `{"cut":"` + strings.Repeat("x", 128<<10) + `"}`, "400"},
	} {
		path := "control"
		if strings.HasSuffix(name, "Cognito") {
			path = "cognito"
		}
		r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, s.url+path, strings.NewReader(c.body))
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
