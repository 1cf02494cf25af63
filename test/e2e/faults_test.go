package e2e

import (
	"testing"

	"iot.wasm/test/harness"
)

func TestConnectionCutWhilePublishing(t *testing.T) {
	s := harness.Serve(t, "-faults")
	b := openModule(t, s)
	b.Eval(`globalThis.seen = new Set(); globalThis.events = [];
		for (const type of ["disconnected", "connected"]) iot.addEventListener(type, ({ detail }) => events.push(detail.error?.code ?? detail.recovered));
		await iot.connect({ ...at, clientId: "c", credentials: () => local.credentials, reconnect: { minDelayMs: 10, maxDelayMs: 100 } });
		await iot.subscribe("n/#", (m) => seen.add(m.topic), { qos: 1 });
		globalThis.all = Promise.all(Array.from({ length: 200 }, (_, i) => iot.publish("n/" + i, "", { qos: 1 })))`, nil)
	s.Control(`{"cut":"c"}`)
	b.Is(`(await all).every((r) => r.reasonCode === 0)`, `true`)
	b.Until(`seen.size === 200`)
	b.Until(`events.length === 3`)
	b.Is(`events`, `[false,"ERR_CONNECTION_LOST",true]`)
}

func TestFrozenConnection(t *testing.T) {
	s := harness.Serve(t, "-faults")
	b := openModule(t, s)
	b.Eval(`await iot.connect({ ...at, clientId: "c", credentials: () => local.credentials }); globalThis.seen = []; await iot.subscribe("n", (m) => seen.push(m.text()), { qos: 1 })`, nil)
	s.Control(`{"freeze":"c"}`)
	b.Eval(`globalThis.sent = iot.publish("n", "x", { qos: 1 })`, nil)
	s.Control(`{"thaw":"c"}`)
	b.Is(`(await sent).reasonCode`, `0`)
	b.Until(`seen.join() === "x"`)
	b.Is(`iot.stats().connects`, `1`)
}

func TestTemporaryRefusals(t *testing.T) {
	s := harness.Serve(t, "-faults")
	b := openModule(t, s)
	b.Eval(`globalThis.errors = []; iot.addEventListener("disconnected", ({ detail: { error } }) => errors.push([error.code, error.reasonCode ?? null]));
		globalThis.o = { ...at, clientId: "c", credentials: () => local.credentials, reconnect: { minDelayMs: 10, maxDelayMs: 100 } }`, nil)
	s.Control(`{"connack":{"reason":136}}`)
	b.Eval(`await iot.connect(o)`, nil)
	b.Is(`errors.splice(0)`, `[["ERR_REFUSED",136]]`)
	s.Control(`{"upgrade":{"status":503},"disconnect":{"client":"c","reason":152}}`)
	b.Until(`errors.length === 2 && iot.state === "connected"`)
	b.Is(`errors.splice(0)`, `[["ERR_DISCONNECTED",152],["ERR_UPGRADE",null]]`)
	s.Control(`{"restart":"keep-sessions"}`)
	b.Until(`errors.length === 1 && iot.state === "connected"`)
	b.Is(`iot.connection.sessionPresent`, `true`)
	s.Control(`{"restart":"lose-sessions"}`)
	b.Until(`errors.length === 2 && iot.state === "connected"`)
	b.Is(`iot.connection.sessionPresent`, `false`)
}
