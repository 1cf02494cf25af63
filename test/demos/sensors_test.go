package demos

import (
	"testing"

	"iot.wasm/test/harness"
)

func TestSensors(t *testing.T) {
	s := harness.Serve(t, "-faults")
	a, b := open(t, s.URL+"demos/sensors.html"), open(t, s.URL+"demos/sensors.html")
	const points, values, alarm = `document.querySelector("#kitchen polyline").points.length`, `document.querySelector("#kitchen .values").innerText`, `document.querySelector("#kitchen .alarm").textContent`
	// A page subscribes to its eight topics after it has connected.
	for _, p := range []*person{a, b} {
		p.Eval(`globalThis.iot = (await import("/iot.js")).default`, nil)
		p.Until(`iot.stats().subscriptions === 8`)
	}
	a.Click("#kitchen button")
	for _, p := range []*person{a, b} {
		p.Until(points + ` >= 2 && / °C \d+ %$/.test(` + values + `)`)
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

	// The sensor is switched off.
	a.Click("#kitchen button")
	for _, p := range []*person{a, b, c} {
		p.Until(values + ` === "No sensor" && ` + alarm + ` === ""`)
	}
	b.accessible()
}
