package harness

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
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
)

// A Person is a tab with a browser profile of its own. At the end of the test, its console must have no error and no
// warning. The network errors that the browser itself reports when a connection is cut are no problem.
type Person struct {
	*Tab

	mu       sync.Mutex
	problems []string // the errors and warnings of the console, and the uncaught exceptions
	allowed  []string // texts in problems that the test expects
}

// NewPerson opens a page of a person in Chromium. patience is as in [Open].
func NewPerson(t *testing.T, url string, patience time.Duration) *Person {
	t.Helper()
	p := &Person{Tab: Open(t, Browser, "about:blank", patience)}
	if err := chromedp.Listen(p.Ctx, p.watch); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		p.mu.Lock()
		defer p.mu.Unlock()
		for _, problem := range p.problems {
			t.Errorf("%s: %s", url, problem)
		}
	})
	p.Do(chromedp.Navigate(url))
	return p
}

// Allow declares that the console may have problems that contain text.
func (p *Person) Allow(text string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.allowed = append(p.allowed, text)
}

// note records a problem. The caller holds mu.
func (p *Person) note(problem string) {
	for _, text := range p.allowed {
		if strings.Contains(problem, text) {
			return
		}
	}
	p.problems = append(p.problems, problem)
}

// watch records the problems of the page.
func (p *Person) watch(event any) {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch event := event.(type) {
	case *runtime.EventExceptionThrown:
		text, _ := json.Marshal(event.ExceptionDetails)
		p.note("exception: " + string(text))
	case *runtime.EventConsoleAPICalled:
		if event.Type == "error" || event.Type == "warning" || event.Type == "assert" {
			text, _ := json.Marshal(event.Args)
			p.note("console: " + string(text))
		}
	case *log.EventEntryAdded:
		e := event.Entry
		if (e.Level == "error" || e.Level == "warning") && !IsNetworkError(e) {
			p.note(e.Text + " " + e.URL)
		}
	}
}

// Theme selects the light or the dark theme.
func (p *Person) Theme(name string) {
	p.T.Helper()
	if _, err := chromedp.Call(p.Ctx, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
		Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: name}},
	}); err != nil {
		p.T.Fatal(err)
	}
}

// Accessible checks the page with axe-core in both themes, and that it fits a window with a width of 320 pixels.
func (p *Person) Accessible() {
	p.T.Helper()
	modules, err := Modules()
	if err != nil {
		p.T.Fatal(err)
	}
	axe, err := os.ReadFile(filepath.Join(modules, "axe-core/axe.min.js"))
	if err != nil {
		p.T.Fatalf("%v; run: npm ci --prefix test/npm", err)
	}
	p.Eval(string(axe)+"\n;0", nil)
	for _, theme := range []string{"light", "dark"} {
		p.Theme(theme)
		p.Is(`matchMedia("(prefers-color-scheme: `+theme+`)").matches`, "true")
		// axe-core cannot determine the contrast of animated elements.
		p.Eval(`await Promise.all(document.getAnimations().map((a) => a.finished))`, nil)
		p.Is(`(await axe.run()).violations.flatMap((v) => v.nodes.map((n) => v.id + ": " + n.html + " " + n.failureSummary))`, "[]")
	}
	p.Theme("light")
	p.Resize(320, 640)
	p.Is(`document.documentElement.scrollWidth`, "320")
	p.Resize(800, 600)
}

// Resize sets the size of the page's window.
func (p *Person) Resize(width, height int64) {
	p.T.Helper()
	if _, err := chromedp.Call(p.Ctx, emulation.SetDeviceMetricsOverride, emulation.SetDeviceMetricsOverrideParams{Width: width, Height: height, DeviceScaleFactor: 1}); err != nil {
		p.T.Fatal(err)
	}
	p.Is(`innerWidth`, strconv.FormatInt(width, 10))
}

// Script adds a script that runs in every page that the person visits from now on, before the scripts of the page.
func (p *Person) Script(source string) {
	p.T.Helper()
	if _, err := chromedp.Call(p.Ctx, page.AddScriptToEvaluateOnNewDocument, page.AddScriptToEvaluateOnNewDocumentParams{Source: source}); err != nil {
		p.T.Fatal(err)
	}
}

// Visit opens a page.
func (p *Person) Visit(url string) {
	p.T.Helper()
	p.Do(chromedp.Navigate(url))
}

// Press presses and releases a key, such as "k" or kb.Escape, with modifiers.
func (p *Person) Press(key string, modifiers ...chromedp.Modifier) {
	p.T.Helper()
	p.Do(chromedp.KeyEvent(key, chromedp.KeyModifiers(modifiers...)))
}

// ManifestProblems returns what the browser finds wrong with the manifest of the page.
func (p *Person) ManifestProblems() (problems []string) {
	p.T.Helper()
	manifest, err := chromedp.Call(p.Ctx, page.GetAppManifest, page.GetAppManifestParams{})
	if err != nil {
		p.T.Fatal(err)
	}
	for _, e := range manifest.Errors {
		problems = append(problems, e.Message)
	}
	if manifest.URL == "" {
		problems = append(problems, "the page has no manifest")
	}
	return problems
}
