package e2e

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"iot.wasm/test/harness"
)

// diagnoseScript defines run, which runs a diagnosis and returns its results. The functions of on are called
// with the results of their steps. A diagnosis runs a step only after the previous one was handled. The
// variable own is the last client of the diagnosis.
const diagnoseScript = `const { diagnose, diagnoseSteps } = await import("/diagnose.js");
	globalThis.own = undefined;
	const connect = IotClient.prototype.connect;
	IotClient.prototype.connect = function (o) { own = this; return connect.call(this, o) };
	globalThis.run = async (options, given, on = {}) => {
		const results = [];
		for await (const r of diagnose(options, given)) { results.push(r); await on[r.step]?.(r) }
		return results;
	};
	globalThis.control = async (faults) => { const r = await fetch("/control", { method: "POST", body: JSON.stringify(faults) }); if (!r.ok) throw new Error(await r.text()) };`

// A finding is a result of diagnose().
type finding struct{ Step, Status, Code, Text, Advice, Policy string }

// diagnosis returns the results of an expression, and one line for each result that is not ok. It checks what is so
// for every diagnosis.
func diagnosis(b *harness.Tab, expression string) (all []finding, lines []string) {
	b.T.Helper()
	var raw json.RawMessage
	b.Eval(`globalThis.results = `+expression, nil)
	b.Eval(`results`, &raw)
	if err := json.Unmarshal(raw, &all); err != nil {
		b.T.Fatal(err)
	}
	b.Is(`results.map((r) => r.step).join() === diagnoseSteps.join()`, `true`)
	b.Is(`JSON.stringify(results).includes(local.credentials.secretAccessKey) || /X-Amz-\w+=|SECRET/.test(JSON.stringify(results))`, `false`)
	b.Is(`own === undefined || own.state === "closed" || own.state === "idle"`, `true`)
	for _, f := range all {
		if !strings.HasSuffix(f.Text, ".") {
			b.T.Errorf("%s: the text is not a sentence: %q", f.Step, f.Text)
		}
		if isProblem := f.Status == "failed" || f.Status == "warning"; isProblem != (f.Code != "") || isProblem != (f.Advice != "") {
			b.T.Errorf("%s has the status %s, the code %q and the advice %q", f.Step, f.Status, f.Code, f.Advice)
		}
		if f.Status != "ok" && !strings.HasPrefix(f.Text, "Not tested, because it needs the step ") {
			lines = append(lines, strings.TrimSpace(f.Step+" "+f.Status+" "+f.Code))
		}
	}
	return all, lines
}

// serveWithPolicy starts a stand-in with a policy document for the key of /local.json. For an empty document,
// the key allows everything.
func serveWithPolicy(t *testing.T, document string, args ...string) *harness.Server {
	t.Helper()
	args = append([]string{"-addr", "127.0.0.1:0", "-faults"}, args...)
	if document != "" {
		file := filepath.Join(t.TempDir(), "policy.json")
		if err := os.WriteFile(file, []byte(document), 0o600); err != nil {
			t.Fatal(err)
		}
		args = append(args, "-policy", file)
	}
	return harness.Serve(t, args...)
}

// denied returns a policy document that allows everything except an action.
func denied(action string) string {
	return `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"iot:*","Resource":"*"},{"Effect":"Deny","Action":"iot:` + action + `","Resource":"*"}]}`
}

// TestDiagnose injects one fault after another. Each row has the lines of the steps that are not ok, and words of the advice and the
// policy of the last of them.
func TestDiagnose(t *testing.T) {
	s := serveWithPolicy(t, "")
	untrusted := harness.Serve(t, "-addr", "localhost:0", "-tls")
	b := openModule(t, s)
	b.Eval(diagnoseScript, nil)
	b.Eval(`globalThis.o = { ...at, credentials: local.credentials }; globalThis.untrusted = "wss://`+untrusted.Addr+`/mqtt"; globalThis.quick = { timeoutMs: 300 };
		globalThis.pool = async () => (await import("/cognito.js")).cognito({ ...local.cognito, storage: null });
		globalThis.presigned = (minutes, more) => iot.presign({ ...o, date: new Date(Date.now() + minutes * 60e3), ...more })`, nil)
	for _, c := range []struct{ name, expression, want, words string }{
		{"no fault", `run(o)`, "", ""},
		{"no fault, with all kinds of options", `run({ ...o, clientId: "iot-mine", sessionExpiry: 0, keepAlive: 30, will: { topic: "a", payload: "b" }, credentials: () => local.credentials }, { topic: "room/1", clientId: "iot-other", account: "1" })`, "", ""},
		{"no fault, with a URL", `run({ url: () => presigned(0) })`, "", ""},
		{"no fault, with a fixed URL", `run({ url: await presigned(0) })`, "credentials skipped", ""},
		{"no fault, with temporary credentials", `run({ ...o, credentials: await pool() }, { topic: "public/" })`, "", ""},
		{"an endpoint that is not valid", `run({ ...o, endpoint: "ftp://x" })`, "endpoint failed ERR_ENDPOINT", "describe-endpoint"},
		{"no endpoint", `run({})`, "endpoint failed ERR_ENDPOINT|credentials skipped", "describe-endpoint"},
		{"no region", `run({ ...o, region: undefined })`, "endpoint failed ERR_REGION", "option region"},
		{"a name that does not resolve", `run({ ...o, endpoint: "wss://nothing.invalid/mqtt" })`, "endpoint failed ERR_UNREACHABLE", "Open https://nothing.invalid/mqtt in a tab"},
		{"a closed port", `run({ ...o, endpoint: "ws://127.0.0.1:1/mqtt" })`, "endpoint failed ERR_UNREACHABLE", "the port is closed"},
		{"a certificate that is not trusted", `run({ ...o, endpoint: untrusted })`, "endpoint failed ERR_UNREACHABLE", "trust the certificate"},
		{"a URL that is not wss:", `run({ url: "x" })`, "endpoint skipped|credentials failed ERR_URL", "presign()"},
		{"the clock of the service is an hour ahead", `(await control({ clockSkew: 3600 }), run(o).finally(() => control({ clockSkew: 0 })))`, "clock warning ERR_CLOCK_SKEW", "Set the clock"},
		{"the clock of the service is an hour behind, with a URL", `(await control({ clockSkew: -3600 }), run({ url: await presigned(-60) }).finally(() => control({ clockSkew: 0 })))`, "clock warning ERR_CLOCK_SKEW|credentials skipped", "Set the clock"},
		{"credentials that have expired", `run({ ...o, credentials: { ...local.credentials, expiration: new Date(1e12) } })`, "credentials failed ERR_CREDENTIALS_EXPIRED", "new credentials"},
		{"a provider that throws", `run({ ...o, credentials: () => { throw new Error("SECRET") } })`, "credentials failed ERR_CREDENTIALS", "Call the function"},
		{"a provider that does not settle", `run({ ...o, credentials: () => new Promise(() => {}) }, quick)`, "credentials failed ERR_CREDENTIALS_TIMEOUT", "Call the function"},
		{"a provider of a URL that throws", `run({ url: async () => { throw new Error("SECRET") } })`, "endpoint skipped|credentials failed ERR_CREDENTIALS", "Call the function"},
		{"credentials without a key", `run({ ...o, credentials: { accessKeyId: "AKID" } })`, "credentials failed ERR_SIGN", "credentials"},
		{"an identity pool that refuses", `(await control({ cognito: { error: "NotAuthorizedException" } }), run({ ...o, credentials: await pool() }))`, "credentials failed ERR_COGNITO_NOT_AUTHORIZED", "(guest) access"},
		{"a wrong secret key", `run({ ...o, credentials: { ...local.credentials, secretAccessKey: "SECRET" } })`, "signature failed ERR_SIGNATURE", "secretAccessKey"},
		{"an unknown access key", `run({ ...o, credentials: { ...local.credentials, accessKeyId: "AKIDUNKNOWN" } })`, "signature failed ERR_ACCESS_KEY", "accessKeyId"},
		{"another region", `run({ ...o, region: "eu-west-1" })`, "signature failed ERR_SIGNATURE", "region"},
		{"no credentials", `run(at)`, "credentials skipped|signature failed ERR_SIGNATURE", "give connect() credentials"},
		{"a URL that was signed ten minutes ago", `run({ url: await presigned(-10) })`, "credentials skipped|signature failed ERR_SIGNATURE_EXPIRED", "returns a new one each time"},
		{"temporary credentials that the service has expired", `(globalThis.temporary = await (await pool())(), await control({ expireCredentials: true }), run({ ...o, credentials: { ...temporary, expiration: undefined } }))`, "signature failed ERR_CREDENTIALS_EXPIRED", "function"},
		{"no WebSocket", `(await control({ upgrade: { status: 503 } }), run(o))`, "signature failed ERR_UPGRADE", "proxy"},
		{"a broker that is busy", `(await control({ connack: { reason: 0x89 } }), run(o))`, "connect failed ERR_REFUSED", "diagnosis again"},
		{"an option that is not valid", `run({ ...o, keepAlive: 1e9 })`, "signature skipped|connect failed ERR_OPTION", "options of connect()"},
		{"a client id that AWS does not accept", `run({ ...o, clientId: "$x" })`, "connect failed ERR_CLIENT_ID", "128 bytes"},
		{"the connection ends once", `run(o, {}, { subscribe: async () => { const closed = new Promise((r) => own.addEventListener("closed", r)); await control({ cut: "*" }); await closed } })`, "publish warning ERR_CONNECTION_LOST", "proxy"},
		{"a broker that does not answer SUBSCRIBE", `run(o, quick, { connect: () => control({ freeze: "*" }) })`, "subscribe failed ERR_DIAGNOSE_TIMEOUT|publish failed ERR_DIAGNOSE_TIMEOUT", "slow network"},
		{"a broker that does not answer PUBLISH", `run(o, quick, { subscribe: () => control({ freeze: "*" }) })`, "publish failed ERR_DIAGNOSE_TIMEOUT", "slow network"},
		{"a network that freezes before the round trip", `run(o, quick, { retain: () => control({ freeze: "*" }) })`, "roundtrip failed ERR_DIAGNOSE_TIMEOUT", "slow network"},
		{"messages that do not arrive before the round trip", `run(o, { topic: "room/1", ...quick }, { retain: () => own.unsubscribe("room/1") })`, "roundtrip failed ERR_DIAGNOSE_TIMEOUT", "slow network"},
		{"a slow network", `(globalThis.now = performance.now, globalThis.time = 0, run(o, {}, { retain: () => { performance.now = () => (time += 2000) } }).finally(() => { performance.now = now }))`, "roundtrip warning ERR_DIAGNOSE_SLOW", "nearer region"},
		{"a broker that drops retained messages", `run(o, quick, { receive: () => { const { unsubscribe } = own; own.unsubscribe = async (topic) => { await unsubscribe.call(own, topic); const other = new IotClient(); await other.connect({ ...o, clientId: "other" }); await other.publish(topic, "", { qos: 1, retain: true }); await other.disconnect() } } })`, "retain failed ERR_DIAGNOSE_NOT_RETAINED", "retained messages"},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := b.With(t)
			all, lines := diagnosis(b, `await `+c.expression)
			if got := strings.Join(lines, "|"); got != c.want {
				t.Errorf("got  %s\nwant %s", got, c.want)
				for _, f := range all {
					t.Logf("%+v", f)
				}
			}
			advice := ""
			for _, f := range all {
				if f.Advice != "" {
					advice = f.Advice
				}
				if f.Policy != "" {
					t.Errorf("%s has a policy, but no policy is the reason: %s", f.Step, f.Policy)
				}
			}
			if !strings.Contains(advice, c.words) {
				t.Errorf("the advice %q does not contain %q", advice, c.words)
			}
		})
	}
}

// TestDiagnosePage runs a diagnosis in pages whose Content-Security-Policy forbids a part of it.
func TestDiagnosePage(t *testing.T) {
	s := harness.Serve(t, "-allow-origin", "*")
	for _, c := range []struct{ name, policy, want, words string }{
		{"no wasm", "script-src 'self'; connect-src *", "load failed ERR_CSP", "'wasm-unsafe-eval' to script-src"},
		{"no endpoint", "script-src 'self' 'wasm-unsafe-eval'; connect-src 'self'", "endpoint failed ERR_CSP", "wss://" + s.Addr + "/mqtt"},
		{"no HTTP", "script-src 'self' 'wasm-unsafe-eval'; connect-src 'self' ws://" + s.Addr, "endpoint warning ERR_CSP|clock skipped|credentials skipped", "https://" + s.Addr + "/mqtt to connect-src"},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := open(t, embed(t, c.policy, `import iot, { IotClient } from "./iot.js"; Object.assign(globalThis, { iot, IotClient }); globalThis.ready = true`))
			b.Until(`globalThis.ready === true`)
			b.Eval(diagnoseScript+`globalThis.local = { credentials: { secretAccessKey: "SECRET" } }`, nil)
			all, lines := diagnosis(b, `(await run({ endpoint: "ws://`+s.Addr+`/mqtt" }))`)
			lines, rest := lines[:min(len(lines), strings.Count(c.want, "|")+1)], lines[min(len(lines), strings.Count(c.want, "|")+1):]
			if got := strings.Join(lines, "|"); got != c.want {
				t.Errorf("got %s, want %s; then %q", got, c.want, rest)
			}
			found := false
			for _, f := range all {
				found = found || strings.Contains(f.Advice, c.words)
			}
			if !found {
				t.Errorf("no advice contains %q: %+v", c.words, all)
			}
		})
	}
}

// TestDiagnosePolicies denies single actions, and compares the steps and the statements.
func TestDiagnosePolicies(t *testing.T) {
	const resource = "arn:aws:iot:us-east-1:ACCOUNT_ID:"
	for _, c := range []struct{ action, want, resource string }{
		{"Connect", "connect failed ERR_NOT_AUTHORIZED", "client/iot-*"},
		{"Subscribe", "subscribe failed ERR_SUBSCRIBE_REFUSED", "topicfilter/iot/diagnose/*"},
		{"Publish", "publish failed ERR_PUBLISH_REFUSED", "topic/iot/diagnose/*"},
		{"Receive", "receive failed ERR_DIAGNOSE_NOT_RECEIVED", "topic/iot/diagnose/*"},
		{"RetainPublish", "retain failed ERR_PUBLISH_REFUSED", "topic/iot/diagnose/*"},
	} {
		t.Run(c.action, func(t *testing.T) {
			s := serveWithPolicy(t, denied(c.action))
			b := openModule(t, s)
			b.Eval(diagnoseScript, nil)
			all, lines := diagnosis(b, `await run({ ...at, credentials: local.credentials }, { timeoutMs: 1000 })`)
			if got := strings.Join(lines, "|"); got != c.want {
				t.Errorf("got %s, want %s", got, c.want)
			}
			for _, f := range all {
				if (f.Policy != "") != (f.Status == "failed") {
					t.Errorf("%s %s has the policy %q", f.Step, f.Status, f.Policy)
				}
				var statement struct{ Effect, Action, Resource string }
				if f.Policy != "" && (json.Unmarshal([]byte(f.Policy), &statement) != nil || statement.Effect != "Allow" || statement.Action != "iot:"+c.action || statement.Resource != resource+c.resource) {
					t.Errorf("%s has the policy %s", f.Step, f.Policy)
				}
				if f.Policy != "" && strings.Contains(f.Advice, "option topic") != (f.Step != "connect") {
					t.Errorf("the advice of %s is %q", f.Step, f.Advice)
				}
			}
		})
	}
}

// TestDiagnoseLeadsToAPolicy adds the statements of failed steps to an empty policy, until all steps succeed.
func TestDiagnoseLeadsToAPolicy(t *testing.T) {
	statements := []string{`{"Effect":"Allow","Action":"iot:ListThings","Resource":"*"}`}
	var history []string
	for range 9 {
		s := serveWithPolicy(t, `{"Version":"2012-10-17","Statement":[`+strings.Join(statements, ",")+`]}`)
		b := openModule(t, s)
		b.Eval(diagnoseScript, nil)
		all, lines := diagnosis(b, `await run({ ...at, credentials: local.credentials, clientId: "lamp", will: { topic: "wills/lamp" } }, { topic: "room/", account: "123456789012", timeoutMs: 1000 })`)
		s.Kill()
		b.Close()
		history = append(history, strings.Join(lines, "|"))
		if len(lines) == 0 {
			break
		}
		for _, f := range all {
			if f.Policy != "" {
				statements = append(statements, f.Policy)
			}
		}
	}
	want := []string{"signature warning ERR_FORBIDDEN|connect failed ERR_FORBIDDEN", "subscribe failed ERR_SUBSCRIBE_REFUSED|publish failed ERR_PUBLISH_REFUSED",
		"receive failed ERR_DIAGNOSE_NOT_RECEIVED|retain failed ERR_PUBLISH_REFUSED", ""}
	if got := strings.Join(history, "\n"); got != strings.Join(want, "\n") {
		t.Errorf("got\n%s\nwant\n%s", got, strings.Join(want, "\n"))
	}
}

// TestDiagnoseConnectAttributes uses policies that allow the client id, but no session and no will, or only other client ids.
func TestDiagnoseConnectAttributes(t *testing.T) {
	const allow = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["iot:Publish","iot:RetainPublish","iot:Subscribe","iot:Receive"],"Resource":"*"},{"Effect":"Allow","Action":"iot:Connect","Resource":"arn:aws:iot:us-east-1:123456789012:client/iot-*","Condition":{"ForAllValues:StringEquals":{"iot:ConnectAttributes":["none"]}}}]}`
	b := openModule(t, serveWithPolicy(t, allow))
	b.Eval(diagnoseScript, nil)
	b.Eval(`globalThis.o = { ...at, credentials: () => local.credentials }`, nil)
	for _, c := range []struct{ expression, want, words string }{
		{`run({ ...o, sessionExpiry: 0 })`, "", ""},
		{`run(o)`, "connect failed ERR_DIAGNOSE_CONNECT_ATTRIBUTES", "PersistentConnect"},
		{`run({ ...o, sessionExpiry: 0, cleanStart: false })`, "connect failed ERR_DIAGNOSE_CONNECT_ATTRIBUTES", "PersistentConnect"},
		{`run({ ...o, sessionExpiry: 0, will: { topic: "a/b" } }, { clientId: "iot-1", timeoutMs: 1000 })`, "connect failed ERR_DIAGNOSE_CONNECT_ATTRIBUTES", "topic/a/b"},
		{`run({ ...o, clientId: "lamp" })`, "connect failed ERR_NOT_AUTHORIZED", "client/lamp*"},
		{`run({ ...o, sessionExpiry: 0 }, { clientId: "lamp" })`, "connect failed ERR_NOT_AUTHORIZED", "client/lamp\""},
	} {
		all, lines := diagnosis(b, `await `+c.expression)
		if got := strings.Join(lines, "|"); got != c.want {
			t.Errorf("%s: got %q, want %q", c.expression, got, c.want)
		}
		if policy := all[5].Policy; !strings.Contains(policy, c.words) || (policy == "") != (c.want == "") {
			t.Errorf("%s: the policy is %s", c.expression, policy)
		}
	}
}

// TestDiagnoseAuthorizer uses a custom authorizer with a wrong token.
func TestDiagnoseAuthorizer(t *testing.T) {
	file := filepath.Join(t.TempDir(), "authorizer.json")
	if err := os.WriteFile(file, []byte(`{"authorizers":[{"name":"door","tokenKeyName":"token","signingDisabled":true,"rules":[{"token":"open","principalId":"visitor","policyDocuments":[`+denied("RetainPublish")+`]}]}]}`), 0o600); err != nil {
		t.Fatal(err)
	}
	b := openModule(t, harness.Serve(t, "-authorizer", file))
	b.Eval(diagnoseScript, nil)
	for token, want := range map[string]string{"open": "credentials skipped|retain failed ERR_PUBLISH_REFUSED", "wrong": "credentials skipped|signature failed ERR_FORBIDDEN"} {
		all, lines := diagnosis(b, `await run({ endpoint: local.endpoint, authorizer: { name: "door", tokenKeyName: "token", token: "`+token+`" } })`)
		if got := strings.Join(lines, "|"); got != want {
			t.Errorf("%s: got %s, want %s", token, got, want)
		}
		if policy := all[9].Policy; (token == "open") != strings.Contains(policy, "arn:aws:iot:REGION:ACCOUNT_ID:topic/") {
			t.Errorf("%s: the policy is %s", token, policy)
		}
	}
}

// TestDiagnoseClosedConnection closes the connection instead of an answer, as AWS may do for an action that the policy does not
// allow. The next steps use a new connection.
func TestDiagnoseClosedConnection(t *testing.T) {
	b := openModule(t, serveWithPolicy(t, ""))
	b.Eval(diagnoseScript, nil)
	b.Eval(`globalThis.o = { ...at, credentials: local.credentials };
		globalThis.closeAt = (method) => async () => {
			await control({ freeze: "*" });
			const client = own, real = client[method];
			client[method] = (...args) => { const done = real.apply(client, args); control({ cut: "*" }); return done };
		}`, nil)
	for _, c := range []struct{ on, want, action string }{
		{`connect: closeAt("subscribe")`, "subscribe failed ERR_CONNECTION_LOST", "iot:Subscribe"},
		{`subscribe: closeAt("publish")`, "publish failed ERR_CONNECTION_LOST", "iot:Publish"},
		{`receive: closeAt("publish")`, "retain failed ERR_CONNECTION_LOST", "iot:RetainPublish"},
	} {
		all, lines := diagnosis(b, `await run(o, {}, { `+c.on+` })`)
		if got := strings.Join(lines, "|"); got != c.want {
			t.Errorf("%s: got %s, want %s", c.on, got, c.want)
		}
		for _, f := range all {
			if (f.Status == "failed") != strings.Contains(f.Policy, c.action) {
				t.Errorf("%s: %s %s has the policy %q", c.on, f.Step, f.Status, f.Policy)
			}
		}
	}
}
