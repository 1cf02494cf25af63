package demos

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"iot.wasm/test/harness"
)

// demoPolicy returns the name of a file with the permissions of docs/aws for guests who use the demos.
func demoPolicy(t *testing.T) string {
	t.Helper()
	document, err := os.ReadFile(filepath.Join(harness.Root, "docs/aws/demo-role-policy.json"))
	if err != nil {
		t.Fatal(err)
	}
	const statements = `"Statement": [`
	connect := statements + `{"Effect": "Allow", "Action": "iot:Connect", "Resource": "arn:aws:iot:eu-west-1:123456789012:client/iot-*"},`
	name := filepath.Join(t.TempDir(), "policy.json")
	if err := os.WriteFile(name, []byte(strings.Replace(string(document), statements, connect, 1)), 0o600); err != nil {
		t.Fatal(err)
	}
	return name
}

// shows waits until the text of an element contains the given text.
func (p *person) shows(selector, text string) {
	p.T.Helper()
	p.Until(fmt.Sprintf(`document.querySelector(%q).textContent.includes(%q)`, selector, text))
}

// A dispatcher is a person with dispatcher.html.
type dispatcher struct{ *person }

func dispatch(t *testing.T, s *harness.Server) dispatcher {
	t.Helper()
	return dispatcher{open(t, s.URL+"demos/dispatcher.html")}
}

// row waits until the list shows a truck with a text that matches the pattern, and gives that row the id "row".
func (d dispatcher) row(id, pattern string) {
	d.T.Helper()
	d.Until(fmt.Sprintf(`(() => {
		const row = [...document.querySelectorAll("#list label")].find(({ children }) => children[1].textContent === %q && new RegExp(%q).test(children[2].textContent));
		document.querySelector("#row")?.removeAttribute("id");
		if (row) row.id = "row";
		return row !== undefined;
	})()`, id, pattern))
}

// choose selects a truck in the list with the mouse.
func (d dispatcher) choose(id string) {
	d.T.Helper()
	d.row(id, "")
	d.Click("#row")
	d.shows("#name", id)
}

// order sends an order to the selected truck.
func (d dispatcher) order(limit, task string) {
	d.T.Helper()
	d.Fill("#orders [name=limit]", limit)
	d.Eval(fmt.Sprintf(`document.querySelector("#orders [name=task]").value = %q`, task), nil)
	d.Click("#orders button")
}

// update updates the shadow of a truck as another client of the page.
func (p *person) update(truck, state string) {
	p.T.Helper()
	p.Eval(fmt.Sprintf(`await (await import("/iot.js")).default.publish("$aws/things/%s/shadow/name/fleet-blue/update", { json: { state: %s } }, { qos: 1 })`, truck, state), nil)
}

// calm asks the page for less motion.
func (p *person) calm() {
	p.T.Helper()
	if _, err := chromedp.Call(p.Ctx, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
		Features: []*emulation.MediaFeature{{Name: "prefers-reduced-motion", Value: "reduce"}},
	}); err != nil {
		p.T.Fatal(err)
	}
}

// changes runs a script, and returns how often the map changes in the next frames, and how long they take.
func (p *person) changes(frames int, script string) (n int, seconds float64) {
	p.T.Helper()
	var result struct {
		N       int
		Seconds float64
	}
	p.Eval(fmt.Sprintf(`await (async () => {
		const begin = performance.now();
		let n = 0, last;
		%s;
		for (let i = 0; i < %d; i++) {
			await new Promise(requestAnimationFrame);
			const picture = document.querySelector("canvas").toDataURL();
			if (last !== undefined && picture !== last) n++;
			last = picture;
		}
		return { n, seconds: (performance.now() - begin) / 1000 };
	})()`, script, frames), &result)
	return result.N, result.Seconds
}

func TestTrucks(t *testing.T) {
	s := harness.Serve(t, "-faults", "-region", "eu-west-1", "-policy", demoPolicy(t))
	fleet := open(t, s.URL+"demos/trucks.html?pace=200")
	fleet.Fill("#count", "6\t")
	fleet.shows("#text", "6 trucks drive, and send 12 reports a second.")
	a := dispatch(t, s)
	for _, id := range []string{"truck-01", "truck-02", "truck-03", "truck-04", "truck-05", "truck-06"} {
		a.row(id, `^\d+ km.h$`)
	}
	a.Until(`document.querySelector("#hint").hidden`)
	for _, p := range []*person{fleet, a.person} { // the trucks move on both maps
		p.Eval(`globalThis.before = document.querySelector("canvas").toDataURL()`, nil)
		p.Until(`document.querySelector("canvas").toDataURL() !== before`)
	}

	// A truck is selected in the list by keyboard and by mouse, and on the map. Truck 90 stands in a corner of the map.
	a.Eval(`document.querySelector("#list input").focus()`, nil)
	a.Do(chromedp.KeyEvent(" "))
	a.shows("#name", "truck-01 of the blue fleet")
	a.Do(chromedp.KeyEvent(kb.ArrowDown))
	a.shows("#name", "truck-02 of the amber fleet")
	a.update("truck-90", `{ reported: { x: 60, y: 3540, heading: 0, speed: 1, fuel: 2, temperature: 3, load: 4, limit: 50, task: "deliveries" }, desired: { limit: "<b>fast</b>" } }`)
	a.row("truck-90", "order waits")
	var corner struct{ X, Y float64 }
	a.Eval(`(() => { const canvas = document.querySelector("canvas"); canvas.scrollIntoView(); const { x, y, width, height } = canvas.getBoundingClientRect(); return { x: x + width / 100, y: y + height * 59 / 60 } })()`, &corner)
	a.Do(chromedp.MouseClickXY(corner.X, corner.Y))
	a.shows("#name", "truck-90 of the blue fleet")
	a.shows("#pending", "limit <b>fast</b>")

	// Reports of others that are not those of a truck, and orders that no truck can follow, change nothing.
	a.update("truck-91", `{ reported: { x: "<b>", y: {} } }`)
	a.update("truck-92", `{ reported: null, desired: { limit: 50 } }`)
	a.update("truck-93", `{ reported: { x: 1 }, desired: [1] }`)
	a.update("truck-x", `{ reported: { x: 1 } }`)
	a.update("truck-90", `{ reported: { status: { toString: 1 } }, desired: { task: { toString: 1 } } }`)
	a.update("truck-90", `{ reported: { status: "x".repeat(4000) } }`)
	a.shows("#text", "xxxxx")
	a.update("truck-01", `{ desired: { limit: 1e9, task: "__proto__" } }`)
	a.row("truck-01", "order waits")

	// A truck follows its speed limit and goes to a depot. Another dispatcher sees the orders.
	a.choose("truck-01")
	a.order("40", "Harbour")
	a.shows("#text", "limit 40 km/h")
	a.shows("#pending", "It follows its orders.")
	a.shows("#text", "parked at Harbour")
	a.row("truck-01", "^0 km.h$")
	a.Is(`[...document.querySelectorAll("#list label")].filter((row) => /truck-(9[123]|x)/.test(row.textContent)).length`, "0")
	b := dispatch(t, s)
	b.choose("truck-01")
	b.shows("#text", "parked at Harbour, limit 40 km/h")
	const form = `[...document.querySelector("#orders").elements].map(({ value }) => value).join()`
	b.Is(form, `"40,Harbour,"`)
	b.order("35", "deliveries")
	for _, d := range []dispatcher{a, b} {
		d.Until(form + ` === "35,deliveries,"`)
		d.shows("#text", "limit 35 km/h")
		d.row("truck-01", "^35 km.h$")
	}

	// All lose the connection.
	lose(s, fleet, a.person, b.person)
	b.order("45", "Station")
	for _, d := range []dispatcher{a, b} {
		d.shows("#text", "parked at Station, limit 45 km/h")
	}

	// The fleet stops, an order waits in the shadow, also for a dispatcher who comes later, and the fleet follows it.
	fleet.Click("#run")
	fleet.shows("#text", "The trucks are stopped.")
	a.row("truck-02", "^off$")
	a.Until(`!document.querySelector("#hint").hidden`)
	a.order("55", "Station")
	c := dispatch(t, s)
	for _, d := range []dispatcher{a, b, c} {
		d.choose("truck-01")
		d.shows("#pending", "Its shadow keeps the order until it runs: limit 55")
	}

	// Without motion, a truck is shown where it was before a report, or where it is now.
	c.update("truck-90", `{ reported: { x: 1060 } }`)
	c.row("truck-90", "")
	c.calm()
	if changes, _ := c.changes(60, `(await import("/iot.js")).default.publish("$aws/things/truck-90/shadow/name/fleet-blue/update", { json: { state: { reported: { x: 2060 } } } })`); changes > 3 {
		t.Errorf("the map of the dispatcher has changed %d times", changes)
	}
	fleet.Click("#run")
	fleet.calm()
	if changes, seconds := fleet.changes(60, `0`); float64(changes) > 2*seconds+1 {
		t.Errorf("the map of the fleets has changed %d times in %v s", changes, seconds)
	}
	for _, d := range []dispatcher{a, b, c} {
		d.shows("#text", "parked at Station, limit 55 km/h")
		d.shows("#pending", "It follows its orders.")
	}

	// The trucks drive in the window that was opened last. Truck 1 is new there, and has its orders from the shadow.
	c.Eval(`document.querySelector("#here").click()`, nil)
	fleet.shows("#text", "Another window drives the trucks now.")
	c.row("truck-50", `^\d+ km.h$`)
	for _, d := range []dispatcher{a, c} {
		d.row("truck-50", `^\d+ km.h$`)
		d.shows("#text", "limit 55 km/h")
		d.shows("#pending", "It follows its orders.")
	}
	a.Accessible()
	fleet.Accessible()
}

// TestCity checks that both pictures of the city show the roads of city.json, and differ only in their colours.
func TestCity(t *testing.T) {
	light, dark := read(t, "city.svg"), read(t, "city-dark.svg")
	drawing := func(picture string) string { return picture[strings.Index(picture, "<defs>"):] }
	if drawing(light) != drawing(dark) {
		t.Error("city.svg and city-dark.svg differ in more than the colours")
	}
	var city struct {
		Depots    map[string]int
		Crossings []struct {
			X, Y int
			Next []int
		}
	}
	if err := json.Unmarshal([]byte(read(t, "city.json")), &city); err != nil {
		t.Fatal(err)
	}
	for n, from := range city.Crossings {
		for _, m := range from.Next {
			to := city.Crossings[m]
			if !slices.Contains(to.Next, n) || m > n && !strings.Contains(light, fmt.Sprintf("M%d %dL%d %d", from.X, from.Y, to.X, to.Y)) {
				t.Errorf("the road between the crossings %d and %d is only in one direction, or not in city.svg", n, m)
			}
		}
	}
	page := read(t, "dispatcher.html")
	for depot, n := range city.Depots {
		if at := city.Crossings[n]; !strings.Contains(light, fmt.Sprintf("translate(%d %d)", at.X, at.Y)) || !strings.Contains(page, "<option>"+depot) {
			t.Errorf("city.svg or dispatcher.html lacks the depot %s", depot)
		}
	}
}

// TestFramesOfTrucks measures the dispatcher with 50 trucks: in a page with both, and in a page of its own.
func TestFramesOfTrucks(t *testing.T) {
	skipUnlessMeasuring(t)
	for _, together := range []bool{true, false} {
		t.Run(fmt.Sprintf("together=%t", together), func(t *testing.T) {
			s := harness.Serve(t)
			d := dispatch(t, s)
			if _, err := chromedp.Call(d.Ctx, page.AddScriptToEvaluateOnNewDocument, page.AddScriptToEvaluateOnNewDocumentParams{Source: harness.WatchWasm}); err != nil {
				t.Fatal(err)
			}
			d.Do(chromedp.Reload())
			d.connected()
			if together {
				d.Click("#here")
			} else {
				open(t, s.URL+"demos/trucks.html")
			}
			d.row("truck-50", `^\d+ km.h$`)
			d.choose("truck-01")
			var all harness.Frames
			total := time.Duration(0)
			for _, part := range []time.Duration{10 * time.Second, 20 * time.Second, 30 * time.Second, time.Minute} {
				f := d.Frames(part, func() {})
				all.Frames, all.Tasks = append(all.Frames, f.Frames...), append(all.Tasks, f.Tasks...)
				total += part
				var received float64 // of the blue fleet
				d.Eval(`(await import("/iot.js")).default.stats().messagesIn`, &received)
				var wasm []float64 // of the page, and of the frame with the trucks
				d.Eval(`[window, ...Array.from(window)].filter((w) => w.wasm).map((w) => w.wasm.mem.buffer.byteLength)`, &wasm)
				t.Logf("after %v: JS heap %.2f MB, wasm memory %.0f bytes, %.0f messages; %v", total, d.Metric("JSHeapUsedSize")/1e6, wasm, received, f)
			}
			slices.Sort(all.Frames)
			slices.Sort(all.Tasks)
			t.Logf("all: %.1f frames a second in the median; %v", 1000/all.Median(), all)
		})
	}
}
