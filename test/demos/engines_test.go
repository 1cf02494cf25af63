package demos

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"iot.wasm/test/harness"
)

// mainPaths are the main paths of the demos, which TestEngines follows in Firefox and WebKit. A new demo needs one
// entry: the pages that a person opens, each in a window of its own, and a function that uses them. The same page may
// be named twice. All pages are connected when the function begins.
var mainPaths = []struct {
	pages [2]string
	run   func(a, b *harness.Window)
}{
	{[2]string{"mqtt-sample.html", "mqtt-sample.html"}, func(a, b *harness.Window) {
		a.Until(`document.querySelector("#subscribed").textContent`)
		b.Until(`document.querySelector("#subscribed").textContent`)
		a.Fill("#publish [name=message]", "again")
		a.Click("#publish button")
		b.Until(`document.querySelector("#messages li span")?.textContent === "again"`)
	}},
	{[2]string{"lamp.html", "switch.html"}, func(lamp, control *harness.Window) {
		control.Click("#on")
		lamp.Until(`document.querySelector("#text").textContent === "The lamp is on, 80 % of #ffcf5c"`)
		lamp.Click("#plug")
		control.Type("[name=brightness]", left)
		control.Until(`document.querySelector("#answer").textContent.includes("not followed")`)
		lamp.Click("#plug")
		lamp.Until(`document.querySelector("#text").textContent === "The lamp is on, 79 % of #ffcf5c"`)
		control.Until(`document.querySelector("#answer").textContent.includes("does what is desired")`)
	}},
	{[2]string{"chat.html", "chat.html"}, func(a, b *harness.Window) {
		b.Until(`document.querySelectorAll("#people li").length === 2`)
		a.Until(`!document.querySelector("#write input").disabled`)
		a.Fill("#write input", "hello"+enter)
		b.Until(`document.querySelector("#messages li")?.textContent.includes("hello")`)
		a.Navigate("about:blank") // unloads the page, so the broker publishes its will
		b.Until(`document.querySelectorAll("#people li").length === 1`)
	}},
	{[2]string{"drawing.html", "drawing.html"}, func(a, b *harness.Window) {
		const picture = `document.querySelector("canvas").toDataURL()`
		b.Eval(`window.before = `+picture, nil)
		a.Drag("canvas", [2]int{-60, 0}, [2]int{0, 0}, [2]int{60, 0})
		b.Until(picture + ` !== window.before`)
		b.Until(`document.querySelector(".cursor")`)
		a.Click("#undo")
		b.Until(picture + ` === window.before`)
	}},
	{[2]string{"sensors.html", "sensors.html"}, func(a, b *harness.Window) {
		a.Click("#kitchen button")
		b.Until(`document.querySelector("#kitchen polyline").points.length > 1`)
		a.Click("#kitchen button")
	}},
	{[2]string{"trucks.html", "dispatcher.html"}, func(fleet, dispatcher *harness.Window) {
		fleet.Until(`document.querySelector("#text").textContent.startsWith("50 trucks drive")`)
		dispatcher.Until(`document.querySelectorAll("#list label").length === 50`)
		dispatcher.Click("#list label")
		dispatcher.Until(`document.querySelector("#name").textContent.startsWith("truck-01 ")`)
		dispatcher.Fill("#orders [name=limit]", "40")
		dispatcher.Click("#orders button")
		dispatcher.Until(`document.querySelector("#text").textContent.includes("limit 40 km/h")`)
	}},
	{[2]string{"lifecycle.html", "lifecycle.html"}, func(a, b *harness.Window) {
		a.Click("#client")
		b.Until(`document.querySelectorAll("#clients [data-state=connected]").length > 0`)
		a.Click("#clients .ends:not([hidden]) [value=disconnect]")
		b.Until(`document.querySelector("#clients [data-state=left]")`)
	}},
	{[2]string{"jobs.html", "jobs.html"}, func(a, b *harness.Window) {
		a.Click("form button")
		b.Until(`[...document.querySelectorAll("#cards .status")].some((e) => e.textContent.startsWith("Install"))`)
	}},
	{[2]string{"embed.html", "mqtt-sample.html"}, func(a, b *harness.Window) {
		a.Until(`document.querySelector("#origins").textContent.includes("127.0.0.1")`)
		b.Until(`document.querySelector("#subscribed").textContent`)
		a.Click("#publish button")
		b.Until(`document.querySelector("#messages li span")?.textContent === "Hello from another origin"`)
		a.Until(`document.querySelector("#messages li")`)
	}},
	{[2]string{"react/dist/index.html", "react/dist/index.html"}, useRooms},
	{[2]string{"vue/dist/index.html", "vue/dist/index.html"}, useRooms},
}

// useRooms is the main path of the demos of React and Vue, which do the same.
func useRooms(a, b *harness.Window) {
	a.Until(`/°C$/.test(document.querySelector("#kitchen .value")?.textContent)`)
	b.Until(`/°C$/.test(document.querySelector("#kitchen .value")?.textContent)`)
	a.Fill("#messages input", "hello"+enter)
	b.Until(`document.querySelector("#messages li")?.textContent.includes("hello")`)
}

// Keys of WebDriver.
const (
	enter = "\uE007"
	left  = "\uE012"
)

// TestEngines follows the main path of each demo in Firefox and in WebKit. The demos of an engine run in the same two
// windows, one after the other.
func TestEngines(t *testing.T) {
	bundled := bundledWWW(t, "production", func(name, text string) string {
		if strings.HasSuffix(name, ".html") {
			return watch(text)
		}
		return text
	})
	engines := map[string]func(*testing.T) *harness.Driver{
		"firefox": func(t *testing.T) *harness.Driver { return harness.DriveFirefox(t, patience) },
		"webkit":  func(t *testing.T) *harness.Driver { return harness.DriveWebKit(t, patience) },
	}
	for engine, drive := range engines {
		t.Run(engine, func(t *testing.T) {
			t.Parallel()
			s, d := serveLocalhost(t, watched(t, bundled)), drive(t)
			for _, path := range mainPaths {
				t.Run(path.pages[0], func(t *testing.T) {
					var windows [2]*harness.Window
					for i, page := range path.pages {
						windows[i] = d.Window(t, i)
						windows[i].Navigate(s.URL + "demos/" + page)
					}
					for _, w := range windows {
						w.Until(`document.querySelector("#state")?.dataset.state === "connected"`)
					}
					path.run(windows[0], windows[1])
					for i, w := range windows {
						var problems []string
						if w.Eval(`return location.href === "about:blank" ? [] : window.problems ?? null`, &problems); len(problems) > 0 || problems == nil && path.pages[i] != unwatched {
							t.Errorf("%s: %q", path.pages[i], problems)
						}
						w.Navigate("about:blank")
					}
				})
			}
		})
	}
	t.Run("pages", func(t *testing.T) {
		used := map[string]bool{}
		for _, path := range mainPaths {
			used[path.pages[0]], used[path.pages[1]] = true, true
		}
		for _, address := range addresses(t) {
			if !used[address] && !used[address+"index.html"] {
				t.Errorf("mainPaths has no entry for %s", address)
			}
		}
	})
}

// watcher is a script that collects the errors and warnings of a page in the global variable problems.
const watcher = `<script>
window.problems = [];
for (const name of ["error", "warn", "assert"]) console[name] = (...values) => problems.push("console." + name + " " + values);
addEventListener("error", (event) => problems.push(event.message));
addEventListener("unhandledrejection", (event) => problems.push(String(event.reason)));
</script>
`

// watch adds watcher to a page.
func watch(page string) string { return strings.Replace(page, "<script", watcher+"<script", 1) }

// unwatched is the page whose policy does not allow watcher.
const unwatched = "embed.html"

// watched returns a folder like www, with the demos of React and Vue from the folder bundled. Its demos contain watcher,
// because WebDriver itself has no access to the console.
func watched(t *testing.T, bundled string) (www string) {
	t.Helper()
	www = linkedWWW(t, "demos/react", "demos/vue")
	for _, f := range frameworks {
		if err := os.Symlink(filepath.Join(bundled, "demos", f.name), filepath.Join(www, "demos", f.name)); err != nil {
			t.Fatal(err)
		}
	}
	for _, name := range pages(t) {
		if name != unwatched {
			write(t, www, "demos/"+name, watch(read(t, name)))
		}
	}
	return www
}
