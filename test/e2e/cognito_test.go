package e2e

import (
	"bytes"
	"encoding/json"
	"net/http"
	"testing"

	"github.com/chromedp/chromedp"
)

// control asks serve.go, which runs with -faults, for something to go wrong.
func (s *server) control(faults string) {
	s.t.Helper()
	response, err := http.Post(s.url+"control", "application/json", bytes.NewBufferString(faults))
	if err != nil {
		s.t.Fatal(err)
	}
	response.Body.Close()
	if response.StatusCode != http.StatusOK {
		s.t.Fatalf("%s: %s", faults, response.Status)
	}
}

// pool is what /local.json says of Cognito.
func (s *server) pool() (endpoint, id string) {
	s.t.Helper()
	response, err := http.Get(s.url + "local.json")
	if err != nil {
		s.t.Fatal(err)
	}
	defer response.Body.Close()
	var l struct {
		Cognito struct{ Endpoint, IdentityPoolID string }
	}
	if err := json.NewDecoder(response.Body).Decode(&l); err != nil {
		s.t.Fatal(err)
	}
	return l.Cognito.Endpoint, l.Cognito.IdentityPoolID
}

// guest opens a page that knows nothing but the identity pool and the endpoint. asked counts what
// the page has asked Cognito for.
func guest(t *testing.T, s *server) *tab {
	t.Helper()
	b := open(t, s.url+"iot.js")
	b.again(s)
	return b
}

// again loads the guest's page once more, in the same profile.
func (b *tab) again(s *server) {
	b.t.Helper()
	b.do(chromedp.Navigate(s.url + "iot.js"))
	b.eval(`const { iot, IotClient, IotError } = await import("/iot.js"); const { cognito } = await import("/cognito.js");
		const { endpoint, region, cognito: pool } = await (await fetch("/local.json")).json(); const at = { endpoint, region };
		globalThis.asked = []; const realFetch = globalThis.fetch;
		globalThis.fetch = (url, o) => { if (String(url).endsWith("/cognito")) asked.push(o.headers["X-Amz-Target"].split(".")[1]); return realFetch(url, o) };`, nil)
}

func TestCognitoGuest(t *testing.T) {
	s := serve(t, "-faults")
	b := guest(t, s)
	b.eval(`await iot.connect({ ...at, credentials: cognito(pool) }); globalThis.got = []; await iot.subscribe("public/#", (m) => got.push(m.text()), { qos: 1 })`, nil)
	b.is(`await iot.publish("public/room", "from a guest", { qos: 1 })`, `{"reasonCode":0}`)
	b.until(`got.join() === "from a guest"`)
	b.is(`asked`, `["GetId","GetCredentialsForIdentity"]`)
	b.fails(`iot.publish("private", "x", { qos: 1 })`, "IotError", "ERR_PUBLISH_REFUSED", "not authorized")
	b.fails(`iot.subscribe("#")`, "IotError", "ERR_SUBSCRIBE_REFUSED", "not authorized")
	b.is(`iot.state`, `"connected"`)
	b.eval(`await iot.disconnect()`, nil)

	// The identity outlives the page, and is given up when the service does not know it.
	id := b.text(`localStorage.getItem("iot.cognito." + pool.identityPoolId)`)
	b.again(s)
	b.eval(`const keys = await cognito(pool)()`, nil)
	b.is(`asked`, `["GetCredentialsForIdentity"]`)
	b.is(`[Object.keys(keys), keys.accessKeyId.slice(0, 4), keys.expiration - Date.now() > 3500e3]`, `[["accessKeyId","secretAccessKey","sessionToken","expiration"],"ASIA",true]`)
	s.control(`{"forgetIdentities":true}`)
	b.eval(`asked.length = 0; await cognito(pool)()`, nil)
	b.is(`asked`, `["GetCredentialsForIdentity","GetId","GetCredentialsForIdentity"]`)
	if now := b.text(`localStorage.getItem("iot.cognito." + pool.identityPoolId)`); now == id || now == "" {
		t.Errorf("the identity was %s and is %s", id, now)
	}
	// A kept identity that is not one is no obstacle, nor is a storage that refuses.
	b.eval(`localStorage.setItem("iot.cognito." + pool.identityPoolId, "{"); await cognito(pool)();
		const refuses = () => { throw new Error("no") }; await cognito({ ...pool, storage: { getItem: refuses, setItem: refuses, removeItem: refuses } })();
		s = {}; await cognito({ ...pool, storage: { getItem: (k) => s[k] ?? null, setItem: (k, v) => (s[k] = v), removeItem: (k) => delete s[k] } })()`, nil)
	b.is(`Object.keys(s).join() === "iot.cognito." + pool.identityPoolId`, `true`)
	b.is(`await (async () => { localStorage.clear(); const p = cognito({ ...pool, storage: null }); await p(); await p({ forceRefresh: true }); return localStorage.length })()`, `0`)
}

// A page of another origin asks first, and its policy must name Cognito.
func TestCognitoFromElsewhere(t *testing.T) {
	s := serve(t)
	const policy = "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; connect-src 'self' "
	endpoint, id := s.pool()
	script := `import iot from "./iot.js"; import { cognito } from "./cognito.js";
		const p = cognito({ identityPoolId: "` + id + `", endpoint: "` + endpoint + `" });
		try {
			await iot.connect({ endpoint: "` + s.settings().Endpoint + `", region: "us-east-1", credentials: () => p().catch((e) => { globalThis.result = [e.code, e.message.includes("connect-src")]; throw e }), reconnect: false });
			globalThis.result = await iot.publish("hello", "world", { qos: 1 });
		} catch {}`
	b := open(t, embed(t, policy+"http://"+s.addr+" ws://"+s.addr, script))
	b.until(`globalThis.result !== undefined`)
	b.is(`result`, `{"reasonCode":0}`)
	b = open(t, embed(t, policy+"ws://"+s.addr, script))
	b.until(`globalThis.result !== undefined`)
	b.is(`result`, `["ERR_COGNITO_UNREACHABLE",true]`)
}

func TestCognitoLogins(t *testing.T) {
	b := guest(t, serve(t))
	b.fails(`iot.connect({ ...at, reconnect: false, credentials: cognito({ ...pool, logins: { localhost: "alice" } }) })`, "IotError", "ERR_FORBIDDEN", "HTTP 403", "attach", "AWS IoT policy", "Cognito identity")
	// Who logs in, out and in as somebody else is not taken for the one before.
	b.eval(`asked.length = 0; await cognito(pool)(); await cognito({ ...pool, logins: () => ({ localhost: "alice" }) })(); await cognito({ ...pool, logins: async () => ({ localhost: "bob" }) })()`, nil)
	b.is(`asked`, `["GetId","GetCredentialsForIdentity","GetId","GetCredentialsForIdentity","GetCredentialsForIdentity","GetId","GetCredentialsForIdentity"]`)

	b = guest(t, serve(t, "-attach-policy"))
	b.eval(`await iot.connect({ ...at, credentials: cognito({ ...pool, logins: { localhost: "alice" } }) }); await iot.subscribe("#", () => {})`, nil)
}

func TestCognitoCache(t *testing.T) {
	s := serve(t, "-faults")
	b := guest(t, s)
	b.eval(`globalThis.p = cognito(pool); const [one, two] = await Promise.all([p(), p()]); const three = await p()`, nil)
	b.is(`asked`, `["GetId","GetCredentialsForIdentity"]`)
	b.is(`one.accessKeyId === two.accessKeyId && two.accessKeyId === three.accessKeyId && one !== two`, `true`)
	b.is(`(await p({ forceRefresh: true })).accessKeyId !== one.accessKeyId`, `true`)
	// Close to their end new ones are fetched; where that fails for now, the old ones still serve.
	b.eval(`globalThis.realNow = Date.now; Date.now = () => realNow() + 56 * 60e3; asked.length = 0`, nil)
	s.control(`{"cognito":{"error":"TooManyRequestsException"},"clockSkew":3360}`)
	b.is(`(await p()).accessKeyId.slice(0, 4)`, `"ASIA"`)
	b.is(`(await p()).expiration - realNow() > 3600e3`, `true`)
	b.is(`asked`, `["GetCredentialsForIdentity","GetCredentialsForIdentity"]`)
	// A page whose clock is wrong goes by the service's.
	b.eval(`Date.now = () => realNow() + 7200e3; globalThis.p = cognito(pool); await p(); asked.length = 0; await p()`, nil)
	b.is(`asked`, `[]`)
}

func TestCognitoErrors(t *testing.T) {
	s := serve(t, "-faults")
	b := guest(t, s)
	b.fails(`cognito()`, "TypeError", "ERR_OPTION", "identityPoolId")
	b.fails(`cognito({ identityPoolId: "us-east-1_AbC" })`, "TypeError", "ERR_OPTION", "user pool")
	b.fails(`cognito({ ...pool, identiyPoolId: "x" })`, "TypeError", "ERR_OPTION", "did you mean identityPoolId?")
	b.fails(`cognito({ ...pool, region: "evil.example/" })`, "TypeError", "ERR_OPTION", "region")
	b.fails(`cognito({ ...pool, logins: {} })`, "TypeError", "ERR_OPTION", "logins")
	b.fails(`cognito({ ...pool, storage: {} })`, "TypeError", "ERR_OPTION", "storage")
	b.fails(`cognito({ ...pool, endpoint: "ftp://x" })`, "TypeError", "ERR_OPTION", "endpoint")

	b.fails(`cognito({ ...pool, identityPoolId: "us-east-1:00000000-0000-4000-8000-000000000000" })()`, "IotError", "ERR_COGNITO_NOT_FOUND", "check identityPoolId and region")
	b.fails(`cognito({ ...pool, logins: { localhost: "expired" } })()`, "IotError", "ERR_COGNITO_NOT_AUTHORIZED", "Token [redacted]", "must not have expired")
	b.fails(`cognito({ ...pool, logins: { "accounts.google.com": "secret-token" } })()`, "IotError", "ERR_COGNITO_NOT_AUTHORIZED", "guest")
	b.fails(`cognito({ ...pool, logins: () => { throw new Error("secret-token") } })()`, "IotError", "ERR_COGNITO_LOGINS", "cause")
	b.fails(`cognito({ ...pool, logins: () => 5 })()`, "IotError", "ERR_COGNITO_LOGINS", "object")
	b.fails(`cognito({ ...pool, endpoint: "http://127.0.0.1:1/" })()`, "IotError", "ERR_COGNITO_UNREACHABLE", "connect-src must name http://127.0.0.1:1")
	b.fails(`cognito({ ...pool, endpoint: "/iot.js" })()`, "IotError", "ERR_COGNITO_RESPONSE", "HTTP 405")
	for _, c := range []struct{ exception, code, words, retryable string }{
		{"NotAuthorizedException", "ERR_COGNITO_NOT_AUTHORIZED", "unauthenticated", "false"},
		{"InvalidParameterException", "ERR_COGNITO_PARAMETER", "providers", "false"},
		{"ValidationException", "ERR_COGNITO_PARAMETER", "providers", "false"},
		{"InvalidIdentityPoolConfigurationException", "ERR_COGNITO_POOL_CONFIGURATION", "IAM role", "false"},
		{"ResourceConflictException", "ERR_COGNITO_CONFLICT", "another identity", "false"},
		{"TooManyRequestsException", "ERR_COGNITO_THROTTLED", "tried again", "true"},
		{"LimitExceededException", "ERR_COGNITO_LIMIT", "quota", "true"},
		{"ExternalServiceException", "ERR_COGNITO_EXTERNAL", "Lambda", "true"},
		{"InternalErrorException", "ERR_COGNITO_INTERNAL", "its own", "true"},
		{"com.amazonaws#InternalErrorException", "ERR_COGNITO_INTERNAL", "its own", "true"},
		{"NewException", "ERR_COGNITO_REFUSED", "NewException", "false"},
	} {
		s.control(`{"cognito":{"error":"` + c.exception + `","count":2}}`)
		b.fails(`cognito({ ...pool, storage: null })()`, "IotError", c.code, c.words)
		b.is(`await cognito({ ...pool, storage: null })().catch((e) => [e instanceof IotError, e.phase, e.retryable])`, `[true,"credentials",`+c.retryable+`]`)
	}
	// The default endpoint is the region's, in China too.
	b.eval(`globalThis.urls = []; globalThis.fetch = (url) => { urls.push(String(url)); throw new TypeError("x") };
		for (const region of ["eu-west-1", "cn-north-1"]) await cognito({ identityPoolId: region + ":00000000-0000-4000-8000-000000000000" })().catch(() => {})`, nil)
	b.is(`urls`, `["https://cognito-identity.eu-west-1.amazonaws.com/","https://cognito-identity.cn-north-1.amazonaws.com.cn/"]`)
}

func TestCognitoExpiry(t *testing.T) {
	s := serve(t, "-faults", "-cognito-lifetime", "1s")
	b := guest(t, s)
	b.eval(`globalThis.keys = []; const p = cognito(pool);
		await iot.connect({ ...at, clientId: "c", credentials: async () => { const k = await p(); keys.push(k.accessKeyId); return k }, reconnect: { minDelayMs: 10, maxDelayMs: 100 } });
		const first = await p();`, nil)
	b.until(`Date.now() > first.expiration.getTime()`)
	b.is(`await iot.publish("public/still", "", { qos: 1 }).then(() => iot.stats().connects)`, `1`)
	s.control(`{"cut":"c"}`)
	b.until(`iot.stats().connects === 2 && iot.state === "connected"`)
	b.is(`[keys.length >= 2, new Set(keys).size >= 2]`, `[true,true]`)
}
