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
	b.fill("#publish [name=topic]", "room/1")
	b.fill("#publish [name=payload]", `{"t": 21}`)
	b.click("#publish .primary")
	b.until(`document.querySelector("#messages li .payload")?.textContent === '{"t": 21}'`)
	b.fill("#subscribe [name=filter]", "room/+\r")
	b.until(`document.querySelectorAll("#subscriptions li").length === 2`)
	// Two overlapping filters: each hears of the message once.
	b.fill("#publish [name=payload]", "again")
	b.do(chromedp.KeyEvent("\r", chromedp.KeyModifiers(chromedp.ModifierCtrl)))
	b.until(`document.querySelectorAll("#messages li").length === 3`)
	b.click("#subscriptions li:first-child button")
	b.until(`document.querySelectorAll("#subscriptions li").length === 1`)
	b.is(`document.querySelector("#problem").hidden`, `true`)
	b.fill("#subscribe [name=filter]", "a/#/b\r")
	b.until(`document.querySelector("#problem").textContent.startsWith("ERR_FILTER: ")`)
	b.click("#link")
	b.until(`document.querySelector("#state").textContent === "closed" && document.querySelector("#link").textContent === "Connect"`)
	b.click("#link")
	b.until(`document.querySelector("#state").textContent === "connected"`)
}

// A worker without modules, which does not know where the wasm is.
func TestClassicWorker(t *testing.T) {
	b := blank(t, serve(t))
	b.is(`await new Promise((resolve) => {
		const script = "importScripts('" + location.origin + "/iot.global.js'); iot.load({ wasm: '" + location.origin + "/iot.wasm' })"
			+ ".then(() => iot.connect(" + JSON.stringify({ ...at, credentials: local.credentials }) + ")).then(() => postMessage(iot.state), (e) => postMessage(e.message))";
		new Worker(URL.createObjectURL(new Blob([script]))).onmessage = (e) => resolve(e.data) })`, `"connected"`)
}
