package console

import (
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"iot.wasm/test/harness"
)

// enterKey is the key Enter in WebDriver.
const enterKey = "\uE007"

// watcher collects the errors and warnings of a page in the global variable problems, because WebDriver has no access to the
// console. It is a file, because the page forbids inline scripts.
const watcher = `window.problems = [];
for (const name of ["error", "warn", "assert"]) console[name] = (...values) => problems.push("console." + name + " " + values);
addEventListener("error", (event) => problems.push(event.message));
addEventListener("unhandledrejection", (event) => problems.push(String(event.reason)));
addEventListener("securitypolicyviolation", (event) => problems.push(event.violatedDirective + " " + event.blockedURI));
`

// watched serves the stand-in, with watcher as the first script of the page.
func watched(t *testing.T) string {
	t.Helper()
	target, err := url.Parse(harness.Serve(t).URL)
	if err != nil {
		t.Fatal(err)
	}
	proxy := httputil.NewSingleHostReverseProxy(target)
	text, err := os.ReadFile(filepath.Join(harness.Root, "www/index.html"))
	if err != nil {
		t.Fatal(err)
	}
	page := string(text)
	page = strings.Replace(page, "<script", `<script src="watcher.js"></script><script`, 1)
	web := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/":
			w.Header().Set("Content-Type", "text/html; charset=utf-8")
			_, _ = w.Write([]byte(page))
		case "/watcher.js":
			w.Header().Set("Content-Type", "text/javascript")
			_, _ = w.Write([]byte(watcher))
		default:
			proxy.ServeHTTP(w, r)
		}
	}))
	t.Cleanup(web.Close)
	return web.URL + "/"
}

// TestEngines follows the main path in Firefox and in WebKit: connect, publish, subscribe, see the message in the list and in
// the tree, and open each view.
func TestEngines(t *testing.T) {
	for engine, drive := range map[string]func(*testing.T) *harness.Driver{
		"firefox": func(t *testing.T) *harness.Driver { return harness.DriveFirefox(t, patience) },
		"webkit":  func(t *testing.T) *harness.Driver { return harness.DriveWebKit(t, patience) },
	} {
		t.Run(engine, func(t *testing.T) {
			w := drive(t).Window(t, 0)
			w.Navigate(watched(t))
			w.Until(`document.querySelector("#state").textContent === "connected"`)
			w.Until(`document.querySelectorAll("#subscriptions li").length === 1`)
			w.Fill("#publish [name=topic]", "room/kitchen")
			w.Fill("#publish [name=payload]", "21.5")
			w.Click("#publish .primary")
			w.Until(`document.querySelector("#messages li .payload")?.textContent === "21.5"`)
			w.Fill("#subscribe [name=filter]", "room/+"+enterKey)
			w.Until(`document.querySelectorAll("#subscriptions li").length === 2`)
			w.Fill("#publish [name=payload]", "22")
			w.Click("#publish .primary")
			w.Until(`document.querySelector("#messages [data-index='0'] .payload")?.textContent === "22"`)
			w.Click("#tab-tree")
			w.Until(`document.querySelector("#reader-tree").innerText.includes("room")`)
			w.Click("#tab-chart")
			w.Click("#publish-code")
			w.Until(`document.querySelector("#code")?.open && document.querySelector("#code pre:not([hidden])").textContent.includes("room/kitchen")`)
			w.Click("#code .head button")
			w.Click("#commands")
			w.Type("#palette-field", "learn"+enterKey)
			w.Until(`location.hash === "#/learn"`)
			for _, view := range views {
				w.Click(`[data-view=` + view + `]`)
				w.Until(mounted(view))
			}
			var problems []string
			w.Eval(`return window.problems`, &problems)
			for _, problem := range problems {
				t.Error(problem)
			}
			w.Navigate("about:blank")
		})
	}
}
