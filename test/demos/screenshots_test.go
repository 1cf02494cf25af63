package demos

import (
	"flag"
	"fmt"
	"path/filepath"
	"testing"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"
)

var screenshots = flag.String("screenshots", "", "the `folder` in which TestScreenshots writes the pictures of the demos")

// prelude runs before the scripts of a page, with the number of the page and the ticks of the scene. It replaces what
// makes pictures differ: random numbers and times.
const prelude = `((number, ticks) => {
	const randomFrom = (seed) => () => (seed = (seed * 16807) %% 2147483647) / 2147483647;
	Math.random = randomFrom(number);
	const random = randomFrom(number + 1);
	crypto.randomUUID = () => Array.from({ length: 32 }, () => Math.floor(16 * random()).toString(16)).join("");
	Date.prototype.toLocaleTimeString = () => "10:42";
	if (ticks === 0) return;
	const { setInterval } = globalThis;
	globalThis.setInterval = (callback, ms) => {
		let calls = 0;
		const id = setInterval(() => (calls++ < ticks ? callback() : clearInterval(id)), ms / 20);
		return id;
	};
})(%d, %d)`

// looks are the pictures of a scene: the suffix of the name, the theme, and the size of the window. The scale makes
// the wide pictures 640 pixels wide.
var looks = []struct {
	suffix, theme string
	width, height int64
	scale         float64
}{
	{"", "light", 800, 500, 0.8},
	{"-dark", "dark", 800, 500, 0.8},
	{"-360", "light", 360, 640, 1},
}

// TestScreenshots writes three pictures of each demo, with the flag -screenshots: light, dark, and 360 pixels wide.
func TestScreenshots(t *testing.T) {
	if *screenshots == "" {
		t.Skip("the flag -screenshots is not set; make screenshots sets it")
	}
	www := bundledWWW(t, "production", unchanged)
	for _, scene := range scenes {
		for _, look := range looks {
			t.Run(scene.name+look.suffix, func(t *testing.T) {
				s := serveLocalhost(t, www)
				var p *person
				for i, part := range scene.cast {
					p = blank(t)
					if scene.name == "embed" {
						p.Allow("") // the browser reports what the policy refuses
					}
					_, err := chromedp.Call(p.Ctx, emulation.SetDeviceMetricsOverride, emulation.SetDeviceMetricsOverrideParams{Width: look.width, Height: look.height, DeviceScaleFactor: look.scale})
					if err == nil {
						_, err = chromedp.Call(p.Ctx, page.AddScriptToEvaluateOnNewDocument, page.AddScriptToEvaluateOnNewDocumentParams{Source: fmt.Sprintf(prelude, 1000*(i+1), scene.ticks)})
					}
					if err != nil {
						t.Fatal(err)
					}
					p.Theme(look.theme)
					p.visit(s.URL + "demos/" + part.page + ".html")
					if part.script != "" {
						p.Eval(`{`+part.script+`}`, nil)
					}
					p.Until(part.until)
				}
				p.Picture(filepath.Join(*screenshots, scene.name+look.suffix+".png"))
			})
		}
	}
}
