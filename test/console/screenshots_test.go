package console

import (
	"flag"
	"os"
	"path/filepath"
	"testing"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"

	"iot.wasm/test/harness"
)

var screenshots = flag.String("screenshots", "", "the `folder` in which TestScreenshots writes the pictures of the page")

// sameTimes replaces what makes pictures differ: the times of messages, and the round trip.
const sameTimes = `if (location.protocol === "http:") {
	let n = 0;
	Date.prototype.toLocaleTimeString = () => "10:42:17";
	Date.prototype.getMilliseconds = () => 120;
	localStorage.setItem("iot.console.tour", '{"hidden":true}');
	localStorage.setItem("iot.console.subscriptions", JSON.stringify(["#", "site/+/climate", "site/lamp/#"].map((filter) => ({ filter, options: { qos: 1 } }))));
}`

// sameMessages publishes the messages of the pictures.
const sameMessages = `
	let at = Date.UTC(2026, 0, 15, 10, 42, 17);
	Date.now = () => (at += 7);
	for (let i = 0; i < 40; i++) {
		const room = ["kitchen", "bedroom", "cellar"][i % 3];
		await iot.publish("site/" + room + "/climate", { json: { temperature: Math.round(10 * (19 + 3 * Math.sin(i / 5) + i % 3)) / 10, humidity: 48 + i % 7 } }, { qos: 1, contentType: "application/json", userProperties: [["device", "sensor-" + room]] });
		if (i % 8 === 0) await iot.publish("site/lamp/state", i % 16 ? "off" : "on", { qos: 1, retain: true });
		if (i % 10 === 0) await iot.publish("fleet/truck-0" + (1 + i / 10) + "/position", { json: { lat: (4820 + i) / 100, lon: (1637 - i / 2) / 100, speed: 40 + i } }, { qos: 1 });
	}`

// sameHeader replaces the port, the client id and the counters.
const sameHeader = `
	document.querySelector("#detail").textContent = "to localhost:8080 as iot-4017";
	document.querySelector("#figures").textContent = "1 ms · in 49 (5.1 KiB) · out 49 (4.9 KiB)";`

// TestScreenshots writes pictures of the page, with the flag -screenshots.
func TestScreenshots(t *testing.T) {
	if *screenshots == "" {
		t.Skip("the flag -screenshots is not set; make screenshots sets it")
	}
	for _, look := range []struct {
		name, theme   string
		width, height int64
		script, until string
	}{
		{"console", "light", 1280, 800, `document.querySelector("#messages [data-index='1']").click()`, `!document.querySelector("#message-details").hidden`},
		{"console-dark", "dark", 1280, 800, `document.querySelector("#tab-tree").click(); await new Promise((resolve) => setTimeout(resolve, 300));
			document.querySelector("#tree-open").click()`, `document.querySelector("#reader-tree").innerText.includes("site")`},
		{"console-360", "light", 360, 760, ``, `true`},
	} {
		t.Run(look.name, func(t *testing.T) {
			s := harness.Serve(t)
			p := harness.NewPerson(t, "about:blank", patience)
			if _, err := chromedp.Call(p.Ctx, emulation.SetDeviceMetricsOverride, emulation.SetDeviceMetricsOverrideParams{Width: look.width, Height: look.height, DeviceScaleFactor: 1}); err != nil {
				t.Fatal(err)
			}
			p.Script(sameTimes)
			p.Theme(look.theme)
			p.Visit(s.URL)
			p.Until(`globalThis.iot?.state === "connected" && iot.stats().subscriptions === 3`)
			p.Eval(`{`+sameMessages+`}`, nil)
			p.Until(`document.querySelector("#count").textContent === "49"`)
			p.Eval(look.script, nil)
			p.Until(look.until)
			p.Eval(`await new Promise((resolve) => setTimeout(resolve, 1500));`+sameHeader, nil)
			file := filepath.Join(*screenshots, look.name+".png")
			p.Picture(file)
			if info, err := os.Stat(file); err != nil || info.Size() > 150_000 {
				t.Errorf("%s has more than 150 kB: %v %v", file, info.Size(), err)
			}
		})
	}
}
