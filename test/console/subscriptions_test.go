package console

import (
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"iot.wasm/test/harness"
)

// TestSubscriptions gives a subscription a name, a colour and options, pauses it, and reloads the page.
func TestSubscriptions(t *testing.T) {
	p := open(t, harness.Serve(t), "")
	p.Click("#subscribe summary")
	p.Fill("#subscribe [name=name]", "Rooms")
	p.Click("#subscribe [name=noLocal]")
	p.Fill("#subscribe [name=filter]", "room/+\r")
	const second = `document.querySelector("#subscriptions li:nth-child(2)")`
	p.Until(second + `?.dataset.state === "active"`)
	p.Is(second+`.querySelector(".topic").textContent`, `"Rooms room/+"`)
	p.Is(second+`.querySelector(".dim").title`, `"QoS 1, No Local"`)
	// With No Local, the subscription does not receive the messages of the page.
	publishAll(p, [2]string{"room/1", `"a"`})
	p.Is(`[...document.querySelectorAll("#subscriptions .received")].map((e) => e.textContent)`, `["1", "1"]`)
	p.Accessible()
	p.Resize(1500, 900)

	p.Click("#subscriptions li:nth-child(2) .edit")
	p.Until(`!!document.querySelector("dialog[open]")`)
	p.Is(`await axe.run().then(({ violations }) => violations.map((v) => v.id))`, `[]`)
	p.Fill("dialog [name=name]", "My rooms")
	p.Eval(`document.querySelector("dialog [name=colour]").value = "#123456"`, nil)
	p.Click("dialog [name=noLocal]")
	p.Click("dialog [name=retainAsPublished]")
	p.Eval(`document.querySelector("dialog [name=retainHandling]").value = "2"`, nil)
	p.Click("dialog .primary")
	p.Until(second + `.dataset.state === "active" && ` + second + `.querySelector(".topic").textContent === "My rooms room/+"`)
	p.Is(second+`.querySelector(".dim").title`, `"QoS 1, Retain As Published, Retained messages: never"`)
	p.Eval(`await iot.publish("room/2", "b", { retain: true })`, nil)
	p.Until(`document.querySelector("#messages li:not([hidden]) .meta")?.textContent.startsWith("My rooms · ")`)
	p.Is(`document.querySelector("#messages [data-index='0']").style.getPropertyValue("--marks").includes("#123456")`, `true`)

	// Two colours mark a message of two subscriptions.
	p.Is(`document.querySelector("#messages [data-index='0']").style.getPropertyValue("--marks").split("%").length`, `5`)

	// By keyboard: pause the subscription, and resume it.
	p.Eval(`document.querySelector("#subscriptions li:nth-child(2) .pause").focus()`, nil)
	p.Do(chromedp.KeyEvent(" "))
	p.Until(second + `.dataset.state === "paused" && iot.stats().subscriptions === 1`)
	p.Is(`document.activeElement.getAttribute("aria-label")`, `"Resume the subscription to room/+"`)
	p.Do(chromedp.Reload())
	p.Until(`globalThis.iot?.state === "connected"`)
	p.Until(`globalThis.iot?.state === "connected" && iot.stats().subscriptions === 1 && ` + second + `?.dataset.state === "paused"`)
	p.Is(second+`.querySelector(".topic").textContent`, `"My rooms room/+"`)
	p.Eval(`document.querySelector("#subscriptions li:nth-child(2) .pause").focus()`, nil)
	p.Do(chromedp.KeyEvent(kb.Enter))
	p.Until(second + `.dataset.state === "active" && iot.stats().subscriptions === 2`)
	p.Click("#subscriptions li:nth-child(2) .remove")
	p.Until(`document.querySelectorAll("#subscriptions li").length === 1 && iot.stats().subscriptions === 1`)
	p.Is(`document.querySelector("#problem").hidden`, `true`)
}

// TestSubscriptionRefused checks that options that are not valid are explained, and a shared subscription works.
func TestSubscriptionRefused(t *testing.T) {
	p := open(t, harness.Serve(t), "")
	p.Click("#subscribe summary")
	p.Click("#subscribe [name=noLocal]")
	p.Fill("#subscribe [name=filter]", "$share/g/a/+\r")
	p.Until(`document.querySelector("#problem").textContent.startsWith("ERR_")`)
	p.Is(`document.querySelectorAll("#subscriptions li").length`, `1`)
	p.Click("#subscribe [name=noLocal]")
	p.Fill("#subscribe [name=filter]", "$share/g/a/+\r")
	p.Until(`document.querySelectorAll("#subscriptions li").length === 2 && iot.stats().subscriptions === 2`)
	p.Eval(`await iot.publish("a/b", "x", { qos: 1 })`, nil)
	p.Until(`document.querySelector("#subscriptions li:nth-child(2) .received").textContent !== "0"`)
}
