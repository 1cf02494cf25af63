package console

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"sync"
	"testing"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"iot.wasm/test/harness"
)

// views are the names of the views.
var views = []string{"messages", "connect", "packets", "shadow", "jobs", "diagnose", "learn"}

// mounted is true when a view is shown and its module has filled it.
func mounted(view string) string {
	return `document.querySelector("#view-` + view + `:not([hidden])")?.children.length > 0 && document.title.length > 0`
}

// reload loads the page again.
func reload() chromedp.Action[chromedp.Void] { return chromedp.Reload() }

func TestPalette(t *testing.T) {
	p := open(t, harness.Serve(t), "")
	p.Click("#publish [name=topic]")
	p.Press("k", chromedp.ModifierCtrl) // also in a field
	p.Until(`document.querySelector("#palette")?.open && document.activeElement.id === "palette-field"`)
	p.Is(`document.querySelectorAll("#palette-list [role=option]").length > 20`, `true`)
	p.Do(chromedp.KeyEvent("gtpck"))
	p.Is(`[document.querySelector("#palette-list [aria-selected=true]").textContent, document.querySelector("#palette-field").getAttribute("aria-activedescendant")]`, `["Go to: Packets", "palette-0"]`)
	p.Accessible()
	p.Press(kb.Enter)
	p.Until(`!document.querySelector("#palette")?.open && location.hash === "#/packets" && document.title === "Packets · iot.wasm"`)

	// The command that was used last is the first one.
	p.Click("#commands")
	p.Until(`document.querySelector("#palette")?.open`)
	p.Is(`document.querySelector("#palette-list li").textContent`, `"Go to: Packetsrecent"`)
	p.Press(kb.ArrowUp)
	p.Is(`document.querySelector("#palette-list [aria-selected=true]") === document.querySelector("#palette-list li:last-child")`, `true`)
	p.Press(kb.ArrowDown)
	p.Press(kb.ArrowDown)
	p.Is(`document.querySelector("#palette-field").getAttribute("aria-activedescendant")`, `"palette-1"`)
	p.Do(chromedp.KeyEvent("zzz"))
	p.Is(`[document.querySelector("#palette [role=status]").textContent, document.querySelector("#palette-field").hasAttribute("aria-activedescendant")]`, `["No command matches.", false]`)
	p.Press(kb.Enter)
	p.Until(`document.querySelector("#palette")?.open`)
	p.Press(kb.Escape)
	p.Until(`!document.querySelector("#palette")?.open && document.activeElement.id === "commands"`)
}

func TestKeys(t *testing.T) {
	p := open(t, harness.Serve(t), "#/learn")
	p.Until(mounted("learn"))
	p.Do(chromedp.KeyEvent("?"))
	p.Until(`document.querySelector("#help")?.open`)
	p.Is(`["Ctrl K", "?", "N", "S", "P"].filter((keys) => ![...document.querySelectorAll("#help td:first-child")].some((cell) => cell.textContent === keys))`, `[]`)
	p.Accessible()
	p.Press("p") // the keys of the page do not work in a dialog
	p.Is(`document.querySelector("#pause").textContent`, `"Pause"`)
	p.Press(kb.Escape)
	p.Until(`!document.querySelector("#help")?.open`)
	p.Press("2")
	p.Until(`location.hash === "#/messages" && !document.querySelector("#reader-tree").hidden`)
	p.Eval(`location.hash = "#/learn"`, nil)
	p.Until(mounted("learn"))
	p.Press("n")
	p.Until(`location.hash === "#/messages" && document.activeElement.name === "topic"`)
	p.Do(chromedp.KeyEvent("?"))
	p.Is(`document.querySelector("#help")`, `null`)
}

// TestFocus follows the tab key from the start of the page, and checks the skip link.
func TestFocus(t *testing.T) {
	p := open(t, harness.Serve(t), "#/learn")
	p.Until(mounted("learn"))
	p.Press(kb.Tab)
	p.Is(`document.activeElement.className`, `"skip"`)
	p.Is(`document.activeElement.getBoundingClientRect().left >= 0`, `true`)
	p.Press(kb.Enter)
	p.Is(`[document.activeElement.id, location.hash]`, `["main", "#/learn"]`)
	p.Press(kb.Tab)
	p.Is(`document.activeElement.id`, `"tour-start"`)
	p.Eval(`document.activeElement.blur(); document.querySelector("h1 a").focus()`, nil)
	for _, want := range []string{"profile", "commands", "link"} {
		p.Press(kb.Tab)
		p.Is(`document.activeElement.id`, `"`+want+`"`)
	}
	for _, want := range views {
		p.Press(kb.Tab)
		p.Is(`document.activeElement.dataset.view`, `"`+want+`"`)
	}
}

// TestPolicy checks that no view violates the Content-Security-Policy, and that the policy stops an injected script.
func TestPolicy(t *testing.T) {
	s := harness.Serve(t)
	p := harness.NewPerson(t, "about:blank", patience)
	p.Script(`globalThis.violations = []; addEventListener("securitypolicyviolation", ({ violatedDirective, blockedURI, sourceFile, lineNumber }) => violations.push([violatedDirective, blockedURI, sourceFile, lineNumber].join(" ")))`)
	p.Visit(s.URL)
	p.Until(`globalThis.iot?.state === "connected"`)
	p.Is(`/'(unsafe-inline|unsafe-eval)'/.test(document.querySelector("meta[http-equiv=Content-Security-Policy]").content)`, `false`)
	p.Is(`/ style=| on[a-z]+=|<style|<script>/.test(await (await fetch(location.href)).text())`, `false`)
	for _, view := range views {
		p.Eval(`location.hash = "#/`+view+`"`, nil)
		p.Until(mounted(view))
		p.Is(`document.title`, `"`+title(view)+` · iot.wasm"`)
	}
	p.Is(`violations`, `[]`)
	p.Allow("Content Security Policy")
	p.Eval(`const script = document.createElement("script"); script.textContent = "globalThis.injected = true"; document.body.append(script);
		document.body.insertAdjacentHTML("beforeend", '<img alt="" src="data:," onerror="globalThis.injected = true"><p style="color: red" id="styled">')`, nil)
	p.Until(`violations.length >= 3`)
	p.Is(`globalThis.injected === undefined && getComputedStyle(document.querySelector("#styled")).color !== "rgb(255, 0, 0)"`, `true`)
}

func title(view string) string { return string(view[0]-'a'+'A') + view[1:] }

// slowWasm serves the stand-in, and holds the responses of iot.wasm until release is called.
func slowWasm(t *testing.T) (address string, release func()) {
	t.Helper()
	target, err := url.Parse(harness.Serve(t).URL)
	if err != nil {
		t.Fatal(err)
	}
	proxy := httputil.NewSingleHostReverseProxy(target)
	released := make(chan struct{})
	release = sync.OnceFunc(func() { close(released) })
	web := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/iot.wasm" {
			<-released
		}
		proxy.ServeHTTP(w, r)
	}))
	t.Cleanup(web.Close)
	t.Cleanup(release) // before web.Close, which waits for the handlers
	return web.URL + "/", release
}

// TestFirstPaint checks that the page is painted and usable before the wasm is loaded.
func TestFirstPaint(t *testing.T) {
	address, release := slowWasm(t)
	p := harness.NewPerson(t, address, patience)
	p.Until(`performance.getEntriesByName("first-contentful-paint").length === 1 && document.querySelector("#status").textContent === "idle loading"`)
	for _, view := range views {
		p.Eval(`location.hash = "#/`+view+`"`, nil)
		p.Until(mounted(view))
	}
	p.Eval(`location.hash = "#/messages"`, nil)
	p.Until(mounted("messages"))
	p.Fill("#publish [name=payload]", "early")
	p.Click("#publish .primary") // waits for the connection
	p.Is(`document.querySelector("#problem").hidden`, `true`)
	release()
	p.Until(`document.querySelector("#state").textContent === "connected"`)
	p.Until(`[...document.querySelectorAll("#published")].some((output) => output.textContent.includes("Acknowledged"))`)
}

// TestNothingShifts checks that no element moves while a view is loaded, for a new visitor and for one with subscriptions.
// It ignores shifts below 0.002: the history of the connection lists the newest state first, so a new state moves the older
// ones by 0.0007.
func TestNothingShifts(t *testing.T) {
	s := harness.Serve(t)
	for _, visitor := range []string{"", `{ subscriptions: [{ filter: "#", options: { qos: 1 } }, { filter: "a/+", options: { qos: 1 } }, { filter: "b", options: { qos: 1 } }], tour: { done: [], active: false, hidden: true } }`} {
		for _, size := range [][2]int64{{1280, 800}, {375, 700}} {
			p := harness.NewPerson(t, "about:blank", patience)
			p.Resize(size[0], size[1])
			if visitor != "" {
				p.Script(`try { for (const [key, value] of Object.entries(` + visitor + `)) localStorage.setItem("iot.console." + key, JSON.stringify(value)) } catch {}`)
			}
			for _, view := range views {
				p.Visit("about:blank")
				p.Visit(s.URL + "#/" + view)
				p.Until(`globalThis.iot?.state === "connected" && iot.stats().subscriptions >= 1`)
				p.Until(mounted(view))
				var shifts []string
				p.Eval(`await new Promise((resolve) => setTimeout(resolve, 300)); await new Promise((resolve) => {
					const observer = new PerformanceObserver((list) => resolve(list.getEntries().filter(({ value }) => value >= 0.002).map(({ value, sources }) => value.toFixed(4) + " " + sources.map(({ node, previousRect: a, currentRect: b }) =>
						(node?.id || node?.className || node?.nodeName) + " " + [a.x, a.y, a.width, a.height] + " to " + [b.x, b.y, b.width, b.height]))));
					observer.observe({ type: "layout-shift", buffered: true });
					setTimeout(resolve, 200, []);
				})`, &shifts)
				for _, shift := range shifts {
					t.Errorf("%s, %d pixels wide, returning visitor %t: %s", view, size[0], visitor != "", shift)
				}
			}
		}
	}
}

// TestWidths checks that every view fits windows from 320 to 2,560 pixels.
func TestWidths(t *testing.T) {
	p := open(t, harness.Serve(t), "")
	p.Eval(`for (let i = 0; i < 20; i++) await iot.publish("a-long-topic-without-a-space/".repeat(3) + i, "payload ".repeat(40), { qos: 1 })`, nil)
	for _, view := range views {
		p.Eval(`location.hash = "#/`+view+`"`, nil)
		p.Until(mounted(view))
		for _, width := range []int64{320, 375, 768, 1024, 1280, 2560} {
			p.Resize(width, 800)
			p.Is(fmt.Sprintf(`[%q, document.documentElement.scrollWidth, document.querySelector("main").scrollWidth <= document.querySelector("main").clientWidth]`, view), fmt.Sprintf(`[%q, %d, true]`, view, width))
		}
	}
}

// TestReducedMotion checks that nothing moves if the user prefers so.
func TestReducedMotion(t *testing.T) {
	p := open(t, harness.Serve(t), "")
	if _, err := chromedp.Call(p.Ctx, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
		Features: []*emulation.MediaFeature{{Name: "prefers-reduced-motion", Value: "reduce"}},
	}); err != nil {
		t.Fatal(err)
	}
	for _, view := range views {
		p.Eval(`location.hash = "#/`+view+`"`, nil)
		p.Until(mounted(view))
		p.Is(`[...document.querySelectorAll("*")].filter((e) => ["animationDuration", "transitionDuration"].some((name) => getComputedStyle(e)[name].split(", ").some((time) => parseFloat(time) > 0.01))).map((e) => e.outerHTML.slice(0, 80))`, `[]`)
	}
}
