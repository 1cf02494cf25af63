package e2e

import (
	"fmt"
	"strings"
	"testing"

	"github.com/eclipse/paho.golang/packets"
)

// keeper is a broker whose session holds five messages of QoS 1, which it sends in
// the WebSocket message of CONNACK.
func keeper(t *testing.T) *script {
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

// What a session has stored is not acknowledged before it has a recipient.
func TestStoredMessages(t *testing.T) {
	t.Parallel()
	s := serve(t)
	const connect = `await iot.connect({ endpoint: at.endpoint, cleanStart: false })`
	page := func(t *testing.T, broker *script) *tab {
		b := blank(t, s)
		b.eval(`at.endpoint = "`+broker.endpoint+`"; globalThis.got = []; globalThis.reported = []; const take = (m) => got.push(m.text()); iot.addEventListener("unclaimed", (e) => reported.push(e.detail.text()))`, nil)
		return b
	}
	t.Run("connect, then subscribe", func(t *testing.T) {
		broker := keeper(t)
		b := page(t, broker)
		b.eval(connect, nil)
		b.eval(`await iot.publish("marker", "", { qos: 1 })`, nil) // behind any PUBACK there might be
		if seen := broker.seen(); seen != "CONNECT PUBLISH" {
			t.Errorf("the broker has got %s", seen)
		}
		b.eval(`await iot.subscribe("stored", take, { qos: 1 }); await iot.publish("marker", "", { qos: 1 })`, nil)
		b.is(`[got, reported]`, `[["0","1","2","3","4"],[]]`)
		if n := strings.Count(broker.seen(), "PUBACK"); n != 5 {
			t.Errorf("the broker has got %s", broker.seen())
		}
	})
	t.Run("subscribe, then connect", func(t *testing.T) {
		b := page(t, keeper(t))
		b.eval(`globalThis.subscribed = iot.subscribe("stored", take, { qos: 1 }); `+connect, nil)
		b.is(`[(await subscribed).qos, got, reported]`, `[1,["0","1","2","3","4"],[]]`)
	})
	t.Run("nobody subscribes", func(t *testing.T) {
		broker := keeper(t)
		b := page(t, broker)
		b.eval(strings.Replace(connect, "cleanStart", "unclaimedTimeoutMs: 50, cleanStart", 1), nil)
		b.until(`reported.length === 5`)
		b.eval(`await iot.publish("marker", "", { qos: 1 })`, nil)
		b.is(`[got, reported]`, `[[],["0","1","2","3","4"]]`)
		if n := strings.Count(broker.seen(), "PUBACK"); n != 5 {
			t.Errorf("the broker has got %s", broker.seen())
		}
	})
	t.Run("a listener for all messages", func(t *testing.T) {
		b := page(t, keeper(t))
		b.eval(`iot.addEventListener("message", (e) => got.push(e.detail.text())); `+connect, nil)
		b.is(`[got, reported]`, `[["0","1","2","3","4"],[]]`)
	})
}
