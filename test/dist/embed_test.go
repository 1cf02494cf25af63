package dist

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"iot.wasm/test/harness"
)

// TestEmbed opens the example page that embeds the classic script.
func TestEmbed(t *testing.T) {
	t.Parallel()
	const result = `document.querySelector("#result").textContent`
	wasm, err := os.ReadFile(filepath.Join(distDir, "iot.wasm"))
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	if err := os.CopyFS(dir, os.DirFS(distDir)); err != nil {
		t.Fatal(err)
	}
	copyTo(t, dir, "hello.js")

	// embed.html loads all files from one server. other.html loads the script and the wasm from another server.
	s, cdn := harness.ServeStandIn(t, dir), harness.ServeStandIn(t, dir)
	page, err := os.ReadFile(filepath.Join(dir, "embed.html"))
	if err != nil {
		t.Fatal(err)
	}
	s.Files["/other.html"] = harness.File{Body: strings.Replace(string(page), `src="`, `src="`+cdn.URL, 1)}
	for _, name := range []string{"embed.html", "other.html"} {
		got := read[outcome](t, s.URL+name, result+`.endsWith(" is loaded") &&
			(globalThis.begun ??= import("./hello.js").then(({ hello, problem }) => hello(iot, "./").catch(problem)).then((r) => { globalThis.outcome = r }), globalThis.outcome)`)
		if got != success {
			t.Errorf("%s: the outcome is %+v, want %+v", name, got, success)
		}
	}

	// The page rejects a valid wasm with an additional, empty section.
	s = harness.ServeStandIn(t, dir)
	s.Files["/iot.wasm"] = harness.File{Body: string(wasm) + "\x00\x01\x00"}
	if text := read[string](t, s.URL+"embed.html", `(`+result+`.startsWith("ERR_") && `+result+`)`); !strings.HasPrefix(text, "ERR_LOAD: ") {
		t.Errorf("with a changed wasm, the page shows %s", text)
	}

	s = harness.ServeStandIn(t, dir)
	s.Files["/iot.global.js"] = harness.File{Body: "globalThis.iot = { state: 'changed' }"}
	if !read[bool](t, s.URL+"embed.html", `document.readyState === "complete" && typeof iot === "undefined"`) {
		t.Error("the page runs a changed script")
	}
}
