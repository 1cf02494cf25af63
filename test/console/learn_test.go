package console

import (
	"os"
	"path/filepath"
	"regexp"
	"testing"

	"iot.wasm/test/harness"
)

// TestTour follows the guided first minute as a newcomer does, with a reload in the middle.
func TestTour(t *testing.T) {
	s := harness.Serve(t)
	p := open(t, s, "")
	step := func(title string) {
		t.Helper()
		p.Until(`document.querySelector("#tour-text strong").textContent === "` + title + `. "`)
	}
	p.Is(`document.querySelector("#tour-text").textContent.startsWith("New here?")`, `true`)
	p.Click("#tour-start")
	step("Publish a message")
	p.Is(`document.querySelector(".marks").getAttribute("aria-label")`, `"Step 1 of 6"`)
	p.Click("#tour-fill")
	p.Until(`document.activeElement.closest("#publish") !== null`)
	p.Is(`document.activeElement.textContent + document.querySelector("#publish [name=topic]").value`, `"Publishroom/kitchen"`)
	p.Press("\r")

	step("Subscribe to a topic")
	p.Click("#tour-fill")
	p.Until(`document.activeElement.name === "filter"`)
	p.Press("\r")
	step("Use a wildcard")
	p.Click("#tour-leave")
	p.Until(`document.querySelector("#tour").getClientRects().length === 0`)
	p.Visit("about:blank")

	// A later visit offers to continue.
	p.Visit(s.URL)
	p.Until(`document.querySelector("#tour-text").textContent.includes("Continue the first minute with step 3 of 6")`)
	p.Until(`iot.state === "connected" && iot.stats().subscriptions === 2`)
	p.Click("#tour-start")
	step("Use a wildcard")
	p.Click("#tour-fill")
	p.Until(`document.activeElement.closest("#publish") !== null`)
	p.Click("#subscribe [name=filter]")
	p.Press("\r")
	p.Until(`iot.stats().subscriptions === 3`)
	p.Click("#publish .primary")

	// A reload continues in the same step.
	step("Retain a message")
	p.Do(reload())
	p.Until(`iot.state === "connected" && iot.stats().subscriptions === 3`)
	step("Retain a message")
	p.Click("#tour-fill")
	p.Until(`document.querySelector("#publish [name=retain]").checked && document.activeElement.closest("#publish") !== null`)
	p.Press("\r")
	p.Until(`[...document.querySelectorAll("#messages .topic")].some((topic) => topic.textContent === "room/lamp")`)
	p.Click("#subscribe [name=filter]")
	p.Press("\r")

	step("See a will")
	p.Click("#tour-actions .primary")
	p.Until(`document.querySelector("#tour-actions .primary").textContent === "Cut its connection"`)
	p.Click("#tour-actions .primary")

	step("Change a shadow")
	p.Click("#tour-fill")
	p.Until(`location.hash === "#/shadow"`)
	p.Eval(`const { shadow } = await import("/shadow.js"); const lamp = shadow(iot, "lamp"); await lamp.update({ desired: { on: true } }); await lamp.close()`, nil)
	p.Until(`document.querySelector("#tour-text").textContent.startsWith("That was the first minute.")`)
	p.Is(`iot.state`, `"connected"`)
	p.Visit(s.URL + "?again") // a new load
	p.Until(`globalThis.iot?.state === "connected"`)
	p.Is(`document.querySelector("#tour").getClientRects().length`, `0`)
}

// TestTourHidden checks that a tour that the user has hidden is never offered again, and that the view "learn" starts it.
func TestTourHidden(t *testing.T) {
	s := harness.Serve(t)
	p := open(t, s, "")
	p.Click("#tour-hide")
	p.Until(`document.querySelector("#tour").getClientRects().length === 0 && document.activeElement.id === "main"`)
	p.Do(reload())
	p.Until(`globalThis.iot?.state === "connected"`)
	p.Is(`document.querySelector("#tour").getClientRects().length`, `0`)
	p.Click(`[data-view=learn]`)
	p.Until(`document.querySelector(".steps") !== null`)
	p.Click(".learn-view button.primary")
	p.Until(`location.hash === "#/messages" && document.querySelector("#tour-text").textContent.startsWith("Publish a message.")`)
}

// TestLearn checks the view "learn": its links have targets, and its buttons show the code.
func TestLearn(t *testing.T) {
	p := open(t, harness.Serve(t), "#/learn")
	p.Until(`document.querySelectorAll(".demos li").length > 0`)
	p.Click(".choices li:last-child button")
	p.Until(`document.querySelector("#code")?.open && document.querySelector("#code-title").textContent === "Code: Follow the connected clients"`)
	p.Click("#code .head button")
	p.Until(`!document.querySelector("#code")?.open`)
	p.Accessible()

	// The demos are those of their index, with the same titles.
	index, err := os.ReadFile(filepath.Join(harness.Root, "www/demos/index.html"))
	if err != nil {
		t.Fatal(err)
	}
	want := `[`
	for i, match := range regexp.MustCompile(`<h2><a href="([^"]+)">([^<]+)</a></h2>`).FindAllStringSubmatch(string(index), -1) {
		if i > 0 {
			want += `,`
		}
		want += `"demos/` + match[1] + ` ` + match[2] + `"`
	}
	p.Is(`[...document.querySelectorAll(".demos a")].map((a) => a.getAttribute("href") + " " + a.textContent)`, want+`]`)
	p.Eval(`for (const image of document.querySelectorAll(".demos img")) { image.loading = "eager"; await image.decode() }`, nil)

	// The documents exist.
	var names []string
	p.Eval(`[...document.querySelectorAll(".learn-view dt code")].map((code) => code.textContent)`, &names)
	for _, name := range names {
		if _, err := os.Stat(filepath.Join(harness.Root, name)); err != nil {
			t.Error(err)
		}
	}
}
