package demos

import "fmt"

// A scene is what a demo shows in its pictures. Several people can be on the stage: the pictures show the page of the
// last one.
type scene struct {
	name  string // of the pictures
	ticks int    // if not 0, intervals of the page are 20 times as fast, and end after so many calls
	cast  []part
}

// A part is a page, a script that runs when the page is connected, and the condition to wait for after it.
type part struct{ page, script, until string }

// scenes has one entry for each demo.
var scenes = []scene{
	{name: "mqtt-sample", cast: []part{{"mqtt-sample", `const { topic, message } = publish.elements;
		for (const [t, m] of [["hello", "Hello, world!"], ["garden/light", "on"], ["garden/temperature", "21.5"]]) { topic.value = "public/sample/" + t; message.value = m; publish.requestSubmit() }`,
		`document.querySelectorAll("#messages li").length === 3`}}},
	{name: "lamp", cast: []part{switchedOn, {"lamp", ``, `document.querySelector("#text").textContent.includes("is on")`}}},
	{name: "switch", cast: []part{{"lamp", ``, `true`}, switchedOn}},
	{name: "chat", cast: []part{
		chatter("Maya", "Who has watered the tomatoes?", 1),
		chatter("Leo", "I did, this morning.", 2),
		chatter("Ada", "Then I will water the roses.", 3),
	}},
	{name: "drawing", cast: []part{{"drawing", sketch, `document.querySelectorAll(".cursor").length === 2`}}},
	{name: "sensors", ticks: 44, cast: []part{{"sensors", `const { default: iot } = await import("/iot.js"); while (iot.stats().subscriptions < 8) await new Promise(requestAnimationFrame);
		for (const b of document.querySelectorAll("main button")) if (!b.closest("#cellar")) b.click(); const limit = document.querySelector("#kitchen input"); limit.value = 12; limit.dispatchEvent(new Event("change"))`,
		`["kitchen", "bedroom", "greenhouse"].every((room) => document.querySelector("#" + room + " polyline").points.length === 45)`}}},
	{name: "trucks", cast: []part{{"trucks", ``, `document.querySelector("#text").textContent.includes("50 trucks")`}}},
	{name: "dispatcher", cast: []part{
		{"trucks", ``, `document.querySelector("#text").textContent.includes("50 trucks")`},
		{"dispatcher", `while (document.querySelectorAll("#list label").length < 50) await new Promise(requestAnimationFrame); document.querySelectorAll("#list input")[1].click()`,
			`document.querySelector("#truck").hidden === false && document.querySelector("#text").textContent !== ""`},
	}},
	{name: "lifecycle", cast: []part{{"lifecycle", `for (let i = 0; i < 5; i++) document.querySelector("#client").click();
		while (document.querySelectorAll("#clients section").length < 5) await new Promise(requestAnimationFrame);
		document.querySelector("#clients [value=disconnect]").click()`, `document.querySelector("#clients [data-state=left]") !== null`}}},
	{name: "jobs", cast: []part{{"jobs", `document.querySelectorAll("#cards input")[1].click(); document.querySelector("form button").click()`,
		`document.querySelector("[data-status=FAILED]") !== null`}}},
	{name: "embed", cast: []part{{"embed", `while (!iot.stats().subscriptions) await new Promise(requestAnimationFrame);
		document.querySelector("#publish button").click(); document.querySelector("[name=inline]").click(); const origins = document.querySelector("#origins");
		while (origins.textContent === "–") await new Promise(requestAnimationFrame); origins.textContent = origins.textContent.replace(/\b(localhost|127.0.0.1):\d+/g, "$1:8080")`,
		`document.querySelectorAll("#messages li, #refused li").length === 2`}}},
	{name: "react", cast: rooms("react")},
	{name: "vue", cast: rooms("vue")},
}

// rooms is the cast of the demos of React and Vue, which show the same.
func rooms(framework string) []part {
	return []part{{framework + "/dist/index", ``, `document.querySelectorAll(".value").length === 5`}}
}

var switchedOn = part{"switch", `document.querySelector("#on").click()`, `document.querySelector("#on").textContent.includes("on")`}

// chatter is a person who enters the chat and sends a message, which is the one with the number count.
func chatter(name, text string, count int) part {
	return part{"chat", fmt.Sprintf(`while (document.querySelector("#write input").disabled) await new Promise(requestAnimationFrame); const own = document.querySelector("#name"); own.value = %q; own.dispatchEvent(new Event("change"));
		document.querySelector("#write input").value = %q; document.querySelector("#write").requestSubmit()`, name, text),
		fmt.Sprintf(`document.querySelectorAll("#messages li").length === %d && document.querySelectorAll("#people li").length === %[1]d`, count)}
}

// sketch draws a picture as two other people.
const sketch = `
	const { cognito } = await import("/cognito.js"), { IotClient } = await import("/iot.js");
	const local = await (await fetch("/local.json")).json(), client = new IotClient();
	await client.connect({ endpoint: local.endpoint, region: local.region, credentials: cognito(local.cognito) });
	let at = 0;
	const stroke = (name, color, width, ...points) => {
		const piece = { at: ++at, stroke: at, n: 0, color, points: points.flatMap(([x, y]) => [Math.round(x), Math.round(y), width]) };
		return client.publish("public/drawing/live/" + name, { json: { name, color, position: points.at(-1), piece } }, { qos: 1 });
	};
	const curve = (from, to, f) => Array.from({ length: 121 }, (_, i) => f(from + (to - from) * i / 120));
	const turn = 2 * Math.PI;
	await stroke("Ada", "#128a40", 12, ...curve(40, 1560, (x) => [x, 800 - 50 * Math.sin(x / 210)]));
	await stroke("Ada", "#2354cf", 10, [500, 820], [500, 520], [860, 520], [860, 760]);
	await stroke("Ada", "#d92d20", 10, [450, 540], [680, 330], [910, 540]);
	await stroke("Ada", "#7a35c9", 8, [620, 800], [620, 640], [710, 640], [710, 780]);
	await stroke("Ada", "#2354cf", 6, ...curve(0, turn, (a) => [785 + 40 * Math.cos(a), 610 + 40 * Math.sin(a)]));
	await stroke("Bob", "#ef7d0b", 14, ...curve(0, turn, (a) => [1290 + 90 * Math.cos(a), 240 + 90 * Math.sin(a)]));
	for (let a = 0; a < turn; a += turn / 10) await stroke("Bob", "#ef7d0b", 10, ...[125, 175].map((r) => [1290 + r * Math.cos(a), 240 + r * Math.sin(a)]));
	await stroke("Bob", "#e0409f", 6, ...curve(0, 3 * turn, (a) => [1150 + 12 * a, 690 - 3 * a - 22 * Math.cos(a)]));`
