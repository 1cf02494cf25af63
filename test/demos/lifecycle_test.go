package demos

import (
	"fmt"
	"regexp"
	"testing"

	"iot.wasm/test/harness"
)

// box returns an expression for a part of the box of a client.
func box(id, selector string) string {
	return fmt.Sprintf(`document.querySelector('#clients [aria-label=%q] %s')`, id, selector)
}

// shows waits until the box of a client has a state, and until the text about the last connection matches.
func shows(p *person, id, state, before string) {
	p.T.Helper()
	p.Until(fmt.Sprintf(`%s?.dataset.state === %q && new RegExp(%q).test(%s.textContent)`, box(id, ""), state, before, box(id, ".before")))
}

// follow opens the demo, and waits for its subscriptions.
func follow(t *testing.T, s *harness.Server) *person {
	p := open(t, s.URL+"demos/lifecycle.html")
	p.Eval(`globalThis.iot = (await import("/iot.js")).default`, nil)
	p.Until(`iot.stats().subscriptions === 2`)
	return p
}

// openClient opens a client of the page, and returns its id.
func openClient(p *person) string {
	p.T.Helper()
	p.Eval(`globalThis.known = document.querySelectorAll("#clients h2").length`, nil)
	p.Click("#client")
	p.Until(`document.querySelectorAll("#clients h2").length > known && !document.querySelector("#clients .ends").hidden`)
	return p.Text(`document.querySelector("#clients h2").textContent`)
}

func TestLifecycle(t *testing.T) {
	s := harness.Serve(t, "-faults")
	a, b := follow(t, s), follow(t, s)
	end := func(id, how string) { a.Click(fmt.Sprintf(`#clients [aria-label=%q] [value=%s]`, id, how)) }

	// Both see a client. Only its own page can end it.
	id := openClient(a)
	shows(a, id, "connected", "^$")
	shows(b, id, "connected", "^$")
	b.Is(box(id, ".ends")+`.hidden`, "true")
	b.Until(fmt.Sprintf(`/^Connected for 0:0[1-9]$/.test(%s.textContent)`, box(id, ".now"))) // the timer runs

	// The ends of its connections have different reasons.
	end(id, "drop")
	for _, p := range []*person{a, b} {
		shows(p, id, "connected", `^Last connection: after \d:\d\d: .*\(CLIENT_INITIATED_DISCONNECT\)$`)
	}
	end(id, "supersede")
	for _, p := range []*person{a, b} {
		shows(p, id, "connected", `^Last connection: after \d:\d\d: .*\(DUPLICATE_CLIENTID\)$`)
	}
	end(id, "exceed")
	for _, p := range []*person{a, b} {
		p.Until(fmt.Sprintf(`%s.textContent.includes("(CLIENT_ERROR)")`, box(id, ".before")))
	}
	other := openClient(a)
	end(other, "disconnect")
	for _, p := range []*person{a, b} {
		shows(p, other, "left", `^Last connection: after \d:\d\d: the client disconnected.*\(CLIENT_INITIATED_DISCONNECT\)$`)
		p.Until(fmt.Sprintf(`/^Disconnected for 0:0[1-9]$/.test(%s.textContent)`, box(other, ".now")))
	}

	// A tab is killed.
	c := open(t, s.URL+"demos/mqtt-sample.html")
	tab := c.Text(`(await import("/iot.js")).default.connection.clientId`)
	shows(b, tab, "connected", "^$")
	c.Close()
	shows(b, tab, "left", `^Last connection: after \d:\d\d: `)

	// A page that comes later does not see the clients before it, until they disconnect.
	d := open(t, s.URL+"demos/chat.html")
	earlier := d.Text(`(await import("/iot.js")).default.connection.clientId`)
	e := follow(t, s)
	e.Is(`document.querySelectorAll("#clients section").length`, "0")
	d.Close()
	shows(e, earlier, "left", `^Last connection: connected before this page: `)

	// A client that has left stays for a minute.
	a.Is(box(other, "")+` !== null`, "true")
	a.Eval(`{ const now = Date.now; Date.now = () => now() + 60_000 }`, nil)
	a.Until(box(other, "") + ` === null`)
	a.Is(box(id, "")+` !== null`, "true")
}

// The pages lose their connections: the events of that time arrive afterwards. After the loss of the session,
// nobody knows whether a client is connected, until its next event.
func TestLifecycleCut(t *testing.T) {
	s := harness.Serve(t, "-faults")
	a, b := follow(t, s), follow(t, s)
	id := openClient(a)
	shows(b, id, "connected", "^$")
	lose(s, a, b)
	self := a.Text(`iot.connection.clientId`)
	for _, p := range []*person{a, b} {
		shows(p, id, "connected", `\(CONNECTION_LOST\)$`)
		shows(p, self, "connected", `connected before this page: the network connection was cut \(CONNECTION_LOST\)$`)
	}
	b.Accessible()

	// A client that does not come back after the loss of all sessions may have left.
	c := open(t, s.URL+"demos/mqtt-sample.html")
	c.Eval(`globalThis.iot = (await import("/iot.js")).default; iot.addEventListener("disconnected", () => iot.disconnect())`, nil)
	lost := c.Text(`iot.connection.clientId`)
	shows(a, lost, "connected", "^$")
	s.Control(`{"restart":"lose-sessions"}`)
	shows(a, lost, "uncertain", "^$")
	a.Accessible()
}

// The ids and reasons of other clients are text.
func TestLifecycleForeign(t *testing.T) {
	s := harness.Serve(t)
	a, b := follow(t, s), follow(t, s)
	ids := []string{"<img src=x onerror=alert(1)>", "__proto__", "a/b/c", "constructor"}
	b.Eval(`globalThis.local = await (await fetch("/local.json")).json();
		globalThis.credentials = (await import("/cognito.js")).cognito(local.cognito);
		globalThis.visit = async (clientId) => {
			const client = new iot.IotClient({ endpoint: local.endpoint, region: local.region, credentials, clientId });
			await client.connect();
			await client.disconnect();
		}`, nil)
	for _, id := range ids {
		b.Eval(fmt.Sprintf(`await visit(%q)`, id), nil)
		a.Until(fmt.Sprintf(`[...document.querySelectorAll("#clients [data-state=left] h2")].some((h) => h.textContent === %q)`, id))
	}
	a.Is(`document.querySelectorAll("#clients section").length`, fmt.Sprint(len(ids)+1)) // and the page of b
	a.Is(`document.querySelectorAll("#clients img").length`, "0")
	if id := openClient(a); !regexp.MustCompile(`^iot-demo-[0-9a-f]{1,8}$`).MatchString(id) {
		t.Errorf("the id of a client is %q; the permissions in docs/aws allow iot-…", id)
	}
	// The number of boxes is bounded.
	b.Eval(`for (let i = 0; i < 10; i++) await Promise.all(Array.from({ length: 10 }, (_, k) => visit("iot-" + i + "-" + k)))`, nil)
	a.Until(`document.querySelectorAll("#clients section").length === 100 && !document.querySelector("#clients [aria-label='a/b/c']")`)
}
