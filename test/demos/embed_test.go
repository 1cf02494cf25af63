package demos

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"

	"iot.wasm/test/harness"
)

// serveLocalhost starts serve.go at localhost with the files of a folder from linkedWWW. Its page embed.html contains
// the port of the server instead of 8080. The page is from localhost, and it loads iot.wasm from 127.0.0.1, which is another origin.
func serveLocalhost(t *testing.T, www string) *harness.Server {
	t.Helper()
	s := harness.Serve(t, "-addr", "localhost:0", "-faults", "-www", www)
	_, port, _ := strings.Cut(s.Addr, ":")
	write(t, www, "demos/embed.html", strings.ReplaceAll(read(t, "embed.html"), ":8080", ":"+port))
	return s
}

func TestEmbed(t *testing.T) {
	s := serveLocalhost(t, linkedWWW(t))
	a, b := open(t, s.URL+"demos/embed.html"), open(t, s.URL+"demos/mqtt-sample.html")
	a.Until(`document.querySelector("#origins").textContent.includes(" is from http://127.0.0.1:")`)
	a.Is(`location.hostname`, `"localhost"`)
	a.Is(`performance.getEntriesByType("resource").map((e) => e.name).filter((name) => /iot\.(global\.js|wasm)/.test(name)).every((name) => name.startsWith("http://127.0.0.1:"))`, "true")
	a.Until(`iot.stats().subscriptions === 1`)
	b.Until(`document.querySelector("#subscribed").textContent !== ""`)

	shows := func(p *person, topic, text string) {
		t.Helper()
		p.Until(`((text) => text.includes("` + topic + `") && text.includes("` + text + `"))(document.querySelector("#messages li")?.textContent ?? "")`)
	}
	a.Click("#publish button")
	for _, p := range []*person{a, b} {
		shows(p, "public/sample/embed", "Hello from another origin")
	}
	b.Fill("#publish [name=message]", "<b>hi</b>\r")
	for _, p := range []*person{a, b} {
		shows(p, "public/sample/hello", "<b>hi</b>")
	}
	lose(s, a, b)
	a.Fill("#publish input", "again\r")
	for _, p := range []*person{a, b} {
		shows(p, "public/sample/embed", "again")
	}
	a.Accessible()
}

// TestEmbedPolicy checks that the browser enforces the policy of the page, and that the page lists what is refused.
func TestEmbedPolicy(t *testing.T) {
	s := serveLocalhost(t, linkedWWW(t))
	p := blank(t)
	p.Allow("") // the browser reports what it refuses
	p.strict = true
	p.Do(chromedp.Navigate(s.URL + "demos/embed.html"))
	p.connected()
	for i, attack := range []struct{ name, want string }{
		{"inline", "Refused by script-src-elem: inline"},
		{"foreign", "Refused by script-src-elem: https://example.com/script.js"},
		{"send", "Refused by connect-src: https://example.com/"},
	} {
		p.Click("[name=" + attack.name + "]")
		p.Until(`document.querySelector("#refused li")?.textContent === "` + attack.want + `"`)
		p.Is(`document.querySelectorAll("#refused li").length`, strconv.Itoa(i+1))
	}
	p.Is(`typeof broken`, `"undefined"`)
	for _, injected := range []string{
		`document.body.insertAdjacentHTML("beforeend", "<img src=x onerror='globalThis.broken = true'>")`,
		`document.body.append(Object.assign(document.createElement("style"), { textContent: "body { display: none }" }))`,
	} {
		p.Eval(`globalThis.before = document.querySelectorAll("#refused li").length; `+injected, nil)
		p.Until(`document.querySelectorAll("#refused li").length > before`)
	}
	p.Is(`[typeof broken, getComputedStyle(document.body).display]`, `["undefined", "flex"]`)
	p.Is(`iot.state`, `"connected"`)
}

// TestEmbedIntegrity checks that the browser refuses changed files, and that the page shows it.
func TestEmbedIntegrity(t *testing.T) {
	for name, added := range map[string]string{
		"iot.global.js": ";",
		"iot.wasm":      "\x00\x01\x00", // an additional, empty section
	} {
		t.Run(name, func(t *testing.T) {
			www := linkedWWW(t)
			s := serveLocalhost(t, www)
			data, err := os.ReadFile(filepath.Join(www, name))
			if err != nil {
				t.Fatal(err)
			}
			write(t, www, name, string(data)+added)
			p := blank(t)
			p.Allow("") // the browser reports what it refuses
			p.strict = true
			p.Do(chromedp.Navigate(s.URL + "demos/embed.html"))
			p.Until(`document.querySelector("#problem").textContent.startsWith("The browser has refused ` + name + `. Its hash differs")`)
			p.Is(`document.querySelector("#state").textContent`, `"Not loaded"`)
			p.Is(`globalThis.iot?.state ?? "undefined"`, map[string]string{"iot.global.js": `"undefined"`, "iot.wasm": `"idle"`}[name])
		})
	}
}
