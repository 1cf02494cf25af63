package console

import (
	"fmt"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"iot.wasm/test/harness"
)

// openTree shows the topic tree of a page that may have been loaded just now.
func openTree(p *harness.Person) {
	p.T.Helper()
	p.Until(`document.querySelector("#tree-tools") !== null`)
	p.Resize(1300, 900)
	p.Click("#tab-tree")
	p.Until(`!document.querySelector("#reader-tree").hidden`)
}

// treeRows is an expression for the rows of the topic tree, the first one first: the level, the name and the number of
// messages of each.
const treeRows = `[...document.querySelectorAll("#tree li:not([hidden])")].sort((a, b) => a.dataset.index - b.dataset.index).map((row) => row.getAttribute("aria-level") + " " + row.querySelector(".name").textContent + " " + row.querySelector(".count").textContent).join(", ")`

// treeShows waits until the tree has the rows.
func treeShows(p *harness.Person, rows string) {
	p.T.Helper()
	p.Until(fmt.Sprintf(`%s === %q`, treeRows, rows))
}

// treeSelects waits until the row with the index is selected, and the details show its topic.
func treeSelects(p *harness.Person, index int, topic string) {
	p.T.Helper()
	p.Until(fmt.Sprintf(`document.getElementById(document.querySelector("#tree").getAttribute("aria-activedescendant"))?.dataset.index === "%d" && document.querySelector("#topic h3").textContent === %q`, index, topic))
}

// clickAt clicks with the mouse on a point of an element: x pixels from its left edge.
func clickAt(p *harness.Person, selector string, x float64, options ...chromedp.MouseOption) {
	p.T.Helper()
	var at struct{ X, Y float64 }
	p.Eval(fmt.Sprintf(`(() => { const r = document.querySelector(%q).getBoundingClientRect(); return { x: r.x, y: r.y + r.height / 2 } })()`, selector), &at)
	p.Do(chromedp.MouseClickXY(at.X+x, at.Y, options...))
}

// publishFrom publishes messages from the page: pairs of a topic and an expression for the further arguments.
func publishFrom(p *harness.Person, messages ...[2]string) {
	p.T.Helper()
	for _, m := range messages {
		p.Eval(fmt.Sprintf(`await iot.publish(%q, %s)`, m[0], m[1]), nil)
	}
}

func TestTree(t *testing.T) {
	p := open(t, harness.Serve(t), "")
	press := func(keys string) { t.Helper(); p.Do(chromedp.KeyEvent(keys)) }
	openTree(p)
	p.Is(`document.querySelector("#tree-empty").textContent`, `"No topics yet. The topics of received messages appear here."`)
	p.Accessible()
	p.Resize(1300, 900)
	publishFrom(p, [2]string{"site/a/t", `"19"`}, [2]string{"site/a/t", `{ json: { t: 20, on: true } }`}, [2]string{"site/b10", `"x"`}, [2]string{"site/b9", `new Uint8Array([255, 0])`}, [2]string{"hello", `"world"`}, [2]string{"/", `"slash"`})
	treeShows(p, "1 (empty) 1, 1 hello 1, 1 site 4")

	// The arrow before a name opens and closes, a double click too. A click on a row selects it.
	clickAt(p, "#tree [data-index='2'] .name", 8)
	treeShows(p, "1 (empty) 1, 1 hello 1, 1 site 4, 2 a 2, 2 b9 1, 2 b10 1")
	treeSelects(p, 2, "site")
	p.Is(`document.querySelector("#tree [data-index='2']").getAttribute("aria-expanded")`, `"true"`)
	p.Is(`document.querySelector("#tree [data-index='4'] .payload").textContent`, `"ff 00"`)
	p.Is(`["aria-posinset", "aria-setsize"].map((name) => document.querySelector("#tree [data-index='4']").getAttribute(name))`, `["2", "3"]`)
	clickAt(p, "#tree [data-index='3'] .name", 100)
	treeSelects(p, 3, "site/a")
	p.Is(`document.querySelector("#topic .value").hidden`, `true`)

	// The keys of the tree pattern.
	press(kb.ArrowRight)
	treeShows(p, "1 (empty) 1, 1 hello 1, 1 site 4, 2 a 2, 3 t 2, 2 b9 1, 2 b10 1")
	press(kb.ArrowRight)
	treeSelects(p, 4, "site/a/t")
	p.Is(`document.querySelector("#topic .value").textContent`, `"{\"t\":20,\"on\":true}"`)
	press("\r")
	p.Until(`document.activeElement.id === "topic"`)
	press(kb.Escape)
	p.Until(`document.activeElement.id === "tree"`)
	press(kb.ArrowLeft)
	treeSelects(p, 3, "site/a")
	press(kb.ArrowLeft + kb.ArrowLeft)
	treeSelects(p, 2, "site")
	press(kb.ArrowLeft)
	treeShows(p, "1 (empty) 1, 1 hello 1, 1 site 4")
	press(kb.Home)
	treeSelects(p, 0, "(empty)")
	press("*")
	treeShows(p, "1 (empty) 1, 2 (empty) 1, 1 hello 1, 1 site 4, 2 a 2, 2 b9 1, 2 b10 1")
	press(kb.End + kb.ArrowUp + kb.ArrowUp + "\r")
	treeSelects(p, 4, "site/a")
	treeShows(p, "1 (empty) 1, 2 (empty) 1, 1 hello 1, 1 site 4, 2 a 2, 3 t 2, 2 b9 1, 2 b10 1")

	// A new topic above the selection moves the selection with its row.
	publishFrom(p, [2]string{"site/a0", `"new"`}, [2]string{"abc", `"new"`})
	treeSelects(p, 5, "site/a")
	publishFrom(p, [2]string{"hello", `"again"`}, [2]string{"hello", `"again"`})
	p.Click("#tree-sort")
	p.Eval(`const select = document.querySelector("#tree-sort"); select.value = "count"; select.dispatchEvent(new Event("change")), 0`, nil)
	p.Click("#tree-close")
	treeShows(p, "1 site 5, 1 hello 3, 1 (empty) 1, 1 abc 1")
	p.Eval(`const order = document.querySelector("#tree-sort"); order.value = "recent"; order.dispatchEvent(new Event("change")), 0`, nil)
	treeShows(p, "1 hello 3, 1 abc 1, 1 site 5, 1 (empty) 1")
	p.Click("#tree-open")
	treeShows(p, "1 hello 3, 1 abc 1, 1 site 5, 2 a0 1, 2 b9 1, 2 b10 1, 2 a 2, 3 t 2, 1 (empty) 1, 2 (empty) 1")
	p.Accessible()
}

// TestTreeSearch finds levels, and shows them with the levels above.
func TestTreeSearch(t *testing.T) {
	p := open(t, harness.Serve(t), "")
	openTree(p)
	publishFrom(p, [2]string{"site/1/pump/speed", `"1"`}, [2]string{"site/2/fan/speed", `"1"`}, [2]string{"other", `"1"`})
	treeShows(p, "1 other 1, 1 site 2")
	p.Do(chromedp.KeyEvent("/"))
	p.Until(`document.activeElement.id === "tree-search"`)
	p.Fill("#tree-search", "PUMP")
	treeShows(p, "1 site 2, 2 1 1, 3 pump 1")
	p.Is(`document.querySelector("#tree-found").textContent`, `"1 found"`)
	// A new topic that matches appears. The levels below a match can be opened.
	publishFrom(p, [2]string{"site/3/pump", `"1"`})
	treeShows(p, "1 site 3, 2 1 1, 3 pump 1, 2 3 1, 3 pump 1")
	p.Do(chromedp.KeyEvent(kb.ArrowDown + kb.ArrowDown + kb.ArrowDown + kb.ArrowRight))
	treeShows(p, "1 site 3, 2 1 1, 3 pump 1, 4 speed 1, 2 3 1, 3 pump 1")
	p.Accessible()
	p.Fill("#tree-search", "2/fan/s")
	treeShows(p, "1 site 3, 2 2 1, 3 fan 1, 4 speed 1")
	p.Fill("#tree-search", "nothing")
	p.Until(`document.querySelector("#tree-empty").textContent === "No topic matches the search."`)
	// The selected level stays in view after the search.
	p.Do(chromedp.KeyEvent(kb.Escape))
	treeShows(p, "1 other 1, 1 site 3, 2 1 1, 3 pump 1, 2 2 1, 2 3 1")
	treeSelects(p, 3, "site/1/pump")
}

// TestTreeRetained marks retained messages, and clears them.
func TestTreeRetained(t *testing.T) {
	p := open(t, harness.Serve(t), "")
	for _, topic := range []string{"r", "r/a", "r/a/b", "r/c", "s"} {
		publishFrom(p, [2]string{topic, `"kept", { retain: true, qos: 1 }`})
	}
	openTree(p)
	treeShows(p, "1 r 4, 1 s 1")
	p.Click("#tree-open")
	treeShows(p, "1 r 4, 2 a 2, 3 b 1, 2 c 1, 1 s 1")
	marked := func(names string) {
		t.Helper()
		p.Until(fmt.Sprintf(`[...document.querySelectorAll("#tree li.retained:not([hidden]) .name")].map((name) => name.title).sort().join() === %q`, names))
	}
	marked("")
	// As on AWS, a subscription with a wildcard receives no retained messages.
	for i, topic := range []string{"r", "r/a", "r/a/b", "r/c", "s"} {
		p.Fill("#subscribe [name=filter]", topic+"\r")
		p.Until(fmt.Sprintf(`iot.stats().subscriptions === %d && document.querySelector("#subscribe [name=filter]").value === ""`, 2+i))
	}
	marked("r,r/a,r/a/b,r/c,s")
	clickAt(p, "#tree [data-index='0'] .name", 60)
	treeSelects(p, 0, "r")
	p.Is(`document.querySelector("#topic-clear-below").textContent`, `"Clear 4 retained …"`)
	p.Accessible()
	p.Resize(1300, 900)

	p.Click("#topic-clear")
	marked("r/a,r/a/b,r/c,s")
	p.Click("#topic-clear-below")
	p.Until(`document.querySelector("dialog[open] .primary")?.textContent === "Clear 3 retained messages"`)
	p.Is(`[...document.querySelectorAll("dialog li")].map((topic) => topic.textContent)`, `["r/a", "r/a/b", "r/c"]`)
	p.Accessible()
	p.Do(chromedp.KeyEvent(kb.Escape))
	p.Until(`!document.querySelector("dialog")`)
	marked("r/a,r/a/b,r/c,s")
	p.Click("#topic-clear-below")
	p.Click("dialog .primary")
	marked("s")
	p.Is(`document.querySelector("#topic-progress").textContent`, `"3 of 3 retained messages cleared."`)
	p.Is(`await (async () => { const got = []; for (const topic of ["r", "r/a", "r/a/b", "r/c", "s"]) await (await iot.subscribe(topic, (m) => got.push(topic))).unsubscribe(); return got })()`, `["s"]`)
}

// TestTreeActions uses a level of the tree in the other parts of the page.
func TestTreeActions(t *testing.T) {
	p := open(t, harness.Serve(t), "")
	p.Resize(1300, 900)
	openTree(p)
	publishFrom(p, [2]string{"a b/t", `"1"`}, [2]string{"a b/u", `"x"`}, [2]string{"c", `{ json: { v: 3 } }`})
	treeShows(p, "1 a b 2, 1 c 1")
	p.Click("#tree-open")
	treeShows(p, "1 a b 2, 2 t 1, 2 u 1, 1 c 1")
	clickAt(p, "#tree [data-index='0'] .name", 60)
	p.Is(`document.querySelector("#topic-chart").disabled`, `true`)
	p.Click("#topic-subscribe")
	p.Until(`[...document.querySelectorAll("#subscriptions li .topic")].at(-1).textContent === "a b/#"`)
	clickAt(p, "#tree [data-index='3'] .name", 60)
	p.Click("#topic-publish")
	p.Is(`document.querySelector("#publish [name=topic]").value`, `"c"`)
	clickAt(p, "#tree [data-index='0'] .name", 60)
	p.Click("#topic-show")
	p.Until(`document.querySelector("#tab-list").ariaSelected === "true" && document.querySelector("#found").textContent === "2 found"`)
	openTree(p)
	clickAt(p, "#tree [data-index='1'] .name", 60)
	treeSelects(p, 1, "a b/t")
	p.Click("#topic-chart")
	p.Until(`document.querySelector("#tab-chart").ariaSelected === "true" && document.querySelector("#chart-legend tbody th").textContent === "a b/t"`)
}

// TestTreePause checks that the figures stop, and that nothing is lost.
func TestTreePause(t *testing.T) {
	p := open(t, harness.Serve(t), "")
	openTree(p)
	publishFrom(p, [2]string{"a/b", `"first"`})
	treeShows(p, "1 a 1")
	p.Click("#tree-open")
	treeShows(p, "1 a 1, 2 b 1")
	p.Click("#pause")
	publishFrom(p, [2]string{"a/b", `"second"`}, [2]string{"a/c", `"new"`}, [2]string{"d", `"new"`})
	p.Until(`document.querySelector("#count").textContent === "4"`)
	p.Click("#tree-close")
	treeShows(p, "1 a 1")
	p.Click("#tree-open")
	treeShows(p, "1 a 1, 2 b 1")
	p.Is(`document.querySelector("#tree [data-index='1'] .payload").textContent`, `"first"`)
	p.Click("#pause")
	treeShows(p, "1 a 3, 2 b 2, 2 c 1, 1 d 1")
	p.Is(`document.querySelector("#tree [data-index='1'] .payload").textContent`, `"second"`)
	p.Click("#clear")
	p.Until(`!document.querySelector("#tree-empty").hidden`)
}

// TestTreeBounds checks the bounds of the module: it removes the topics without recent messages.
func TestTreeBounds(t *testing.T) {
	p := open(t, harness.Serve(t), "")
	p.Eval(`Object.assign(globalThis, await import("/console/core/messages/topic-tree.js"), await import("/console/core/messages/messages.js")), 0`, nil)
	p.Is(`(() => {
		const messages = new Messages(), tree = new TopicTree(messages);
		tree.maxLevels = 100;
		const add = (topic, payload = "") => messages.add({ topic, payload: new TextEncoder().encode(payload), userProperties: [], qos: 0, retain: true }, []);
		for (let i = 0; i < 80; i++) add("t/" + i, "x");
		for (let i = 0; i < 10; i++) add("t/" + i, "y");
		for (let i = 0; i < 50; i++) add("u/" + i, "x".repeat(1000));
		let levels = 0, bytes = 0;
		(function visit(node) { for (const child of node.children?.values() ?? []) { levels++; bytes += 450 + 4 * child.name.length + (child.value?.length ?? 0) + (child.own ? 2 * child.topic.length : 0); visit(child) } })(tree.root);
		const sum = [...tree.topics].length;
		return { levels: tree.levels === levels, bytes: tree.bytes === bytes, bound: tree.levels <= 100, kept: [0, 9, 10].map((i) => Boolean(tree.find("t/" + i))), all: sum + tree.removed,
			root: tree.root.topics === sum, retained: tree.root.retainedBelow === [...tree.topics].filter(([, node]) => node.retained).length, count: tree.root.count };
	})()`, `{"levels": true, "bytes": true, "bound": true, "kept": [true, true, false], "all": 130, "root": true, "retained": true, "count": 140}`)
	p.Is(`(() => {
		const messages = new Messages(), tree = new TopicTree(messages);
		messages.add({ topic: "a/".repeat(30000), payload: new Uint8Array(1), userProperties: [], qos: 0 }, []);
		tree.maxBytes = 100_000;
		for (let i = 0; i < 1000; i++) messages.add({ topic: "b/" + i + "x".repeat(i), payload: new Uint8Array(500), userProperties: [], qos: 0 }, []);
		return [tree.levels < 200, tree.bytes <= 101_000, tree.root.count];
	})()`, `[true, true, 1001]`)
}

// TestFramesOfTree measures the frames with the open tree while another client publishes.
func TestFramesOfTree(t *testing.T) {
	skipUnlessMeasuring(t)
	s := harness.Serve(t)
	p := open(t, s, "")
	p.Resize(1400, 900)
	other := newPublisher(t, s)
	openTree(p)
	other.publish(100, 1000, telemetry)
	p.Click("#tree-open")
	before := p.Metric("JSHeapUsedSize")
	f := p.Frames(0, func() {
		other.publish(100_000, 5000, telemetry)
		p.Until(`document.querySelector("#count").textContent === "100,100"`)
	})
	t.Logf("100,000 messages at 5,000/s with the tree: %v; memory %.1f MB more", f, (p.Metric("JSHeapUsedSize")-before)/1e6)
	t.Log(p.Text(`document.querySelector("#tree-bound").textContent`))
}

// TestFramesOfManyTopics measures the frames with 10,000 topics in the tree.
func TestFramesOfManyTopics(t *testing.T) {
	skipUnlessMeasuring(t)
	s := harness.Serve(t)
	p := open(t, s, "")
	openTree(p)
	p.Resize(1400, 900)
	newPublisher(t, s).publish(10_000, 2000, func(i int) (topic, payload string) {
		return fmt.Sprintf("site/%d/line/%d/sensor/%d", i/1000, i/100%10, i%100), `{"t": 21}`
	})
	p.Until(`document.querySelector("#count").textContent === "10,000"`)
	t.Log("open all: ", p.Frames(time.Second, func() {
		p.Click("#tree-open")
		p.Until(`document.querySelector("#tree").style.height === (10000 + 100 + 100 + 10 + 10 + 1) * 30 + "px"`)
	}))
	t.Log("search:   ", p.Frames(time.Second, func() {
		p.Fill("#tree-search", "sensor/77")
		p.Until(`document.querySelector("#tree-found").textContent === "100 found"`)
		p.Do(chromedp.KeyEvent(kb.Escape))
		p.Until(`document.querySelector("#tree-found").textContent === ""`)
	}))
	t.Log("scroll:   ", p.Frames(time.Second, func() {
		p.Eval(`await new Promise((resolve) => { const scroller = document.querySelector("#tree").parentElement; let n = 0; (function step() { scroller.scrollTop += 1500; if (n++ < 150) requestAnimationFrame(step); else resolve(); })() })`, nil)
	}))
	t.Log("end, home:", p.Frames(time.Second, func() {
		p.Do(chromedp.Focus("#tree"), chromedp.KeyEvent(kb.End+kb.Home+kb.End+kb.Home))
		p.Until(`document.querySelector("#topic h3").textContent === "site"`)
	}))
}
