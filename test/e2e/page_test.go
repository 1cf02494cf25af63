package e2e

import (
	"testing"

	"github.com/chromedp/chromedp"

	"iot.wasm/test/harness"
)

// openPage opens the console page and waits until it is connected.
func openPage(t *testing.T, s *harness.Server) *harness.Tab {
	t.Helper()
	b := open(t, s.URL)
	b.Until(`globalThis.iot?.state === "connected" && document.querySelectorAll("#subscriptions li").length === 1`)
	return b
}

func TestConsoleLine(t *testing.T) {
	b := openPage(t, harness.Serve(t))
	b.Is(`await iot.publish("hello", "world")`, `{"reasonCode":0}`)
	b.Until(`document.querySelector("#messages li .payload")?.textContent === "world"`)
	b.Is(`document.querySelector("#messages li .topic").textContent`, `"hello"`)
	b.Is(`await iot.publish("hello", "world", { qos: 1 })`, `{"reasonCode":0}`)
	b.Until(`document.querySelectorAll("#messages li").length === 2`)
	b.Is(`document.querySelector("#state").textContent`, `"connected"`)
}

func TestPageWithMouseAndKeyboard(t *testing.T) {
	b := openPage(t, harness.Serve(t))
	b.Fill("#publish [name=topic]", "room/1")
	b.Fill("#publish [name=payload]", `{"t": 21}`)
	b.Click("#publish .primary")
	b.Until(`document.querySelector("#messages li .payload")?.textContent === '{"t": 21}'`)
	b.Fill("#subscribe [name=filter]", "room/+\r")
	b.Until(`document.querySelectorAll("#subscriptions li").length === 2`)
	// Each of the subscriptions to two overlapping filters receives the message once.
	b.Fill("#publish [name=payload]", "again")
	b.Do(chromedp.KeyEvent("\r", chromedp.KeyModifiers(chromedp.ModifierCtrl)))
	b.Until(`document.querySelectorAll("#messages li").length === 3`)
	b.Click("#subscriptions li:first-child button")
	b.Until(`document.querySelectorAll("#subscriptions li").length === 1`)
	b.Is(`document.querySelector("#problem").hidden`, `true`)
	b.Fill("#subscribe [name=filter]", "a/#/b\r")
	b.Until(`document.querySelector("#problem").textContent.startsWith("ERR_FILTER: ")`)
	b.Click("#link")
	b.Until(`document.querySelector("#state").textContent === "closed" && document.querySelector("#link").textContent === "Connect"`)
	b.Click("#link")
	b.Until(`document.querySelector("#state").textContent === "connected"`)
}

// A classic worker cannot determine the address of the wasm, so its script passes the address
// to load().
func TestClassicWorker(t *testing.T) {
	b := openModule(t, harness.Serve(t))
	b.Is(`await new Promise((resolve) => {
		const script = "importScripts('" + location.origin + "/iot.global.js'); iot.load({ wasm: '" + location.origin + "/iot.wasm' })"
			+ ".then(() => iot.connect(" + JSON.stringify({ ...at, credentials: local.credentials }) + ")).then(() => postMessage(iot.state), (e) => postMessage(e.message))";
		new Worker(URL.createObjectURL(new Blob([script]))).onmessage = (e) => resolve(e.data) })`, `"connected"`)
}
