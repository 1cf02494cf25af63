package dist

import (
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"iot.wasm/test/harness"
)

// frameworks lists the pages in testdata that use the bindings.
var frameworks = []struct {
	name, page string
	config     []string // further files of the page
}{
	{"react", "hooks", nil},
	{"vue", "composables", []string{"composables/vite.config.js"}},
}

// TestFrameworks bundles a page for each framework with Vite. The page renders its components
// as a server does, hydrates them, and shows messages and a shadow. The build contains the
// development version of the framework, so that React's StrictMode mounts each component twice.
func TestFrameworks(t *testing.T) {
	t.Parallel()
	for _, c := range frameworks {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			dir := pageProject(t, c.page)
			copyTo(t, dir, append(c.config, c.page+"/app.js", "watch.js")...)
			if err := harness.Vite(dir, "development"); err != nil {
				t.Fatal(err)
			}
			s := harness.ServeStandIn(t, filepath.Join(dir, "dist"))
			b := harness.Open(t, harness.Browser, s.URL+"?server="+url.QueryEscape(s.URL), patience)
			shown := func(selector, want string) {
				t.Helper()
				b.Until(`[...document.querySelectorAll("` + selector + `")].map((e) => e.textContent).join() === ` + want)
			}

			shown(".state", `"connected,connected"`)
			shown("#room", `"undefined [] undefined"`)
			mounts := map[string]string{"react": "2", "vue": "1"}[c.name]
			b.Is("mounts", mounts)

			// Each component subscribes once.
			b.Until("iot.stats().subscriptions === 5")
			b.Is(`filters.map((filter) => filter.replace("$aws/things/lamp/shadow/", "")).sort()`,
				`["delete/accepted","get/accepted","get/rejected","room/1","room/1","update/documents"]`)

			for _, text := range []string{"a", "b", "c"} {
				b.Eval("publish(`"+text+"`)", nil)
			}
			shown("#room", `"c [b,c] undefined"`)
			b.Is("await update({ desired: { on: true } }).then((document) => document.version)", "1")
			shown("#lamp", `JSON.stringify({ desired: { on: true }, delta: { on: true }, version: 1 })`)
			b.Is("await update({ reported: { on: true } }).then((document) => document.version)", "2")
			shown("#lamp", `JSON.stringify({ reported: { on: true }, desired: { on: true }, version: 2 })`)

			// Another filter replaces the subscriptions.
			b.Eval("setRoom(2)", nil)
			shown("#room", `"undefined [] undefined"`)
			b.Until(`filters.filter((filter) => filter === "room/2").length === 2 && iot.stats().subscriptions === 7`)
			b.Eval("publish(`d`)", nil)
			shown("#room", `"d [d] undefined"`)
			b.Is("iot.stats().connects", "1")
			if n := s.Sockets.Load(); n != 1 {
				t.Errorf("the page opened %d sockets, want 1", n)
			}

			// After the client was closed, the components subscribe again.
			b.Eval("iot.disconnect()", nil)
			shown(".state", `"closed,closed"`)
			b.Eval("iot.connect()", nil)
			shown(".state", `"connected,connected"`)
			b.Until(`filters.filter((filter) => filter === "room/2").length === 4 && iot.stats().subscriptions === 5`)
			b.Eval("publish(`e`)", nil)
			shown("#room", `"e [d,e] undefined"`)
			b.Eval("iot.disconnect(); iot.connect()", nil)
			b.Until(`filters.filter((filter) => filter === "room/2").length === 6 && iot.stats().subscriptions === 5`)
			b.Eval("iot.reconnect()", nil)
			b.Until(`iot.stats().connects === 4`)
			shown(".state", `"connected,connected"`)
			b.Eval("publish(`f`)", nil)
			shown("#room", `"f [e,f] undefined"`)

			// A component shows its own errors, and does not disconnect the others.
			b.Eval("setWrong(true)", nil)
			shown("#wrong", `"connected ERR_ALREADY_CONNECTED ERR_FILTER"`)
			b.Eval("setWrong(false)", nil)
			shown("#wrong", `""`)
			b.Is("iot.stats().connects", "4")

			// Components that unmount end their subscriptions. The last one disconnects.
			b.Eval("setRoom(null)", nil)
			shown("#room", `""`)
			b.Until("iot.stats().subscriptions === 4")
			b.Is("iot.state", `"connected"`)
			b.Eval("setMounted(false)", nil)
			shown("#empty", `""`)
			b.Until("iot.state === `closed` && iot.stats().subscriptions === 0")
			b.Fails("update({ desired: { on: false } })", "IotError", "ERR_SHADOW_CLOSED")

			b.Eval("setRoom(3)", nil)
			b.Eval("setMounted(true)", nil)
			shown(".state", `"connected,connected"`)
			b.Eval("publish(`g`)", nil)
			shown("#room", `"g [g] undefined"`)
			b.Is("problems", "[]")
		})
	}
}

// TestServerRendering renders the pages of TestFrameworks in Node, which has no window.
func TestServerRendering(t *testing.T) {
	t.Parallel()
	for _, c := range frameworks {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			dir := pageProject(t, c.page)
			copyTo(t, dir, c.page+"/app.js", "ssr.mjs")
			cmd := exec.CommandContext(t.Context(), node22, "ssr.mjs")
			cmd.Dir, cmd.Stderr = dir, os.Stderr
			out, err := cmd.Output()
			if err != nil {
				t.Fatal(err)
			}
			want := `<div><p id="room">undefined [] undefined</p><p id="lamp">{}</p><p class="state">idle</p><p class="state">idle</p></div>`
			// Vue renders an omitted component as an empty comment.
			if got := strings.ReplaceAll(strings.TrimSpace(string(out)), "<!---->", ""); got != want {
				t.Errorf("the HTML is %s, want %s", got, want)
			}
		})
	}
}

// TestTreeShaking checks that a bundler omits shadow.js if a page does not use useShadow.
func TestTreeShaking(t *testing.T) {
	t.Parallel()
	for _, c := range frameworks {
		for use, want := range map[string]bool{"useSubscription": false, "useShadow": true} {
			dir := pageProject(t, c.page)
			page := `import { ` + use + ` } from "iot.wasm/` + c.name + `"; console.log(` + use + `);`
			if err := os.WriteFile(filepath.Join(dir, "main.js"), []byte(page), 0o644); err != nil {
				t.Fatal(err)
			}
			if err := harness.Command(dir, filepath.Join(modules, "esbuild/bin/esbuild"), "main.js", "--bundle", "--format=esm", "--minify", "--outdir=dist"); err != nil {
				t.Fatal(err)
			}
			if got := strings.Contains(string(files(t, filepath.Join(dir, "dist"))["main.js"]), "$aws/things/"); got != want {
				t.Errorf("%s, %s: whether the bundle contains shadow.js is %t, want %t", c.name, use, got, want)
			}
		}
	}
}
