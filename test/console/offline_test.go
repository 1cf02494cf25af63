package console

import (
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"iot.wasm/test/harness"
)

// site serves www at a sub-path, as any static host does: with a long time in the HTTP cache, and without local.json.
type site struct {
	URL  string
	down atomic.Bool            // the server cuts each request
	css  atomic.Pointer[string] // the content of console/css/learn.css, instead of the file
}

func serveSite(t *testing.T) *site {
	t.Helper()
	s := &site{}
	files := http.StripPrefix("/a/b/", http.FileServer(http.Dir(filepath.Join(harness.Root, "www"))))
	web := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if s.down.Load() {
			panic(http.ErrAbortHandler)
		}
		harness.SetType(w, r.URL.Path)
		w.Header().Set("Cache-Control", "max-age=86400")
		if strings.HasSuffix(r.URL.Path, ".wasm") {
			w.Header().Set("Cache-Control", "no-cache") // as serve.go: a page without its server cannot use the HTTP cache
		}
		if css := s.css.Load(); css != nil && strings.HasSuffix(r.URL.Path, "/learn.css") {
			w.Header().Set("Content-Type", "text/css")
			_, _ = w.Write([]byte(*css))
			return
		}
		files.ServeHTTP(w, r)
	}))
	t.Cleanup(web.Close)
	s.URL = web.URL + "/a/b/"
	return s
}

// TestStaticHost opens the page on a static host at a sub-path.
func TestStaticHost(t *testing.T) {
	s := serveSite(t)
	p := harness.NewPerson(t, "about:blank", patience)
	p.Allow("local.json")
	p.Visit(s.URL)
	p.Until(`location.hash === "#/connect" && ` + mounted("connect"))
	p.Until(`document.querySelector("#problem").textContent.includes("This web server contains no local stand-in. Select or add a profile")`)
	for _, view := range views {
		p.Eval(`location.hash = "#/`+view+`"`, nil)
		p.Until(mounted(view))
	}
	p.Eval(`await iot.load()`, nil)
	p.Is(`[iot.version.length > 0, iot.state]`, `[true, "idle"]`)
}

// TestOffline installs the service worker, and opens the page without its server.
func TestOffline(t *testing.T) {
	s := serveSite(t)
	p := harness.NewPerson(t, "about:blank", patience)
	p.Allow("local.json")
	p.Allow("ERR_EMPTY_RESPONSE")
	p.Allow("ERR_INTERNET_DISCONNECTED")
	p.Allow("ERR_FAILED")
	p.Visit(s.URL)
	// The page registers it some seconds after it was loaded.
	p.Eval(`await navigator.serviceWorker.register("sw.js", { updateViaCache: "none" }); await navigator.serviceWorker.ready`, nil)
	p.Is(`new URL((await navigator.serviceWorker.ready).scope).pathname`, `"/a/b/"`)
	p.Until(`navigator.serviceWorker.controller !== null`)

	// The copy has each file of the page once, and nothing else.
	var copied []string
	p.Eval(`(await (await caches.open("iot-console-1")).keys()).map(({ url }) => new URL(url).pathname.slice("/a/b/".length))`, &copied)
	has := map[string]bool{}
	for _, name := range copied {
		has[name] = true
		if strings.HasPrefix(name, "demos") || name == "local.json" || name == "sw.js" || strings.Contains(name, "?") {
			t.Errorf("the copy contains %s", name)
		}
	}
	for _, pattern := range []string{"console/*", "console/*/*", "console/*/*/*", "iot.wasm", "iot.js", "wasm_exec.js"} {
		found, err := filepath.Glob(filepath.Join(harness.Root, "www", pattern))
		if err != nil {
			t.Fatal(err)
		}
		for _, path := range found {
			name, _ := filepath.Rel(filepath.Join(harness.Root, "www"), path)
			if info, err := os.Stat(path); err == nil && !info.IsDir() && !has[filepath.ToSlash(name)] && !strings.Contains(name, "LICENSE") {
				t.Errorf("the copy does not contain %s, so a page without its server cannot load it", name)
			}
		}
	}

	// While the server can be reached, the page gets new files, whatever the HTTP cache contains.
	css := ".learn-view { outline: 3px solid rgb(1, 2, 3); }"
	s.css.Store(&css)
	p.Visit(s.URL + "#/learn")
	p.Do(reload())
	p.Until(mounted("learn") + ` && getComputedStyle(document.querySelector("#view-learn")).outlineColor === "rgb(1, 2, 3)"`)

	s.down.Store(true)
	p.Visit("about:blank")
	p.Visit(s.URL)
	p.Until(`document.querySelector("#problem").textContent.includes("The server of this page cannot be reached.")`)
	for _, view := range views {
		p.Eval(`location.hash = "#/`+view+`"`, nil)
		p.Until(mounted(view))
	}
	p.Is(`getComputedStyle(document.querySelector("#view-learn")).outlineColor`, `"rgb(1, 2, 3)"`)
	p.Eval(`await iot.load()`, nil)
	p.Is(`await fetch("local.json").then(() => "answered", () => "failed")`, `"failed"`)

	// The page is itself again when the server is back.
	s.down.Store(false)
	s.css.Store(nil)
	p.Do(reload())
	p.Eval(`location.hash = "#/learn"`, nil)
	p.Until(mounted("learn"))
	// The fresh stylesheet may be in the memory of the browser, so the test does not look at the style.
	p.Is(`(await (await fetch("console/css/learn.css")).text()).includes("rgb(1, 2, 3)")`, `false`)
	p.Visit(s.URL + "demos/")
	p.Is(`document.title`, `"Demos of iot.wasm"`)
}

// TestInstallable checks that Chromium finds no fault in the manifest.
func TestInstallable(t *testing.T) {
	p := open(t, harness.Serve(t), "")
	p.Is(`await Promise.all((await (await fetch("manifest.webmanifest")).json()).icons.map(async ({ src, sizes }) => {
		const image = new Image();
		image.src = src;
		await image.decode();
		return sizes === "any" || sizes === image.naturalWidth + "x" + image.naturalHeight;
	}))`, `[true, true, true, true]`)
	for _, problem := range p.ManifestProblems() {
		t.Error(problem)
	}
}
