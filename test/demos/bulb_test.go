package demos

import (
	"testing"

	"iot.wasm/test/harness"
)

func TestLightBulb(t *testing.T) {
	s := harness.Serve(t, "-faults")
	lamp, control := open(t, s.URL+"demos/lamp.html"), open(t, s.URL+"demos/switch.html")
	text := func(p *person, selector, want string) {
		t.Helper()
		p.Until(`document.querySelector("` + selector + `").textContent === "` + want + `"`)
	}
	const follows, waits = "The lamp does what is desired.", "The lamp has not followed yet. Is it plugged in?"
	text(lamp, "#text", "The lamp is off")
	control.Click("#on")
	text(lamp, "#text", "The lamp is on, 80 % of #ffcf5c")
	text(control, "#answer", follows)
	text(control, "#on", "Light: on")

	// The lamp is unplugged, the switch moves, and the lamp comes back and follows.
	lamp.Click("#plug")
	text(lamp, "#text", "The lamp is unplugged")
	lamp.Until(`document.querySelector("#state").textContent === "Disconnected"`)
	control.Eval(`const set = (name, value) => { const e = document.querySelector("[name=" + name + "]"); e.value = value; e.dispatchEvent(new Event("change")) };
		set("colour", "#3366ff"); set("brightness", 40)`, nil)
	control.Until(`/^{ "brightness": 40, "colour": "#3366ff" }$/.test(document.querySelector("#delta").textContent.replaceAll(/\s+/g, " "))`)
	text(control, "#answer", waits)
	lamp.Click("#plug")
	text(lamp, "#text", "The lamp is on, 40 % of #3366ff")
	text(control, "#answer", follows)

	// Both lose the connection. A second lamp and a second switch join.
	lose(s, lamp, control)
	lamp2, control2 := open(t, s.URL+"demos/lamp.html"), open(t, s.URL+"demos/switch.html")
	text(lamp2, "#text", "The lamp is on, 40 % of #3366ff")
	text(control2, "#on", "Light: on")
	control2.Click("#on")
	for _, p := range []*person{lamp, lamp2} {
		text(p, "#text", "The lamp is off")
	}
	for _, p := range []*person{control, control2} {
		text(p, "#answer", follows)
		text(p, "#on", "Light: off")
	}

	// A lamp does what it can. What it cannot do stays in the delta, and the lamp does not report again and again.
	control.publish(`{ topic: "$aws/things/demo-lamp/shadow/update", text: '{"state":{"desired":{"on":"yes","colour":"red","brightness":55}}}' }`)
	for _, p := range []*person{lamp, lamp2} {
		p.Until(`/^The lamp is off$/.test(document.querySelector("#text").textContent)`)
	}
	control.Until(`JSON.stringify(JSON.parse(document.querySelector("#delta").textContent)) === '{"colour":"red","on":"yes"}'`)
	text(control, "#answer", waits)
	control.Is(`document.querySelector("[name=colour]").value`, `"#3366ff"`)
	lamp.Eval(`globalThis.client = (await import("/iot.js")).default; globalThis.before = client.stats().messagesOut`, nil)
	control2.Click("#on")
	for _, p := range []*person{lamp, lamp2} {
		text(p, "#text", "The lamp is on, 55 % of #3366ff")
	}
	control.Until(`document.querySelector("#delta").textContent === JSON.stringify({ colour: "red" }, null, 2)`)
	lamp.Is(`client.stats().messagesOut - before < 4`, "true")
	lamp.Accessible()
	control.Accessible()
}
