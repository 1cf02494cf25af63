package e2e

import "testing"

func TestRequest(t *testing.T) {
	t.Parallel()
	s := serve(t)
	b := blank(t, s)
	b.fails(`iot.request("ask", "?")`, "IotError", "ERR_NOT_CONNECTED", "connect()")
	b.eval(`await iot.connect({ ...at, credentials: local.credentials, clientId: "asker" }); const other = new IotClient();
		await other.connect({ ...at, credentials: local.credentials, clientId: "answerer" });
		globalThis.asked = []; await other.subscribe("ask/+", (m) => { asked.push(m.responseTopic); if (m.topic === "ask/late") setTimeout(() => m.reply("too late"), 200); else if (m.topic !== "ask/never") m.reply({ json: [m.text(), m.topic] }) }, { qos: 1 })`, nil)
	b.is(`(await iot.request("ask/1", "what?")).json()`, `["what?","ask/1"]`)
	// Each gets its own answer, by one subscription.
	b.is(`(await Promise.all(Array.from({ length: 50 }, (_, i) => iot.request("ask/2", String(i), { qos: i % 2 })))).every((m, i) => m.text() === JSON.stringify([String(i), "ask/2"]))`, `true`)
	b.is(`[iot.stats().subscriptions, new Set(asked).size, asked[0]]`, `[1,1,"iot/replies/asker"]`)
	b.is(`await (async () => { const correlationData = Uint8Array.of(1, 2); const m = await iot.request("ask/3", null, { responseTopic: "mine", correlationData }); return [m.topic, [...m.correlationData], iot.stats().subscriptions] })()`, `["mine",[1,2],2]`)
	b.fails(`iot.request("ask/never", "?", { timeoutMs: 50 })`, "IotError", "ERR_REQUEST_TIMEOUT", "50 ms")
	b.fails(`iot.request("ask/late", "?", { timeoutMs: 20 })`, "IotError", "ERR_REQUEST_TIMEOUT", "20 ms")
	b.fails(`iot.request("ask/never", "?", { signal: AbortSignal.timeout(20) })`, "TimeoutError", "23", "timed out")
	b.fails(`iot.request("ask/+", "?")`, "TypeError", "ERR_TOPIC", "wildcard")
	b.fails(`iot.request("ask/1", "?", { responseTopic: "a/#" })`, "TypeError", "ERR_OPTION", "response topic")
	b.fails(`iot.request("ask/1", "?", { timeoutMs: -1 })`, "RangeError", "ERR_OPTION", "timeoutMs is -1")
	b.fails(`iot.request("ask/1", "?", { timeout: 5 })`, "TypeError", "ERR_OPTION", "did you mean timeoutMs?")
	b.is(`await (async () => { const correlationData = Uint8Array.of(7); const one = iot.request("ask/never", "?", { correlationData }).catch((e) => e.code); const two = iot.request("ask/1", "?", { correlationData }).catch((e) => e.code);
		const second = await two; await iot.disconnect(); return [second, await one] })()`, `["ERR_OPTION","ERR_CLOSED"]`)
	b.eval(`await iot.connect()`, nil)
	b.is(`(await iot.request("ask/5", "again")).json()`, `["again","ask/5"]`)
	b.is(`iot.stats().roundTripMs >= 0`, `true`)
	// A broker that says so when nobody is subscribed.
	b.eval(`await iot.disconnect(); await iot.connect({ endpoint: "`+mosquitto(t, "allow_anonymous true")+`" })`, nil)
	b.fails(`iot.request("nobody", "?", { qos: 1 })`, "IotError", "ERR_NO_RESPONDER", "nobody")
}

// Of two subscriptions to one filter, the later one hears what is retained, and
// the earlier one does not hear it again.
func TestLateSubscription(t *testing.T) {
	t.Parallel()
	b := blank(t, serve(t))
	// AWS IoT Core and the stand-in have no retained messages for wildcards; mosquitto has.
	b.eval(`await iot.connect({ endpoint: "`+mosquitto(t, "allow_anonymous true")+`" }); globalThis.heard = [];
		await iot.publish("late/kept", "1", { qos: 1, retain: true }); await iot.publish("late/other", "1", { qos: 1, retain: true });
		const hear = (name) => (m) => heard.push([name, m.topic, m.text(), m.retain].join(" "));
		const settle = async () => { await iot.publish("late/end", "", { qos: 1 }); await iot.publish("late/end", "", { qos: 1 }) };`, nil)
	for _, filter := range []string{"late/kept", "late/+", "late/#"} {
		b.eval(`heard.length = 0; await iot.subscribe("`+filter+`", hear("a"), { qos: 1 }); await settle();
			await iot.publish("late/kept", "2", { qos: 1, retain: true }); await iot.publish("late/more", "1", { qos: 1, retain: true }); await settle();
			await iot.subscribe("`+filter+`", hear("b"), { qos: 1 }); await settle();
			await iot.subscribe("`+filter+`", hear("c"), { qos: 1, retainHandling: 2 }); await settle();
			await iot.unsubscribe("`+filter+`"); globalThis.lines = heard.filter((l) => !l.includes("end")).sort();
			for (const t of ["kept", "more"]) await iot.publish("late/" + t, t === "kept" ? "1" : "", { qos: 1, retain: true })`, nil)
		want := `["a late/kept 1 true","a late/kept 2 false","b late/kept 2 true"]`
		if filter != "late/kept" {
			want = `["a late/kept 1 true","a late/kept 2 false","a late/more 1 false","a late/other 1 true","b late/kept 2 true","b late/more 1 true","b late/other 1 true"]`
		}
		b.is(`lines`, want)
	}
}
