package e2e

import (
	"fmt"
	"strings"
	"testing"

	"github.com/eclipse/paho.golang/packets"
)

// A broker that answers only PINGREQ leaves no call pending.
func TestSilentBroker(t *testing.T) {
	t.Parallel()
	for name, receiveMaximum := range map[string]uint16{"takes everything": 100, "takes one message": 1} {
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
			b := blank(t, serve(t))
			b.eval(`globalThis.lost = []; iot.addEventListener("disconnected", (e) => lost.push(e.detail.error.code));
				await iot.connect({ endpoint: "`+broker.endpoint+`", ackTimeoutMs: 300, reconnect: { minDelayMs: 1, maxDelayMs: 10 } });
				const outcome = (p) => p.then(() => "resolved", (e) => e.code);
				globalThis.calls = [iot.publish("t", "x", { qos: 1 }), iot.publish("t", "y", { qos: 2 }), iot.subscribe("f"), iot.request("q", "", { qos: 1 })].map(outcome);
				const id = iot.subscribe("g").catch(() => {}); calls.push(outcome(iot.unsubscribe("g")))`, nil)
			b.is(`await Promise.all(calls)`, `["ERR_ACK_TIMEOUT","ERR_ACK_TIMEOUT","ERR_ACK_TIMEOUT","ERR_ACK_TIMEOUT","resolved"]`)
			b.is(`[new Set(lost).size, lost[0], lost.length >= 3]`, `[1,"ERR_ACK_TIMEOUT",true]`)
			b.is(`await iot.disconnect().then(() => iot.state)`, `"closed"`)
		})
	}
}

// An upload that takes longer than the keep-alive completes: as one message and as
// many, whether the bytes wait in the browser or in the network.
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
			b := blank(t, serve(t))
			b.eval(`globalThis.lost = []; iot.addEventListener("disconnected", (e) => lost.push(e.detail.error.code));
				await iot.connect({ endpoint: "ws://`+throttled(t, host, 200_000, buffer)+`/mqtt", keepAlive: 2 })`, nil)
			b.is(`await iot.publish("one", new Uint8Array(1_000_000), { qos: 1 })`, `{"reasonCode":0}`)
			b.is(`(await Promise.all(Array.from({ length: 20 }, () => iot.publish("many", new Uint8Array(50_000), { qos: 1 })))).length`, `20`)
			b.is(`[lost, iot.stats().connects]`, `[[],1]`)
		})
	}
}
