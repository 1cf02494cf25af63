package e2e

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/eclipse/paho.golang/packets"
	"nhooyr.io/websocket"

	"iot.wasm/test/harness"
)

// The payloads of messages arrive unchanged for all sizes of packets and frames. The wasm
// does not get all bytes of large payloads, except if it holds the message, or if the page
// listens for packets.
func TestPayloadsOfAllSizes(t *testing.T) {
	t.Parallel()
	const messages = 400
	phase := 0
	endpoint := scripted(t, func(ws *websocket.Conn) {
		phase++
		if phase == 3 { // the page subscribes to late/#
			return
		}
		r := rand.New(rand.NewPCG(14, uint64(phase)))
		var stream []byte
		for i := range messages {
			size := 4 + r.IntN([]int{10, 300, 3000, 20_000, 100_000, 1_500_000}[min(r.IntN(6), r.IntN(6))])
			topic := fmt.Sprintf("frames%d/%d", phase, i%5)
			p := &packets.Publish{Topic: topic, Payload: pattern(i, size), Properties: properties()}
			if i%10 == 0 {
				p.Topic, p.QoS, p.PacketID = fmt.Sprintf("late/%d", phase), 1, uint16(1+i)
			}
			if r.IntN(10) == 0 { // the properties may be longer than the first part of a frame
				p.Properties.User = []packets.User{{Key: "k", Value: strings.Repeat("v", r.IntN(3000))}}
			}
			var b bytes.Buffer
			_, _ = p.WriteTo(&b)
			stream = append(stream, b.Bytes()...)
		}
		for len(stream) > 0 {
			n := min(len(stream), 1+r.IntN([]int{100, 70_000, 300_000, 5_000_000}[r.IntN(4)]))
			_ = ws.Write(t.Context(), websocket.MessageBinary, stream[:n])
			stream = stream[n:]
		}
	})
	b := openModule(t, harness.Serve(t))
	b.Eval(`globalThis.log = { frames1: [], frames2: [], late: [] }; globalThis.sizes = [];
		globalThis.record = ({ topic, payload }) => {
			const i = new DataView(payload.buffer, payload.byteOffset).getUint32(0);
			const wrong = payload.findIndex((byte, at) => at > 3 && byte !== (i + at * 7) % 251);
			if (topic.startsWith("frames1") && i % 60 === 1) iot.publish("echo", new Uint8Array(6_000_000 + i * 100_000)); // the wasm's memory grows between two parts of a frame
			log[topic.split("/")[0]].push(wrong < 0 ? i : topic + ": byte " + wrong + " of " + payload.length + " is wrong");
		};
		globalThis.ordered = (list, step) => list.map((i, at) => i - list[at - 1]).filter((d, at) => at > 0 && typeof list[at] === "number" && d !== 1 && !(d === 2 && list[at] % 10 === 1)).length;
		await iot.connect({ endpoint: "`+endpoint+`", unclaimedTimeoutMs: 600_000 }); await iot.subscribe("frames1/#", record)`, nil)
	want := messages - messages/10
	b.Until(fmt.Sprintf(`log.frames1.length >= %d`, want))
	b.Is(`[log.frames1.filter((i) => typeof i === "string"), ordered(log.frames1), log.frames1.at(-1)]`, fmt.Sprintf(`[[],0,%d]`, messages-1))

	b.Eval(`iot.addEventListener("packet", ({ detail: { direction, size, bytes } }) => direction === "in" && sizes.push([size, bytes.length])); await iot.subscribe("frames2/#", record)`, nil)
	b.Until(fmt.Sprintf(`log.frames2.length >= %d`, want))
	b.Is(`[log.frames2.filter((i) => typeof i === "string"), ordered(log.frames2), log.frames2.at(-1)]`, fmt.Sprintf(`[[],0,%d]`, messages-1))
	b.Is(fmt.Sprintf(`[sizes.length >= %d, sizes.every(([size, n]) => n === Math.min(size, 65536)), Math.max(...sizes.map(([size]) => size)) > 65536]`, messages), `[true,true,true]`)

	b.Eval(`await iot.subscribe("late/#", record)`, nil)
	b.Until(fmt.Sprintf(`log.late.length >= %d`, 2*messages/10))
	b.Is(`log.late.filter((i, at) => i !== (at * 10) % 400)`, `[]`)
	b.Is(`iot.state`, `"connected"`)
}

// pattern returns a payload of n bytes, at least 4, that begins with its number i.
func pattern(i, n int) []byte {
	p := binary.BigEndian.AppendUint32(make([]byte, 0, n), uint32(i))
	for at := 4; at < n; at++ {
		p = append(p, byte((i+at*7)%251))
	}
	return p
}
