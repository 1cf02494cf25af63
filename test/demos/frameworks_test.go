package demos

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/chromedp"

	"iot.wasm/test/harness"
)

// frameworks lists the demos that Vite bundles, with the file that contains the two lines.
var frameworks = []struct{ name, main string }{{"react", "main.jsx"}, {"vue", "main.js"}}

// bundledWWW returns a folder like www, whose demos of React and Vue are built. The build uses the package from dist/. change
// returns the text that replaces the text of a source file; its argument name is like react/main.jsx.
func bundledWWW(t *testing.T, environment string, change func(name, text string) string) (www string) {
	t.Helper()
	www = linkedWWW(t, "demos/react", "demos/vue")
	dist := filepath.Join(t.TempDir(), "dist")
	if _, err := harness.Build("-compress=false", "-dist", dist); err != nil {
		t.Fatal(err)
	}
	for _, f := range frameworks {
		dir := filepath.Join(www, "demos", f.name)
		if err := os.CopyFS(filepath.Join(dir, "node_modules/iot.wasm"), os.DirFS(dist)); err != nil {
			t.Fatal(err)
		}
		if err := harness.LinkModules(dir, "react", "react-dom", "vue", "@vitejs/plugin-vue"); err != nil {
			t.Fatal(err)
		}
		sources, err := filepath.Glob(filepath.Join(harness.Root, "www/demos", f.name, "*.*"))
		if err != nil {
			t.Fatal(err)
		}
		for _, source := range sources {
			name := f.name + "/" + filepath.Base(source)
			write(t, www, "demos/"+name, change(name, read(t, name)))
		}
		if err := harness.Vite(dir, environment); err != nil {
			t.Fatal(err)
		}
	}
	return www
}

// unchanged is a change of bundledWWW that changes nothing.
func unchanged(_, text string) string { return text }

// linkedWWW returns a folder like www that a test may change: it contains links to the files of www, without the
// omitted ones.
func linkedWWW(t *testing.T, omitted ...string) (www string) {
	t.Helper()
	www, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	for _, folder := range []string{"", "demos"} {
		entries, err := os.ReadDir(filepath.Join(harness.Root, "www", folder))
		if err != nil {
			t.Fatal(err)
		}
		if err := os.MkdirAll(filepath.Join(www, folder), 0o755); err != nil {
			t.Fatal(err)
		}
		for _, entry := range entries {
			name := filepath.Join(folder, entry.Name())
			if name == "demos" || slices.Contains(omitted, name) {
				continue
			}
			path, err := filepath.Abs(filepath.Join(harness.Root, "www", name))
			if err == nil {
				err = os.Symlink(path, filepath.Join(www, name))
			}
			if err != nil {
				t.Fatal(err)
			}
		}
	}
	return www
}

// write writes a file of a folder from linkedWWW. It replaces a link, and does not change the file in www.
func write(t *testing.T, www, name, text string) {
	t.Helper()
	if err := os.Remove(filepath.Join(www, name)); err != nil && !os.IsNotExist(err) {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(www, name), []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

// TestFrameworks uses the demos of React and Vue. The development version of React mounts each component twice.
func TestFrameworks(t *testing.T) {
	s := harness.Serve(t, "-addr", "127.0.0.1:0", "-faults", "-www", bundledWWW(t, "development", unchanged))
	const temperature = `/^\d+\.\d °C$/.test(document.querySelector("#%s .value")?.textContent)`
	const off = `document.querySelector("#%s p").textContent === "No sensor"`
	for _, f := range frameworks {
		t.Run(f.name, func(t *testing.T) {
			a, b := open(t, s.URL+"demos/"), open(t, s.URL+"demos/"+f.name+"/dist/index.html")
			var sockets atomic.Int32
			if _, err := chromedp.Call(a.Ctx, network.Enable, network.EnableParams{}); err != nil {
				t.Fatal(err)
			}
			if err := chromedp.Listen(a.Ctx, func(event any) {
				if _, ok := event.(*network.EventWebSocketCreated); ok {
					sockets.Add(1)
				}
			}); err != nil {
				t.Fatal(err)
			}
			a.Do(chromedp.Navigate(s.URL + "demos/" + f.name + "/dist/index.html"))
			a.connected()

			// The simulated sensors. The greenhouse has the sensor of another demo.
			for _, p := range []*person{a, b} {
				p.Until(fmt.Sprintf(temperature, "kitchen"))
				p.Until(fmt.Sprintf(temperature, "bedroom"))
			}
			a.Is(`document.querySelector("#greenhouse")`, "null")
			a.Click("[name=greenhouse]")
			a.Until(fmt.Sprintf(off, "greenhouse"))
			sensors := open(t, s.URL+"demos/sensors.html")
			sensors.Until(`iot.stats().subscriptions === 8`) // then its buttons work
			sensors.Click("#greenhouse button")
			a.Until(fmt.Sprintf(temperature, "greenhouse"))
			sensors.Until(`document.querySelector("#kitchen .values").textContent !== "No sensor"`)
			sensors.Click("#greenhouse button")
			a.Until(fmt.Sprintf(off, "greenhouse"))
			sensors.Close()
			for _, wrong := range []string{`"no JSON"`, `{ json: null }`, `{ json: { temperature: "<b>", humidity: {} } }`} {
				a.Eval(`await iot.publish("public/sensors/greenhouse/measurement", `+wrong+`, { qos: 1 })`, nil)
			}
			a.Until(fmt.Sprintf(off, "greenhouse"))

			// While another window has a sensor, the pages measure nothing. A page that has waited too long may measure once.
			a.Is(`await new Promise((resolve) => {
				const stop = new AbortController();
				let mine = 0, others = 0;
				const timer = setInterval(() => iot.publish("public/sensors/bedroom/measurement", { json: { temperature: 12.3, humidity: 45 } }), 200);
				iot.subscribe("public/sensors/bedroom/measurement", (message) => {
					if (message.json().temperature === 12.3) mine++;
					else if (mine > 2) others++;
					if (mine < 20) return;
					clearInterval(timer);
					stop.abort();
					resolve(others <= 2);
				}, { signal: stop.signal });
			})`, "true")

			// A hidden room has no subscription.
			before := harness.Await[int](a.Tab, "iot.stats().subscriptions")
			a.Click("[name=greenhouse]")
			a.Until(fmt.Sprintf("iot.stats().subscriptions === %d", before-1))
			a.Until(`!document.querySelector("#greenhouse")`)

			// The messages, and the lamp of another demo.
			messages := func(p *person, want string) {
				t.Helper()
				p.Until(fmt.Sprintf(`[...document.querySelectorAll("#messages li")].map((e) => e.textContent).join() === %q`, want))
			}
			a.Fill("#messages input", "<b>hi</b>\r")
			messages(a, "<b>hi</b>")
			messages(b, "<b>hi</b>")
			lamp := open(t, s.URL+"demos/lamp.html")
			was := a.Text(`document.querySelector("#lamp [role=switch]").getAttribute("aria-checked")`)
			a.Click("#lamp button")
			for _, p := range []*person{a, b} {
				p.Until(fmt.Sprintf(`document.querySelector("#lamp .value").textContent === %q && document.querySelector("#lamp [role=status]").textContent === "The lamp does what is desired."`, map[string]string{"false": "On", "true": "Off"}[was]))
			}
			lamp.Close()
			if n := sockets.Load(); n != 1 {
				t.Errorf("the page opened %d sockets, want 1", n)
			}

			lose(s, a, b)
			b.Fill("#messages input", "again\r")
			messages(a, "<b>hi</b>,again")
			for _, p := range []*person{a, b} {
				p.Eval(`globalThis.before = document.querySelector("#kitchen .value").textContent`, nil)
				p.Until(fmt.Sprintf(temperature, "kitchen") + ` && document.querySelector("#kitchen .value").textContent !== before`)
				p.Is(`iot.stats().connects`, "2")
				p.Until(`!document.querySelector("[role=alert]")`)
			}
			a.Accessible()
		})
	}
}

// TestFrameworksTwoLines checks that the demos of React and Vue connect to another server after the replacement of
// the two lines that they name. Their own server has no local.json.
func TestFrameworksTwoLines(t *testing.T) {
	lines := strings.Replace(local, "../local.json", "../../../local.json", 1)
	replacement := elsewhere(harness.Serve(t).Settings())
	for _, f := range frameworks {
		if page := read(t, f.name+"/index.html"); !strings.Contains(page, lines) || !strings.Contains(page, account) || strings.Count(read(t, f.name+"/"+f.main), lines) != 1 {
			t.Errorf("the demo %s does not contain the two lines for the local stand-in and the two lines for AWS", f.name)
		}
	}
	www := bundledWWW(t, "production", func(name, text string) string {
		if strings.HasSuffix(name, ".html") {
			return text
		}
		return strings.Replace(text, lines, replacement, 1)
	})
	for _, f := range frameworks {
		open(t, harness.Web(t, filepath.Join(www, "demos", f.name, "dist"), nil)+"/index.html")
	}
}

// TestFrameworksVersions checks that the demos of React and Vue use the versions that the tests use.
func TestFrameworksVersions(t *testing.T) {
	type project struct{ Dependencies, DevDependencies map[string]string }
	var tested project
	if err := json.Unmarshal([]byte(read(t, "../../test/npm/package.json")), &tested); err != nil {
		t.Fatal(err)
	}
	for _, f := range frameworks {
		var demo project
		if err := json.Unmarshal([]byte(read(t, f.name+"/package.json")), &demo); err != nil {
			t.Fatal(err)
		}
		for _, list := range []map[string]string{demo.Dependencies, demo.DevDependencies} {
			for name, version := range list {
				if want := tested.DevDependencies[name]; name != "iot.wasm" && version != want {
					t.Errorf("%s: the version of %s is %s, want %q", f.name, name, version, want)
				}
			}
		}
	}
}
