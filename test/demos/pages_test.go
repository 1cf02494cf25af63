package demos

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"iot.wasm/test/harness"
)

// maxLines is the highest number of lines of a demo, with its script.
const maxLines = 250

// pages returns the paths of the demos below www/demos, without the index.
func pages(t *testing.T) (names []string) {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(harness.Root, "www/demos/*.html"))
	if err != nil || len(files) < 2 {
		t.Fatalf("the demos are %v (%v)", files, err)
	}
	for _, file := range files {
		if name := filepath.Base(file); name != "index.html" {
			names = append(names, name)
		}
	}
	return names
}

func read(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(harness.Root, "www/demos", name))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func TestIndex(t *testing.T) {
	p := open(t, harness.Serve(t).URL+"demos/")
	for _, name := range pages(t) {
		p.Is(fmt.Sprintf(`document.querySelectorAll("a[href='%s']").length > 0`, name), "true")
	}
	for _, f := range frameworks {
		p.Is(fmt.Sprintf(`document.querySelectorAll("a[href='%s/dist/']").length`, f.name), "1")
		// The source of a component is shown as text.
		p.Is(fmt.Sprintf(`await (async (a) => { const r = await fetch(a.href); return [r.status, r.headers.get("Content-Type")] })(document.querySelector("a[href^='%s/Dashboard']"))`, f.name), `[200, "text/plain; charset=utf-8"]`)
	}
	p.accessible()
}

// The two lines of the script that a page names at its end, and the two lines that replace them.
const local = `const local = await (await fetch("../local.json")).json();
const server = { endpoint: local.endpoint, region: local.region, credentials: cognito(local.cognito) };`

const account = `const pool = "eu-west-1:12345678-1234-1234-1234-123456789012";
const server = { endpoint: "xxxxxxxxxxxxxx-ats.iot.eu-west-1.amazonaws.com", credentials: cognito({ identityPoolId: pool }) };`

// elsewhere returns two lines for another stand-in.
func elsewhere(at harness.Settings) string {
	return fmt.Sprintf(`const pool = { identityPoolId: %q, endpoint: %q };
const server = { endpoint: %q, region: %q, credentials: cognito(pool) };`, at.Cognito.IdentityPoolID, at.Cognito.Endpoint, at.Endpoint, at.Region)
}

// TestTwoLines checks that each demo connects to another server after the replacement of the two lines. Its own
// server has no local.json.
func TestTwoLines(t *testing.T) {
	files := harness.Files{}
	web := harness.Web(t, filepath.Join(harness.Root, "www"), files)
	at := harness.Serve(t, "-addr", "127.0.0.1:0", "-allow-origin", web).Settings()
	replacement := elsewhere(at)
	for _, name := range pages(t) {
		text := read(t, name)
		page, script, _ := strings.Cut(text, "<script")
		if name == "embed.html" { // a strict policy: the script is a file, and the page names the servers
			tags := strings.NewReplacer("http://127.0.0.1:8080", web, "ws://localhost:8080", at.Endpoint+" "+at.Cognito.Endpoint).Replace(text)
			script = read(t, "embed.js")
			files["/demos/embed.js"] = harness.File{Body: strings.Replace(script, local, replacement, 1)}
			files["/demos/embed.html"] = harness.File{Body: tags}
		} else {
			files["/demos/"+name] = harness.File{Body: page + "<script" + strings.Replace(script, local, replacement, 1)}
		}
		if n := strings.Count(page+script, "\n"); n > maxLines {
			t.Errorf("%s has %d lines, want at most %d", name, n, maxLines)
		}
		if !strings.Contains(page, local) || !strings.Contains(page, account) || strings.Count(script, local) != 1 {
			t.Errorf("%s does not contain the two lines for the local stand-in and the two lines for AWS", name)
		}
	}
	for _, name := range pages(t) {
		open(t, web+"/demos/"+name)
	}
}
