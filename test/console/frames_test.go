package console

import (
	"fmt"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"iot.wasm/test/harness"
)

// TestFramesOfList measures the page while it receives 100,000 messages, 5,000 a second, with the list open, and while it
// searches through them.
func TestFramesOfList(t *testing.T) {
	skipUnlessMeasuring(t)
	s := harness.Serve(t)
	p := open(t, s, "")
	p.Resize(1500, 900)
	sender := newPublisher(t, s)
	const count = 100_000
	memory := func(when string) {
		t.Logf("%s: heap %.0f MiB, %s", when, p.Metric("JSHeapUsedSize")/(1<<20), p.Text(`document.querySelector("#bound-text").textContent`))
	}
	memory("before")
	t.Log("idle: ", p.Frames(3*time.Second, func() {}))
	before := p.Metric("ThreadTime")
	t.Log("list at its start: ", p.Frames(0, func() {
		sender.publish(count, 5000, telemetry)
		p.Until(fmt.Sprintf(`iot.stats().messagesIn >= %d`, count))
	}))
	t.Logf("the main thread used %.1f s of CPU time", p.Metric("ThreadTime")-before)
	p.Is(fmt.Sprintf(`iot.stats().messagesIn === %d`, count), `true`)
	memory("after 100,000 messages")

	// The list stays where the user reads, with the details of a message.
	p.Eval(`document.querySelector("#scroller").scrollTop = 5000; document.querySelector("#messages li:not([hidden])").click()`, nil)
	t.Log("list scrolled, with details: ", p.Frames(0, func() { sender.publish(20_000, 5000, telemetry) }))

	for _, expression := range []string{"temperature", "json:temperature>26.9", "topic:site/3/+/5", "nothing like this", ""} {
		t.Logf("search %q: %v", expression, p.Frames(3*time.Second, func() {
			p.Fill("#search", expression+"\r")
			if expression == "" {
				p.Do(chromedp.KeyEvent("\x1b"))
			}
			p.Until(`!document.querySelector("#found").textContent.includes("%")`)
		}))
		t.Log(p.Text(`document.querySelector("#found").textContent`))
	}
	p.Fill("#search", "json:temperature>26.9\r")
	t.Log("with a search: ", p.Frames(0, func() { sender.publish(50_000, 5000, telemetry) }))
	t.Log("scrolling 10,000 px a second: ", p.Frames(0, func() {
		p.Do(chromedp.KeyEvent("\x1b"))
		p.Eval(`await new Promise((resolve) => {
			const begin = performance.now(), scroller = document.querySelector("#scroller");
			requestAnimationFrame(function frame(now) {
				scroller.scrollTop = (now - begin) * 10;
				if (now - begin < 5000) requestAnimationFrame(frame);
				else resolve();
			});
		})`, nil)
	}))
	memory("after 170,000 messages")
	var file []byte
	t.Log("export: ", p.Frames(0, func() { file = export(p, "jsonl") }))
	p.Click("#clear")
	t.Logf("import of %d MB: %v", len(file)/1e6, p.Frames(0, func() {
		load(p, "messages.jsonl", string(file))
		p.Until(`document.querySelector("#transfer-text").textContent.startsWith("Imported ")`)
	}))
	memory("after the import")
	p.Eval(`const limit = document.querySelector("#limit"); limit.value = "8"; limit.dispatchEvent(new Event("change"))`, nil)
	memory("with a bound of 8 MiB")
}
