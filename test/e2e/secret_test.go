package e2e

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"iot.wasm/test/harness"
)

// reports is a server that receives the violation reports of a Content-Security-Policy.
type reports struct {
	url string
	mu  sync.Mutex
	all []string
}

func receiveReports(t *testing.T) *reports {
	t.Helper()
	r := &reports{}
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, request *http.Request) {
		body, _ := io.ReadAll(request.Body)
		r.mu.Lock()
		defer r.mu.Unlock()
		r.all = append(r.all, string(body))
	}))
	t.Cleanup(server.Close)
	r.url = server.URL
	return r
}

func (r *reports) text() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return strings.Join(r.all, "\n")
}

// A client determines the reason for a refusal by an HTTP request. If a policy of the page
// does not allow that request, the error has a general code. No violation report contains
// a signed URL.
func TestReportsContainNoSecret(t *testing.T) {
	t.Parallel()
	s := harness.Serve(t)
	for _, c := range []struct {
		name, header, sources, code string
		reported                    bool
	}{
		{"forbidden", "Content-Security-Policy", "ws://" + s.Addr, "ERR_UNREACHABLE", true},
		{"report-only policy", "Content-Security-Policy-Report-Only", "ws://" + s.Addr, "ERR_FORBIDDEN", true},
		{"allowed", "Content-Security-Policy", "ws://" + s.Addr + " http://" + s.Addr, "ERR_SIGNATURE", false},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := receiveReports(t)
			policy := "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; connect-src 'self' " + c.sources + "; report-uri " + r.url
			page := embedWith(t, c.header, policy, `import iot from "./iot.js";
				globalThis.violations = []; document.addEventListener("securitypolicyviolation", (e) => violations.push(e.blockedURI));
				const credentials = { accessKeyId: "AKIDEXAMPLE", secretAccessKey: "wrong-secret", sessionToken: "secret-session-token" };
				iot.connect({ endpoint: "ws://`+s.Addr+`", region: "us-east-1", credentials, reconnect: false }).catch((e) => (globalThis.failed = { code: e.code, message: e.message }))`)
			b := open(t, page)
			b.Until(`globalThis.failed !== undefined`)
			code := b.Text(`failed.code`)
			if c.code == "ERR_SIGNATURE" && code == "ERR_ACCESS_KEY" {
				code = c.code // the stand-in has no such key
			}
			if code != c.code {
				t.Errorf("connect() rejects with %s, want %s: %s", code, c.code, b.Text(`failed.message`))
			}
			if c.reported {
				b.Until(`violations.length > 0`)
				for r.text() == "" { // the browser delays the report
					b.Eval(`await new Promise((resolve) => setTimeout(resolve, 20))`, nil)
				}
			}
			for _, secret := range []string{"X-Amz-Signature", "secret-session-token"} {
				if strings.Contains(r.text(), secret) || strings.Contains(b.Text(`violations.join() + failed.message`), secret) {
					t.Errorf("a report contains %s: %s", secret, r.text())
				}
			}
		})
	}
}

// The client reads a bounded part of a response that explains a refusal. cognito() does
// the same.
func TestEndlessResponse(t *testing.T) {
	t.Parallel()
	sent := make(chan int, 1)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Access-Control-Allow-Origin", "*")
		w.Header().Set("Access-Control-Allow-Headers", "Content-Type, X-Amz-Target")
		if r.Method == http.MethodOptions {
			return
		}
		w.WriteHeader(http.StatusForbidden)
		if r.Header.Get("Upgrade") != "" {
			return
		}
		n := 0
		for chunk := []byte(strings.Repeat("x", 1<<16)); n < 1<<30; n += len(chunk) {
			if _, err := w.Write(chunk); err != nil {
				break
			}
		}
		sent <- n
	}))
	t.Cleanup(server.Close)
	b := openModule(t, harness.Serve(t))
	b.Fails(`iot.connect({ endpoint: "ws`+strings.TrimPrefix(server.URL, "http")+`", reconnect: false })`, "IotError", "ERR_FORBIDDEN")
	if n := <-sent; n > 64<<20 {
		t.Errorf("the page has received %d bytes", n)
	}
	b.Fails(`import("/cognito.js").then(({ cognito }) => cognito({ identityPoolId: "us-east-1:0", endpoint: "`+server.URL+`", storage: null })())`, "IotError", "ERR_COGNITO_RESPONSE")
	if n := <-sent; n > 64<<20 {
		t.Errorf("cognito() has received %d bytes", n)
	}
}

// The event packet contains no secret of the connection, neither where the client sends it nor
// where a message repeats it.
func TestPacketsContainNoSecret(t *testing.T) {
	t.Parallel()
	s := harness.Serve(t)
	b := openModule(t, s)
	b.Is(`await (async () => {
		const client = new IotClient(), packets = [];
		client.addEventListener("packet", ({ detail }) => packets.push(detail));
		await client.connect({ ...at, credentials: local.credentials, username: "u?x-amz-customauthorizer-signature=inUser", password: "pass/word!", reconnect: false });
		await client.publish("t", [JSON.stringify(local.credentials), "pass/word!", "pass\\/word!", "pass%2Fword%21"].join());
		await client.disconnect();
		const text = packets.map(({ bytes }) => new TextDecoder().decode(bytes)).join(" ");
		const { secretAccessKey, sessionToken } = local.credentials;
		return [packets.length, [secretAccessKey, sessionToken].some((secret) => secret && text.includes(secret)), /inUser|pass.{1,3}word/.test(text), text.includes("*********")] })()`, `[4,false,false,true]`)
}

// The text of a server or of the page's provider may contain a secret. The message of the
// client's error does not contain the secret. The cause of that error is the provider's error.
func TestForeignTextsAreRedacted(t *testing.T) {
	t.Parallel()
	s := harness.Serve(t)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { // its response quotes the request
		w.Header().Set("Access-Control-Allow-Origin", "*")
		w.WriteHeader(http.StatusForbidden)
		if r.Header.Get("Upgrade") == "" {
			fmt.Fprintf(w, `{"message":"no: %s and %s"}`, r.URL.Query().Get("token"), r.URL.RawQuery)
		}
	}))
	t.Cleanup(server.Close)
	b := openModule(t, s)
	b.Eval(`globalThis.failure = async (options) => { try { await new IotClient().connect({ reconnect: false, ...options }); } catch (e) { return [e.code, e.message, e.cause?.message ?? ""]; } }`, nil)
	b.Is(`await (async () => { const [code, message] = await failure({ endpoint: "ws`+strings.TrimPrefix(server.URL, "http")+`", authorizer: { name: "a", tokenKeyName: "token", token: "to/ken with+signs", tokenSignature: "sig==" } });
		return [code, message.includes("no: [redacted]"), /ken.{1,3}with|signs|sig(==|%3D)/i.test(message)] })()`, `["ERR_FORBIDDEN",true,false]`)
	b.Is(`await (async () => { const [code, message, cause] = await failure({ url: () => { throw new Error('{"X-Amz-Signature":"0123abcd"}') } });
		return [code, message.includes("0123abcd"), cause] })()`, `["ERR_CREDENTIALS",false,"{\"X-Amz-Signature\":\"0123abcd\"}"]`)
	b.Is(`await (async () => { const [code, message] = await failure({ url: 'ws://127.0.0.1:1/mq tt?X-Amz-Signature="0123 abcd"' }); return [code, /0123|abcd/.test(message)] })()`, `["ERR_UNREACHABLE",false]`)
	b.Is(`await (async () => { const [code, message] = await failure({ url: 'ws://127.0.0.1:99999/mqtt?X-Amz-Signature="0123 abcd"' }); return [/^ERR_(URL|WEBSOCKET)$/.test(code), /0123|abcd/.test(message)] })()`, `[true,false]`)
}
