package console

import (
	"fmt"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"iot.wasm/test/harness"
)

// png is an expression for the bytes of a picture with 10 × 10 pixels.
const png = `Uint8Array.from(atob("iVBORw0KGgoAAAANSUhEUgAAAAoAAAAKCAYAAACNMs+9AAAAFUlEQVR42mNk+M9Qz0AEYBxVSF+FABJADveWkH6oAAAAAElFTkSuQmCC"), (c) => c.charCodeAt(0))`

// details clicks on the newest message of a topic, and waits until its payload is shown.
func details(p *harness.Person, topic string) {
	p.T.Helper()
	p.Until(fmt.Sprintf(`([...document.querySelectorAll("#messages li:not([hidden])")].find((row) => row.querySelector(".topic").textContent === %q) ?? {}).id = "clicked", !!document.querySelector("#clicked")`, topic))
	p.Click("#clicked")
	p.Until(fmt.Sprintf(`document.querySelector("#message-details .topic").textContent === %q && !!document.querySelector("#message-details .payload-view").firstChild`, topic))
}

// format selects a format of the payload by its radio button.
func format(p *harness.Person, name string) {
	p.T.Helper()
	p.Click(fmt.Sprintf(`#message-details [name=format][value=%s]`, name))
}

const (
	chosen  = `document.querySelector("#message-details [name=format]:checked").value`
	payload = `document.querySelector("#message-details .payload-view").textContent`
)

// TestFormats checks which format the page chooses for a payload, and how it shows the others.
func TestFormats(t *testing.T) {
	p := open(t, harness.Serve(t), "")
	publishAll(p,
		[2]string{"f/json", `'{"id": 12345678901234567890, "name": "pump", "list": [true, null, 1.5]}'`},
		[2]string{"f/text", `"plain <b>text</b>\nsecond line"`},
		[2]string{"f/png", png},
		[2]string{"f/svg", `'<svg xmlns="http://www.w3.org/2000/svg" width="20" height="20" onload="globalThis.hacked = 1"><script>globalThis.hacked = 1</script></svg>'`},
		[2]string{"f/broken", `"not a picture", { contentType: "image/png" }`},
		[2]string{"f/cbor", `new Uint8Array([0xa2, 0x61, 0x61, 0x01, 0x02, 0x82, 0xf5, 0xc1, 0x1a, 0x51, 0x4b, 0x67, 0xb0])`},
		[2]string{"f/bytes", `new Uint8Array([0, 255, 65, 66])`},
		[2]string{"f/empty", `""`})
	p.Resize(1500, 900)

	details(p, "f/json")
	p.Is(chosen, `"json"`)
	p.Is(`document.querySelectorAll("#message-details [role=treeitem]").length`, `7`)
	p.Is(payload+`.includes("id: 12345678901234567890")`, `true`)
	p.Accessible()
	p.Resize(1500, 900)
	format(p, "text")
	p.Is(payload, `"{\"id\": 12345678901234567890, \"name\": \"pump\", \"list\": [true, null, 1.5]}"`)
	format(p, "hex")
	p.Is(payload+`.split("\n")[0]`, `"00000000  7b 22 69 64 22 3a 20 31  32 33 34 35 36 37 38 39  {\"id\": 123456789"`)
	format(p, "base64")
	p.Is(`atob(`+payload+`).slice(0, 5)`, `"{\"id\""`)

	// The choice is remembered for the topic only.
	format(p, "hex")
	details(p, "f/text")
	p.Is(chosen, `"text"`)
	p.Is(payload, `"plain <b>text</b>\nsecond line"`)
	details(p, "f/json")
	p.Is(chosen, `"hex"`)

	details(p, "f/png")
	p.Is(chosen, `"image"`)
	p.Until(payload + ` === "image/png, 10 × 10 pixels"`)
	url := p.Text(`document.querySelector("#message-details img").src`)
	p.Accessible()
	p.Resize(1500, 900)
	details(p, "f/svg")
	p.Is(chosen, `"image"`)
	p.Until(payload + ` === "image/svg+xml, 20 × 20 pixels"`)
	p.Is(`document.querySelector("#message-details svg")`, `null`)
	p.Allow("ERR_FILE_NOT_FOUND")
	p.Is(`[typeof hacked, await new Promise((resolve) => Object.assign(new Image(), { src: `+fmt.Sprintf("%q", url)+`, onload: () => resolve("kept"), onerror: () => resolve("released") }))]`, `["undefined", "released"]`)
	details(p, "f/broken")
	p.Until(payload + ` === "The browser cannot show this image/png."`)

	details(p, "f/cbor")
	p.Is(chosen, `"cbor"`)
	p.Is(`[...document.querySelectorAll("#message-details [role=treeitem]")].map((e) => e.textContent.replace(/^[▾▸]/, ""))`, `["{2}", "a: 1", "2: [2]", "[0]: true", "[1]: tag 1", "value: 1363896240"]`)
	details(p, "f/bytes")
	p.Is(chosen, `"hex"`)
	format(p, "text")
	p.Is(payload+`.startsWith("The payload is not UTF-8.")`, `true`)
	details(p, "f/empty")
	p.Is(payload, `"The payload is empty."`)
}

// TestValueTree folds a large and a deep document by keyboard.
func TestValueTree(t *testing.T) {
	p := open(t, harness.Serve(t), "")
	publishAll(p,
		[2]string{"deep", `"[".repeat(50_000) + "]".repeat(50_000)`},
		[2]string{"large", `JSON.stringify(Array.from({ length: 20_000 }, (_, i) => i))`},
		[2]string{"small", `'{"a": {"b c": [1, {"d": "x"}]}, "e": 2}'`})
	p.Resize(1500, 900)
	const open = `document.querySelectorAll("#message-details [role=treeitem]").length`
	const current = `document.activeElement.textContent.replace(/^[▾▸]/, "")`
	details(p, "small")
	p.Is(open, `7`)
	p.Click(`#message-details [role=treeitem]`) // folds the root
	p.Is(open, `1`)
	for _, c := range []struct{ key, want string }{
		{kb.ArrowRight, `"{2}"`}, {kb.ArrowRight, `"a: {1}"`}, {kb.ArrowRight, `"a: {1}"`}, {kb.ArrowRight, `"b c: [2]"`}, {kb.ArrowRight, `"b c: [2]"`},
		{kb.ArrowRight, `"[0]: 1"`}, {kb.ArrowDown, `"[1]: {1}"`}, {kb.ArrowLeft, `"b c: [2]"`}, {"\r", `"b c: [2]"`}, {kb.ArrowDown, `"e: 2"`},
	} {
		p.Do(chromedp.KeyEvent(c.key))
		p.Is(current, c.want)
	}
	p.Is(open, `4`)
	p.Do(chromedp.KeyEvent(kb.ArrowUp))
	p.Is(`document.querySelector("#message-details .path code").textContent`, `"a[\"b c\"]"`)
	p.Do(chromedp.KeyEvent(kb.ArrowDown))
	p.Eval(`[...document.querySelectorAll("#message-details button")].find((b) => b.textContent === "Find equal").click()`, nil)
	p.Until(shows(`["small"]`))
	p.Is(`document.querySelector("#search").value`, `"topic:\"small\" json:e=2"`)
	p.Do(chromedp.KeyEvent("\x1b"))
	details(p, "deep")
	p.Until(open + ` >= 100`)
	format(p, "difference")
	details(p, "large")
	p.Until(open + ` >= 100`)
	p.Is(`document.querySelectorAll("#message-details [role=treeitem]")[1].textContent`, `"▾[0] … [9999]: 10,000 members"`)
	p.Eval(`[...document.querySelectorAll("#message-details button")].find((b) => b.textContent === "Expand all").click()`, nil)
	p.Until(open + ` >= 5000 && ` + open + ` < 5200`)
	p.Eval(`[...document.querySelectorAll("#message-details button")].find((b) => b.textContent === "Collapse all").click()`, nil)
	p.Is(open, `1`)
	p.Accessible()
}

// TestDifference compares messages of a topic: JSON, text and bytes.
func TestDifference(t *testing.T) {
	p := open(t, harness.Serve(t), "")
	publishAll(p,
		[2]string{"d", `{ json: { t: 20, unit: "C", a: 1, b: 2, c: 3, d: 4, e: 5 } }`},
		[2]string{"d", `{ json: { t: 21, unit: "C", a: 1, b: 2, c: 3, d: 4, e: 5, on: true } }`},
		[2]string{"d", `"one\ntwo"`},
		[2]string{"d", `"one\nTWO"`},
		[2]string{"d", `"one\nTWO"`},
		[2]string{"other", `"x"`},
		[2]string{"d", `new Uint8Array([255, 0])`})
	const removed = `[...document.querySelectorAll("#message-details .difference del")].map((e) => e.textContent.replace(/\s+/g, " ").trim())`
	const added = `[...document.querySelectorAll("#message-details .difference ins")].map((e) => e.textContent.replace(/\s+/g, " ").trim())`
	p.Resize(1500, 900)
	click := func(index int, want1, want2 string) {
		t.Helper()
		p.Click(fmt.Sprintf(`#messages [data-index="%d"]`, index))
		p.Until(`document.querySelector("#message-details [name=format]:checked")?.value === "difference"`)
		p.Is(removed, want1)
		p.Is(added, want2)
	}
	p.Until(`!!document.querySelector('#messages [data-index="6"]')`)
	p.Click(`#messages [data-index="5"]`)
	p.Until(chosen + ` === "json"`)
	format(p, "difference")
	p.Is(removed, `["- \"t\": 20,", "- \"e\": 5"]`)
	p.Is(added, `["+ \"t\": 21,", "+ \"e\": 5,", "+ \"on\": true"]`)
	p.Accessible()
	p.Resize(1500, 900)
	click(3, `["- two"]`, `["+ TWO"]`)
	click(2, `[]`, `[]`)
	p.Is(payload+`.endsWith("The payloads are equal.")`, `true`)
	click(0, `["- 00000000 6f 6e 65 0a 54 57 4f one.TWO"]`, `["+ 00000000 ff 00 .."]`)
	p.Is(`[...document.querySelectorAll("#message-details button")].find((b) => b.textContent.startsWith("Previous")).id = "previous"`, `"previous"`)
	p.Click("#previous")
	p.Is(`document.querySelector("#messages [aria-selected=true]").dataset.index`, `"2"`)
	click(6, `[]`, `[]`)
	p.Is(payload, `"The history has no previous message of this topic."`)
}

// TestProperties shows all properties of a message, and clears a retained one.
func TestProperties(t *testing.T) {
	p := open(t, harness.Serve(t), "")
	publishAll(p, [2]string{"p", `"payload", { qos: 1, retain: true, utf8: true, contentType: "text/plain", responseTopic: "answers/1",
		correlationData: new Uint8Array([1, 255]), messageExpiry: 3600, userProperties: [["a", "1"], ["a", "2"]] }`})
	p.Fill("#subscribe [name=filter]", "p\r")
	p.Until(rows + `.length === 2`)
	details(p, "p")
	const properties = `Object.fromEntries([...document.querySelectorAll("#message-details .properties dt")].map((e) => [e.textContent, e.nextSibling.textContent]))`
	p.Is(`((all) => (delete all.Received, delete all["Message expiry"], delete all.Size, all))(`+properties+`)`, `{"Subscriptions": "p", "QoS": "1",
		"Flags": "retained, payload is UTF-8 (Payload Format Indicator)", "Content type": "text/plain", "Response topic": "answers/1",
		"Correlation data": "01 ff", "User properties": "a1a2"}`)
	p.Is(`/^(3600|3599|3,600|3,599|3,59\d) s when/.test(`+properties+`["Message expiry"])`, `true`)
	p.Is(properties+`.Size.startsWith("7 bytes;")`, `true`)
	p.Accessible()
	p.Resize(1500, 900)
	p.Click("#clear-retained")
	p.Is(`document.querySelector("#clear-retained").textContent`, `"Clear it for all clients?"`)
	p.Click("#clear-retained")
	p.Until(`document.querySelector("#clear-retained").textContent === "Cleared on the broker"`)
	p.Is(`await new Promise((resolve) => iot.subscribe("p", (message) => message.retain && resolve("retained"), { qos: 1 }).then((s) => s.unsubscribe()).then(() => iot.publish("end", "", { qos: 1 })).then(() => resolve("none")))`, `"none"`)
}

// TestPublishAgain copies a message as code, and fills the form that publishes with it.
func TestPublishAgain(t *testing.T) {
	p := open(t, harness.Serve(t), "")
	p.Resize(1500, 900)
	publishAll(p, [2]string{"again", `"text", { qos: 1, userProperties: [["a", "1"]] }`}, [2]string{"bytes", `new Uint8Array([255, 7])`})
	p.Eval(`navigator.clipboard.writeText = async (text) => void (globalThis.copied = text)`, nil)
	details(p, "bytes")
	p.Click("#copy-code")
	p.Until(`copied === 'await iot.publish("bytes", Uint8Array.from(atob("/wc="), (c) => c.charCodeAt(0)), { qos: 0 });'`)
	details(p, "again")
	p.Click("#copy-code")
	p.Until(`copied === 'await iot.publish("again", "text", { qos: 1, userProperties: [["a","1"]] });'`)
	p.Eval(p.Text(`copied`), nil)
	p.Until(shows(`["again", "bytes", "again"]`))
	p.Click("#again")
	p.Until(`document.querySelector("#publish [name=topic]").value === "again" && document.querySelector("#publish [name=payload]").value === "text"`)
	p.Do(chromedp.KeyEvent("\r", chromedp.KeyModifiers(chromedp.ModifierCtrl)))
	p.Until(shows(`["again", "again", "bytes", "again"]`))
	details(p, "again")
	p.Is(`document.querySelector("#message-details .properties table").textContent`, `"a1"`)
}
