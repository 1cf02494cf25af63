package demos

import (
	"bytes"
	"fmt"
	"image/png"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"

	"iot.wasm/test/harness"
)

// maxLines is the highest number of lines of a demo, with its scripts.
const maxLines = 250

// A scriptFile matches a reference from a page or a script to another script in www/demos.
var scriptFile = regexp.MustCompile(`(?:from|import|src=) ?\(?"(?:\./)?([a-z]+\.js)"`)

// lines returns the number of lines of a file and of all scripts that it loads from www/demos. demos.js does not count, because it
// is the frame of every demo.
func lines(t *testing.T, name string) int {
	t.Helper()
	counted := map[string]bool{"demos.js": true}
	total := 0
	for queue := []string{name}; len(queue) > 0; queue = queue[1:] {
		if counted[queue[0]] {
			continue
		}
		counted[queue[0]] = true
		text := read(t, queue[0])
		total += strings.Count(text, "\n")
		for _, match := range scriptFile.FindAllStringSubmatch(text, -1) {
			queue = append(queue, match[1])
		}
	}
	return total
}

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

// addresses returns the addresses of all demos below demos/ by the names of their pictures.
func addresses(t *testing.T) map[string]string {
	t.Helper()
	all := map[string]string{}
	for _, page := range pages(t) {
		all[strings.TrimSuffix(page, ".html")] = page
	}
	for _, f := range frameworks {
		all[f.name] = f.name + "/dist/"
	}
	return all
}

func read(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(harness.Root, "www/demos", name))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// TestIndex checks that the index and docs/demos.md show each demo with its pictures, which "make screenshots" writes.
func TestIndex(t *testing.T) {
	document, err := os.ReadFile(filepath.Join(harness.Root, "docs/demos.md"))
	if err != nil {
		t.Fatal(err)
	}
	p := open(t, harness.Serve(t).URL+"demos/")
	pictures := 0
	for name, address := range addresses(t) {
		p.Is(fmt.Sprintf(`(() => { const img = document.querySelector("section:has(a[href='%[2]s']) img"); return img?.getAttribute("src") === "pictures/%[1]s.png" &&
			img.parentElement.querySelector("source").getAttribute("srcset") === "pictures/%[1]s-dark.png" && img.alt !== "" && img.loading === "lazy" && img.width > 0 })()`, name, address), "true")
		for _, look := range looks {
			pictures++
			checkPicture(t, name+look.suffix+".png", int(float64(look.width)*look.scale), int(float64(look.height)*look.scale))
			if !strings.Contains(string(document), `="../www/demos/pictures/`+name+look.suffix+`.png"`) {
				t.Errorf("docs/demos.md does not show %s%s.png", name, look.suffix)
			}
		}
		if !strings.Contains(string(document), "](../www/demos/"+name) {
			t.Errorf("docs/demos.md has no link to the source of the demo %s", name)
		}
	}
	if files, err := filepath.Glob(filepath.Join(harness.Root, "www/demos/pictures/*")); err != nil || len(files) != pictures {
		t.Errorf("www/demos/pictures has %d files (%v), want %d", len(files), err, pictures)
	}

	// A picture has the theme of the page, and the ratio of its attributes width and height.
	for _, theme := range []string{"light", "dark"} {
		p.Theme(theme)
		p.Eval(`for (const img of document.images) img.loading = "eager"`, nil)
		p.Until(`[...document.images].every((img) => img.complete && img.naturalWidth > 0 && img.currentSrc.endsWith("-dark.png") === ` + strconv.FormatBool(theme == "dark") + `)`)
		p.Is(`[...document.images].filter((img) => Math.abs(img.clientHeight / img.clientWidth - 400 / 640) > 0.01).length`, "0")
	}
	for _, f := range frameworks {
		// The source of a component is shown as text.
		p.Is(fmt.Sprintf(`await (async (a) => { const r = await fetch(a.href); return [r.status, r.headers.get("Content-Type")] })(document.querySelector("a[href^='%s/Dashboard']"))`, f.name), `[200, "text/plain; charset=utf-8"]`)
	}
	p.Accessible()
}

// checkPicture checks the size of a picture, and that its file is small.
func checkPicture(t *testing.T, name string, width, height int) {
	t.Helper()
	const most = 40_000
	data, err := os.ReadFile(filepath.Join(harness.Root, "www/demos/pictures", name))
	if err != nil {
		t.Errorf("%v; run: make screenshots", err)
		return
	}
	config, err := png.DecodeConfig(bytes.NewReader(data))
	if err != nil || config.Width != width || config.Height != height || len(data) > most {
		t.Errorf("%s has %d bytes, %d x %d pixels (%v), want at most %d bytes, %d x %d pixels", name, len(data), config.Width, config.Height, err, most, width, height)
	}
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
// server is a static one without local.json, and www/ is in a folder of the site.
func TestTwoLines(t *testing.T) {
	files := harness.Files{}
	web := harness.Web(t, site(t), files)
	at := harness.Serve(t, "-addr", "127.0.0.1:0", "-allow-origin", web).Settings()
	replacement := elsewhere(at)
	for _, name := range pages(t) {
		text := read(t, name)
		page, script, _ := strings.Cut(text, "<script")
		if name == "embed.html" { // a strict policy: the script is a file, and the page names the servers
			tags := strings.NewReplacer("http://127.0.0.1:8080", web+"/some/site", "ws://localhost:8080", at.Endpoint+" "+at.Cognito.Endpoint).Replace(text)
			script = read(t, "embed.js")
			files["/some/site/demos/embed.js"] = harness.File{Body: strings.Replace(script, local, replacement, 1)}
			files["/some/site/demos/embed.html"] = harness.File{Body: tags}
		} else {
			files["/some/site/demos/"+name] = harness.File{Body: page + "<script" + strings.Replace(script, local, replacement, 1)}
		}
		if n := lines(t, name); n > maxLines {
			t.Errorf("%s has %d lines, want at most %d", name, n, maxLines)
		}
		if !strings.Contains(page, local) || !strings.Contains(page, account) || strings.Count(script, local) != 1 {
			t.Errorf("%s does not contain the two lines for the local stand-in and the two lines for AWS", name)
		}
	}
	for _, name := range pages(t) {
		open(t, web+"/some/site/demos/"+name)
	}
}

// site returns a folder with www/ at some/site.
func site(t *testing.T) (folder string) {
	t.Helper()
	folder = t.TempDir()
	www, err := filepath.Abs(filepath.Join(harness.Root, "www"))
	if err == nil {
		err = os.Mkdir(filepath.Join(folder, "some"), 0o755)
	}
	if err == nil {
		err = os.Symlink(www, filepath.Join(folder, "some/site"))
	}
	if err != nil {
		t.Fatal(err)
	}
	return folder
}

// TestNoStandIn checks that a demo on a server without local.json states what is missing.
func TestNoStandIn(t *testing.T) {
	web := harness.Web(t, site(t), nil)
	for _, name := range pages(t) {
		if name == "embed.html" { // its module is on another server, so it starts nothing
			continue
		}
		p := blank(t)
		p.Allow("")
		p.Do(chromedp.Navigate(web + "/some/site/demos/" + name))
		p.Until(`document.querySelector("#state").textContent === "Not connected" && document.querySelector("#problem").textContent.includes("go run serve.go")`)
	}
}
