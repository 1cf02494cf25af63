package console

import (
	"fmt"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"iot.wasm/test/harness"
)

// openChart shows the chart of a page that may have been loaded just now.
func openChart(p *harness.Person) {
	p.T.Helper()
	p.Until(`document.querySelector("#chart-add") !== null`)
	p.Resize(1300, 900)
	p.Click("#tab-chart")
	p.Until(`!document.querySelector("#reader-chart").hidden`)
}

// chartShows waits until the legend has a row with these texts: the series, and its values at the cursor, last, min, max,
// mean, points.
func chartShows(p *harness.Person, row int, texts string) {
	p.T.Helper()
	p.Until(fmt.Sprintf(`[...document.querySelectorAll("#chart-legend tbody tr")[%d]?.cells ?? []].slice(0, -1).map((cell) => cell.textContent).join(" | ") === %q`, row, texts))
}

// addSeries adds a series by the form.
func addSeries(p *harness.Person, topic, path string) {
	p.T.Helper()
	p.Fill("#chart-add [name=topic]", topic)
	p.Until(fmt.Sprintf(`[...document.querySelector("#chart-add [name=path]").options].some((option) => option.value === %q && !option.disabled)`, path))
	p.Eval(fmt.Sprintf(`document.querySelector("#chart-add [name=path]").value = %q, 0`, path), nil)
	p.Click("#chart-add .primary")
}

// saved clicks on a button that saves a file, and returns an expression for a promise of the Blob.
func saved(p *harness.Person, button string) string {
	p.T.Helper()
	p.Eval(`globalThis.realURL ??= URL.createObjectURL, globalThis.blob = undefined, URL.createObjectURL = (blob) => realURL.call(URL, globalThis.blob = blob), 0`, nil)
	p.Click(button)
	p.Until(`globalThis.blob !== undefined`)
	return `globalThis.blob`
}

// drawn is an expression for the number of pixels of the chart with a colour, given by its red, green and blue.
const drawn = `((r, g, b) => { const c = document.querySelector("#plot canvas"); const x = new OffscreenCanvas(c.width, c.height).getContext("2d", { willReadFrequently: true }); x.drawImage(c, 0, 0); const { data } = x.getImageData(0, 0, c.width, c.height); let n = 0; for (let i = 0; i < data.length; i += 4) if (Math.abs(data[i] - r) + Math.abs(data[i + 1] - g) + Math.abs(data[i + 2] - b) < 12 && data[i + 3] > 200) n++; return n })`

func TestChart(t *testing.T) {
	p := open(t, harness.Serve(t), "")
	openChart(p)
	p.Is(`performance.getEntriesByType("resource").filter((entry) => entry.name.includes("uplot")).length`, `0`)
	p.Accessible()
	p.Resize(1300, 900)
	publishFrom(p, [2]string{"room/a", `{ json: { t: 20, on: true, name: "x", deep: [{ v: -1.5 }] } }`}, [2]string{"plain", `"7"`}, [2]string{"text", `"hello"`})
	p.Until(`[...document.querySelectorAll("#chart-suggestions button")].map((b) => b.textContent).join() === "room/a · t,room/a · on,plain"`)
	p.Fill("#chart-add [name=topic]", "text")
	p.Until(`document.querySelector("#chart-add [name=path]").textContent === "no number in its last message"`)

	// The series have the points of the history, and those of new messages.
	addSeries(p, "room/a", "deep[0].v")
	chartShows(p, 0, "room/a · deep[0].v |  | -1.5 | -1.5 | -1.5 | -1.5 | 1")
	p.Is(`[...document.querySelector("#chart-add [name=path]").options].map((option) => option.textContent)`, `["t (20)", "on (1)", "deep[0].v (-1.5)"]`)
	addSeries(p, "plain", "")
	addSeries(p, "room/a", "on")
	publishFrom(p, [2]string{"plain", `"10"`}, [2]string{"plain", `"1,5"`}, [2]string{"plain", `" 1e1\n"`}, [2]string{"room/a", `{ json: { on: false, deep: [{ v: 3 }] } }`}, [2]string{"room/a", `{ json: { deep: "text" } }`})
	chartShows(p, 0, "room/a · deep[0].v |  | 3 | -1.5 | 3 | 0.75 | 2")
	chartShows(p, 1, "plain |  | 10 | 7 | 10 | 9 | 3")
	chartShows(p, 2, "room/a · on |  | 0 | 0 | 1 | 0.5 | 2")
	addSeries(p, "plain", "")
	p.Until(`document.querySelector("#chart-note").textContent === "The chart has this series already."`)
	p.Until(drawn + `(0x3b, 0x82, 0xf6) > 5`)
	p.Until(drawn + `(0xe0, 0x60, 0x1f) > 5`)
	p.Accessible()
	p.Resize(1300, 900)

	// Hide, colour, remove.
	p.Click("#chart-legend tbody tr:nth-child(2) [type=checkbox]")
	p.Until(drawn + `(0xe0, 0x60, 0x1f) === 0`)
	p.Eval(`const colour = document.querySelector("#chart-legend [type=color]"); colour.value = "#ff00ff"; colour.dispatchEvent(new Event("change")), 0`, nil)
	p.Until(drawn + `(255, 0, 255) > 5 && ` + drawn + `(0x3b, 0x82, 0xf6) === 0`)
	p.Click("#chart-legend tbody tr:nth-child(3) button")
	p.Until(`document.querySelectorAll("#chart-legend tbody tr").length === 2`)

	// The next visit shows the same series. It has no points yet.
	p.Do(chromedp.Reload())
	p.Until(`globalThis.iot?.state === "connected" && iot.stats().subscriptions === 1`)
	openChart(p)
	chartShows(p, 1, "plain |  |  |  |  |  | 0")
	publishFrom(p, [2]string{"plain", `"8"`})
	chartShows(p, 1, "plain |  | 8 | 8 | 8 | 8 | 1")
	p.Click("#clear")
	chartShows(p, 1, "plain |  |  |  |  |  | 0")
	p.Click("#chart-legend tbody button")
	p.Click("#chart-legend tbody button")
	p.Until(`document.querySelector("#chart").hidden && document.activeElement.name === "topic"`)
}

// TestChartZoom zooms by mouse and keyboard, and pauses.
func TestChartZoom(t *testing.T) {
	p := open(t, harness.Serve(t), "")
	openChart(p)
	publishFrom(p, [2]string{"v", `"1"`})
	p.Until(`document.querySelector(".suggestion") !== null`)
	p.Click(".suggestion")
	chartShows(p, 0, "v |  | 1 | 1 | 1 | 1 | 1")
	// Pause: the chart stops, and nothing is lost.
	p.Click("#pause")
	for _, value := range []string{"2", "3"} { // at different times
		p.Eval(`await new Promise((resolve) => setTimeout(resolve, 100)), await iot.publish("v", "`+value+`")`, nil)
	}
	p.Until(`document.querySelector("#count").textContent === "3"`)
	chartShows(p, 0, "v |  | 1 | 1 | 1 | 1 | 1")
	p.Click("#pause")
	chartShows(p, 0, "v |  | 3 | 1 | 3 | 2 | 3")
	p.Eval(`const range = document.querySelector("#chart-range"); range.value = "0"; range.dispatchEvent(new Event("change")), 0`, nil)
	p.Is(`document.querySelector("#chart-reset").disabled`, `true`)

	// The pointer shows the values below it.
	var box struct{ X, Y, Width, Height float64 }
	p.Eval(`(() => { const { x, y, width, height } = document.querySelector("#plot .u-over").getBoundingClientRect(); return { x, y, width, height } })()`, &box)
	p.Do(chromedp.MouseEvent(chromedp.MouseMoved, box.X+box.Width-2, box.Y+box.Height/2))
	p.Until(`document.querySelector("#chart-legend tbody tr").cells[1].textContent === "3"`)
	// Drag: the first third of the time, which has the first message only if the others are later.
	p.Click("#pause")
	p.Do(chromedp.DragAndDropXY(box.X+box.Width*0.2, box.Y+50, box.X+box.Width*0.6, box.Y+60))
	p.Until(`!document.querySelector("#chart-reset").disabled && document.querySelector("#chart-zoomed").textContent.includes(" to ")`)
	p.Accessible()
	p.Resize(1300, 900)
	p.Click("#chart-reset")
	p.Until(`document.querySelector("#chart-reset").disabled && document.querySelector("#chart-zoomed").textContent === ""`)
	chartShows(p, 0, "v |  | 3 | 1 | 3 | 2 | 3")

	p.Do(chromedp.Focus("#plot"), chromedp.KeyEvent("+"))
	p.Until(`!document.querySelector("#chart-reset").disabled`)
	before := p.Text(`document.querySelector("#chart-zoomed").textContent`)
	p.Do(chromedp.KeyEvent(kb.ArrowLeft))
	p.Until(fmt.Sprintf(`document.querySelector("#chart-zoomed").textContent !== %q`, before))
	p.Do(chromedp.KeyEvent(kb.ArrowRight))
	p.Until(fmt.Sprintf(`document.querySelector("#chart-zoomed").textContent === %q`, before))
	p.Click("[title='Later']")
	p.Click("[title='Zoom out']")
	p.Click("[title='Zoom in']")
	p.Click("[title='Earlier']")
	p.Until(fmt.Sprintf(`document.querySelector("#chart-zoomed").textContent === %q`, before))
	for range 10 {
		p.Do(chromedp.Focus("#plot"), chromedp.KeyEvent(kb.ArrowRight))
	}
	p.Until(`document.querySelector("#chart-zoomed").textContent.endsWith(". No points in this time.")`)
	p.Do(chromedp.KeyEvent("0"))
	p.Until(`document.querySelector("#chart-reset").disabled`)
	p.Do(chromedp.KeyEvent("-"))
	p.Until(`!document.querySelector("#chart-reset").disabled`)
	p.Do(chromedp.MouseClickXY(box.X+box.Width/2, box.Y+box.Height/2, chromedp.ClickCount(2)))
	p.Until(`document.querySelector("#chart-reset").disabled`)
}

// TestChartFiles checks the picture and the CSV, and that the colours follow the theme.
func TestChartFiles(t *testing.T) {
	p := open(t, harness.Serve(t), "")
	openChart(p)
	publishFrom(p, [2]string{"=a,b", `"1"`}, [2]string{"c", `{ json: { v: 0.1 } }`})
	addSeries(p, "=a,b", "")
	addSeries(p, "c", "v")
	for i := range 300 {
		p.Eval(fmt.Sprintf(`await iot.publish("c", { json: { v: %d } })`, i), nil)
	}
	chartShows(p, 1, "c · v |  | 299 | 0 | 299 | 149.004 | 301")
	csv := p.Text(`await ` + saved(p, "#chart-csv") + `.text()`)
	lines := strings.Split(csv, "\r\n")
	if len(lines) < 302 || lines[0] != `time,"'=a,b",c · v` || lines[len(lines)-1] != "" {
		t.Errorf("the CSV has %d lines, and begins with %q", len(lines), lines[:3])
	}
	values := 0
	for _, line := range lines[1 : len(lines)-1] {
		cells := strings.Split(line, ",")
		if len(cells) != 3 || len(cells[0]) != len("2026-01-02T03:04:05.678Z") {
			t.Errorf("a line is %q", line)
		}
		for _, cell := range cells[1:] {
			if cell != "" {
				values++
			}
		}
	}
	if values != 302 || !strings.HasSuffix(csv, ",299\r\n") {
		t.Errorf("the CSV has %d values and ends with %q", values, lines[len(lines)-2])
	}

	colour := func() string {
		t.Helper()
		return p.Text(`await (async () => {
			const picture = await createImageBitmap(` + saved(p, "#chart-png") + `), { width, height } = document.querySelector("#plot canvas");
			if (picture.width !== width || picture.height <= height) return "size";
			const canvas = new OffscreenCanvas(picture.width, picture.height), context = canvas.getContext("2d");
			context.drawImage(picture, 0, 0);
			return new Uint8Array(await blob.slice(0, 8).arrayBuffer()).join() + " " + blob.type + " " + context.getImageData(1, 1, 1, 1).data.join();
		})()`)
	}
	const magic = "137,80,78,71,13,10,26,10 image/png "
	if got := colour(); got != magic+"255,255,255,255" {
		t.Errorf("the picture is %s", got)
	}
	grid := func(r, g, b int) string { return fmt.Sprintf(drawn+`(%d, %d, %d) > 100`, r, g, b) }
	p.Until(grid(0xdc, 0xe1, 0xe9))
	p.Theme("dark")
	p.Until(grid(0x2e, 0x35, 0x40))
	if got := colour(); got != magic+"26,30,37,255" {
		t.Errorf("the dark picture is %s", got)
	}
}

// TestChartModules checks the parts of the chart that need many points.
func TestChartModules(t *testing.T) {
	p := open(t, harness.Serve(t), "")
	p.Eval(`Object.assign(globalThis, await import("/console/core/messages/series.js"), await import("/console/core/messages/sampling.js"), await import("/console/core/messages/messages.js"), await import("/console/core/messages/numbers.js")), 0`, nil)
	// More points than pixels: the extremes and the figures stay.
	p.Is(`(() => {
		const series = new Series("t", [], ""), other = new Series("u", [], "");
		for (let i = 0; i < 90_000; i++) series.push(1e12 + i, i === 45_678 ? 1000 : i % 10);
		other.push(1e12 + 5, 1);
		const { data, figures } = sampleOf([series, other], 1e12, 1e12 + 89_999, 500), [times, a, b] = data;
		return { short: times.length <= 1004, sorted: times.every((time, i) => !i || time > times[i - 1]), max: Math.max(...a), min: Math.min(...a), b: b.filter((v) => v !== null), figures: figures.map((f) => [f.count, f.max, f.last]) };
	})()`, `{"short": true, "sorted": true, "max": 1000, "min": 0, "b": [1], "figures": [[90000, 1000, 9], [1, 1, 1]]}`)
	// Equal times, and times that are not in order.
	p.Is(`(() => {
		const a = new Series("t", [], ""), b = new Series("u", [], "");
		for (const [time, value] of [[5, 1], [5, 2], [3, 3], [9, 4]]) a.push(time, value);
		b.push(5, 10);
		const { data } = sampleOf([a, b], 0, 8, 100);
		return data.map((column) => [...column]);
	})()`, `[[3, 5, 5, 9], [3, 1, 2, 4], [null, 10, null, null]]`)
	// The bound of points.
	p.Is(`(() => {
		const series = new Series("t", [], "");
		for (let i = 0; i < 250_000; i++) series.push(i, i);
		return [series.size <= MAX_POINTS, series.size + series.removed, series.times[0] === series.removed, series.times.length];
	})()`, `[true, 250000, true, 100000]`)
	// A new series reads the history in slices, and another series of the same topic is not read twice.
	p.Is(`(() => {
		const messages = new Messages(), set = new SeriesSet(messages), payload = new TextEncoder().encode('{"a":1,"b":2}');
		const add = (count) => { for (let i = 0; i < count; i++) messages.add({ topic: i % 2 ? "t" : "u", payload, userProperties: [] }, []) };
		add(2000);
		const a = set.add("t", ["a"]);
		let slices = 1;
		while (set.advance(0)) slices++;
		add(10);
		const b = set.add("t", ["b"]);
		while (set.advance(0)) {}
		add(10);
		set.advance(1000);
		return [slices > 2, a.size, b.size, a.values[0], b.values[0], set.add("t", ["a"]) === undefined];
	})()`, `[true, 1010, 1010, 1, 2, true]`)
	p.Is(`["1", " 2.5 ", "", "x", "true", "null", "[1,[2]]", '{"a b":{"c":3},"d":"4"}', "1e999"].map((text) => numbersOf(new TextEncoder().encode(text)).map(({ keys, number }) => [keys.join("/"), String(number)].join("=")).join())`,
		`["=1", "=2.5", "", "", "=1", "", "0=1,1/0=2", "a b/c=3", ""]`)
}

// TestFramesOfChart measures the frames with the open chart while another client publishes.
func TestFramesOfChart(t *testing.T) {
	skipUnlessMeasuring(t)
	s := harness.Serve(t)
	p := open(t, s, "")
	openChart(p)
	other := newPublisher(t, s)
	other.publish(100, 1000, telemetry)
	for _, topic := range []string{"site/0/sensor/0", "site/1/sensor/1", "site/2/sensor/2"} {
		addSeries(p, topic, "temperature")
	}
	other.publish(1, 1, func(int) (string, string) { return "all", `{"v": 0}` })
	addSeries(p, "all", "v")
	before := p.Metric("JSHeapUsedSize")
	f := p.Frames(0, func() {
		other.publish(100_000, 5000, func(i int) (topic, payload string) {
			if i%2 == 0 { // one series has 2,500 points in a second
				return "all", fmt.Sprintf(`{"v": %d}`, i/2%1000)
			}
			return telemetry(i / 2)
		})
		p.Until(`document.querySelector("#count").textContent === "100,101"`)
	})
	t.Logf("100,000 messages at 5,000/s with the chart: %v; memory %.1f MB more", f, (p.Metric("JSHeapUsedSize")-before)/1e6)
	t.Log(p.Text(`document.querySelector("#chart-bound").textContent`))
}
