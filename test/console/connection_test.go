package console

import (
	"fmt"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"iot.wasm/test/harness"
)

// TestConnectByKeyboard adds a profile, corrects its errors and connects, with the keyboard only.
func TestConnectByKeyboard(t *testing.T) {
	s := harness.Serve(t)
	local := s.Settings()
	p := open(t, s, "")
	tabTo := func(selector string) {
		t.Helper()
		for range 120 {
			var there bool
			p.Eval(fmt.Sprintf(`document.activeElement.matches(%q)`, selector), &there)
			if there {
				return
			}
			p.Do(chromedp.KeyEvent(kb.Tab))
		}
		t.Fatalf("the key Tab does not reach %s", selector)
	}
	press := func(keys string) { p.Do(chromedp.KeyEvent(keys)) }
	tabTo("[data-view=connect]")
	press("\r")
	p.Until(`document.querySelector("#new-kind") !== null && document.activeElement.id === "main"`)
	tabTo("#new-kind")
	choose(p, "#new-kind", "keys")
	tabTo("#new-profile button")
	press("\r")
	p.Until(`document.activeElement.id === "profile-name"`)
	press("Typed")
	tabTo("#field-region")
	press("\r") // Enter submits the form; the first missing value gets the focus
	p.Until(`document.activeElement.id === "field-endpoint" && document.querySelector("#field-endpoint-problem").textContent === "Endpoint is missing."`)
	press(local.Endpoint)
	tabTo("#field-region")
	press(local.Region)
	tabTo("#field-accessKeyId")
	press(local.Credentials.AccessKeyID)
	tabTo("#field-secretAccessKey")
	press(local.Credentials.SecretAccessKey + "\r")
	p.Until(`iot.state === "connected" && document.querySelector("#summary").textContent.startsWith("Connected with Typed")`)
	p.Is(`document.querySelectorAll("[aria-invalid=true]").length`, `0`)
}

// TestConnectOptions checks that the fields reach connect(), and that its errors are shown beside the fields.
func TestConnectOptions(t *testing.T) {
	s := harness.Serve(t)
	p := open(t, s, "#/connect")
	p.Resize(1280, 900)
	p.Until(`document.querySelector(".advanced summary") !== null`)
	p.Click(".advanced summary")
	p.Fill("#field-keepAlive", "70000")
	p.Fill("#field-connectProperties", "no equals sign")
	p.Click("#connect")
	p.Until(`document.querySelector("#field-keepAlive-problem").textContent.includes("65,535") && document.querySelector("#field-connectProperties-problem").textContent.includes("name=value")`)
	p.Accessible()
	p.Resize(1280, 900)
	p.Fill("#field-keepAlive", "45")
	p.Fill("#field-connectProperties", "a=b=c\rd=")
	p.Fill("#field-clientId", "of-the-test")
	p.Fill("#field-sessionExpiry", "77")
	p.Fill("#field-willTopic", "last/#")
	p.Fill("#field-willPayload", "gone")
	p.Click("#connect")
	p.Until(`document.querySelector("#field-willTopic-problem").textContent !== "" && document.querySelector("#problem").textContent.startsWith("ERR_TOPIC")`)
	p.Fill("#field-willTopic", "last/words")
	p.Fill("#field-willDelay", "0")
	connects(p, "Local stand-in")
	p.Is(`(({ clientId, keepAlive, sessionExpiry }) => [clientId, keepAlive, sessionExpiry])(iot.connection)`, `["of-the-test", 45, 77]`)

	// The table has all values that the broker granted.
	p.Is(`[...document.querySelectorAll("#granted tr")].map((row) => row.dataset.member)`, p.Text(`JSON.stringify(Object.keys(iot.connection))`))
	p.Is(`[...document.querySelectorAll("#granted small")].every((e) => e.textContent.endsWith("."))`, `true`)
	p.Is(`document.querySelector("#granted [data-member=keepAlive] td").textContent`, `"45 s"`)

	// A second client with the id of the page ends its connection, so the broker publishes the will.
	p.Eval(`globalThis.wills = []; await iot.subscribe("last/words", (m) => wills.push(m.text()))`, nil)
	p.Eval(`await (async () => { const { endpoint, region, credentials } = await (await fetch("local.json")).json();
		globalThis.watcher = new iot.IotClient(); await watcher.connect({ endpoint, region, credentials }); await watcher.subscribe("last/words", (m) => wills.push(m.text()));
		globalThis.other = new iot.IotClient(); await other.connect({ endpoint, region, credentials, clientId: "of-the-test" }) })()`, nil)
	p.Until(`wills.includes("gone")`)
	p.Until(`document.querySelector("#history .reason code").textContent === "ERR_SUPERSEDED" && iot.state === "closed"`)
	p.Is(`document.querySelector("#field-clientId-problem").textContent !== ""`, `true`)
}

// TestLostConnection checks the countdown, the button that starts the next attempt, and the history.
func TestLostConnection(t *testing.T) {
	s := harness.Serve(t)
	p := open(t, s, "#/connect")
	p.Allow("local.json")
	// The page registers its service worker 5 seconds after its load, and handles a failure. Chromium reports the failure.
	p.Allow("An unknown error occurred when fetching the script.")
	p.Resize(1280, 900)
	p.Until(`document.querySelector("#round-trip strong")?.textContent.endsWith(" ms") && document.querySelector("#counters dd") !== null`)
	s.Kill()
	p.Until(`/Next attempt in \d+ s\.$/.test(document.querySelector("#summary").textContent) && document.querySelector("#reconnect").textContent === "Try now"`)
	p.Until(`document.querySelector("#round-trip strong").textContent === "unknown"`)
	p.Accessible()
	p.Resize(1280, 900)
	harness.Serve(t, "-addr", s.Addr)
	p.Click("#reconnect")
	p.Until(`iot.state === "connected" && document.querySelector("#summary").textContent.startsWith("Connected with Local")`)
	p.Is(`[...document.querySelectorAll("#history li")].map((e) => e.dataset.event).at(0)`, `"connected"`)
	p.Is(`[...document.querySelectorAll("#history .reason code")].length > 0`, `true`)
	p.Click("#reconnect")
	p.Until(`[...document.querySelectorAll("#history .reason code")].some((e) => e.textContent === "ERR_RECONNECT") && iot.state === "connected"`)
}
