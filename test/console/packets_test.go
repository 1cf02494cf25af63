package console

import (
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"iot.wasm/test/harness"
)

// rowsScript defines rows(), the directions and types of the rows in view, oldest first.
const rowsScript = `globalThis.rows = () => [...document.querySelectorAll("#packets li:not([hidden])")].sort((a, b) => b.dataset.index - a.dataset.index)
	.map((row) => row.dataset.direction + " " + row.querySelector(".type").textContent); 0`

// TestPackets records a connection and a message, and reads the details of the packets.
func TestPackets(t *testing.T) {
	p := open(t, harness.Serve(t), "")
	p.Eval(rowsScript, nil)
	p.Click(`#views [data-view="packets"]`)
	p.Until(`document.querySelector("#packet-empty")?.textContent.startsWith("No packets yet.")`)
	p.Is(`document.querySelector("#packet-bound").textContent.startsWith("Recording since ")`, "true")
	p.Click("#packet-reconnect")
	p.Until(`iot.state === "connected" && rows().includes("in CONNACK")`)
	p.Is(`rows()`, `["out CONNECT","in CONNACK"]`) // the broker has kept the session with its subscription
	p.Eval(`await iot.publish("room/1", '{"t":21}', { qos: 1, userProperties: { unit: "celsius" } })`, nil)
	p.Until(`rows().includes("in PUBLISH") && rows().includes("out PUBACK")`)
	row := func(direction, kind string) string {
		return `[...document.querySelectorAll("#packets li:not([hidden])")].find((row) => row.dataset.direction === "` + direction + `" && row.querySelector(".type").textContent === "` + kind + `")`
	}
	p.Is(row("out", "PUBLISH")+`.querySelector(".topic").textContent`, `"room/1"`)
	p.Is(`/^#\d+ · \d+ B · [\d.]+ ms$/.test(`+row("out", "PUBLISH")+`.querySelector(".meta").textContent)`, `true`)
	p.Is(row("in", "CONNACK")+`.querySelector(".reason").textContent`, `"success (0x00)"`)

	// The filters, by mouse and keyboard.
	p.Eval(`const type = document.querySelector("#packet-type"); type.value = "PUBLISH"; type.dispatchEvent(new Event("change"))`, nil)
	p.Until(`rows().join() === "out PUBLISH,in PUBLISH"`)
	p.Eval(`const way = document.querySelector("#packet-direction"); way.value = "out"; way.dispatchEvent(new Event("change"))`, nil)
	p.Until(`rows().join() === "out PUBLISH" && document.querySelector("#packet-count").textContent === "1"`)
	p.Click("#packets li:not([hidden])")
	p.Until(`document.querySelector("#packet-title").textContent === "PUBLISH, sent"`)
	p.Is(`Object.fromEntries([...document.querySelectorAll(".packet-body dt")].map((name) => [name.textContent, name.nextElementSibling.textContent]).filter(([name]) => ["Topic", "QoS", "User Property", "Specification"].includes(name)))`,
		`{"Specification":"MQTT 5, section 3.3","Topic":"room/1","QoS":"1","User Property":"unit = celsius"}`)
	p.Is(`document.querySelector(".packet-payload").textContent`, `"{\"t\":21}"`)
	p.Is(`document.querySelector(".dump-line").textContent.startsWith("0000  3")`, `true`)
	p.Click(".fields li:nth-child(3) button")
	p.Is(`[document.querySelector(".fields [aria-pressed=true]").textContent, [...document.querySelectorAll(".dump .marked")].map((e) => e.textContent).join(" ")]`,
		`["Topic Namebytes 2–9","00 06 72 6f 6f 6d 2f 31 ··room/1"]`)
	p.Eval(`for (const id of ["packet-type", "packet-direction"]) { document.getElementById(id).value = ""; document.getElementById(id).dispatchEvent(new Event("change")); }`, nil)
	p.Fill("#packet-search", "celsius")
	p.Until(`rows().length === 2`)
	p.Fill("#packet-search", "nothing has this text")
	p.Until(`document.querySelector("#packet-empty").textContent === "No recorded packet matches the filter."`)
	p.Fill("#packet-search", "connack")
	p.Until(`rows().join() === "in CONNACK"`)
	p.Eval(`document.querySelector("#packets").focus()`, nil)
	p.Do(chromedp.KeyEvent(kb.ArrowDown))
	p.Do(chromedp.KeyEvent("\r"))
	p.Until(`document.activeElement.id === "packet-title" && document.activeElement.textContent === "CONNACK, received"`)
	p.Is(`[...document.querySelectorAll(".packet-body dd")].some((value) => value.textContent === "success (0x00), section 3.2.2.2")`, `true`)
	p.Accessible()
}

// Pause keeps the packets that arrive meanwhile. Clear removes all. The export has no secret.
func TestPacketsPauseAndExport(t *testing.T) {
	p := open(t, harness.Serve(t), "#/packets")
	p.Eval(rowsScript, nil)
	p.Until(`document.querySelector("#packet-pause") !== null`)
	p.Eval(`await iot.publish("before", "1", { qos: 1 })`, nil)
	p.Until(`rows().includes("out PUBACK")`)
	p.Click("#packet-pause")
	p.Eval(`globalThis.paused = rows().join(); await iot.publish("during", "2", { qos: 1 })`, nil)
	p.Is(`rows().join() === paused && document.querySelector("#packet-pause").textContent === "Resume"`, `true`)
	p.Click("#packet-pause")
	p.Until(`rows().filter((row) => row === "out PUBLISH").length === 2`)
	p.Click("#packet-reconnect")
	p.Until(`rows().includes("in CONNACK")`)

	p.Eval(`const create = URL.createObjectURL; URL.createObjectURL = (blob) => create.call(URL, globalThis.saved = blob); 0`, nil)
	p.Click("#packet-export")
	p.Until(`globalThis.saved !== undefined`)
	p.Eval(`globalThis.exported = (await saved.text()).trim().split("\n").map((line) => JSON.parse(line)); 0`, nil)
	p.Is(`exported.some(({ type, direction, topic, payload }) => type === "PUBLISH" && direction === "out" && topic === "during" && atob(payload) === "2")`, `true`)
	p.Is(`exported.find(({ type }) => type === "CONNACK").reason.name`, `"success"`)
	p.Is(`exported.every(({ time, bytes, size }) => Date.parse(time) > 0 && atob(bytes).length === size)`, `true`)

	p.Click("#packet-clear")
	p.Until(`document.querySelector("#packet-count").textContent === "0" && document.querySelector("#packet-bound").textContent.includes(": 0 packets, 0 B of at most 32 MiB.")`)
}

// The log has a bound in bytes. Above it, the oldest packets are removed.
func TestPacketsBound(t *testing.T) {
	p := open(t, harness.Serve(t), "#/packets")
	p.Until(`document.querySelector("#packet-pause") !== null`)
	p.Eval(`const payload = new Uint8Array(60_000); for (let i = 0; i < 700; i++) await iot.publish("bulk", payload, { qos: 1 })`, nil)
	p.Until(`/ (3[0-2]) MiB of at most 32 MiB\. [\d,]+ older packets were removed\./.test(document.querySelector("#packet-bound").textContent)`)
	p.Is(`document.querySelector("#packets li:not([hidden]) .type").textContent !== ""`, `true`)
}
