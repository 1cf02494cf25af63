package console

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/chromedp"

	"iot.wasm/test/harness"
)

// publishPage opens the page. Its global variable got has the received messages.
func publishPage(t *testing.T, s *harness.Server) *harness.Person {
	t.Helper()
	p := open(t, s, "")
	p.Until(`document.querySelector("#save-message") !== null`) // the form is mounted
	p.Eval(`globalThis.got = []; iot.addEventListener("message", ({ detail }) => got.push(detail)); 0`, nil)
	return p
}

// press presses Enter in the focused element, as a keyboard does: if the page prevents the default action of the event
// keydown, the browser fires no keypress. chromedp.KeyEvent sends a separate character, which fires a keypress in any case.
func press(p *harness.Person, modifiers chromedp.Modifier) {
	p.T.Helper()
	key := input.DispatchKeyEventParams{Key: "Enter", Code: "Enter", Text: "\r", UnmodifiedText: "\r", WindowsVirtualKeyCode: '\r', Modifiers: int64(modifiers)}
	if modifiers != 0 {
		key.Text, key.UnmodifiedText = "", ""
	}
	for _, kind := range []input.DispatchKeyEventType{input.DispatchKeyEventTypeKeyDown, input.DispatchKeyEventTypeKeyUp} {
		key.Type = kind
		if _, err := chromedp.Call(p.Ctx, input.DispatchKeyEvent, key); err != nil {
			p.T.Fatal(err)
		}
	}
}

// enter presses Enter in the focused element.
func enter(p *harness.Person) {
	p.T.Helper()
	press(p, 0)
}

// ctrlEnter presses Ctrl+Enter in the focused element.
func ctrlEnter(p *harness.Person) {
	p.T.Helper()
	press(p, chromedp.ModifierCtrl)
}

// choose selects an option of a select element by the first letter of its text.
func choose(p *harness.Person, selector, letter string) {
	p.T.Helper()
	p.Eval(fmt.Sprintf(`document.querySelector(%q).focus()`, selector), nil)
	p.Do(chromedp.KeyEvent(letter))
}

func TestPublishProperties(t *testing.T) {
	p := publishPage(t, harness.Serve(t))
	p.Click("#publish-properties summary")
	p.Fill("[name=contentType]", "text/plain")
	p.Click("[name=utf8]")
	p.Fill("[name=responseTopic]", "answers/1")
	p.Fill("[name=correlation]", "0a ff")
	choose(p, "[name=correlationForm]", "H")
	p.Fill("[name=messageExpiry]", "60")
	p.Click("#add-property")
	p.Do(chromedp.KeyEvent("colour"))
	p.Fill("#user-properties div:nth-child(1) input:nth-child(2)", "red")
	p.Click("#add-property")
	p.Do(chromedp.KeyEvent("colour\tblue"))
	p.Is(`document.querySelector("#publish-properties .tally").textContent`, `"7 set"`)
	ctrlEnter(p)
	p.Until(`got.length === 1`)
	p.Is(`(({ topic, contentType, utf8, responseTopic, correlationData, messageExpiry, userProperties }) => ({ topic, contentType, utf8, responseTopic, correlationData: [...correlationData], messageExpiry, userProperties }))(got[0])`,
		`{"topic": "hello", "contentType": "text/plain", "utf8": true, "responseTopic": "answers/1", "correlationData": [10, 255], "messageExpiry": 60, "userProperties": [["colour", "red"], ["colour", "blue"]]}`)
	p.Until(`document.querySelector("#published").textContent.startsWith("Acknowledged after ")`)
	p.Accessible()

	p.Click("#user-properties div:nth-child(1) button")
	p.Is(`document.activeElement.value`, `"colour"`) // the focus is in the next row
	p.Fill("[name=correlation]", "0a f")
	ctrlEnter(p)
	p.Until(`document.querySelector("#published .bad")?.textContent.includes("correlation data: a hexadecimal digit is missing")`)
	p.Fill("[name=correlation]", "\b")
	p.Fill("[name=messageExpiry]", "-1")
	enter(p)
	p.Until(`document.querySelector("#published .bad")?.textContent.includes("message expiry must be an integer")`)
	p.Is(`got.length`, `1`)
	p.Eval(`[...document.querySelectorAll("#publish-properties button")].find((b) => b.textContent === "Clear all properties").id = "clear-all"`, nil)
	p.Click("#clear-all")
	p.Is(`document.querySelector("#publish-properties .tally").textContent`, `""`)
	p.Click("#publish .primary")
	p.Until(`got.length === 2`)
	p.Is(`[got[1].contentType ?? null, got[1].utf8, got[1].correlationData ?? null, got[1].userProperties]`, `[null, false, null, []]`)
}

func TestPublishFormats(t *testing.T) {
	p := publishPage(t, harness.Serve(t))
	choose(p, "[name=format]", "J")
	check := func(want string) {
		t.Helper()
		p.Is(`document.querySelector("#payload-check").textContent`, want)
	}
	p.Fill("#payload", `{"a": [1,`+"\r"+`2,]}`)
	check(`"Line 2, column 2: remove the comma before “]”. Go there"`)
	p.Is(`[document.querySelector("#payload").ariaInvalid, document.querySelector("#json-format").disabled]`, `["true", true]`)
	p.Accessible()
	p.Click("#payload-check button")
	p.Is(`[document.activeElement.id, document.querySelector("#payload").selectionStart]`, `["payload", 11]`)
	p.Do(chromedp.KeyEvent("\b"))
	check(`"Valid JSON · 13 B"`)
	p.Click("#json-format")
	p.Is(`document.querySelector("#payload").value`, `"{\n  \"a\": [\n    1,\n    2\n  ]\n}"`)
	// Text that is no JSON can be published nevertheless.
	p.Fill("#payload", "no JSON")
	ctrlEnter(p)
	p.Until(`got.length === 1 && got[0].text() === "no JSON"`)

	choose(p, "[name=format]", "H")
	p.Fill("#payload", "00 ff 7")
	check(`"Not hex: a hexadecimal digit is missing: each byte has two."`)
	p.Do(chromedp.KeyEvent("f"))
	check(`"3 B"`)
	ctrlEnter(p)
	p.Until(`got.length === 2 && got[1].payload.join() === "0,255,127"`)
	choose(p, "[name=format]", "B")
	p.Fill("#payload", "AP9/")
	ctrlEnter(p)
	p.Until(`got.length === 3 && got[2].payload.join() === "0,255,127"`)

	// A file by the chooser. Its content type becomes that of the message.
	path := filepath.Join(t.TempDir(), "small.json")
	if err := os.WriteFile(path, []byte(`{"file": 1}`), 0o600); err != nil {
		t.Fatal(err)
	}
	p.Do(chromedp.SetUploadFiles("#payload-chooser", []string{path}))
	p.Until(`document.querySelector("#payload-file").textContent.includes("small.json")`)
	check(`"11 B"`)
	p.Click("#publish .primary")
	p.Until(`got.length === 4`)
	p.Is(`[got[3].text(), got[3].contentType]`, `["{\"file\": 1}", "application/json"]`)
	p.Accessible()

	// Files by drag and drop. The broker accepts payloads of 128 KiB.
	drop := func(size int) {
		t.Helper()
		p.Eval(fmt.Sprintf(`globalThis.dropped = new DataTransfer(); dropped.items.add(new File([new Uint8Array(%d)], "dropped.bin", { type: "application/octet-stream" }));
			for (const type of ["dragover", "drop"]) document.querySelector("#publish").dispatchEvent(new DragEvent(type, { dataTransfer: dropped, bubbles: true, cancelable: true })); 0`, size), nil)
	}
	drop(128<<10 + 1)
	p.Until(`document.querySelector("#published .bad")?.textContent.includes("dropped.bin has 128 KiB, and the broker accepts at most 128 KiB")`)
	drop(128 << 10)
	p.Until(`document.querySelector("#payload-file").textContent.includes("dropped.bin")`)
	p.Click("#publish .primary")
	p.Until(`got.length === 5`)
	p.Is(`[got[4].payload.length, got[4].contentType]`, `[131072, "application/octet-stream"]`)
	p.Eval(`[...document.querySelectorAll("#payload-file button")].at(-1).id = "remove-file"`, nil)
	p.Click("#remove-file")
	check(`"No file is chosen."`)
}

func TestPublishTemplates(t *testing.T) {
	p := publishPage(t, harness.Serve(t))
	p.Fill("[name=topic]", "room/{{n 7}}")
	p.Fill("#payload", "\b")
	p.Click("#templates-show")
	p.Is(`document.querySelector("#templates-show").ariaExpanded`, `"true"`)
	p.Click("#templates dt:nth-of-type(1) button")
	p.Is(`[document.querySelector("#payload").value, document.activeElement.id]`, `["{{n}}", "payload"]`)
	p.Do(chromedp.KeyEvent(" {{random 10 20}} {{sine 60 20 25}} {{other}}"))
	p.Until(`/^1 1?[0-9]+ 2[0-9.]+ {{other}}$/.test(document.querySelector("#payload-preview pre").textContent)`)
	p.Is(`document.querySelector("#payload-preview p").textContent`, `"room/7"`)
	p.Is(`document.querySelector("#payload-preview .warn").textContent`, `"{{other}} is no template, and stays as it is."`)
	p.Accessible()
	ctrlEnter(p)
	p.Until(`got.length === 1`)
	ctrlEnter(p)
	p.Until(`got.length === 2`)
	p.Is(`got.map(({ topic }) => topic)`, `["room/7", "room/8"]`)
	p.Is(`got.every((m, i) => { const [n, random, sine] = m.text().split(" ").map(Number); return n === i + 1 && Number.isInteger(random) && random >= 10 && random <= 20 && sine >= 20 && sine <= 25 })`, `true`)
	p.Until(`document.querySelector("#payload-preview p").textContent === "room/9"`)
	// The preview follows the time.
	p.Fill("#payload", "{{ms}}")
	before := p.Text(`document.querySelector("#payload-preview pre").textContent`)
	p.Until(fmt.Sprintf(`document.querySelector("#payload-preview pre").textContent > %q`, before))
	p.Click("[name=templates]")
	p.Is(`document.querySelector("#payload-preview").hidden`, `true`)
	p.Fill("[name=topic]", "plain")
	ctrlEnter(p)
	p.Until(`got.length === 3 && got[2].text() === "{{ms}}"`)
}

// The result line states what happened to each message.
func TestPublishResults(t *testing.T) {
	s := harness.Serve(t, "-faults")
	p := publishPage(t, s)
	choose(p, "#publish [name=qos]", "2")
	p.Click("#publish .primary")
	p.Until(`document.querySelector("#published .bad")?.textContent.startsWith("ERR_QOS_NOT_SUPPORTED: ")`)
	choose(p, "#publish [name=qos]", "0")
	p.Click("#publish .primary")
	p.Until(`document.querySelector("#published .good")?.textContent.endsWith("Sent. QoS 0 has no acknowledgement.")`)
	p.Fill("[name=topic]", "a/+")
	enter(p)
	p.Until(`document.querySelector("#published .bad")?.textContent.startsWith("a/+: ERR_TOPIC: ")`)

	s.Control(`{"upgrade": {"status": 503, "count": 1000}, "cut": "*"}`)
	p.Until(`iot.state === "reconnecting"`)
	p.Fill("[name=topic]", "offline/0")
	enter(p)
	p.Until(`document.querySelector("#published .bad")?.textContent.startsWith("offline/0: ERR_OFFLINE_QOS0: ")`)
	choose(p, "#publish [name=qos]", "1")
	p.Fill("[name=topic]", "offline/1")
	ctrlEnter(p)
	p.Until(`document.querySelector("#published .waiting")?.textContent.startsWith("offline/1: Queued while offline.")`)
	p.Fill("[name=topic]", "offline/2")
	ctrlEnter(p)
	p.Is(`[...document.querySelectorAll("#published .waiting")].map((e) => e.textContent.slice(0, 9))`, `["offline/2", "offline/1"]`)
	p.Accessible()
	s.Control(`{"upgrade": {"status": 503, "count": 0}}`)
	p.Eval(`iot.reconnect()`, nil)
	p.Until(`document.querySelectorAll("#published .good").length === 2 && document.querySelector("#published").textContent.includes("It was queued while offline.")`)

	// The stand-in, like AWS IoT Core, does not send reason code 16.
	p.Is(`(await import("/console/core/publish.js")).resultText(1, { reasonCode: 16 }, 2.6)`, `"Acknowledged after 3 ms: no subscriber received it (reason code 16)."`)
	p.Click("#link")
	p.Until(`iot.state === "closed"`)
	p.Click("#publish .primary")
	p.Until(`document.querySelector("#published .bad")?.textContent.includes("ERR_NOT_CONNECTED: ")`)
}

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
	choose(p, "#publish [name=qos]", "0")
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
	p.Eval(`globalThis.json = await import("/console/core/publish-json.js"); globalThis.drafts = await import("/console/core/publish-draft.js"); globalThis.templates = await import("/console/core/publish-template.js"); 0`, nil)
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
