package e2e

import (
	"testing"

	"iot.wasm/test/harness"
)

func TestRequest(t *testing.T) {
	t.Parallel()
	s := harness.Serve(t)
	b := openModule(t, s)
	b.Fails(`iot.request("ask", "?")`, "IotError", "ERR_NOT_CONNECTED")
	b.Eval(`await iot.connect({ ...at, credentials: local.credentials, clientId: "asker" }); const other = new IotClient();
		await other.connect({ ...at, credentials: local.credentials, clientId: "answerer" });
		globalThis.asked = []; await other.subscribe("ask/+", (m) => { asked.push(m.responseTopic); if (m.topic === "ask/late") setTimeout(() => m.reply("too late"), 200); else if (m.topic !== "ask/never") m.reply({ json: [m.text(), m.topic] }) }, { qos: 1 })`, nil)
	b.Is(`(await iot.request("ask/1", "what?")).json()`, `["what?","ask/1"]`)
	// Each request receives its own reply. All requests share one subscription.
	b.Is(`(await Promise.all(Array.from({ length: 50 }, (_, i) => iot.request("ask/2", String(i), { qos: i % 2 })))).every((m, i) => m.text() === JSON.stringify([String(i), "ask/2"]))`, `true`)
	b.Is(`[iot.stats().subscriptions, new Set(asked).size, asked[0]]`, `[1,1,"iot/replies/asker"]`)
	b.Is(`await (async () => { const correlationData = Uint8Array.of(1, 2); const m = await iot.request("ask/3", null, { responseTopic: "mine", correlationData }); return [m.topic, [...m.correlationData], iot.stats().subscriptions] })()`, `["mine",[1,2],2]`)
	b.Fails(`iot.request("ask/never", "?", { timeoutMs: 50 })`, "IotError", "ERR_REQUEST_TIMEOUT", "50")
	b.Fails(`iot.request("ask/late", "?", { timeoutMs: 20 })`, "IotError", "ERR_REQUEST_TIMEOUT", "20")
	b.Fails(`iot.request("ask/never", "?", { signal: AbortSignal.timeout(20) })`, "TimeoutError", "23", "timed out")
	b.Fails(`iot.request("ask/+", "?")`, "TypeError", "ERR_TOPIC")
	b.Fails(`iot.request("ask/1", "?", { responseTopic: "a/#" })`, "TypeError", "ERR_OPTION")
	b.Fails(`iot.request("ask/1", "?", { timeoutMs: -1 })`, "RangeError", "ERR_OPTION", "timeoutMs", "-1")
	b.Fails(`iot.request("ask/1", "?", { timeout: 5 })`, "TypeError", "ERR_OPTION", "did you mean timeoutMs?")
	b.Is(`await (async () => { const correlationData = Uint8Array.of(7); const one = iot.request("ask/never", "?", { correlationData }).catch((e) => e.code); const two = iot.request("ask/1", "?", { correlationData }).catch((e) => e.code);
		const second = await two; await iot.disconnect(); return [second, await one] })()`, `["ERR_OPTION","ERR_CLOSED"]`)
	b.Eval(`await iot.connect()`, nil)
	b.Is(`(await iot.request("ask/5", "again")).json()`, `["again","ask/5"]`)
	b.Is(`iot.stats().roundTripMs >= 0`, `true`)
	// mosquitto reports that a message has no subscribers.
	b.Eval(`await iot.disconnect(); await iot.connect({ endpoint: "`+mosquitto(t, "allow_anonymous true")+`" })`, nil)
	b.Fails(`iot.request("nobody", "?", { qos: 1 })`, "IotError", "ERR_NO_RESPONDER")
}

// The later of two subscriptions to one filter receives the retained messages. The
// earlier subscription does not receive the messages again.
func TestLateSubscription(t *testing.T) {
	t.Parallel()
	b := openModule(t, harness.Serve(t))
	// Unlike AWS IoT Core and the stand-in, mosquitto sends retained messages for wildcards.
	b.Eval(`await iot.connect({ endpoint: "`+mosquitto(t, "allow_anonymous true")+`" }); globalThis.received = [];
		await iot.publish("late/kept", "1", { qos: 1, retain: true }); await iot.publish("late/other", "1", { qos: 1, retain: true });
		const note = (name) => (m) => received.push([name, m.topic, m.text(), m.retain].join(" "));
		const settle = async () => { await iot.publish("late/end", "", { qos: 1 }); await iot.publish("late/end", "", { qos: 1 }) };`, nil)
	for _, filter := range []string{"late/kept", "late/+", "late/#"} {
		b.Eval(`received.length = 0; await iot.subscribe("`+filter+`", note("a"), { qos: 1 }); await settle();
			await iot.publish("late/kept", "2", { qos: 1, retain: true }); await iot.publish("late/more", "1", { qos: 1, retain: true }); await settle();
			await iot.subscribe("`+filter+`", note("b"), { qos: 1 }); await settle();
			await iot.subscribe("`+filter+`", note("c"), { qos: 1, retainHandling: 2 }); await settle();
			await iot.unsubscribe("`+filter+`"); globalThis.lines = received.filter((l) => !l.includes("end")).sort();
			for (const t of ["kept", "more"]) await iot.publish("late/" + t, t === "kept" ? "1" : "", { qos: 1, retain: true })`, nil)
		want := `["a late/kept 1 true","a late/kept 2 false","b late/kept 2 true"]`
		if filter != "late/kept" {
			want = `["a late/kept 1 true","a late/kept 2 false","a late/more 1 false","a late/other 1 true","b late/kept 2 true","b late/more 1 true","b late/other 1 true"]`
		}
		b.Is(`lines`, want)
	}
}
