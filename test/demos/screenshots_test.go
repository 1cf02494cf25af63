package demos

import (
	"flag"
	"os"
	"path/filepath"
	"testing"

	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"
)

var screenshots = flag.String("screenshots", "", "the `folder` in which TestScreenshots writes the pictures of the demos")

// scenes are the names of the demos that have a picture, with a script that each runs before it. The demos of one
// server are in the order of the list, and stay open.
var scenes = []struct{ name, script, until string }{
	{"mqtt-sample", `document.querySelector("#publish button").click()`, `document.querySelectorAll("#messages li").length === 1`},
	{"lamp", ``, `document.querySelector("#text").textContent !== ""`},
	{"switch", `document.querySelector("#on").click()`, `document.querySelector("#answer").textContent.includes("does")`},
	{"chat", `document.querySelector("#write input").value = "Hello from the lobby"; document.querySelector("#write button").click()`, `document.querySelectorAll("#messages li").length === 1`},
	{"sensors", `for (const room of ["kitchen", "bedroom", "cellar"]) document.querySelector("#" + room + " button").click()`, `document.querySelector("#kitchen polyline").points.length > 8`},
	{"drawing", sketch, `document.querySelectorAll(".cursor").length === 2`},
	{"lifecycle", `for (let i = 0; i < 3; i++) document.querySelector("#client").click();
		while (document.querySelectorAll("#clients section").length < 3) await new Promise(requestAnimationFrame);
		document.querySelector("#clients [value=disconnect]").click()`, `document.querySelector("#clients [data-state=left]") !== null`},
	{"jobs", `document.querySelectorAll("#cards input")[1].click(); document.querySelector("form button").click()`, `document.querySelector("[data-status=FAILED]") !== null`},
	{"embed", `while (!iot.stats().subscriptions) await new Promise((resolve) => setTimeout(resolve, 20)); document.querySelector("#publish button").click()`, `document.querySelectorAll("#messages li").length === 1`},
	{"react", ``, `document.querySelectorAll(".value").length === 5`},
	{"vue", ``, `document.querySelectorAll(".value").length === 5`},
	{"index", ``, `true`},
}

// sketch draws a picture as two other people.
const sketch = `
	const { cognito } = await import("/cognito.js"), { IotClient } = await import("/iot.js");
	const local = await (await fetch("/local.json")).json(), client = new IotClient();
	await client.connect({ endpoint: local.endpoint, region: local.region, credentials: cognito(local.cognito) });
	let at = 0;
	const stroke = (name, color, width, ...points) => {
		const piece = { at: ++at, stroke: at, n: 0, color, points: points.flatMap(([x, y]) => [Math.round(x), Math.round(y), width]) };
		return client.publish("public/drawing/live/" + name, { json: { name, color, position: points.at(-1), piece } }, { qos: 1 });
	};
	const curve = (from, to, f) => Array.from({ length: 121 }, (_, i) => f(from + (to - from) * i / 120));
	const turn = 2 * Math.PI;
	await stroke("Ada", "#128a40", 12, ...curve(40, 1560, (x) => [x, 800 - 50 * Math.sin(x / 210)]));
	await stroke("Ada", "#2354cf", 10, [500, 820], [500, 520], [860, 520], [860, 760]);
	await stroke("Ada", "#d92d20", 10, [450, 540], [680, 330], [910, 540]);
	await stroke("Ada", "#7a35c9", 8, [620, 800], [620, 640], [710, 640], [710, 780]);
	await stroke("Ada", "#2354cf", 6, ...curve(0, turn, (a) => [785 + 40 * Math.cos(a), 610 + 40 * Math.sin(a)]));
	await stroke("Bob", "#ef7d0b", 14, ...curve(0, turn, (a) => [1290 + 90 * Math.cos(a), 240 + 90 * Math.sin(a)]));
	for (let a = 0; a < turn; a += turn / 10) await stroke("Bob", "#ef7d0b", 10, ...[125, 175].map((r) => [1290 + r * Math.cos(a), 240 + r * Math.sin(a)]));
	await stroke("Bob", "#e0409f", 6, ...curve(0, 3 * turn, (a) => [1150 + 12 * a, 690 - 3 * a - 22 * Math.cos(a)]));`

// TestScreenshots writes three pictures of each demo, with the flag -screenshots: light, dark, and 360 pixels wide.
func TestScreenshots(t *testing.T) {
	if *screenshots == "" {
		t.Skip("the flag -screenshots is not set; make screenshots sets it")
	}
	s := serveLocalhost(t, bundledWWW(t, "production", unchanged))
	people := map[string]*person{}
	for _, scene := range scenes {
		url := s.URL + "demos/" + scene.name + ".html"
		switch scene.name {
		case "index":
			url = s.URL + "demos/"
		case "react", "vue":
			url = s.URL + "demos/" + scene.name + "/dist/index.html"
		}
		p := open(t, url)
		people[scene.name] = p
		if scene.script != "" {
			p.Eval(scene.script, nil)
		}
		p.Until(scene.until)
	}
	for name, p := range people {
		p.picture(name+".png", "light", 720, 500)
		p.picture(name+"-dark.png", "dark", 720, 500)
		p.picture(name+"-360.png", "light", 360, 720)
	}
}

// picture writes a picture of the page's window.
func (p *person) picture(name, theme string, width, height int64) {
	p.T.Helper()
	p.theme(theme)
	p.resize(width, height)
	p.Is(`document.documentElement.scrollWidth <= innerWidth`, "true")
	p.Eval(`scrollTo(0, 0); await Promise.all(document.getAnimations().map((a) => a.finished))`, nil)
	shot, err := chromedp.Call(p.Ctx, page.CaptureScreenshot, page.CaptureScreenshotParams{})
	if err != nil {
		p.T.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(*screenshots, name), shot.Data, 0o644); err != nil {
		p.T.Fatal(err)
	}
}
