package dist

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestEmbed opens the page that shows how to embed the classic script.
func TestEmbed(t *testing.T) {
	t.Parallel()
	const said = `document.querySelector("#result").textContent`
	wasm, err := os.ReadFile(filepath.Join(distDir, "iot.wasm"))
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	if err := os.CopyFS(dir, os.DirFS(distDir)); err != nil {
		t.Fatal(err)
	}
	copyTo(t, dir, "hello.js")

	// First all files come from one server, then the script and the wasm from another one.
	s, cdn := serve(t, dir), serve(t, dir)
	page, err := os.ReadFile(filepath.Join(dir, "embed.html"))
	if err != nil {
		t.Fatal(err)
	}
	s.replaced["/other.html"] = bytes.Replace(page, []byte(`src="`), []byte(`src="`+cdn.url), 1)
	for _, name := range []string{"embed.html", "other.html"} {
		got := read[result](t, s.url+name, said+`.endsWith(" is here") &&
			(globalThis.begun ??= import("./hello.js").then(({ hello, problem }) => hello(iot, "./").catch(problem)).then((r) => { globalThis.outcome = r }), globalThis.outcome)`)
		if got != heard {
			t.Errorf("%s says %+v, want %+v", name, got, heard)
		}
	}

	// One byte behind the last section would not keep it from running.
	s = serve(t, dir)
	s.replaced["/iot.wasm"] = append(wasm[:len(wasm):len(wasm)], 0)
	if text := read[string](t, s.url+"embed.html", `(`+said+`.startsWith("ERR_") && `+said+`)`); !strings.HasPrefix(text, "ERR_LOAD: ") {
		t.Errorf("with another wasm the page says %s", text)
	}

	s = serve(t, dir)
	s.replaced["/iot.global.js"] = []byte("globalThis.iot = { state: 'not what was asked for' }")
	if !read[bool](t, s.url+"embed.html", `document.readyState === "complete" && typeof iot === "undefined"`) {
		t.Error("another script runs")
	}
}
