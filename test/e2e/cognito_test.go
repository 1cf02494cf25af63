package e2e

import (
	"testing"

	"github.com/chromedp/chromedp"

	"iot.wasm/test/harness"
)

// openGuest opens a page as openModule does, and loads cognito.js. The page's variable pool
// contains the options of cognito(). The page's array asked contains the names of the
// page's requests to Cognito.
func openGuest(t *testing.T, s *harness.Server) *harness.Tab {
	t.Helper()
	b := openModule(t, s)
	loadCognito(b)
	return b
}

// loadCognito loads cognito.js and sets the variables that openGuest describes.
func loadCognito(b *harness.Tab) {
	b.T.Helper()
	b.Eval(`const { cognito } = await import("/cognito.js"); const pool = local.cognito;
		globalThis.asked = []; const realFetch = globalThis.fetch;
		globalThis.fetch = (url, o) => { if (String(url).endsWith("/cognito")) asked.push(o.headers["X-Amz-Target"].split(".")[1]); return realFetch(url, o) };`, nil)
}

func TestCognitoGuest(t *testing.T) {
	s := harness.Serve(t, "-faults")
	b := openGuest(t, s)
	b.Eval(`await iot.connect({ ...at, credentials: cognito(pool) }); globalThis.got = []; await iot.subscribe("public/#", (m) => got.push(m.text()), { qos: 1 })`, nil)
	b.Is(`await iot.publish("public/room", "from a guest", { qos: 1 })`, `{"reasonCode":0}`)
	b.Until(`got.join() === "from a guest"`)
	b.Is(`asked`, `["GetId","GetCredentialsForIdentity"]`)
	b.Fails(`iot.publish("private", "x", { qos: 1 })`, "IotError", "ERR_PUBLISH_REFUSED")
	b.Fails(`iot.subscribe("#")`, "IotError", "ERR_SUBSCRIBE_REFUSED")
	b.Is(`iot.state`, `"connected"`)
	b.Eval(`await iot.disconnect()`, nil)

	// A later page uses the stored identity. The page discards the identity if Cognito does not have it.
	id := b.Text(`localStorage.getItem("iot.cognito." + pool.identityPoolId)`)
	b.Do(chromedp.Navigate(s.URL + "iot.js"))
	loadModule(b)
	loadCognito(b)
	b.Eval(`const keys = await cognito(pool)()`, nil)
	b.Is(`asked`, `["GetCredentialsForIdentity"]`)
	b.Is(`[Object.keys(keys), keys.accessKeyId.slice(0, 4), keys.expiration - Date.now() > 3500e3]`, `[["accessKeyId","secretAccessKey","sessionToken","expiration"],"ASIA",true]`)
	s.Control(`{"forgetIdentities":true}`)
	b.Eval(`asked.length = 0; await cognito(pool)()`, nil)
	b.Is(`asked`, `["GetCredentialsForIdentity","GetId","GetCredentialsForIdentity"]`)
	if now := b.Text(`localStorage.getItem("iot.cognito." + pool.identityPoolId)`); now == id || now == "" {
		t.Errorf("the identity was %s and is %s, want a new one", id, now)
	}
	// cognito() ignores an invalid stored identity and a storage that throws.
	b.Eval(`localStorage.setItem("iot.cognito." + pool.identityPoolId, "{"); await cognito(pool)();
		const refuses = () => { throw new Error("no") }; await cognito({ ...pool, storage: { getItem: refuses, setItem: refuses, removeItem: refuses } })();
		s = {}; await cognito({ ...pool, storage: { getItem: (k) => s[k] ?? null, setItem: (k, v) => (s[k] = v), removeItem: (k) => delete s[k] } })()`, nil)
	b.Is(`Object.keys(s).join() === "iot.cognito." + pool.identityPoolId`, `true`)
	b.Is(`await (async () => { localStorage.clear(); const p = cognito({ ...pool, storage: null }); await p(); await p({ forceRefresh: true }); return localStorage.length })()`, `0`)
}

// A page of another origin sends a preflight request before each request to Cognito. The
// page's policy must allow the requests.
func TestCognitoFromAnotherOrigin(t *testing.T) {
	s := harness.Serve(t)
	const policy = "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; connect-src 'self' "
	settings := s.Settings()
	script := `import iot from "./iot.js"; import { cognito } from "./cognito.js";
		const p = cognito({ identityPoolId: "` + settings.Cognito.IdentityPoolID + `", endpoint: "` + settings.Cognito.Endpoint + `" });
		try {
			await iot.connect({ endpoint: "` + settings.Endpoint + `", region: "us-east-1", credentials: () => p().catch((e) => { globalThis.result = [e.code, e.message.includes("connect-src")]; throw e }), reconnect: false });
			globalThis.result = await iot.publish("hello", "world", { qos: 1 });
		} catch {}`
	b := open(t, embed(t, policy+"http://"+s.Addr+" ws://"+s.Addr, script))
	b.Until(`globalThis.result !== undefined`)
	b.Is(`result`, `{"reasonCode":0}`)
	b = open(t, embed(t, policy+"ws://"+s.Addr, script))
	b.Until(`globalThis.result !== undefined`)
	b.Is(`result`, `["ERR_COGNITO_UNREACHABLE",true]`)
}

func TestCognitoLogins(t *testing.T) {
	b := openGuest(t, harness.Serve(t))
	b.Fails(`iot.connect({ ...at, reconnect: false, credentials: cognito({ ...pool, logins: { localhost: "alice" } }) })`, "IotError", "ERR_FORBIDDEN", "HTTP 403")
	// Each login has an identity of its own.
	b.Eval(`asked.length = 0; await cognito(pool)(); await cognito({ ...pool, logins: () => ({ localhost: "alice" }) })(); await cognito({ ...pool, logins: async () => ({ localhost: "bob" }) })()`, nil)
	b.Is(`asked`, `["GetId","GetCredentialsForIdentity","GetId","GetCredentialsForIdentity","GetCredentialsForIdentity","GetId","GetCredentialsForIdentity"]`)

	b = openGuest(t, harness.Serve(t, "-attach-policy"))
	b.Eval(`await iot.connect({ ...at, credentials: cognito({ ...pool, logins: { localhost: "alice" } }) }); await iot.subscribe("#", () => {})`, nil)
}

func TestCognitoCache(t *testing.T) {
	s := harness.Serve(t, "-faults")
	b := openGuest(t, s)
	b.Eval(`globalThis.p = cognito(pool); const [one, two] = await Promise.all([p(), p()]); const three = await p()`, nil)
	b.Is(`asked`, `["GetId","GetCredentialsForIdentity"]`)
	b.Is(`one.accessKeyId === two.accessKeyId && two.accessKeyId === three.accessKeyId && one !== two`, `true`)
	b.Is(`(await p({ forceRefresh: true })).accessKeyId !== one.accessKeyId`, `true`)
	// cognito() fetches new credentials shortly before the old ones expire. If that fails, it returns the old ones.
	b.Eval(`globalThis.realNow = Date.now; Date.now = () => realNow() + 56 * 60e3; asked.length = 0`, nil)
	s.Control(`{"cognito":{"error":"TooManyRequestsException"},"clockSkew":3360}`)
	b.Is(`(await p()).accessKeyId.slice(0, 4)`, `"ASIA"`)
	b.Is(`(await p()).expiration - realNow() > 3600e3`, `true`)
	b.Is(`asked`, `["GetCredentialsForIdentity","GetCredentialsForIdentity"]`)
	// A page with a wrong clock uses the service's time.
	b.Eval(`Date.now = () => realNow() + 7200e3; globalThis.p = cognito(pool); await p(); asked.length = 0; await p()`, nil)
	b.Is(`asked`, `[]`)
}

func TestCognitoErrors(t *testing.T) {
	s := harness.Serve(t, "-faults")
	b := openGuest(t, s)
	b.Fails(`cognito()`, "TypeError", "ERR_OPTION", "identityPoolId")
	b.Fails(`cognito({ identityPoolId: "us-east-1_AbC" })`, "TypeError", "ERR_OPTION", "identityPoolId")
	b.Fails(`cognito({ ...pool, identiyPoolId: "x" })`, "TypeError", "ERR_OPTION", "did you mean identityPoolId?")
	b.Fails(`cognito({ ...pool, region: "evil.example/" })`, "TypeError", "ERR_OPTION", "region")
	b.Fails(`cognito({ ...pool, logins: {} })`, "TypeError", "ERR_OPTION", "logins")
	b.Fails(`cognito({ ...pool, storage: {} })`, "TypeError", "ERR_OPTION", "storage")
	b.Fails(`cognito({ ...pool, endpoint: "ftp://x" })`, "TypeError", "ERR_OPTION", "endpoint")

	b.Fails(`cognito({ ...pool, identityPoolId: "us-east-1:00000000-0000-4000-8000-000000000000" })()`, "IotError", "ERR_COGNITO_NOT_FOUND")
	b.Fails(`cognito({ ...pool, logins: { localhost: "expired" } })()`, "IotError", "ERR_COGNITO_NOT_AUTHORIZED", "Token [redacted]")
	b.Fails(`cognito({ ...pool, logins: { "accounts.google.com": "secret-token" } })()`, "IotError", "ERR_COGNITO_NOT_AUTHORIZED")
	b.Fails(`cognito({ ...pool, logins: () => { throw new Error("secret-token") } })()`, "IotError", "ERR_COGNITO_LOGINS")
	b.Fails(`cognito({ ...pool, logins: () => 5 })()`, "IotError", "ERR_COGNITO_LOGINS")
	b.Fails(`cognito({ ...pool, endpoint: "http://127.0.0.1:1/" })()`, "IotError", "ERR_COGNITO_UNREACHABLE", "http://127.0.0.1:1")
	b.Fails(`cognito({ ...pool, endpoint: "/iot.js" })()`, "IotError", "ERR_COGNITO_RESPONSE", "HTTP 405")
	for _, c := range []struct{ exception, code, retryable string }{
		{"NotAuthorizedException", "ERR_COGNITO_NOT_AUTHORIZED", "false"},
		{"InvalidParameterException", "ERR_COGNITO_PARAMETER", "false"},
		{"ValidationException", "ERR_COGNITO_PARAMETER", "false"},
		{"InvalidIdentityPoolConfigurationException", "ERR_COGNITO_POOL_CONFIGURATION", "false"},
		{"ResourceConflictException", "ERR_COGNITO_CONFLICT", "false"},
		{"TooManyRequestsException", "ERR_COGNITO_THROTTLED", "true"},
		{"LimitExceededException", "ERR_COGNITO_LIMIT", "true"},
		{"ExternalServiceException", "ERR_COGNITO_EXTERNAL", "true"},
		{"InternalErrorException", "ERR_COGNITO_INTERNAL", "true"},
		{"com.amazonaws#InternalErrorException", "ERR_COGNITO_INTERNAL", "true"},
		{"NewException", "ERR_COGNITO_REFUSED", "false"},
	} {
		s.Control(`{"cognito":{"error":"` + c.exception + `","count":2}}`)
		b.Fails(`cognito({ ...pool, storage: null })()`, "IotError", c.code)
		b.Is(`await cognito({ ...pool, storage: null })().catch((e) => [e instanceof IotError, e.phase, e.retryable])`, `[true,"credentials",`+c.retryable+`]`)
	}
	// The default endpoint depends on the region, also in China.
	b.Eval(`globalThis.urls = []; globalThis.fetch = (url) => { urls.push(String(url)); throw new TypeError("x") };
		for (const region of ["eu-west-1", "cn-north-1"]) await cognito({ identityPoolId: region + ":00000000-0000-4000-8000-000000000000" })().catch(() => {})`, nil)
	b.Is(`urls`, `["https://cognito-identity.eu-west-1.amazonaws.com/","https://cognito-identity.cn-north-1.amazonaws.com.cn/"]`)
}

func TestCognitoExpiry(t *testing.T) {
	s := harness.Serve(t, "-faults", "-cognito-lifetime", "1s")
	b := openGuest(t, s)
	b.Eval(`globalThis.keys = []; const p = cognito(pool);
		await iot.connect({ ...at, clientId: "c", credentials: async () => { const k = await p(); keys.push(k.accessKeyId); return k }, reconnect: { minDelayMs: 10, maxDelayMs: 100 } });
		const first = await p();`, nil)
	b.Until(`Date.now() > first.expiration.getTime()`)
	b.Is(`await iot.publish("public/still", "", { qos: 1 }).then(() => iot.stats().connects)`, `1`)
	s.Control(`{"cut":"c"}`)
	b.Until(`iot.stats().connects === 2 && iot.state === "connected"`)
	b.Is(`[keys.length >= 2, new Set(keys).size >= 2]`, `[true,true]`)
}
