package e2e

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"sync"
	"testing"

	"github.com/eclipse/paho.golang/packets"
	"nhooyr.io/websocket"

	"iot.wasm/test/harness"
)

// scripted serves a broker that answers CONNECT, SUBSCRIBE and PINGREQ, and ignores other
// packets. After SUBACK it calls subscribed.
func scripted(t *testing.T, subscribed func(ws *websocket.Conn)) string {
	t.Helper()
	return newScript(t, func(c *scriptConn, cp *packets.ControlPacket) {
		switch p := cp.Content.(type) {
		case *packets.Connect:
			c.send(&packets.Connack{Properties: properties()})
		case *packets.Subscribe:
			c.send(&packets.Suback{PacketID: p.PacketID, Reasons: []byte{0}, Properties: properties()})
			subscribed(c.ws)
		case *packets.Pingreq:
			c.send(&packets.Pingresp{})
		}
	}).endpoint
}

// The client delivers many messages in slices, so that the page can do other work between
// the slices. The client loses no message and keeps the order.
func TestFlood(t *testing.T) {
	t.Parallel()
	const messages = 3000
	endpoint := scripted(t, func(ws *websocket.Conn) {
		var frame []byte
		for i := range messages {
			payload := binary.BigEndian.AppendUint32(nil, uint32(i))
			var b bytes.Buffer
			_, _ = (&packets.Publish{Topic: fmt.Sprintf("flood/%d", i%7), Payload: payload, Properties: &packets.Properties{}}).WriteTo(&b)
			frame = append(frame, b.Bytes()...)
		}
		for range 3 { // the second and third arrive while the page handles the first
			_ = ws.Write(t.Context(), websocket.MessageBinary, frame)
		}
	})
	b := openModule(t, harness.Serve(t))
	b.Eval(`globalThis.received = []; globalThis.turns = new Set(); let turn = 0;
		const channel = new MessageChannel(); channel.port1.onmessage = () => { turn++; if (received.length < 9000) channel.port2.postMessage(0) }; channel.port2.postMessage(0);
		const busy = (ms) => { const end = performance.now() + ms; while (performance.now() < end); };
		await iot.connect({ endpoint: "`+endpoint+`", keepAlive: 1 }); iot.addEventListener("disconnected", (e) => received.push(e.detail.error.code));
		await iot.subscribe("flood/#", (m) => { busy(1); turns.add(turn); received.push(new DataView(m.payload.buffer, m.payload.byteOffset).getUint32(0)) })`, nil)
	// The handlers take nine seconds, and the keep-alive is one second. While received bytes wait, the client must not report a keep-alive timeout.
	b.Until(`received.length >= 9000`)
	b.Is(`received.length === 9000 && received.every((n, i) => n === i % 3000)`, `true`)
	var turns int
	b.Eval(`turns.size`, &turns)
	t.Logf("9000 messages of 1 ms in %d slices", turns)
	if turns < 100 {
		t.Errorf("9000 messages of 1 ms were delivered in %d turns of the event loop", turns)
	}
	b.Is(`[iot.state, iot.stats().connects]`, `["connected",1]`)
}

// The client limits the bytes that it queues in a WebSocket while the broker reads nothing.
func TestBackPressure(t *testing.T) {
	t.Parallel()
	release := make(chan struct{})
	endpoint := scripted(t, func(*websocket.Conn) { <-release })
	b := openModule(t, harness.Serve(t))
	unblock := sync.OnceFunc(func() { close(release) })
	t.Cleanup(unblock)
	b.Eval(`globalThis.sockets = []; const Real = WebSocket; globalThis.WebSocket = class extends Real { constructor(...a) { super(...a); sockets.push(this) } };
		await iot.connect({ endpoint: "`+endpoint+`" }); iot.subscribe("x", () => {}).catch(() => {}); await iot.publish("x", "");
		globalThis.most = 0; globalThis.sent = 0; const payload = new Uint8Array(64 * 1024);
		for (let i = 0; i < 900; i++) iot.publish("x", payload).then(() => sent++);
		for (let i = 0; i < 50; i++) { await new Promise((r) => setTimeout(r, 1)); most = Math.max(most, sockets[0].bufferedAmount) }`, nil)
	b.Is(`[most > 64 * 2 ** 10, most < 6 * 2 ** 20, sent < 450]`, `[true,true,true]`)
	unblock()
	b.Until(`sent === 900`)
	b.Is(`iot.stats().bytesOut > 58e6`, `true`)
}
