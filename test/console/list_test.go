package console

import (
	"fmt"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"iot.wasm/test/harness"
)

// rows is an expression for the topics of the rows in view, the first one first.
const rows = `[...document.querySelectorAll("#messages li:not([hidden])")].sort((a, b) => a.dataset.index - b.dataset.index).map((row) => row.querySelector(".topic").textContent)`

// shows returns an expression that is true if the list shows the topics of a JSON list.
func shows(topics string) string {
	return fmt.Sprintf(`(document.querySelector("#scroller").hidden ? "[]" : JSON.stringify(%s)) === JSON.stringify(%s)`, rows, topics)
}

// publishAll publishes messages from the page, in their order: pairs of a topic and an expression for the payload and the
// further arguments.
func publishAll(p *harness.Person, messages ...[2]string) {
	p.T.Helper()
	for _, m := range messages {
		p.Eval(fmt.Sprintf(`await iot.publish(%q, %s)`, m[0], m[1]), nil)
	}
	p.Until(fmt.Sprintf(`Number(document.querySelector("#count").textContent) >= %d`, len(messages)))
}

// find types a search.
func find(p *harness.Person, expression string) {
	p.T.Helper()
	p.Fill("#search", expression+"\r")
}

// TestSearch finds messages by each kind of term.
func TestSearch(t *testing.T) {
	p := open(t, harness.Serve(t), "")
	p.Fill("#subscribe [name=filter]", "site/+/t\r")
	p.Until(`iot.stats().subscriptions === 2`)
	publishAll(p,
		[2]string{"site/a/t", `{ json: { t: 19, unit: "°C", items: [{ id: 1 }, { id: 7 }] } }, { qos: 1 }`},
		[2]string{"site/b/t", `{ json: { t: 25, "a key": { "x.y": true } } }, { userProperties: [["line", "3"], ["line", "4 b"]] }`},
		[2]string{"site/b/state", `"The Pump is ON", { qos: 1, contentType: "text/plain" }`},
		[2]string{"other", `new Uint8Array([0, 255, 1])`})
	for _, c := range []struct{ expression, want string }{
		{"pump", `["site/b/state"]`},
		{`"pump is"`, `["site/b/state"]`},
		{"site -pump", `["site/b/t", "site/a/t"]`},
		{"topic:site/+/t", `["site/b/t", "site/a/t"]`},
		{"topic:#", `["other", "site/b/state", "site/b/t", "site/a/t"]`},
		{"topic:other", `["other"]`},
		{"json:t", `["site/b/t", "site/a/t"]`},
		{"json:t>20", `["site/b/t"]`},
		{"json:t>=19 json:t<25", `["site/a/t"]`},
		{"json:t!=19", `["site/b/t"]`},
		{"json:unit=°C", `["site/a/t"]`},
		{`json:unit="°C"`, `["site/a/t"]`},
		{"json:unit~c", `["site/a/t"]`},
		{"json:items[1].id=7", `["site/a/t"]`},
		{"json:items[*].id=1", `["site/a/t"]`},
		{`json:["a key"]["x.y"]=true`, `["site/b/t"]`},
		{"prop:line", `["site/b/t"]`},
		{"prop:line=3", `["site/b/t"]`},
		{`prop:line="4 b"`, `["site/b/t"]`},
		{"prop:line=9", `[]`},
		{"prop:contentType~plain", `["site/b/state"]`},
		{"qos:1", `["site/b/state", "site/a/t"]`},
		{"retained", `[]`},
		{"-retained qos:0", `["other", "site/b/t"]`},
		{"sub:site/+/t", `["site/b/t", "site/a/t"]`},
		{"size>13", `["site/b/state", "site/b/t", "site/a/t"]`},
		{"size:3", `["other"]`},
	} {
		find(p, c.expression)
		p.Is(`document.querySelector("#search-problem").textContent`, `""`)
		p.Until(shows(c.want))
	}
	find(p, "pump")
	p.Until(`[...document.querySelectorAll("#messages mark")].map((e) => e.textContent).join() === "Pump"`)
	p.Is(`document.querySelector("#found").textContent`, `"1 found"`)
	// A new message is matched when it arrives.
	p.Eval(`await iot.publish("late", "a pump, too")`, nil)
	p.Until(`document.querySelector("#found").textContent === "2 found"`)
	p.Is(rows, `["late", "site/b/state"]`)
	p.Accessible()
}

// TestSearchProblem checks that an expression that is not valid is explained, and does not change the results.
func TestSearchProblem(t *testing.T) {
	p := open(t, harness.Serve(t), "")
	publishAll(p, [2]string{"a", `"one"`}, [2]string{"b", `"two"`})
	find(p, "one")
	p.Until(rows + `.length === 1`)
	for expression, word := range map[string]string{
		`"open`: "quote", "topic:a/#/b": "a/#/b", "topic:": "topic", "qos:3": "0, 1 or 2", "json:": "json", "json:=3": "path",
		"json:t>": "missing", "json:t>warm": "number", `json:t"x"`: "operator", "sub:none": "none", "size>x": "number", "prop:=3": "prop",
	} {
		find(p, expression)
		p.Until(fmt.Sprintf(`document.querySelector("#search-problem").textContent.includes(%q)`, word))
		p.Is(`document.querySelector("#search").getAttribute("aria-invalid")`, `"true"`)
		p.Is(rows, `["a"]`)
	}
	p.Accessible()
	p.Do(chromedp.KeyEvent("\x1b")) // Escape empties the field
	p.Until(rows + `.length === 2`)
	p.Is(`document.querySelector("#search-problem").hidden`, `true`)
	p.Click("#search-help")
	p.Until(`!!document.querySelector("dialog[open]")`)
	p.Is(`await axe.run().then(({ violations }) => violations.map((v) => v.id))`, `[]`)
	p.Do(chromedp.KeyEvent("\x1b"))
	p.Until(`!document.querySelector("dialog")`)
	p.Is(`document.activeElement.id`, `"search-help"`)
}

// TestListByKeyboard searches, selects a message, reads its details and goes back, without the mouse.
func TestListByKeyboard(t *testing.T) {
	p := open(t, harness.Serve(t), "")
	publishAll(p, [2]string{"k/1", `"first"`}, [2]string{"k/2", `{ json: { a: { b: 1 } } }`}, [2]string{"k/3", `"third"`})
	p.Eval(`document.querySelector("#main").focus()`, nil)
	p.Do(chromedp.KeyEvent("/"))
	p.Is(`document.activeElement.id`, `"search"`)
	// DevTools insert the character, although the page has prevented it.
	p.Eval(`document.querySelector("#search").select()`, nil)
	p.Do(chromedp.KeyEvent("topic:k/+"))
	p.Until(`document.querySelector("#found").textContent === "3 found"`)
	p.Do(chromedp.KeyEvent(kb.ArrowDown)) // from the field to the list
	p.Is(`document.activeElement.id`, `"messages"`)
	p.Do(chromedp.KeyEvent(kb.ArrowDown), chromedp.KeyEvent(kb.ArrowDown))
	p.Until(`document.querySelector("#message-details .topic")?.textContent === "k/2" && !!document.querySelector("#message-details [role=tree]")`)
	p.Is(`document.querySelector("#messages [aria-selected=true] .topic").textContent`, `"k/2"`)
	p.Do(chromedp.KeyEvent("\r"))
	p.Is(`document.activeElement.id`, `"message-details"`)
	// The selection stays with its message when others arrive.
	p.Eval(`await iot.publish("k/4", "fourth")`, nil)
	p.Until(rows + `[0] === "k/4"`)
	p.Is(`document.querySelector("#messages [aria-selected=true] .topic").textContent`, `"k/2"`)
	p.Do(chromedp.KeyEvent("\x1b"))
	p.Until(`document.querySelector("#message-details").hidden && document.activeElement.id === "messages"`)

	// The arrow keys move the separator. The browser keeps its place.
	p.Do(chromedp.KeyEvent(kb.ArrowDown))
	p.Eval(`document.querySelector("#split").focus()`, nil)
	const height = `document.querySelector("#message-details").offsetHeight`
	var before float64
	p.Eval(height, &before)
	p.Do(chromedp.KeyEvent(kb.ArrowUp), chromedp.KeyEvent(kb.ArrowUp))
	p.Until(fmt.Sprintf(`%s > %f`, height, before))
	p.Is(`document.querySelector("#split").getAttribute("aria-valuenow")`, `"58"`)
	p.Accessible()
	p.Do(chromedp.Reload())
	p.Until(`globalThis.iot?.state === "connected" && document.querySelector("#split").getAttribute("aria-valuenow") === "58"`)
}

// TestPause checks that no message is lost while the list is paused.
func TestPause(t *testing.T) {
	p := open(t, harness.Serve(t), "")
	publishAll(p, [2]string{"a", `"1"`}, [2]string{"b", `"2"`})
	p.Click("#pause")
	p.Is(`document.querySelector("#pause").getAttribute("aria-pressed")`, `"true"`)
	p.Eval(`for (let i = 0; i < 250; i++) await iot.publish("late/" + i, "x")`, nil)
	p.Until(`document.querySelector("#pause").textContent === "Resume (250 new)"`)
	p.Is(rows, `["b", "a"]`)
	p.Accessible()
	p.Click("#pause")
	p.Until(rows + `[0] === "late/249"`)
	p.Is(`document.querySelector("#messages li").getAttribute("aria-setsize")`, `"252"`)
	p.Is(`document.querySelector("#pause").textContent`, `"Pause"`)
}

// TestHistoryBound checks that the history removes its oldest messages above the bound, and that the page shows it.
func TestHistoryBound(t *testing.T) {
	p := open(t, harness.Serve(t), "")
	p.Is(`document.querySelector("#limit").value`, `"64"`)
	p.Eval(`const limit = document.querySelector("#limit"); limit.value = "8"; limit.dispatchEvent(new Event("change"))`, nil)
	p.Eval(`const big = new Uint8Array(100_000); for (let i = 0; i < 100; i++) await iot.publish("big/" + i, big, { qos: 1 })`, nil)
	p.Until(rows + `[0] === "big/99"`)
	p.Until(`/Now: (7.9|8.0) MiB. 1\d older messages were removed./.test(document.querySelector("#bound").textContent)`)
	p.Is(`Number(document.querySelector("#count").textContent) + Number(/(\d+) older/.exec(document.querySelector("#bound").textContent)[1])`, `100`)
	p.Do(chromedp.Reload())
	p.Until(`globalThis.iot?.state === "connected"`)
	p.Until(`document.querySelector("#limit").value === "8"`)
}
