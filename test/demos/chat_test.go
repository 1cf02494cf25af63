package demos

import (
	"fmt"
	"strings"
	"testing"

	"iot.wasm/test/harness"
)

func TestChat(t *testing.T) {
	s := harness.Serve(t, "-faults")
	// writable waits until the person has entered the room, and its history is here.
	writable := func(p *person) {
		t.Helper()
		p.Until(`!document.querySelector("#write input").disabled`)
	}
	join := func(name string) *person {
		p := open(t, s.URL+"demos/chat.html")
		p.Fill("#name", name+"\t")
		p.Until(`[...document.querySelectorAll("#people li")].some((e) => e.textContent === "` + name + ` (you)")`)
		writable(p)
		return p
	}
	shows := func(p *person, selector, want string) {
		t.Helper()
		p.Until(fmt.Sprintf(`[...document.querySelectorAll(%q)].map((e) => e.textContent).sort().join() === %q`, selector, want))
	}
	// messages waits until the page shows these messages in this order.
	messages := func(p *person, want string) {
		t.Helper()
		p.Until(fmt.Sprintf(`[...document.querySelectorAll("#messages li")].map((e) => [...e.childNodes].slice(1).map((n) => n.textContent).join("")).join() === %q`, want))
	}
	const text = "#write [name=text]"
	a, b := join("Ada"), join("Bob")
	shows(a, "#people li", "Ada (you),Bob")
	shows(b, "#people li", "Ada,Bob (you)")

	a.Fill(text, "hi")
	shows(b, "#people li", "Ada is typing …,Bob (you)")
	a.Fill(text, "hi\r")
	messages(b, "Ada: hi")
	shows(b, "#people li", "Ada,Bob (you)")
	b.Fill(text, "<b>hello</b>\r")
	messages(a, "Ada: hi,Bob: <b>hello</b>")

	// The messages of both continue after a lost connection, and nobody is lost.
	lose(s, a, b)
	a.Fill(text, "still here\r")
	messages(b, "Ada: hi,Bob: <b>hello</b>,Ada: still here")
	shows(a, "#people li", "Ada (you),Bob")

	// A person who comes later sees the history. The other rooms have their own messages.
	c := join("Cem")
	messages(c, "Ada: hi,Bob: <b>hello</b>,Ada: still here")
	shows(c, "#people li", "Ada,Bob,Cem (you)")
	b.Click("#rooms [value=garden]")
	shows(a, "#people li", "Ada (you),Cem")
	shows(a, "#rooms button", "garden (1),kitchen (0),lobby (2)")
	writable(b)
	b.Fill(text, "flowers\r")
	messages(b, "Bob: flowers")
	messages(a, "Ada: hi,Bob: <b>hello</b>,Ada: still here")
	b.Click("#rooms [value=lobby]")
	messages(b, "Ada: hi,Bob: <b>hello</b>,Ada: still here")

	// Messages of other programs are not shown, or shortened. A message from the future does not stop the order.
	b.publish(`{ topic: "public/chat/rooms/lobby/messages/0", text: "{" }`, `{ topic: "public/chat/rooms/lobby/messages/0", text: "null" }`,
		`{ topic: "public/chat/people/x", text: "null" }`, `{ topic: "public/chat/people/y", text: "[1" }`,
		`{ topic: "public/chat/people/z", text: JSON.stringify({ name: "Z".repeat(100), room: "lobby" }) }`,
		`{ topic: "public/chat/rooms/lobby/messages/4", text: JSON.stringify({ id: "z", name: "Z".repeat(100), text: "early", at: 9e15 }) }`)
	z := strings.Repeat("Z", 20)
	shows(a, "#people li", "Ada (you),Bob,Cem,"+z)
	b.publish(`{ topic: "public/chat/people/z", text: "" }`)
	a.Fill(text, "after\r")
	messages(b, "Ada: hi,Bob: <b>hello</b>,Ada: still here,"+z+": early,Ada: after")

	// Without a connection, a message waits, and the page says so.
	a.Eval(`const { default: client } = await import("/iot.js"); client.addEventListener("disconnected", () => {
		document.querySelector("#write input").value = "later"; document.querySelector("#write").requestSubmit(); globalThis.note = document.querySelector("#waiting").textContent }, { once: true })`, nil)
	lose(s, a)
	a.Is(`note`, `"1 of your messages will be sent when the connection is back."`)
	messages(b, "Ada: hi,Bob: <b>hello</b>,Ada: still here,"+z+": early,Ada: after,Ada: later")
	a.Until(`document.querySelector("#waiting").textContent === ""`)

	// A person who closes the tab leaves.
	c.Close()
	shows(a, "#people li", "Ada (you),Bob")
	a.Accessible()
}
