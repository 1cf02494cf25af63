package e2e

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
)

// reports is a server for a policy's violation reports.
type reports struct {
	url string
	mu  sync.Mutex
	all []string
}

func collect(t *testing.T) *reports {
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

// A page whose policy does not allow the endpoint by http: is told less, and its
// reports hold no signed URL. Where the policy allows it, the reason is told.
func TestReportsHoldNoSecret(t *testing.T) {
	t.Parallel()
	s := serve(t)
	for _, c := range []struct {
		name, header, sources, code string
		reported                    bool
	}{
		{"forbidden", "Content-Security-Policy", "ws://" + s.addr, "ERR_UNREACHABLE", true},
		{"reported only", "Content-Security-Policy-Report-Only", "ws://" + s.addr, "ERR_FORBIDDEN", true},
		{"allowed", "Content-Security-Policy", "ws://" + s.addr + " http://" + s.addr, "ERR_SIGNATURE", false},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := collect(t)
			policy := "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; connect-src 'self' " + c.sources + "; report-uri " + r.url
			page := embedWith(t, c.header, policy, `import iot from "./iot.js";
				globalThis.violations = []; document.addEventListener("securitypolicyviolation", (e) => violations.push(e.blockedURI));
				const credentials = { accessKeyId: "AKIDEXAMPLE", secretAccessKey: "wrong-secret", sessionToken: "secret-session-token" };
				iot.connect({ endpoint: "ws://`+s.addr+`", region: "us-east-1", credentials, reconnect: false }).catch((e) => (globalThis.failed = { code: e.code, message: e.message }))`)
			b := open(t, page)
			b.until(`globalThis.failed !== undefined`)
			code := b.text(`failed.code`)
			if c.code == "ERR_SIGNATURE" && code == "ERR_ACCESS_KEY" {
				code = c.code // the key is unknown to the stand-in, which the answer says
			}
			if code != c.code {
				t.Errorf("it fails with %s, want %s: %s", code, c.code, b.text(`failed.message`))
			}
			if c.reported {
				b.until(`violations.length > 0`)
				for r.text() == "" { // the browser sends it when it has time
					b.eval(`await new Promise((resolve) => setTimeout(resolve, 20))`, nil)
				}
			}
			for _, secret := range []string{"X-Amz-Signature", "secret-session-token"} {
				if strings.Contains(r.text(), secret) || strings.Contains(b.text(`violations.join() + failed.message`), secret) {
					t.Errorf("%s is in a report: %s", secret, r.text())
				}
			}
		})
	}
}

// What answers the question why a socket did not open may be endless.
func TestEndlessAnswer(t *testing.T) {
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
	b := blank(t, serve(t))
	b.fails(`iot.connect({ endpoint: "ws`+strings.TrimPrefix(server.URL, "http")+`", reconnect: false })`, "IotError", "ERR_FORBIDDEN")
	if n := <-sent; n > 64<<20 {
		t.Errorf("the page has taken %d bytes", n)
	}
	// So may be what answers in Cognito's place.
	b.fails(`import("/cognito.js").then(({ cognito }) => cognito({ identityPoolId: "us-east-1:0", endpoint: "`+server.URL+`", storage: null })())`, "IotError", "ERR_COGNITO_RESPONSE")
	if n := <-sent; n > 64<<20 {
		t.Errorf("cognito() has taken %d bytes", n)
	}
}

// Words that are not ours carry no secret into an error, and the page's own error is
// the cause.
func TestWordsOfOthers(t *testing.T) {
	t.Parallel()
	s := serve(t)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { // which quotes what it was asked
		w.Header().Set("Access-Control-Allow-Origin", "*")
		w.WriteHeader(http.StatusForbidden)
		if r.Header.Get("Upgrade") == "" {
			fmt.Fprintf(w, `{"message":"no: %s and %s"}`, r.URL.Query().Get("token"), r.URL.RawQuery)
		}
	}))
	t.Cleanup(server.Close)
	b := blank(t, s)
	b.eval(`globalThis.said = async (options) => { try { await new IotClient().connect({ reconnect: false, ...options }); } catch (e) { return [e.code, e.message, e.cause?.message ?? ""]; } }`, nil)
	b.is(`await (async () => { const [code, message] = await said({ endpoint: "ws`+strings.TrimPrefix(server.URL, "http")+`", authorizer: { name: "a", tokenKeyName: "token", token: "to/ken with+signs", tokenSignature: "sig==" } });
		return [code, message.includes("no: [redacted]"), /ken.{1,3}with|signs|sig(==|%3D)/i.test(message)] })()`, `["ERR_FORBIDDEN",true,false]`)
	b.is(`await (async () => { const [code, message, cause] = await said({ url: () => { throw new Error('{"X-Amz-Signature":"0123abcd"}') } });
		return [code, message.includes("0123abcd"), message.includes("cause"), cause] })()`, `["ERR_CREDENTIALS",false,true,"{\"X-Amz-Signature\":\"0123abcd\"}"]`)
	b.is(`await (async () => { const [code, message] = await said({ url: 'ws://127.0.0.1:1/mq tt?X-Amz-Signature="0123 abcd"' }); return [code, /0123|abcd/.test(message)] })()`, `["ERR_UNREACHABLE",false]`)
	b.is(`await (async () => { const [code, message] = await said({ url: 'ws://127.0.0.1:99999/mqtt?X-Amz-Signature="0123 abcd"' }); return [/^ERR_(URL|WEBSOCKET)$/.test(code), /0123|abcd/.test(message)] })()`, `[true,false]`)
}
