// Package demos tests the pages in www/demos in Chromium, as two people use them. Each person has a browser profile of
// their own.
package demos

import (
	"os"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"iot.wasm/test/harness"
)

func TestMain(m *testing.M) {
	os.Exit(harness.Run(m, harness.RequireWasm, harness.BuildServe, harness.StartChromium))
}

// patience is how long a page may take for one operation. It is longer than any test needs.
const patience = time.Minute

// A person is a demo in a tab.
type person struct {
	*harness.Person
	strict bool // whether the page has a Content-Security-Policy
}

// open opens a page of the server and waits until it is connected. At the end of the test, the page must have
// no error and no warning in the console. The network errors that the browser itself reports when the
// connection is cut are no problem.
func open(t *testing.T, url string) *person {
	t.Helper()
	p := blank(t)
	p.visit(url)
	return p
}

// blank opens an empty tab.
func blank(t *testing.T) *person {
	t.Helper()
	return &person{Person: harness.NewPerson(t, "about:blank", patience)}
}

// visit opens a page of the server and waits until it is connected. The index does not connect.
func (p *person) visit(url string) {
	p.T.Helper()
	p.Do(chromedp.Navigate(url))
	p.Eval(`!!document.querySelector("meta[http-equiv=Content-Security-Policy]")`, &p.strict)
	if !strings.HasSuffix(url, "/") {
		p.connected()
	}
}

// Until waits until the expression is true. Tab.Until uses eval(), which a strict Content-Security-Policy forbids.
func (p *person) Until(expression string) {
	p.T.Helper()
	if !p.strict {
		p.Tab.Until(expression)
		return
	}
	p.Eval(`await (async () => { while (!(`+expression+`)) await new Promise((resolve) => setTimeout(resolve, 20)) })()`, nil)
}

// connected waits until the page shows that it is connected.
func (p *person) connected() {
	p.T.Helper()
	p.Until(`document.querySelector("#state")?.dataset.state === "connected"`)
}

// lose cuts all connections of the server, and returns when each page has shown that the connection was lost, and
// that it is connected again.
func lose(s *harness.Server, people ...*person) {
	for _, p := range people {
		p.T.Helper()
		p.Eval(`globalThis.states = []; globalThis.observer?.disconnect(); globalThis.observer = new MutationObserver(() => states.push(document.querySelector("#state").dataset.state));
			observer.observe(document.querySelector("#state"), { attributes: true, attributeFilter: ["data-state"] })`, nil)
	}
	s.Control(`{"cut":"*"}`)
	for _, p := range people {
		p.Until(`states.includes("lost") && states.at(-1) === "connected"`)
	}
}

// publish publishes messages as another program could do. Each is a JavaScript object with the members topic, text and
// options. It returns when the broker has acknowledged them.
func (p *person) publish(messages ...string) {
	p.T.Helper()
	p.Eval(`{ const { default: iot } = await import("/iot.js");
		for (const { topic, text, options } of [`+strings.Join(messages, ",")+`]) await iot.publish(topic, text, { qos: 1, ...options }) }`, nil)
}
