package e2e

import (
	"fmt"
	"strings"
	"testing"

	"github.com/eclipse/paho.golang/packets"

	"iot.wasm/test/harness"
)

// storedSession serves a broker whose session contains five messages of QoS 1. The broker
// sends them in the WebSocket message of CONNACK.
func storedSession(t *testing.T) *script {
	t.Helper()
	return newScript(t, func(c *scriptConn, cp *packets.ControlPacket) {
		switch p := cp.Content.(type) {
		case *packets.Connect:
			list := []encoder{&packets.Connack{SessionPresent: true, Properties: properties()}}
			for i := range 5 {
				list = append(list, &packets.Publish{Topic: "stored", Payload: []byte(fmt.Sprint(i)), QoS: 1, PacketID: uint16(i + 1), Properties: properties()})
			}
			c.send(list...)
		case *packets.Subscribe:
			c.send(&packets.Suback{PacketID: p.PacketID, Reasons: []byte{1}, Properties: properties()})
		case *packets.Publish:
			c.send(&packets.Puback{PacketID: p.PacketID, Properties: properties()})
		}
	})
}

// The client acknowledges the stored messages of a session only when they have a recipient
// or the page has received them in the event unclaimed.
func TestStoredMessages(t *testing.T) {
	t.Parallel()
	s := harness.Serve(t)
	const connect = `await iot.connect({ endpoint: at.endpoint, cleanStart: false })`
	page := func(t *testing.T, broker *script) *harness.Tab {
		b := openModule(t, s)
		b.Eval(`at.endpoint = "`+broker.endpoint+`"; globalThis.got = []; globalThis.reported = []; const receive = (m) => got.push(m.text()); iot.addEventListener("unclaimed", (e) => reported.push(e.detail.text()))`, nil)
		return b
	}
	t.Run("connect, then subscribe", func(t *testing.T) {
		broker := storedSession(t)
		b := page(t, broker)
		b.Eval(connect, nil)
		b.Eval(`await iot.publish("marker", "", { qos: 1 })`, nil) // if the page had sent a PUBACK, the broker would have received it before this message
		if seen := broker.seen(); seen != "CONNECT PUBLISH" {
			t.Errorf("the broker has received %s", seen)
		}
		b.Eval(`await iot.subscribe("stored", receive, { qos: 1 }); await iot.publish("marker", "", { qos: 1 })`, nil)
		b.Is(`[got, reported]`, `[["0","1","2","3","4"],[]]`)
		if n := strings.Count(broker.seen(), "PUBACK"); n != 5 {
			t.Errorf("the broker has received %s", broker.seen())
		}
	})
	t.Run("subscribe, then connect", func(t *testing.T) {
		b := page(t, storedSession(t))
		b.Eval(`globalThis.subscribed = iot.subscribe("stored", receive, { qos: 1 }); `+connect, nil)
		b.Is(`[(await subscribed).qos, got, reported]`, `[1,["0","1","2","3","4"],[]]`)
	})
	t.Run("no subscription", func(t *testing.T) {
		broker := storedSession(t)
		b := page(t, broker)
		b.Eval(strings.Replace(connect, "cleanStart", "unclaimedTimeoutMs: 50, cleanStart", 1), nil)
		b.Until(`reported.length === 5`)
		b.Eval(`await iot.publish("marker", "", { qos: 1 })`, nil)
		b.Is(`[got, reported]`, `[[],["0","1","2","3","4"]]`)
		if n := strings.Count(broker.seen(), "PUBACK"); n != 5 {
			t.Errorf("the broker has received %s", broker.seen())
		}
	})
	t.Run("listener for all messages", func(t *testing.T) {
		b := page(t, storedSession(t))
		b.Eval(`iot.addEventListener("message", (e) => got.push(e.detail.text())); `+connect, nil)
		b.Is(`[got, reported]`, `[["0","1","2","3","4"],[]]`)
	})
}
