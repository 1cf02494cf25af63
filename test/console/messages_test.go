package console

import (
	"testing"

	"github.com/chromedp/chromedp"

	"iot.wasm/test/harness"
)

// TestConsoleLine checks the line that the page proposes for the browser's console.
func TestConsoleLine(t *testing.T) {
	p := open(t, harness.Serve(t), "")
	p.Is(`await iot.publish("hello", "world")`, `{"reasonCode":0}`)
	p.Until(`document.querySelector("#messages li .payload")?.textContent === "world"`)
	p.Is(`document.querySelector("#messages li .topic").textContent`, `"hello"`)
	p.Is(`await iot.publish("hello", "world", { qos: 1 })`, `{"reasonCode":0}`)
	p.Until(`document.querySelectorAll("#messages li:not([hidden])").length === 2`)
	p.Is(`document.querySelector("#state").textContent`, `"connected"`)
}

func TestMouseAndKeyboard(t *testing.T) {
	p := open(t, harness.Serve(t), "")
	p.Fill("#publish [name=topic]", "room/1")
	p.Fill("#publish [name=payload]", `{"t": 21}`)
	p.Click("#publish .primary")
	p.Until(`document.querySelector("#messages li .payload")?.textContent === '{"t": 21}'`)
	p.Fill("#subscribe [name=filter]", "room/+\r")
	p.Until(`document.querySelectorAll("#subscriptions li").length === 2 && iot.stats().subscriptions === 2`)
	// Two overlapping filters match the message. The page shows it once.
	p.Fill("#publish [name=payload]", "again")
	p.Do(chromedp.KeyEvent("\r", chromedp.KeyModifiers(chromedp.ModifierCtrl)))
	p.Until(`document.querySelectorAll("#messages li:not([hidden])").length === 2 && document.querySelector("#messages [data-index='0'] .payload").textContent === "again"`)
	p.Click("#subscriptions li:first-child .remove")
	p.Until(`document.querySelectorAll("#subscriptions li").length === 1`)
	p.Is(`document.querySelector("#problem").hidden`, `true`)
	p.Fill("#subscribe [name=filter]", "a/#/b\r")
	p.Until(`document.querySelector("#problem").textContent.startsWith("ERR_FILTER: ")`)
	p.Click("#link")
	p.Until(`document.querySelector("#state").textContent === "closed" && document.querySelector("#link").textContent === "Connect"`)
	p.Click("#link")
	p.Until(`document.querySelector("#state").textContent === "connected"`)
	p.Until(`iot.stats().subscriptions === 1`)
	p.Accessible()
}
