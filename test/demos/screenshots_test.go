package demos

import (
	"flag"
	"os"
	"path/filepath"
	"testing"

	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"

	"iot.wasm/test/harness"
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
	{"trucks", ``, `document.querySelector("#text").textContent.includes("50 trucks")`},
	{"dispatcher", ``, `(document.querySelector("#list input")?.click(), document.querySelector("#charts polyline").points.length > 30)`},
	{"index", ``, `true`},
}

// TestScreenshots writes three pictures of each demo, with the flag -screenshots: light, dark, and 360 pixels wide.
func TestScreenshots(t *testing.T) {
	if *screenshots == "" {
		t.Skip("the flag -screenshots is not set; make screenshots sets it")
	}
	s := harness.Serve(t)
	people := map[string]*person{}
	for _, scene := range scenes {
		url := s.URL + "demos/"
		if scene.name != "index" {
			url += scene.name + ".html"
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
