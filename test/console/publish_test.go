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

// chooseLetter selects an option of a select element by the first letter of its text.
func chooseLetter(p *harness.Person, selector, letter string) {
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
	chooseLetter(p, "[name=correlationForm]", "H")
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
	chooseLetter(p, "[name=format]", "J")
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

	chooseLetter(p, "[name=format]", "H")
	p.Fill("#payload", "00 ff 7")
	check(`"Not hex: a hexadecimal digit is missing: each byte has two."`)
	p.Do(chromedp.KeyEvent("f"))
	check(`"3 B"`)
	ctrlEnter(p)
	p.Until(`got.length === 2 && got[1].payload.join() === "0,255,127"`)
	chooseLetter(p, "[name=format]", "B")
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
	chooseLetter(p, "#publish [name=qos]", "2")
	p.Click("#publish .primary")
	p.Until(`document.querySelector("#published .bad")?.textContent.startsWith("ERR_QOS_NOT_SUPPORTED: ")`)
	chooseLetter(p, "#publish [name=qos]", "0")
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
	chooseLetter(p, "#publish [name=qos]", "1")
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
	p.Is(`(await import("/console/core/publish/publish.js")).resultText(1, { reasonCode: 16 }, 2.6)`, `"Acknowledged after 3 ms: no subscriber received it (reason code 16)."`)
	p.Click("#link")
	p.Until(`iot.state === "closed"`)
	p.Click("#publish .primary")
	p.Until(`document.querySelector("#published .bad")?.textContent.includes("ERR_NOT_CONNECTED: ")`)
}
