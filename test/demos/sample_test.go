package demos

import (
	"testing"

	"iot.wasm/test/harness"
)

func TestSample(t *testing.T) {
	s := harness.Serve(t, "-faults")
	a, b := open(t, s.URL+"demos/mqtt-sample.html"), open(t, s.URL+"demos/mqtt-sample.html")
	received := func(p *person, topic, text string) {
		t.Helper()
		p.Until(`(document.querySelector("#messages li")?.innerText ?? "").startsWith("` + topic + `") && document.querySelector("#messages li span").textContent === "` + text + `"`)
	}
	subscribed := func(p *person) {
		t.Helper()
		p.Until(`document.querySelector("#subscribed").textContent !== ""`)
	}
	subscribed(a)
	subscribed(b)
	a.Click("#publish button")
	received(a, "public/sample/hello", "Hello, world!")
	received(b, "public/sample/hello", "Hello, world!")

	lose(s, a, b)
	b.Fill("#publish [name=message]", "again\r") // the keyboard sends the form
	received(a, "public/sample/hello", "again")

	a.Fill("#subscribe [name=filter]", "public/sample/+/b\r")
	a.Until(`document.querySelector("#subscribed").textContent.includes("public/sample/+/b")`)
	b.Fill("#publish [name=topic]", "public/sample/a/b")
	b.Click("#publish button")
	received(a, "public/sample/a/b", "again")
	b.Fill("#publish [name=topic]", "private\r")
	b.Until(`!document.querySelector("#problem").hidden`)
	b.Accessible()
	b.Fill("#publish [name=topic]", "public/sample/a\r")
	b.Until(`document.querySelector("#problem").hidden`)
}
