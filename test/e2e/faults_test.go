package e2e

import "testing"

func TestCutInTheMiddleOfPublishing(t *testing.T) {
	s := serve(t, "-faults")
	b := blank(t, s)
	b.eval(`globalThis.seen = new Set(); globalThis.told = [];
		for (const type of ["disconnected", "connected"]) iot.addEventListener(type, ({ detail }) => told.push(detail.error?.code ?? detail.recovered));
		await iot.connect({ ...at, clientId: "c", credentials: () => local.credentials, reconnect: { minDelayMs: 10, maxDelayMs: 100 } });
		await iot.subscribe("n/#", (m) => seen.add(m.topic), { qos: 1 });
		globalThis.all = Promise.all(Array.from({ length: 200 }, (_, i) => iot.publish("n/" + i, "", { qos: 1 })))`, nil)
	s.control(`{"cut":"c"}`)
	b.is(`(await all).every((r) => r.reasonCode === 0)`, `true`)
	b.until(`seen.size === 200`)
	b.until(`told.length === 3`)
	b.is(`told`, `[false,"ERR_CONNECTION_LOST",true]`)
}

func TestFrozenConnection(t *testing.T) {
	s := serve(t, "-faults")
	b := blank(t, s)
	b.eval(`await iot.connect({ ...at, clientId: "c", credentials: () => local.credentials }); globalThis.seen = []; await iot.subscribe("n", (m) => seen.push(m.text()), { qos: 1 })`, nil)
	s.control(`{"freeze":"c"}`)
	b.eval(`globalThis.kept = iot.publish("n", "patience", { qos: 1 })`, nil)
	s.control(`{"thaw":"c"}`)
	b.is(`(await kept).reasonCode`, `0`)
	b.until(`seen.join() === "patience"`)
	b.is(`iot.stats().connects`, `1`)
}

func TestRefusalsForATime(t *testing.T) {
	s := serve(t, "-faults")
	b := blank(t, s)
	b.eval(`globalThis.told = []; iot.addEventListener("disconnected", ({ detail: { error } }) => told.push([error.code, error.reasonCode ?? null]));
		globalThis.o = { ...at, clientId: "c", credentials: () => local.credentials, reconnect: { minDelayMs: 10, maxDelayMs: 100 } }`, nil)
	s.control(`{"connack":{"reason":136}}`)
	b.eval(`await iot.connect(o)`, nil)
	b.is(`told.splice(0)`, `[["ERR_REFUSED",136]]`)
	s.control(`{"upgrade":{"status":503},"disconnect":{"client":"c","reason":152}}`)
	b.until(`told.length === 2 && iot.state === "connected"`)
	b.is(`told.splice(0)`, `[["ERR_DISCONNECTED",152],["ERR_UPGRADE",null]]`)
	s.control(`{"restart":"keep-sessions"}`)
	b.until(`told.length === 1 && iot.state === "connected"`)
	b.is(`iot.connection.sessionPresent`, `true`)
	s.control(`{"restart":"lose-sessions"}`)
	b.until(`told.length === 2 && iot.state === "connected"`)
	b.is(`iot.connection.sessionPresent`, `false`)
}
