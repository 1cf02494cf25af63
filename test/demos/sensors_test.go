package demos

import (
	"testing"

	"iot.wasm/test/harness"
)

func TestSensors(t *testing.T) {
	s := harness.Serve(t, "-faults")
	a, b := open(t, s.URL+"demos/sensors.html"), open(t, s.URL+"demos/sensors.html")
	const points, values, alarm = `document.querySelector("#kitchen polyline").points.length`, `document.querySelector("#kitchen .values").textContent`, `document.querySelector("#kitchen .alarm").textContent`
	// A page subscribes to its eight topics after it has connected.
	for _, p := range []*person{a, b} {
		p.Eval(`globalThis.iot = (await import("/iot.js")).default`, nil)
		p.Until(`iot.stats().subscriptions === 8`)
	}
	a.Fill("#kitchen input", "40\t") // no measurement is above it
	a.Click("#kitchen button")
	for _, p := range []*person{a, b} {
		p.Until(points + ` >= 2 && / °C\d+ %$/.test(` + values + `)`)
	}
	b.Is(alarm, `""`)

	// The limit applies in both windows, and in a window that opens later.
	b.Fill("#kitchen input", "5\t")
	c := open(t, s.URL+"demos/sensors.html")
	for _, p := range []*person{a, b, c} {
		p.Until(alarm + ` === "Alarm: above 5 °C"`)
	}
	lose(s, a, b, c)
	b.Eval(`globalThis.before = `+points, nil)
	b.Until(points + ` > before + 1`)

	// Messages of other programs are not shown.
	b.publish(`{ topic: "public/sensors/kitchen/measurement", text: "{" }`, `{ topic: "public/sensors/kitchen/measurement", text: "null" }`,
		`{ topic: "public/sensors/kitchen/measurement", text: '{"temperature":"hot","humidity":5}' }`,
		`{ topic: "public/sensors/kitchen/limit", text: "high" }`, `{ topic: "public/sensors/kitchen/limit", text: "999" }`)
	b.Eval(`globalThis.before = `+points, nil)
	b.Until(points + ` > before + 1 && / °C\d+ %$/.test(` + values + `)`)
	b.Is(`[document.querySelector("#kitchen input").value, `+alarm+`]`, `["5", "Alarm: above 5 °C"]`)

	// The sensor is switched off.
	a.Click("#kitchen button")
	for _, p := range []*person{a, b, c} {
		p.Until(values + ` === "No sensor" && ` + alarm + ` === ""`)
	}
	b.Accessible()
}
