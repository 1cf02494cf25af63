package console

import (
	"crypto/sha512"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"iot.wasm/test/harness"
	"iot.wasm/test/mosquitto"
)

// addProfile adds a profile of a kind with the mouse, and fills its fields.
func addProfile(p *harness.Person, kind, name string, fields ...string) {
	p.T.Helper()
	choose(p, "#new-kind", kind)
	p.Click("#new-profile button")
	p.Until(`document.activeElement.id === "profile-name"`)
	p.Do(chromedp.KeyEvent(name))
	for i := 0; i < len(fields); i += 2 {
		p.Fill("#field-"+fields[i], fields[i+1])
	}
}

// choose selects an option of a select element with the arrow keys.
func choose(p *harness.Person, selector, value string) {
	p.T.Helper()
	p.Eval(fmt.Sprintf(`document.querySelector(%q).focus()`, selector), nil)
	p.Do(chromedp.KeyEvent(kb.Home))
	for range 20 {
		if p.Text(`document.activeElement.value`) == value {
			return
		}
		p.Do(chromedp.KeyEvent(kb.ArrowDown))
	}
	p.T.Fatalf("%s has no option %s", selector, value)
}

// connects clicks on the button of the form, and waits until the page is connected with the profile.
func connects(p *harness.Person, name string) {
	p.T.Helper()
	p.Click("#connect")
	p.Until(fmt.Sprintf(`iot.state === "connected" && document.querySelector("#summary").textContent.startsWith(%q) && document.querySelector("#profiles [aria-current] .good") !== null`, "Connected with "+name))
	p.Is(`document.querySelector("#profile").selectedOptions[0].textContent`, fmt.Sprintf("%q", name))
}

// subscribes waits until the page has subscribed to all topics.
func subscribes(p *harness.Person) {
	p.T.Helper()
	p.Until(`iot.stats().subscriptions === 1 && document.querySelector("#problem").hidden`)
}

// authorizerFile writes a file for the flag -authorizer.
func authorizerFile(t *testing.T) string {
	t.Helper()
	const everything = `"policyDocuments": [{"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "iot:*", "Resource": "*"}}]`
	file := filepath.Join(t.TempDir(), "authorizers.json")
	text := `{"authorizers": [{"name": "door", "tokenKeyName": "ticket", "signingDisabled": true, "rules": [
		{"token": "open-sesame", "principalId": "visitor", ` + everything + `},
		{"username": "ann", "password": "pass-of-ann", "principalId": "ann", ` + everything + `}]}]}`
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

// TestProfileKinds connects with each kind of profile.
func TestProfileKinds(t *testing.T) {
	s := harness.Serve(t, "-authorizer", authorizerFile(t), "-attach-policy")
	local := s.Settings()
	var signed atomic.Value
	var requests atomic.Int32
	backend := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		requests.Add(1)
		w.Header().Set("Access-Control-Allow-Origin", "*")
		if r.URL.Path == "/text" {
			fmt.Fprintln(w, signed.Load())
			return
		}
		_ = json.NewEncoder(w).Encode(map[string]any{"data": map[string]any{"address": signed.Load()}})
	}))
	t.Cleanup(backend.Close)

	p := open(t, s, "#/connect")
	p.Resize(1280, 900)
	p.Until(`document.querySelector("#summary")?.textContent.startsWith("Connected with Local stand-in")`)
	p.Accessible()
	p.Resize(1280, 900)
	signed.Store(p.Text(`await (async () => { const { endpoint, region, credentials } = await (await fetch("local.json")).json(); return iot.presign({ endpoint, region, credentials }) })()`))

	addProfile(p, "cognito", "Guest", "endpoint", local.Endpoint, "region", local.Region, "pool", local.Cognito.IdentityPoolID, "cognito", s.URL+"cognito")
	connects(p, "Guest")
	p.Until(`document.querySelector("#problem").textContent.startsWith("ERR_SUBSCRIBE_REFUSED")`) // the policy of guests allows public/ only
	p.Is(`/^Access key ASIA\w+\. It expires in \d+ (h|min)/.test(document.querySelector("#credential").textContent)`, `true`)

	addProfile(p, "cognito", "Member", "endpoint", local.Endpoint, "region", local.Region, "pool", local.Cognito.IdentityPoolID, "cognito", s.URL+"cognito", "provider", "localhost")
	p.Click("#connect")
	p.Until(`document.querySelector("#field-login-problem").textContent.startsWith("The token of the login provider is missing.")`)
	p.Fill("#field-login", "member")
	connects(p, "Member")

	addProfile(p, "keys", "Keys", "endpoint", local.Endpoint, "region", local.Region, "accessKeyId", local.Credentials.AccessKeyID, "secretAccessKey", local.Credentials.SecretAccessKey)
	connects(p, "Keys")
	subscribes(p)

	// Temporary keys, pasted as the AWS CLI prints them.
	addProfile(p, "keys", "Temporary", "endpoint", local.Endpoint, "region", local.Region)
	p.Eval(`await (async () => {
		const { cognito } = await import("./cognito.js");
		const { endpoint, identityPoolId } = (await (await fetch("local.json")).json()).cognito;
		const c = await cognito({ endpoint, identityPoolId })();
		const text = JSON.stringify({ Credentials: { AccessKeyId: c.accessKeyId, SecretAccessKey: c.secretAccessKey, SessionToken: c.sessionToken, Expiration: c.expiration.toISOString() } }, null, 2);
		const clipboardData = new DataTransfer();
		clipboardData.setData("text/plain", text);
		document.querySelector("#field-accessKeyId").dispatchEvent(new ClipboardEvent("paste", { clipboardData, bubbles: true, cancelable: true }));
	})()`, nil)
	connects(p, "Temporary")
	p.Is(`await (async () => { const { readKeys } = await import("./console/core/profiles/aws-keys.js");
		return ["export AWS_ACCESS_KEY_ID=A1\nexport AWS_SECRET_ACCESS_KEY='b/+='", "[default]\naws_access_key_id = A1\naws_secret_access_key = b/+=", '$Env:AWS_ACCESS_KEY_ID="A1"\n$Env:AWS_SECRET_ACCESS_KEY="b/+="', "A1"].map((text) => readKeys(text) ?? null) })()`,
		`[{"accessKeyId": "A1", "secretAccessKey": "b/+="}, {"accessKeyId": "A1", "secretAccessKey": "b/+="}, {"accessKeyId": "A1", "secretAccessKey": "b/+="}, null]`)
	p.Is(`/^Access key ASIA\w+\. It expires in \d+ (h|min)/.test(document.querySelector("#credential").textContent)`, `true`)

	addProfile(p, "authorizer", "Door", "endpoint", "ws://"+s.Addr, "authorizer", "door", "tokenKeyName", "ticket", "token", "open-sesame")
	connects(p, "Door")
	subscribes(p)
	addProfile(p, "authorizer", "Ann", "endpoint", "ws://"+s.Addr, "authorizer", "door", "username", "ann", "password", "pass-of-ann")
	connects(p, "Ann")
	subscribes(p)

	addProfile(p, "presigned", "Backend", "backend", backend.URL+"/text")
	connects(p, "Backend")
	subscribes(p)
	addProfile(p, "presigned", "JSON backend", "backend", backend.URL+"/json", "member", "data.address")
	connects(p, "JSON backend")
	p.Is(`/The URL was signed \d+ \w+.* ago/.test(document.querySelector("#credential").textContent)`, `true`)
	before := requests.Load()
	p.Click("#reconnect")
	p.Until(`iot.stats().connects >= 10 && iot.state === "connected"`)
	if requests.Load() == before {
		t.Error("the page has not asked the backend for another URL")
	}
	p.Fill("#field-member", "data.other")
	p.Click("#connect")
	p.Until(`document.querySelector("#problem").textContent.startsWith("ERR_BACKEND: ") && document.querySelector("#field-backend-problem").textContent.includes("no wss:// URL in the member data.other")`)
	addProfile(p, "presigned", "Pasted", "url", signed.Load().(string))
	connects(p, "Pasted")
	subscribes(p)

	broker := startMosquitto(t)
	addProfile(p, "broker", "Mosquitto", "endpoint", "ws://"+broker.Address, "username", "ann", "password", "pass-of-ann")
	connects(p, "Mosquitto")
	subscribes(p)
	p.Until(`document.querySelector("#credential").textContent === "No AWS credentials were used."`)
	p.Fill("#field-password", "wrong")
	p.Click("#connect")
	p.Until(`document.querySelector("#problem").textContent.startsWith("ERR_") && iot.state === "closed"`)
	p.Until(`document.querySelector("#field-password-problem").textContent !== ""`)
	p.Accessible()
	p.Resize(1280, 900)

	// Of two changes of the profile, the second one has an effect, and the first one causes no error.
	p.Eval(`(() => { const choice = document.querySelector("#profile"); for (const name of ["Door", "Keys"]) {
		choice.value = [...choice.options].find((o) => o.textContent === name).value; choice.dispatchEvent(new Event("change")) } })()`, nil)
	p.Until(`iot.state === "connected" && document.querySelector("#summary").textContent.startsWith("Connected with Keys")`)
	subscribes(p)

	// The header changes the profile. The history continues.
	choose(p, "#profile", "local")
	p.Until(`iot.state === "connected" && document.querySelector("#summary").textContent.startsWith("Connected with Local stand-in")`)
	p.Is(`[...new Set([...document.querySelectorAll("#history .dim")].map((e) => e.textContent.split(" · ")[0]))].includes("Mosquitto")`, `true`)
}

// startMosquitto starts a broker that requires the user name ann and her password.
func startMosquitto(t *testing.T) *mosquitto.Broker {
	t.Helper()
	salt := []byte("a fixed salt")
	hash := sha512.Sum512(append([]byte("pass-of-ann"), salt...))
	file := filepath.Join(t.TempDir(), "passwords")
	line := fmt.Sprintf("ann:$6$%s$%s\n", base64.StdEncoding.EncodeToString(salt), base64.StdEncoding.EncodeToString(hash[:]))
	if err := os.WriteFile(file, []byte(line), 0o600); err != nil {
		t.Fatal(err)
	}
	broker, err := mosquitto.Start("allow_anonymous false", "password_file "+file)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(broker.Stop)
	return broker
}

// everything is all text that the page has, and all that the browser keeps after the end of the tab.
const everything = `document.documentElement.outerHTML + [...document.querySelectorAll("input, textarea")].map((e) => e.value).join() + location.href + JSON.stringify({ ...localStorage })`

// TestSecretsStayInTheSession checks where the secrets of a profile are: not in the page, the browser, an export or the URL.
func TestSecretsStayInTheSession(t *testing.T) {
	s := harness.Serve(t)
	local := s.Settings()
	p := open(t, s, "#/connect")
	p.Resize(1280, 900)
	p.Until(`document.querySelector("#new-kind") !== null`)
	const secret = "wrong+secret/of/the/test"
	addProfile(p, "keys", "Mine", "endpoint", local.Endpoint, "region", local.Region, "accessKeyId", local.Credentials.AccessKeyID, "secretAccessKey", secret)
	p.Click("#connect")
	p.Until(`document.querySelector("#problem").textContent.startsWith("ERR_SIGNATURE: ")`)
	p.Until(`document.querySelector("#field-secretAccessKey").getAttribute("aria-invalid") === "true" && document.querySelector("#history li .reason code")?.textContent === "ERR_SIGNATURE"`)
	without := func(state string) {
		t.Helper()
		if strings.Contains(p.Text(everything), secret) {
			t.Errorf("%s: the secret is in the page or in the browser's storage", state)
		}
	}
	reload := func() {
		t.Helper()
		p.Do(chromedp.Reload())
		p.Until(`document.querySelector("#field-secretAccessKey") !== null`)
	}
	reload()
	without("after a reload")
	p.Is(`document.querySelector("#field-secretAccessKey").placeholder`, `"kept for this tab"`)

	p.Click("#keep-secrets")
	p.Is(`Object.values(localStorage).join().includes("`+secret+`")`, `true`)
	p.Is(`Object.values(sessionStorage).join().includes("`+secret+`")`, `false`)
	p.Eval(`globalThis.exported = new Promise((resolve) => { const before = URL.createObjectURL; URL.createObjectURL = (blob) => (resolve(blob.text()), before.call(URL, blob)) })`, nil)
	p.Click("#export")
	if text := p.Text(`await exported`); strings.Contains(text, secret) || !strings.Contains(text, local.Credentials.AccessKeyID) {
		t.Errorf("the exported file is %s", text)
	}
	p.Click("#keep-secrets")
	without("without the permission to keep it")

	// Another tab has no secret. It connects to the stand-in, and the form says what is missing.
	p.Eval(`sessionStorage.clear()`, nil)
	p.Do(chromedp.Reload())
	p.Until(`iot.state === "connected" && document.querySelectorAll("#profiles li").length === 2`)
	p.Click("#profiles li:nth-child(2) button")
	p.Click("#connect")
	p.Until(`document.querySelector("#field-secretAccessKey-problem").textContent === "Secret access key is missing."`)
	p.Is(`iot.state`, `"connected"`) // the current connection stays
	p.Fill("#field-secretAccessKey", local.Credentials.SecretAccessKey)
	connects(p, "Mine")
	p.Click("#at-start")
	reload() // with the secret of the session
	p.Until(`iot.state === "connected" && document.querySelector("#summary").textContent.startsWith("Connected with Mine")`)
	p.Click("#field-secretAccessKey-forget")
	p.Is(`sessionStorage.getItem("iot.console.secrets")`, `null`)
}

// TestManageProfiles checks the order, duplicates, deletion and its undo, export and import.
func TestManageProfiles(t *testing.T) {
	p := open(t, harness.Serve(t), "#/connect")
	p.Resize(1280, 900)
	p.Until(`document.querySelector("#new-kind") !== null`)
	names := func(want string) {
		t.Helper()
		p.Is(`[...document.querySelectorAll("#profiles .name")].map((e) => e.textContent)`, want)
	}
	addProfile(p, "broker", "A", "endpoint", "wss://a.example/mqtt?key=1")
	p.Click(".advanced summary")
	p.Fill("#field-clientId", "x")
	p.Click("#duplicate")
	names(`["Local stand-in", "A", "A (2)"]`)
	p.Is(`document.querySelector("#field-clientId").value`, `"x"`)
	p.Click("#move-up")
	p.Click("#move-up")
	names(`["A (2)", "Local stand-in", "A"]`)
	p.Click("#delete")
	names(`["Local stand-in", "A"]`)
	p.Click("#undo")
	names(`["A (2)", "Local stand-in", "A"]`)
	p.Do(chromedp.Reload())
	p.Until(`document.querySelectorAll("#profiles .name").length === 3`)
	names(`["A (2)", "Local stand-in", "A"]`)

	load := func(text string) {
		t.Helper()
		p.Eval(fmt.Sprintf(`(() => { const all = new DataTransfer(), input = document.querySelector("#import-file"); all.items.add(new File([%q], "profiles.json")); input.files = all.files; input.dispatchEvent(new Event("change")) })()`, text), nil)
	}
	for text, message := range map[string]string{
		`{"format":`:                      "it is not JSON",
		`{"profiles":[]}`:                 "it was not exported by this page",
		`null`:                            "it was not exported by this page",
		file(2, ``):                       "it has the version 2",
		file(1, `{}`):                     "profile 1 needs a “name”",
		file(1, `null`):                   "profile 1 needs a “name”",
		file(1, profile(`"kind": "fax"`)): "is one of local, cognito",
		file(1, profile(`"kind": "broker", "endpoint": 7`)):     "“endpoint” that is no text",
		file(1, profile(`"kind": "local", "willRetain": "no"`)): "“willRetain” that is no boolean",
	} {
		load(text)
		p.Until(fmt.Sprintf(`document.querySelector("#problem").textContent.includes(%q)`, message))
		names(`["A (2)", "Local stand-in", "A"]`)
	}
	load(file(1, profile(`"kind": "broker", "endpoint": "wss://b.example", "password": "secret-in-file", "other": 1`)))
	p.Until(`document.querySelector("#imported").textContent.startsWith("1 profile was added")`)
	names(`["A (2)", "Local stand-in", "A", "New"]`)
	p.Is(`JSON.stringify([{ ...localStorage }, { ...sessionStorage }]).includes("secret-in-file")`, `false`)
	p.Accessible()
}

// file returns an exported file.
func file(version int, profiles string) string {
	return fmt.Sprintf(`{"format": "iot.wasm console profiles", "version": %d, "profiles": [%s]}`, version, profiles)
}

func profile(members string) string { return `{"name": "New", ` + members + `}` }
