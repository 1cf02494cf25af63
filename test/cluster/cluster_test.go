package cluster

import (
	"crypto/rand"
	"fmt"
	"net/http"
	"path/filepath"
	"testing"

	"iot.wasm/test/harness"
)

// TestTwoNodes connects one page to each of two nodes, moves a page to the other node, kills
// a node, and checks which messages arrive.
func TestTwoNodes(t *testing.T) {
	site := harness.Web(t, filepath.Join(harness.Root, "www"), harness.Files{"/": {Body: "<!doctype html><title>cluster</title>"}})
	m := newMachine(t)
	a, b := m.start("a", site), m.start("b", site)
	b.join(a)
	b.awaitMembers("a@localhost", "b@localhost")
	if got := b.upgrade(t, "https://another.example"); got != http.StatusForbidden {
		t.Errorf("a page of another origin gets the HTTP status %d, want 403", got)
	}
	password := rand.Text()
	if err := a.call("register", map[string]string{"user": "page", "host": "localhost", "password": password}, nil); err != nil {
		t.Fatal(err)
	}

	open := func(name string, n *node) *harness.Tab {
		tab := harness.Open(t, harness.Browser, site+"/", patience)
		tab.Eval(fmt.Sprintf(`
			const { iot } = await import("/iot.js");
			const nodes = { a: %q, b: %q };
			let node = %q;          // the node that the next attempt uses
			let gate;               // a promise that delays the next attempt
			const got = [], connections = [];
			iot.addEventListener("connected", (e) => connections.push({ node, recovered: e.detail.recovered }));
			const url = async () => { await gate; return nodes[node]; };
			await iot.connect({ url, username: "page@localhost", password: %q, clientId: %q, reconnect: { minDelayMs: 50, maxDelayMs: 500 } });
			await iot.subscribe("room/#", (m) => got.push(m.text()), { qos: 1 });
			// Within one second, ejabberd orders the connections and subscriptions of a client id on two
			// nodes by counters of the nodes, not by time. It may refuse the newer connection, or ignore
			// the newer subscription. So a page moves only after the second has ended.
			const nextSecond = async () => {
				for (const now = Math.floor(Date.now() / 1000); Math.floor(Date.now() / 1000) === now; ) await new Promise((resolve) => setTimeout(resolve, 20));
			};
			const send = (from, count) => Promise.all(Array.from({ length: count }, (_, i) => iot.publish("room/" + from, from + i, { qos: 1 })));
			// received returns whether the page has received the messages, in order and without duplicates.
			const received = (from, count) => got.filter((text) => text.startsWith(from)).join() === Array.from({ length: count }, (_, i) => from + i).join();
			// retained subscribes to a topic and returns the retained message. A message that is published afterwards shows that there is none.
			const retained = async (topic) => {
				const messages = [];
				const subscription = await iot.subscribe(topic + "/#", (m) => messages.push(m), { qos: 1 });
				await iot.publish(topic + "/end", "end", { qos: 1 });
				while (!messages.some((m) => m.topic.endsWith("/end"))) await new Promise((resolve) => setTimeout(resolve, 10));
				await subscription.unsubscribe();
				return messages.filter((m) => m.retain).map((m) => m.text()).join();
			};
		`, a.URL, b.URL, n.name, password, "page-"+name), nil)
		return tab
	}
	// The account was registered at a. b knows it, because the nodes share the database.
	first, second := open("1", a), open("2", b)
	both := func(count int, from ...string) {
		t.Helper()
		for _, name := range from {
			first.Until(fmt.Sprintf(`received(%q, %d)`, name, count))
			second.Until(fmt.Sprintf(`received(%q, %d)`, name, count))
		}
	}

	t.Log("messages of QoS 1 reach the pages of both nodes")
	first.Eval(`await send("x", 100)`, nil)
	second.Eval(`await send("y", 100)`, nil)
	both(100, "x", "y")

	t.Log("retained messages: the other node sends them after a restart of its mod_mqtt")
	first.Eval(`await iot.publish("state/lamp", "on", { qos: 1, retain: true })`, nil)
	first.Is(`await retained("state")`, `"on"`)
	second.Is(`await retained("state")`, `""`)
	if err := b.call("restart_module", map[string]string{"host": "localhost", "module": "mod_mqtt"}, nil); err != nil {
		t.Fatal(err)
	}
	second.Is(`await retained("state")`, `"on"`)
	second.Is(`connections.length`, `1`)
	first.Eval(`await iot.publish("state/lamp", "off", { qos: 1, retain: true })`, nil)
	second.Is(`await retained("state")`, `"off"`)

	t.Log("a page takes its session to another node while both nodes run")
	first.Eval(`await nextSecond(); node = "b"; let open; gate = new Promise((resolve) => (open = resolve)); iot.reconnect()`, nil)
	second.Eval(`await send("z", 20)`, nil)
	first.Eval(`open()`, nil)
	first.Until(`connections.length === 2`)
	first.Is(`connections[1]`, `{"node":"b","recovered":true}`)
	both(20, "z")
	first.Eval(`await nextSecond(); node = "a"; iot.reconnect()`, nil)
	first.Until(`connections.length === 3`)
	first.Is(`connections[2]`, `{"node":"a","recovered":true}`)

	t.Log("a node is killed: its sessions are lost, and its page moves to the other node")
	first.Eval(`await nextSecond(); gate = new Promise((resolve) => (open = resolve)); node = "b"`, nil)
	a.kill()
	// Until b has noticed the end of a, each message that a page publishes ends the page's session at b.
	b.awaitMembers("b@localhost")
	first.Until(`iot.state === "reconnecting"`)
	second.Eval(`await send("lost", 20)`, nil)
	second.Until(`received("lost", 20)`)
	first.Eval(`const waiting = send("w", 20); open(); await waiting`, nil)
	first.Is(`connections[3]`, `{"node":"b","recovered":false}`)
	both(20, "w")
	second.Eval(`await send("v", 100)`, nil)
	both(100, "v")
	first.Is(`got.filter((text) => text.startsWith("lost")).length`, `0`)
	first.Is(`await retained("state")`, `"off"`)

	t.Log("the node starts again: it has the retained messages, and messages flow between the nodes")
	second.Eval(`await iot.publish("state/lamp", "dim", { qos: 1, retain: true })`, nil)
	a.run()
	b.awaitMembers("a@localhost", "b@localhost")
	first.Eval(`await nextSecond(); node = "a"; iot.reconnect()`, nil)
	first.Until(`connections.length === 5`)
	first.Is(`connections[4]`, `{"node":"a","recovered":true}`)
	first.Is(`await retained("state")`, `"dim"`)
	first.Eval(`await send("t", 20)`, nil)
	second.Eval(`await send("u", 20)`, nil)
	both(20, "t", "u")
}
