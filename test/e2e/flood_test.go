package e2e

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/eclipse/paho.golang/packets"
	"nhooyr.io/websocket"
)

// scripted serves a broker that answers CONNECT, SUBSCRIBE and PINGREQ, and does
// nothing else by itself: after a SUBSCRIBE it does what the test says.
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

// What comes at once is heard in slices: between them the page has time for
// other things. Nothing is lost, and the order is kept.
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
		for range 3 { // the second and third come while the page is behind with the first
			_ = ws.Write(t.Context(), websocket.MessageBinary, frame)
		}
	})
	b := blank(t, serve(t))
	b.eval(`globalThis.heard = []; globalThis.turns = new Set(); let turn = 0;
		const channel = new MessageChannel(); channel.port1.onmessage = () => { turn++; if (heard.length < 9000) channel.port2.postMessage(0) }; channel.port2.postMessage(0);
		const busy = (ms) => { const end = performance.now() + ms; while (performance.now() < end); };
		await iot.connect({ endpoint: "`+endpoint+`", keepAlive: 1 }); iot.addEventListener("disconnected", (e) => heard.push(e.detail.error.code));
		await iot.subscribe("flood/#", (m) => { busy(1); turns.add(turn); heard.push(new DataView(m.payload.buffer, m.payload.byteOffset).getUint32(0)) })`, nil)
	// With a keep-alive of a second, and nine seconds of work, the client would take the broker for dead if what waits did not count.
	b.until(`heard.length >= 9000`)
	b.is(`heard.length === 9000 && heard.every((n, i) => n === i % 3000)`, `true`)
	var turns int
	b.eval(`turns.size`, &turns)
	t.Logf("9000 messages of 1 ms in %d slices", turns)
	if turns < 100 {
		t.Errorf("9000 messages that take 1 ms each were heard in %d turns of the event loop", turns)
	}
	b.is(`[iot.state, iot.stats().connects]`, `["connected",1]`)
}

// A socket that does not get rid of its bytes is not given more and more of them.
func TestBackPressure(t *testing.T) {
	t.Parallel()
	release := make(chan struct{})
	endpoint := scripted(t, func(*websocket.Conn) { <-release })
	b := blank(t, serve(t))
	t.Cleanup(func() {
		select {
		case <-release:
		default:
			close(release)
		}
	})
	b.eval(`globalThis.sockets = []; const Real = WebSocket; globalThis.WebSocket = class extends Real { constructor(...a) { super(...a); sockets.push(this) } };
		await iot.connect({ endpoint: "`+endpoint+`" }); iot.subscribe("x", () => {}).catch(() => {}); await iot.publish("x", "");
		globalThis.most = 0; globalThis.left = 0; const payload = new Uint8Array(64 * 1024);
		for (let i = 0; i < 900; i++) iot.publish("x", payload).then(() => left++);
		for (let i = 0; i < 50; i++) { await new Promise((r) => setTimeout(r, 1)); most = Math.max(most, sockets[0].bufferedAmount) }`, nil)
	b.is(`[most > 64 * 2 ** 10, most < 6 * 2 ** 20, left < 450]`, `[true,true,true]`)
	close(release)
	b.until(`left === 900`)
	b.is(`iot.stats().bytesOut > 58e6`, `true`)
}

// The lean build is the same to a page.
func TestLean(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if err := os.CopyFS(dir, os.DirFS(filepath.Join(root, "www"))); err != nil {
		t.Fatal(err)
	}
	build := func(args ...string) string {
		t.Helper()
		cmd := exec.Command("go", append([]string{"run", "./internal/build"}, args...)...)
		cmd.Dir = root
		out, err := cmd.CombinedOutput()
		if err != nil {
			t.Fatalf("%v: %s", err, out)
		}
		return strings.TrimSpace(string(out))
	}
	build("-lean", "-o", filepath.Join(dir, "iot.wasm"))
	// The loader takes the wasm of its own build only.
	loader := filepath.Join(dir, "wasm_exec.js")
	script, err := os.ReadFile(loader)
	if err != nil {
		t.Fatal(err)
	}
	script = bytes.ReplaceAll(script, []byte(build("-stamp")), []byte(build("-lean", "-stamp")))
	if err := os.WriteFile(loader, script, 0o644); err != nil {
		t.Fatal(err)
	}
	b := blank(t, serve(t, "-www", dir))
	b.eval(`await iot.connect({ ...at, credentials: () => local.credentials }); globalThis.got = []; await iot.subscribe("lean/#", (m) => got.push(m.text()), { qos: 1 })`, nil)
	b.is(`await iot.publish("lean/1", "hello", { qos: 1 })`, `{"reasonCode":0}`)
	b.until(`got.length === 1`)
}
