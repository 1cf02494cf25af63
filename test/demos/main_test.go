// Package demos tests the pages in www/demos in Chromium, as two people use them. Each person has a browser profile of
// their own.
package demos

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"

	"iot.wasm/test/harness"
)

func TestMain(m *testing.M) {
	os.Exit(harness.Run(m, harness.RequireWasm, harness.BuildServe, harness.StartChromium))
}

// patience is how long a page may take for one operation. It is longer than any test needs.
const patience = time.Minute

// A person is a demo in a tab.
type person struct {
	*harness.Tab
	strict bool // whether the page has a Content-Security-Policy

	mu       sync.Mutex
	expected bool     // the page may have problems
	problems []string // the errors and warnings of the console, and the uncaught exceptions
}

// open opens a page of the server and waits until it is connected. At the end of the test, the page must have
// no error and no warning in the console. The network errors that the browser itself reports when the
// connection is cut are no problem.
func open(t *testing.T, url string) *person {
	t.Helper()
	p := blank(t)
	p.visit(url)
	return p
}

// blank opens an empty tab, and watches the console of its pages as described at open.
func blank(t *testing.T) *person {
	t.Helper()
	p := &person{Tab: harness.Open(t, harness.Browser, "about:blank", patience)}
	if err := chromedp.Listen(p.Ctx, p.watch); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		p.mu.Lock()
		defer p.mu.Unlock()
		if !p.expected {
			for _, problem := range p.problems {
				t.Error(problem)
			}
		}
	})
	return p
}

// visit opens a page of the server and waits until it is connected. The index does not connect.
func (p *person) visit(url string) {
	p.T.Helper()
	p.Do(chromedp.Navigate(url))
	p.Eval(`!!document.querySelector("meta[http-equiv=Content-Security-Policy]")`, &p.strict)
	if !strings.HasSuffix(url, "/") {
		p.connected()
	}
}

// watch records the problems of the page.
func (p *person) watch(event any) {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch event := event.(type) {
	case *runtime.EventExceptionThrown:
		text, _ := json.Marshal(event.ExceptionDetails)
		p.problems = append(p.problems, "exception: "+string(text))
	case *runtime.EventConsoleAPICalled:
		if event.Type == "error" || event.Type == "warning" || event.Type == "assert" {
			text, _ := json.Marshal(event.Args)
			p.problems = append(p.problems, "console: "+string(text))
		}
	case *log.EventEntryAdded:
		e := event.Entry
		if (e.Level == "error" || e.Level == "warning") && !harness.IsNetworkError(e) {
			p.problems = append(p.problems, e.Text+" "+e.URL)
		}
	}
}

// Until waits until the expression is true. Tab.Until uses eval(), which a strict Content-Security-Policy forbids.
func (p *person) Until(expression string) {
	p.T.Helper()
	if !p.strict {
		p.Tab.Until(expression)
		return
	}
	p.Eval(`await (async () => { while (!(`+expression+`)) await new Promise((resolve) => setTimeout(resolve, 20)) })()`, nil)
}

// connected waits until the page shows that it is connected.
func (p *person) connected() {
	p.T.Helper()
	p.Until(`document.querySelector("#state")?.dataset.state === "connected"`)
}

// lose cuts all connections of the server, and returns when each page has shown that the connection was lost, and
// that it is connected again.
func lose(s *harness.Server, people ...*person) {
	for _, p := range people {
		p.T.Helper()
		p.Eval(`globalThis.states = []; globalThis.observer?.disconnect(); globalThis.observer = new MutationObserver(() => states.push(document.querySelector("#state").dataset.state));
			observer.observe(document.querySelector("#state"), { attributes: true, attributeFilter: ["data-state"] })`, nil)
	}
	s.Control(`{"cut":"*"}`)
	for _, p := range people {
		p.Until(`states.includes("lost") && states.at(-1) === "connected"`)
	}
}

// publish publishes messages as another program could do. Each is a JavaScript object with the members topic, text and
// options. It returns when the broker has acknowledged them.
func (p *person) publish(messages ...string) {
	p.T.Helper()
	p.Eval(`{ const { default: iot } = await import("/iot.js");
		for (const { topic, text, options } of [`+strings.Join(messages, ",")+`]) await iot.publish(topic, text, { qos: 1, ...options }) }`, nil)
}

// theme selects the light or the dark theme.
func (p *person) theme(name string) {
	p.T.Helper()
	if _, err := chromedp.Call(p.Ctx, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
		Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: name}},
	}); err != nil {
		p.T.Fatal(err)
	}
}

// accessible checks the page with axe-core in both themes, and that it fits a window with a width of 320 pixels.
func (p *person) accessible() {
	p.T.Helper()
	modules, err := harness.Modules()
	if err != nil {
		p.T.Fatal(err)
	}
	axe, err := os.ReadFile(filepath.Join(modules, "axe-core/axe.min.js"))
	if err != nil {
		p.T.Fatalf("%v; run: npm ci --prefix test/npm", err)
	}
	p.Eval(string(axe)+"\n;0", nil)
	for _, theme := range []string{"light", "dark"} {
		p.theme(theme)
		p.Is(`matchMedia("(prefers-color-scheme: `+theme+`)").matches`, "true")
		// axe-core cannot determine the contrast of animated elements.
		p.Eval(`await Promise.all(document.getAnimations().map((a) => a.finished))`, nil)
		p.Is(`(await axe.run()).violations.flatMap((v) => v.nodes.map((n) => v.id + ": " + n.html + " " + n.failureSummary))`, "[]")
	}
	p.theme("light")
	p.resize(320, 640)
	p.Is(`document.documentElement.scrollWidth`, "320")
	p.resize(800, 600)
}

// resize sets the size of the page's window.
func (p *person) resize(width, height int64) {
	p.T.Helper()
	if _, err := chromedp.Call(p.Ctx, emulation.SetDeviceMetricsOverride, emulation.SetDeviceMetricsOverrideParams{Width: width, Height: height, DeviceScaleFactor: 1}); err != nil {
		p.T.Fatal(err)
	}
	p.Is(`innerWidth`, strconv.FormatInt(width, 10))
}
