package e2e

import (
	"fmt"
	"strings"
	"testing"

	"github.com/eclipse/paho.golang/packets"

	"iot.wasm/test/harness"
)

// Every call settles although the broker answers only CONNECT and PINGREQ.
func TestSilentBroker(t *testing.T) {
	t.Parallel()
	for name, receiveMaximum := range map[string]uint16{"Receive Maximum 100": 100, "Receive Maximum 1": 1} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			broker := newScript(t, func(c *scriptConn, cp *packets.ControlPacket) {
				switch p := cp.Content.(type) {
				case *packets.Connect:
					c.send(&packets.Connack{SessionPresent: !p.CleanStart, Properties: &packets.Properties{ReceiveMaximum: &receiveMaximum}})
				case *packets.Pingreq:
					c.send(&packets.Pingresp{})
				}
			})
			b := openModule(t, harness.Serve(t))
			b.Eval(`globalThis.errors = []; iot.addEventListener("disconnected", (e) => errors.push(e.detail.error.code));
				await iot.connect({ endpoint: "`+broker.endpoint+`", ackTimeoutMs: 300, reconnect: { minDelayMs: 1, maxDelayMs: 10 } });
				const outcome = (p) => p.then(() => "resolved", (e) => e.code);
				globalThis.calls = [iot.publish("t", "x", { qos: 1 }), iot.publish("t", "y", { qos: 2 }), iot.subscribe("f"), iot.request("q", "", { qos: 1 })].map(outcome);
				const id = iot.subscribe("g").catch(() => {}); calls.push(outcome(iot.unsubscribe("g")))`, nil)
			b.Is(`await Promise.all(calls)`, `["ERR_ACK_TIMEOUT","ERR_ACK_TIMEOUT","ERR_ACK_TIMEOUT","ERR_ACK_TIMEOUT","resolved"]`)
			b.Is(`[new Set(errors).size, errors[0], errors.length >= 3]`, `[1,"ERR_ACK_TIMEOUT",true]`)
			b.Is(`await iot.disconnect().then(() => iot.state)`, `"closed"`)
		})
	}
}

// An upload that takes longer than the keep-alive completes. It consists of one message
// or of many, and its bytes wait in the browser or in the network.
func TestSlowUpload(t *testing.T) {
	t.Parallel()
	for _, buffer := range []int{16 << 10, 0} {
		t.Run(fmt.Sprintf("buffer %d", buffer), func(t *testing.T) {
			t.Parallel()
			broker := newScript(t, func(c *scriptConn, cp *packets.ControlPacket) {
				switch p := cp.Content.(type) {
				case *packets.Connect:
					c.send(&packets.Connack{Properties: properties()})
				case *packets.Publish:
					c.send(&packets.Puback{PacketID: p.PacketID, Properties: properties()})
				case *packets.Pingreq:
					c.send(&packets.Pingresp{})
				}
			})
			host := strings.TrimSuffix(strings.TrimPrefix(broker.endpoint, "ws://"), "/mqtt")
			b := openModule(t, harness.Serve(t))
			b.Eval(`globalThis.errors = []; iot.addEventListener("disconnected", (e) => errors.push(e.detail.error.code));
				await iot.connect({ endpoint: "ws://`+throttled(t, host, 200_000, buffer)+`/mqtt", keepAlive: 2 })`, nil)
			b.Is(`await iot.publish("one", new Uint8Array(1_000_000), { qos: 1 })`, `{"reasonCode":0}`)
			b.Is(`(await Promise.all(Array.from({ length: 20 }, () => iot.publish("many", new Uint8Array(50_000), { qos: 1 })))).length`, `20`)
			b.Is(`[errors, iot.stats().connects]`, `[[],1]`)
		})
	}
}
