package console

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/chromedp/chromedp"

	"iot.wasm/test/harness"
)

func TestPublishRepeat(t *testing.T) {
	s := harness.Serve(t, "-faults")
	p := publishPage(t, s)
	p.Click("#publish-repeat summary")
	p.Fill("[name=topic]", "count/{{n}}")
	p.Fill("#payload", "{{n}}")
	p.Fill("[name=every]", "20")
	p.Fill("[name=times]", "5")
	enter(p)
	p.Until(`document.querySelector("#repetitions li")?.dataset.state === "finished"`)
	p.Is(`document.querySelector("#repetitions li > span").textContent`, `"5 of 5 · 5 acknowledged · finished"`)
	p.Is(`document.querySelector("#repetitions progress").value`, `5`)
	p.Until(`got.length >= 5`)
	p.Is(`got.map((m) => m.topic + "=" + m.text())`, `["count/1=1", "count/2=2", "count/3=3", "count/4=4", "count/5=5"]`)

	// Two messages without an end. They continue after a reconnect.
	p.Fill("[name=topic]", "end/a")
	p.Fill("[name=times]", "\b")
	p.Click("#repeat-start")
	p.Fill("[name=topic]", "end/b")
	chooseLetter(p, "#publish [name=qos]", "0")
	p.Click("#repeat-start")
	p.Until(`["end/a", "end/b"].every((topic) => got.filter((m) => m.topic === topic).length > 3)`)
	p.Until(`document.querySelector("#publish-repeat .tally").textContent === "2 running" && /[1-9][0-9.]*\/s/.test(document.querySelector("#repetitions li > span").textContent)`)
	p.Accessible()
	s.Control(`{"upgrade": {"status": 503, "count": 1000}, "cut": "*"}`)
	p.Until(`[...document.querySelectorAll("#repetitions [data-state=waiting]")].length === 2`)
	p.Until(`document.querySelector("#repetitions li > span").textContent.includes("waits for the connection")`)
	s.Control(`{"upgrade": {"status": 503, "count": 0}}`)
	p.Eval(`globalThis.sofar = got.length; iot.reconnect()`, nil)
	p.Until(`["end/a", "end/b"].every((topic) => got.slice(sofar).filter((m) => m.topic === topic).length > 3)`)
	p.Click("#repetitions li:nth-child(1) button")
	p.Until(`document.querySelector("#repetitions li:nth-child(1)").dataset.state === "stopped"`)
	p.Click("#repetitions li:nth-child(1) button")
	p.Until(`document.querySelectorAll("#repetitions li").length === 2`)
	p.Click("#repetitions li:nth-child(1) button")
	p.Until(`document.querySelector("#publish-repeat .tally").textContent === ""`)

	// An error stops it, and its text is shown.
	p.Fill("[name=topic]", "bad/{{pick +}}")
	p.Click("#repeat-start")
	p.Until(`document.querySelector("#repetitions li[data-state=failed] .bad")?.textContent.includes("stopped by ERR_TOPIC: ")`)
	p.Fill("[name=every]", "0")
	enter(p)
	p.Until(`document.querySelector("#published .bad")?.textContent.includes("the interval must be an integer from 1 ms")`)
}

func TestPublishRequest(t *testing.T) {
	p := publishPage(t, harness.Serve(t))
	p.Click("#publish-request summary")
	p.Fill("[name=topic]", "ask/time")
	p.Fill("[name=timeout]", "50")
	enter(p)
	p.Until(`document.querySelector("#reply .bad")?.textContent.startsWith("ERR_REQUEST_TIMEOUT: ")`)
	p.Fill("[name=respondTo]", "ask/#/no")
	enter(p)
	p.Until(`document.querySelector("#responder-state").textContent.startsWith("ERR_FILTER: ")`)
	p.Fill("[name=respondTo]", "\b")
	p.Fill("[name=respondWith]", `{"n": {{n}}, "to": "{{topic}}", "got": "{{payload}}"}`)
	p.Click("#respond")
	p.Until(`document.querySelector("#responder-state").textContent === "Answers requests to ask/time. Answered: 0."`)
	p.Is(`document.querySelector("[name=respondTo]").value`, `"ask/time"`)
	p.Fill("[name=timeout]", "60000")
	p.Click("#request-send")
	p.Until(`document.querySelector("#reply .good")?.textContent.startsWith("Reply after ")`)
	p.Is(`document.querySelector("#reply pre").textContent`, `"{\n  \"n\": 1,\n  \"to\": \"ask/time\",\n  \"got\": \"world\"\n}"`)
	p.Until(`document.querySelector("#responder-state").textContent.endsWith("Answered: 1.")`)
	p.Accessible()
	p.Click("#respond")
	p.Until(`document.querySelector("#responder-state").textContent === ""`)
	p.Click("#request-send")
	p.Until(`document.querySelector("#request-send").textContent === "Cancel"`)
	p.Click("#request-send")
	p.Until(`document.querySelector("#reply .bad")?.textContent === "the request was cancelled"`)
	// Ctrl+Enter publishes from each field, also from one with an action of its own.
	p.Click("[name=respondWith]")
	p.Eval(`globalThis.before = got.length`, nil)
	ctrlEnter(p)
	p.Until(`got.length === before + 1 && got.at(-1).topic === "ask/time"`)
}

func TestPublishSaved(t *testing.T) {
	s := harness.Serve(t)
	p := publishPage(t, s)
	p.Fill("[name=topic]", "lamp/1")
	p.Fill("#payload", "on")
	ctrlEnter(p)
	p.Until(`got.length === 1`)
	p.Click("#publish-history summary")
	p.Fill("[name=saveAs]", "Lamp on")
	enter(p)
	p.Until(`document.querySelector("#saved .entry span")?.textContent === "Lamp on"`)
	p.Fill("[name=topic]", "lamp/2")
	p.Fill("#payload", "off")
	p.Fill("[name=saveAs]", "Lamp off")
	enter(p)
	p.Until(`document.querySelectorAll("#saved li").length === 2`)
	p.Click("#saved li:nth-child(2) .entry")
	p.Is(`[document.querySelector("[name=topic]").value, document.querySelector("#payload").value, document.activeElement.id]`, `["lamp/1", "on", "payload"]`)
	p.Click("#saved [aria-label='Rename Lamp on']")
	p.Do(chromedp.KeyEvent("Lamp off"))
	enter(p)
	p.Until(`document.querySelector("#saved-note").textContent === "another message has the name “Lamp off”"`)
	p.Click("#saved [aria-label='Rename Lamp on']")
	p.Do(chromedp.KeyEvent("Kitchen"))
	enter(p)
	p.Until(`document.activeElement.ariaLabel === "Rename Kitchen"`)
	p.Accessible()

	// Export, delete, import.
	p.Eval(`globalThis.exported = undefined; URL.createObjectURL = (blob) => { exported = blob; return "data:," }; HTMLAnchorElement.prototype.click = function () { globalThis.file = this.download }; 0`, nil)
	p.Click("#export-saved")
	p.Is(`JSON.parse(await exported.text()).messages.map(({ name, topic, payload }) => [name, topic, payload])`, `[["Kitchen", "lamp/1", "on"], ["Lamp off", "lamp/2", "off"]]`)
	p.Click("#saved [aria-label='Delete Kitchen']")
	p.Is(`document.activeElement.textContent`, `"Lamp offlamp/2"`)
	p.Click("#saved [aria-label='Delete Lamp off']")
	p.Is(`[document.querySelectorAll("#saved li").length, document.activeElement.name]`, `[0, "saveAs"]`)
	importFile := func(text string) {
		t.Helper()
		path := filepath.Join(t.TempDir(), "saved.json")
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		p.Do(chromedp.SetUploadFiles("#import-chooser", []string{path}))
	}
	importFile(`{"kind": "other"}`)
	p.Until(`document.querySelector("#saved-note.bad")?.textContent === "the file has no saved messages of this page"`)
	importFile(p.Text(`await exported.text()`))
	p.Until(`document.querySelector("#saved-note").textContent === "Imported: 2."`)

	// The history, and both after a reload.
	p.Until(`document.querySelector("#published-list li")?.textContent.includes("Acknowledged after ")`)
	p.Fill("[name=topic]", "lamp/3")
	p.Do(chromedp.Reload())
	p.Until(`globalThis.iot?.state === "connected" && document.querySelectorAll("#saved li").length === 2`)
	p.Is(`[document.querySelector("[name=topic]").value, document.querySelector("#payload").value]`, `["lamp/3", "on"]`) // the form has not changed
	p.Click("#publish-history summary")
	p.Until(`document.querySelectorAll("#published-list li").length === 1`)
	p.Click("#published-list .entry")
	p.Is(`[document.querySelector("[name=topic]").value, document.querySelector("#payload").value]`, `["lamp/1", "on"]`)
	// The topics of the history complete the topic.
	p.Click("[name=topic]")
	p.Until(`document.querySelector("#topics option")?.value === "lamp/1"`)
	p.Click("#clear-history")
	p.Until(`document.querySelectorAll("#published-list li").length === 0`)
}

// Another part of the page fills the form, and reads it.
func TestPublishCompose(t *testing.T) {
	p := publishPage(t, harness.Serve(t))
	p.Eval(`globalThis.app = (await import("/console/main.js")).app; location.hash = "#/learn"; 0`, nil)
	p.Until(`document.querySelector("#view-messages").hidden`)
	p.Eval(`app.compose({ topic: "a/b", payload: new TextEncoder().encode('{"v": "{{n}}"}'), options: { qos: 1, retain: true, userProperties: [["k", "v"]], correlationData: new Uint8Array([0, 1]) } })`, nil)
	p.Until(`!document.querySelector("#view-messages").hidden && document.activeElement.id === "payload"`)
	p.Is(`document.querySelector("#publish-properties .tally").textContent`, `"2 set"`)
	want := `["a/b", "{\"v\": \"{{n}}\"}", {"qos": 1, "retain": true, "correlationData": {"0": 0, "1": 1}, "userProperties": [["k", "v"]]}]`
	p.Is(`Object.values(app.composed())`, want)
	ctrlEnter(p)
	p.Until(`got.length === 1 && got[0].text() === '{"v": "{{n}}"}'`)
	p.Eval(`app.compose({ topic: "a/c" })`, nil)
	p.Is(`[app.composed().topic, app.composed().payload, app.composed().options.retain]`, `["a/c", "{\"v\": \"{{n}}\"}", true]`)
}

// The parts of the form without elements: JSON, templates, drafts.
func TestPublishModules(t *testing.T) {
	p := open(t, harness.Serve(t), "")
	p.Eval(`globalThis.json = await import("/console/core/publish/json.js"); globalThis.drafts = await import("/console/core/publish/draft.js"); globalThis.templates = await import("/console/core/publish/template.js"); 0`, nil)
	// A text has a problem exactly if JSON.parse refuses it, and its indented form has the same value.
	p.Is(`['{}', '[]', '1', '-0.5e+3', '"a\\u00e9\\n"', '{"a":[1,{"b":null}],"c":true}', ' [ [ ] , { } ] ', '', ' ', '{', '[1', '[1,]', '{"a":1,}', '{"a" 1}', "{'a':1}", '01', '1.', '+1', 'nul', '"a', '"\\x"', '"\t"', '{"a":1}x', '[1 2]', '}', ',', '{,}', '{"a":}', '"\n"', '{"a":1]', '[1}', 'truefalse']
		.filter((text) => { let value, ok = true; try { value = JSON.parse(text) } catch { ok = false }
			const problem = json.jsonProblem(text); return ok === Boolean(problem) || (ok && json.formatJson(text) !== JSON.stringify(value, null, 2).replace("-500", "-0.5e+3").replace("é", "\\u00e9")) })`, `[]`)
	p.Is(`json.jsonProblem("[\n 1,\n x]")`, `{"message": "“x” is no JSON value; a text needs double quotes", "at": 7, "line": 3, "column": 2}`)
	p.Is(`json.formatJson("[12345678901234567890,{{n}},\"{{time}}\"]", true)`, `"[\n  12345678901234567890,\n  {{n}},\n  \"{{time}}\"\n]"`)
	p.Is(`json.jsonProblem("[".repeat(200_000) + "]".repeat(200_000)) ?? null`, `null`)
	p.Is(`json.jsonProblem("[{{time}}]", true)?.column`, `2`)

	p.Is(`["{{n}}", "{{ n 100 }}", "{{time}}", "{{ms}}", "{{seconds}}", "{{sine 60 20 25}}", "{{n x}}", "{{random 2 1}}", "{{sine 0 1 2}}", "{{constructor}}", "{{topic}}", "{{"].map((text) => templates.expand(text, { n: 3, now: 15000 }))`,
		`["3", "102", "1970-01-01T00:00:15.000Z", "15000", "15", "25.00", "{{n x}}", "{{random 2 1}}", "{{sine 0 1 2}}", "{{constructor}}", "{{topic}}", "{{"]`)
	p.Is(`Array.from({ length: 200 }, () => templates.expand("{{random 1.0 1.2}}", { n: 1, now: 0 })).every((text) => ["1.0", "1.1", "1.2"].includes(text))`, `true`)
	p.Is(`/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(templates.expand("{{uuid}}", { n: 1, now: 0 }))`, `true`)

	// A message becomes a draft, and the draft becomes the same message.
	p.Is(`[["text", {}], ["{\"a\": 1}", { qos: 1, retain: true, contentType: "t", utf8: true, responseTopic: "r", messageExpiry: 0, userProperties: [["a", "b"], ["a", "c"]] }], [new Uint8Array([0, 255]), {}], [new Uint8Array(5000), {}], ["{{n}}", {}]]
		.map(([payload, options]) => { const draft = drafts.draftOfMessage("t", payload, options), again = drafts.argumentsOf(JSON.parse(JSON.stringify(draft)), { n: 1, now: 0 });
			return [draft.format, again.topic === "t", String(again.payload) === String(payload), JSON.stringify(again.options) === JSON.stringify({ qos: 0, retain: false, ...options })] })`,
		`[["text", true, true, true], ["json", true, true, true], ["hex", true, true, true], ["base64", true, true, true], ["text", true, true, true]]`)
	p.Is(`[{}, { topic: 1 }, { topic: "t", qos: 3 }, { topic: "t", format: "file" }, { topic: "t", userProperties: [["a"]] }, { topic: "t", retain: "yes" }].map((value) => { try { drafts.draftOf(value); return false } catch (error) { return error instanceof TypeError } })`, `[true, true, true, true, true, true]`)
}
