package demos

import (
	"fmt"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"iot.wasm/test/harness"
)

// An artist is a person who draws. Coordinates are in the units of the canvas, 1600 × 1000.
type artist struct {
	*person
	down     bool    // the button of the mouse is pressed
	pressure float64 // if not 0, the mouse is a pen
}

// openDrawing opens the demo with a name and a colour, in a window that shows the whole canvas.
func openDrawing(t *testing.T, s *harness.Server, name, color string) *artist {
	t.Helper()
	p := &artist{person: open(t, s.URL+"demos/drawing.html")}
	p.prepare(color)
	p.Until(`iot.stats().subscriptions === 41`)
	p.Fill("#name", name+"\t")
	return p
}

// prepare sets the size of the window, chooses a colour, and defines globals for the test.
func (p *artist) prepare(color string) {
	p.T.Helper()
	p.Resize(800, 900)
	p.Eval(`globalThis.canvas = document.querySelector("canvas"); globalThis.iot = (await import("/iot.js")).default;
		// The colour of a point, as #rrggbbaa.
		globalThis.pixel = (x, y) => {
			const copy = new OffscreenCanvas(1, 1).getContext("2d");
			copy.drawImage(canvas, -Math.floor(x / 1600 * canvas.width), -Math.floor(y / 1000 * canvas.height));
			return "#" + [...copy.getImageData(0, 0, 1, 1).data].map((v) => v.toString(16).padStart(2, "0")).join("");
		}`, nil)
	p.Eval(`document.querySelector("#color").value = "`+color[:7]+`"`, nil)
}

// mouse sends an event of the mouse.
func (p *artist) mouse(kind input.DispatchMouseEventType, x, y float64) {
	p.T.Helper()
	var at struct{ X, Y float64 }
	p.Eval(fmt.Sprintf(`scrollTo(0, 0); (({ x, y, width, height }) => ({ x: x + %v / 1600 * width, y: y + %v / 1000 * height }))(canvas.getBoundingClientRect())`, x, y), &at)
	event := input.DispatchMouseEventParams{Type: kind, X: at.X, Y: at.Y}
	switch kind {
	case input.DispatchMouseEventTypeMousePressed:
		p.down, event.Button, event.ClickCount = true, input.MouseButtonLeft, 1
	case input.DispatchMouseEventTypeMouseReleased:
		p.down, event.Button, event.ClickCount = false, input.MouseButtonLeft, 1
	}
	if p.pressure > 0 {
		event.PointerType, event.Force = input.DispatchMouseEventPointerTypePen, p.pressure
	}
	if p.down {
		event.Button, event.Buttons = input.MouseButtonLeft, 1
	}
	if _, err := chromedp.Call(p.Ctx, input.DispatchMouseEvent, event); err != nil {
		p.T.Fatal(err)
	}
}

// line draws a line with the mouse.
func (p *artist) line(x1, y1, x2, y2 float64) {
	p.T.Helper()
	p.mouse(input.DispatchMouseEventTypeMouseMoved, x1, y1)
	p.mouse(input.DispatchMouseEventTypeMousePressed, x1, y1)
	p.mouse(input.DispatchMouseEventTypeMouseMoved, (x1+x2)/2, (y1+y2)/2)
	p.mouse(input.DispatchMouseEventTypeMouseMoved, x2, y2)
	p.mouse(input.DispatchMouseEventTypeMouseReleased, x2, y2)
}

// shows waits until a point of the canvas has a colour.
func (p *artist) shows(x, y float64, color string) {
	p.T.Helper()
	p.Until(fmt.Sprintf(`pixel(%v, %v) === %q`, x, y, color))
}

// picture returns the pixels of the canvas, after it has drawn everything again: the edge of a stroke depends on the number
// of its parts.
func (p *artist) picture() string {
	p.T.Helper()
	return p.Text(`await (async () => {
		for (const width of ["50%", ""]) {
			canvas.parentElement.style.width = width;
			for (let i = 0; i < 2; i++) await new Promise(requestAnimationFrame);
		}
		return canvas.toDataURL();
	})()`)
}

// same waits until the canvas has the same pixels as the one of another person.
func (p *artist) same(other *artist) {
	p.T.Helper()
	for end := time.Now().Add(patience); p.picture() != other.picture(); {
		if time.Now().After(end) {
			p.T.Fatal("the pictures differ")
		}
	}
}

const (
	red, blue, green = "#d92d20ff", "#2354cfff", "#128a40ff"
	nothing          = "#00000000"
)

func TestDrawing(t *testing.T) {
	s := harness.Serve(t, "-faults")
	a, b := openDrawing(t, s, "Ada", red), openDrawing(t, s, "Bob", blue)

	// Both see the strokes and the cursors of each other. A stroke arrives before it ends.
	a.mouse(input.DispatchMouseEventTypeMouseMoved, 200, 100)
	a.mouse(input.DispatchMouseEventTypeMousePressed, 200, 100)
	a.mouse(input.DispatchMouseEventTypeMouseMoved, 800, 100)
	b.shows(500, 100, red)
	b.Until(`document.querySelector(".cursor")?.innerText === "Ada"`)
	b.Is(`["--x", "--y", "--color"].map((name) => document.querySelector(".cursor").style.getPropertyValue(name))`, `["50", "10", "#d92d20"]`)
	a.mouse(input.DispatchMouseEventTypeMouseMoved, 800, 300)
	a.mouse(input.DispatchMouseEventTypeMouseReleased, 800, 300)
	b.shows(800, 250, red)
	b.line(200, 500, 800, 500)
	a.shows(500, 500, blue)
	a.Until(`document.querySelector(".cursor")?.innerText === "Bob"`)
	a.same(b)

	// The cursor disappears outside of the canvas.
	b.mouse(input.DispatchMouseEventTypeMouseMoved, 200, -50)
	a.Until(`document.querySelector(".cursor").hidden`)

	// Each person removes only strokes of its own.
	a.Do(chromedp.KeyEvent("z", chromedp.KeyModifiers(chromedp.ModifierCtrl)))
	for _, p := range []*artist{a, b} {
		p.shows(500, 100, nothing)
		p.shows(500, 500, blue)
	}
	a.Click("#undo")
	a.line(200, 700, 800, 700)
	b.shows(500, 700, red)
	a.same(b)
	b.Click("#undo")
	a.shows(500, 500, nothing)
	b.line(200, 500, 800, 500)
	b.line(200, 550, 800, 550)
	a.shows(500, 550, blue)

	// The strokes of both continue after a lost connection, in the middle of a stroke.
	a.mouse(input.DispatchMouseEventTypeMousePressed, 1000, 100)
	a.mouse(input.DispatchMouseEventTypeMouseMoved, 1200, 100)
	b.shows(1100, 100, red)
	s.Control(`{"upgrade":{"status":503,"count":100},"cut":"*"}`)
	for _, p := range []*artist{a, b} {
		p.Until(`document.querySelector("#state").dataset.state === "lost"`)
	}
	a.mouse(input.DispatchMouseEventTypeMouseMoved, 1400, 100)
	a.mouse(input.DispatchMouseEventTypeMouseReleased, 1400, 100)
	b.line(1000, 200, 1400, 200)
	b.Click("#undo")
	b.line(1000, 300, 1400, 300)
	s.Control(`{"upgrade":{"status":503,"count":0}}`)
	b.shows(1350, 100, red)
	a.shows(1200, 300, blue)
	a.shows(1200, 200, nothing)
	a.same(b)

	// A person who comes later sees the picture, also of a person who has left. The broker publishes the will of that person.
	b.line(600, 600, 650, 600)
	a.Until(`!document.querySelector(".cursor")?.hidden`)
	b.Close()
	a.Until(`document.querySelector(".cursor") === null`)
	c := openDrawing(t, s, "Cem", green)
	c.shows(625, 600, blue)
	c.same(a)
	c.line(900, 800, 1200, 800)
	a.shows(1000, 800, green)
	a.Click("#clear")
	c.shows(500, 700, nothing)
	c.shows(1000, 800, green)
	c.same(a)

	// A click draws a dot. A pen with full pressure draws wider than a mouse.
	a.mouse(input.DispatchMouseEventTypeMousePressed, 1000, 500)
	a.mouse(input.DispatchMouseEventTypeMouseReleased, 1000, 500)
	c.shows(1000, 500, red)
	c.shows(1000, 506, nothing)
	a.pressure = 1
	a.mouse(input.DispatchMouseEventTypeMousePressed, 1100, 500)
	a.mouse(input.DispatchMouseEventTypeMouseReleased, 1100, 500)
	c.shows(1100, 505, red)
	a.pressure = 0

	// The keyboard draws, too.
	a.Eval(`canvas.focus()`, nil)
	a.mouse(input.DispatchMouseEventTypeMouseMoved, 100, 900)
	a.Do(chromedp.KeyEvent(" "))
	a.Until(`[...document.querySelectorAll(".cursor:not([hidden])")].some((cursor) => cursor.innerText === "You")`)
	for range 10 {
		a.Do(chromedp.KeyEvent(kb.ArrowRight))
	}
	a.Do(chromedp.KeyEvent(" "))
	c.shows(200, 900, red)

	// The picture is the same in a window of another size, and on a screen with another density of pixels.
	for scale := 1.0; scale <= 2; scale++ {
		size := emulation.SetDeviceMetricsOverrideParams{Width: int64(600 - 100*scale), Height: 900, DeviceScaleFactor: scale}
		if _, err := chromedp.Call(c.Ctx, emulation.SetDeviceMetricsOverride, size); err != nil {
			t.Fatal(err)
		}
		c.Until(fmt.Sprintf(`devicePixelRatio === %v && canvas.width === Math.floor(canvas.clientWidth * devicePixelRatio)`, scale))
		c.shows(200, 900, red)
		c.shows(1000, 800, green)
	}
	c.Accessible()
}

// TestDrawingPages checks the retained pages: they are right although two people publish a page at the same time, and
// messages that are not valid have no effect.
func TestDrawingPages(t *testing.T) {
	s := harness.Serve(t, "-faults")
	a, b := openDrawing(t, s, "Ada", red), openDrawing(t, s, "Bob", blue)
	a.Eval(`Math.random = () => 0`, nil) // all strokes are on page 0
	other := open(t, s.URL+"demos/mqtt-sample.html")
	other.Eval(`globalThis.iot = (await import("/iot.js")).default; globalThis.page = [];
		await iot.subscribe("public/drawing/pages/0", (message) => page.push(message.text()), { qos: 1 })`, nil)
	publish := func(page string) {
		t.Helper()
		other.Eval(`await iot.publish("public/drawing/pages/0", { json: `+page+` }, { qos: 1, retain: true })`, nil)
	}
	a.line(200, 100, 800, 100)
	other.Until(`page.length === 1`)
	a.line(200, 200, 800, 200)
	b.shows(500, 200, red)
	other.Until(`page.length === 2`)

	// The page of a person who does not know the second stroke yet.
	publish(`{ ...JSON.parse(page[0]), id: "x" }`)
	other.Until(`page.length === 4`)
	a.shows(500, 200, red)
	b.shows(500, 200, red)

	// The page of a person who does not know yet that the second stroke was removed.
	a.Click("#undo")
	b.shows(500, 200, nothing)
	other.Until(`page.length === 5`)
	publish(`{ ...JSON.parse(page[3]), id: "x" }`)
	other.Until(`page.length === 7`)
	a.shows(500, 200, nothing)
	b.shows(500, 200, nothing)

	for _, topic := range []string{"live/x", "pages/0", "pages/1"} {
		for _, payload := range []string{``, `no JSON`, `null`, `7`, `[]`, `{}`, `{ "name": {}, "color": 7, "position": 7 }`, `{ "name": "<b>", "color": "url(//x)", "position": ["x", null] }`,
			`{ "piece": {} }`, `{ "piece": { "at": 1, "stroke": 1, "n": 0, "color": "red", "points": [1, 2, 3, 4, 5, 6] } }`,
			`{ "piece": { "at": 1, "stroke": 1, "n": 0, "color": "#000000", "points": "123456" } }`, `{ "piece": { "at": 1, "stroke": 1, "n": 0, "color": "#000000", "points": [1e99, 2, 3, 4, 5, 6] } }`,
			`{ "id": 7, "pieces": [] }`, `{ "id": "y", "pieces": {} }`, `{ "id": "y", "pieces": [null] }`, `{ "id": "y", "pieces": [{ "at": 1, "stroke": 1, "n": 0, "points": [] }] }`,
		} {
			other.Eval(fmt.Sprintf(`await iot.publish("public/drawing/%s", %q, { qos: 1, retain: %t })`, topic, payload, topic != "live/x"), nil)
		}
	}
	b.line(200, 300, 800, 300)
	c := openDrawing(t, s, "Cem", green)
	for _, p := range []*artist{a, b, c} {
		p.shows(500, 300, blue)
		p.Is(`document.querySelector("b")`, "null")
	}
	a.line(200, 400, 800, 400)
	b.shows(500, 400, red)
	c.shows(500, 400, red)
	c.shows(500, 100, red)
	c.shows(500, 200, nothing)
}

// TestDrawingBeforeConnection draws before the first connection. The strokes appear for the others after it, and also the
// strokes that were there before.
func TestDrawingBeforeConnection(t *testing.T) {
	s := harness.Serve(t, "-faults")
	a := openDrawing(t, s, "Ada", red)
	a.line(200, 100, 800, 100)
	s.Control(`{"upgrade":{"status":503,"count":100}}`)
	b := &artist{person: blank(t)}
	b.Do(chromedp.Navigate(s.URL + "demos/drawing.html"))
	b.prepare(blue)
	b.line(200, 200, 800, 200)
	b.shows(500, 200, blue)
	s.Control(`{"upgrade":{"status":503,"count":0}}`)
	a.shows(500, 200, blue)
	b.shows(500, 100, red)
	b.same(a)
}
