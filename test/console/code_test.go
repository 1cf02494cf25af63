package console

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/chromedp/chromedp/kb"

	"iot.wasm/test/harness"
)

// programs returns the code of every action as core/snippets.js writes it, by action and language, for a profile and
// arguments in JavaScript.
func programs(t *testing.T, profile, arguments string) (all map[string]map[string]string) {
	t.Helper()
	node, err := harness.Node(22)
	if err != nil {
		t.Fatal(err)
	}
	script := `const { SECRETS } = await import("./www/console/core/profiles/fields.js");
		const { ACTIONS, LANGUAGES, snippet } = await import("./www/console/core/code/snippets.js");
		const all = Object.keys(ACTIONS).map((action) => [action, Object.fromEntries(LANGUAGES.map(({ id }) => [id, snippet(action, ` + arguments + `, ` + profile + `, id)]))]);
		console.log(JSON.stringify(Object.fromEntries(all)));`
	cmd := exec.Command(node, "--no-warnings", "--input-type=module", "-e", script)
	cmd.Dir = harness.Root
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(out, &all); err != nil {
		t.Fatal(err)
	}
	return all
}

const localProfile = `{ id: "local", name: "Local stand-in", kind: "local" }`

// hard are the arguments of an action with every kind of option, and with characters that need an escape.
const hard = `{ topic: "a</script><!--'\"\\", payload: '{"a":[1,null,true],"b-c":{}}', filter: "a/+/#", thing: "lamp", name: "main",
	state: { desired: { on: true, "color temp": [1, 2], mode: null } },
	options: ["publish", "request"].includes(action)
		? { qos: 1, retain: false, contentType: "text/plain", messageExpiry: 60, correlationData: Uint8Array.of(1, 2), userProperties: [["a", "b"], ["a", "c"]] }
		: { qos: 1, noLocal: true, retainHandling: 2 } }`

// TestCodeRuns runs the programs for a script tag and as a module against the stand-in.
func TestCodeRuns(t *testing.T) {
	s := harness.ServeStandIn(t, filepath.Join(harness.Root, "www"))
	for action, program := range programs(t, localProfile, `{ options: { qos: 1 } }`) {
		s.Files["/module-"+action+".html"] = harness.File{Body: "<!doctype html><link rel=icon href=data:,><script type=module src=module-" + action + ".js></script>"}
		s.Files["/module-"+action+".js"] = harness.File{Body: program["module"] + "\nglobalThis.done = true;\n"}
		script := strings.Replace(program["script"], "})();", "})().then(() => (globalThis.done = true));", 1)
		s.Files["/script-"+action+".html"] = harness.File{Body: "<!doctype html><link rel=icon href=data:,>" + script}
	}
	watcher := harness.NewPerson(t, s.URL, patience)
	watcher.Until(`globalThis.iot?.state === "connected" && iot.stats().subscriptions === 1`)
	watcher.Eval(`globalThis.topics = []; iot.addEventListener("message", ({ detail }) => topics.push(detail.topic))`, nil)
	for _, kind := range []string{"module", "script"} {
		run := func(action string) *harness.Person {
			p := harness.NewPerson(t, "about:blank", patience)
			p.Eval(`0`, nil)
			p.Script(`globalThis.logs = []; console.log = (...values) => logs.push(values.map(String).join(" "))`)
			p.Visit(s.URL + kind + "-" + action + ".html")
			return p
		}
		for _, action := range []string{"connect", "publish", "shadow-update", "shadow-get", "shadow-delete"} {
			run(action).Until(`globalThis.done`)
		}
		watcher.Until(`topics.includes("room/kitchen")`)
		watcher.Eval(`topics.length = 0`, nil)

		subscriber, responder, presence, jobs := run("subscribe"), run("respond"), run("presence"), run("jobs")
		subscriber.Until(`globalThis.done`)
		responder.Until(`globalThis.done`)
		presence.Until(`globalThis.iot?.stats().subscriptions === 2`)
		jobs.Until(`globalThis.iot?.stats().subscriptions >= 3`)
		run("request").Until(`globalThis.done && logs.includes("21.5")`)
		subscriber.Until(`logs.includes("room/kitchen 21.5")`)
		presence.Until(`logs.some((line) => line.endsWith(" connected"))`)
		jobs.Eval(`await fetch("local/jobs", { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify({ targets: ["lamp"], document: { a: 1 } }) })`, nil)
		jobs.Until(`logs.length === 1`)
		for _, p := range []*harness.Person{subscriber, responder, presence, jobs} {
			p.Visit("about:blank")
		}
	}
}

// TestCodeCompiles compiles the programs for TypeScript and React.
func TestCodeCompiles(t *testing.T) {
	node, err := harness.Node(22)
	if err != nil {
		t.Fatal(err)
	}
	modules, err := harness.Modules()
	if err != nil {
		t.Fatal(err)
	}
	dir, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	if err := harness.LinkModules(dir, "@types/react"); err != nil {
		t.Fatal(err)
	}
	write := func(name, text string) {
		t.Helper()
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	exports := map[string]any{}
	for _, name := range []string{"iot", "cognito", "jobs", "presence", "react", "shadow"} {
		text, err := os.ReadFile(filepath.Join(harness.Root, "www", name+".d.ts"))
		if err != nil {
			t.Fatal(err)
		}
		write(name+".d.ts", string(text))
		exports["iot.wasm/"+name] = []string{"./" + name + ".d.ts"}
	}
	exports["iot.wasm"] = []string{"./iot.d.ts"}
	var typed, react []string
	for name, profile := range map[string]string{
		"local":      localProfile,
		"cognito":    `{ kind: "cognito", endpoint: "x-ats.iot.eu-west-1.amazonaws.com", pool: "eu-west-1:x", provider: "accounts.google.com" }`,
		"keys":       `{ kind: "keys", endpoint: "x-ats.iot.eu-west-1.amazonaws.com", accessKeyId: "ASIA", expiration: "2030-01-01T00:00" }`,
		"authorizer": `{ kind: "authorizer", endpoint: "x-ats.iot.eu-west-1.amazonaws.com", authorizer: "a", tokenKeyName: "token", username: "me" }`,
		"presigned":  `{ kind: "presigned", backend: "/api/url", member: "data.url" }`,
		"broker":     `{ kind: "broker", endpoint: "wss://broker.example:8084/mqtt", username: "me", clientId: "a", keepAlive: "60", cleanStart: "no", connectProperties: "a=b", willTopic: "w", willQos: "1", willRetain: true, minDelay: "10", overflow: "drop-oldest", quotas: "none" }`,
	} {
		for action, program := range programs(t, profile, hard) {
			if name != "local" && action != "connect" {
				continue
			}
			write(name+"-"+action+".ts", program["typescript"])
			// TypeScript checks only the syntax of the components with other profiles. The options are no literals of their types.
			check := map[bool]string{false: "// @ts-nocheck\n"}[name == "local"]
			write(name+"-"+action+".jsx", check+program["react"])
			typed, react = append(typed, name+"-"+action+".ts"), append(react, name+"-"+action+".jsx")
		}
	}
	for name, files := range map[string][]string{"tsconfig.json": typed, "jsconfig.json": react} {
		config, err := json.Marshal(map[string]any{
			"files": files,
			"compilerOptions": map[string]any{
				"strict": name == "tsconfig.json", "exactOptionalPropertyTypes": name == "tsconfig.json", "noUncheckedIndexedAccess": true,
				"allowJs": true, "checkJs": true, "jsx": "react-jsx", "noEmit": true, "module": "esnext", "moduleResolution": "bundler", "moduleDetection": "force",
				"target": "es2022", "lib": []string{"es2022", "esnext.disposable", "dom"}, "types": []string{}, "paths": exports,
			},
		})
		if err != nil {
			t.Fatal(err)
		}
		write(name, string(config))
		if err := harness.Command(dir, node, filepath.Join(modules, "typescript/bin/tsc"), "-p", name); err != nil {
			t.Error(err)
		}
	}
}

// TestCodeHasNoSecret checks that no program contains a secret of a profile.
func TestCodeHasNoSecret(t *testing.T) {
	for _, kind := range []string{"local", "cognito", "keys", "authorizer", "presigned", "broker"} {
		// A profile does not contain its secrets. If it did, the code would not contain them either.
		profile := `Object.assign(Object.fromEntries([...SECRETS].map((name) => [name, "SECRET"])), { kind: "` + kind + `", endpoint: "wss://a/mqtt", pool: "p" })`
		for action, program := range programs(t, profile, `{}`) {
			for language, code := range program {
				if strings.Contains(code, "SECRET") {
					t.Errorf("the program %s for %s with a profile of the kind %s contains a secret:\n%s", action, language, kind, code)
				}
			}
		}
	}
}

// TestCode shows the code of the forms.
func TestCode(t *testing.T) {
	p := open(t, harness.Serve(t), "")
	p.Fill("#publish [name=topic]", "room/1")
	p.Fill("#publish [name=payload]", `{"t":21}`)
	p.Click("#publish-code")
	p.Until(`document.querySelector("#code")?.open`)
	p.Is(`document.querySelector("#code-panel-module").textContent.includes('await iot.publish("room/1", { json: { t: 21 } }, { qos: 1 });')`, `true`)
	p.Press(kb.ArrowRight)
	p.Until(`!document.querySelector("#code-panel-react").hidden`)
	p.Is(`document.activeElement.id`, `"code-react"`)
	p.Eval(`globalThis.copied = undefined; navigator.clipboard.writeText = async (text) => (copied = text)`, nil)
	p.Click("#code-copy")
	p.Until(`copied?.includes('import { useConnection, usePublish } from "iot.wasm/react"')`)
	p.Accessible()
	p.Press(kb.Escape)
	p.Until(`!document.querySelector("#code")?.open && document.activeElement.id === "publish-code"`)

	p.Fill("#subscribe [name=filter]", "room/+")
	p.Click("#subscribe-code")
	// The language of the last time is selected.
	p.Until(`document.querySelector("#code-panel-react:not([hidden])")?.textContent.includes('useSubscription("room/+", { qos: 1, keep: 20 })')`)
	p.Click("#code-script")
	p.Is(`document.querySelector("#code-panel-script").textContent.startsWith("<script src=")`, `true`)
}
