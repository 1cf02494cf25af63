package e2e

import (
	"testing"

	"github.com/chromedp/chromedp"
)

// openPage opens the console page and waits until it is connected.
func openPage(t *testing.T, s *server) *tab {
	t.Helper()
	b := open(t, s.url)
	b.until(`globalThis.iot?.state === "connected" && document.querySelectorAll("#subscriptions li").length === 1`)
	return b
}

func TestConsoleLine(t *testing.T) {
	b := openPage(t, serve(t))
	b.is(`await iot.publish("hello", "world")`, `{"reasonCode":0}`)
	b.until(`document.querySelector("#messages li .payload")?.textContent === "world"`)
	b.is(`document.querySelector("#messages li .topic").textContent`, `"hello"`)
	b.is(`await iot.publish("hello", "world", { qos: 1 })`, `{"reasonCode":0}`)
	b.until(`document.querySelectorAll("#messages li").length === 2`)
	b.is(`document.querySelector("#state").textContent`, `"connected"`)
}

func TestPageWithMouseAndKeyboard(t *testing.T) {
	b := openPage(t, serve(t))
	b.do(
		chromedp.SetValue(`#publish [name=topic]`, "room/1"),
		chromedp.SetValue(`#publish [name=payload]`, ""),
		chromedp.SendKeys(`#publish [name=payload]`, "{\"t\": 21}"),
		chromedp.Click(`#publish .primary`),
	)
	b.until(`document.querySelector("#messages li .payload")?.textContent === '{"t": 21}'`)
	b.do(
		chromedp.SendKeys(`#subscribe [name=filter]`, "room/+\r"),
	)
	b.until(`document.querySelectorAll("#subscriptions li").length === 2`)
	// Two overlapping filters: each hears of the message once.
	b.do(chromedp.Focus(`#publish [name=payload]`))
	b.eval(`document.querySelector("#publish [name=payload]").dispatchEvent(new KeyboardEvent("keydown", { key: "Enter", ctrlKey: true, bubbles: true }))`, nil)
	b.until(`document.querySelectorAll("#messages li").length === 3`)
	b.do(chromedp.Click(`#subscriptions li:first-child button`))
	b.until(`document.querySelectorAll("#subscriptions li").length === 1`)
	b.is(`document.querySelector("#problem").hidden`, `true`)
	b.do(
		chromedp.SendKeys(`#subscribe [name=filter]`, "a/#/b\r"),
		chromedp.WaitVisible(`#problem`),
	)
	b.is(`document.querySelector("#problem").textContent.startsWith("ERR_FILTER: ")`, `true`)
	b.do(chromedp.Click(`#link`))
	b.until(`document.querySelector("#state").textContent === "closed" && document.querySelector("#link").textContent === "Connect"`)
	b.do(chromedp.Click(`#link`))
	b.until(`document.querySelector("#state").textContent === "connected"`)
}
