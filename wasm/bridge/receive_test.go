package bridge

import (
	"bytes"
	"testing"

	"github.com/eclipse/paho.golang/packets"

	"iot.wasm/internal/pahotest"
	"iot.wasm/wasm/abi"
)

// TestSkippedPayload checks the record of a message whose payload is only partly in the
// input, and the number of processed bytes.
func TestSkippedPayload(t *testing.T) {
	p := online(t)
	p.call("onmessage", nil)
	frame := pahotest.Encode(t, packets.PUBLISH, &packets.Publish{Topic: "t", Payload: make([]byte, 70_000), Properties: &packets.Properties{}})
	if p.Header.Part != maxPart {
		t.Errorf("without large messages, a part has at most %d bytes, want %d", p.Header.Part, maxPart)
	}
	n := copy(p.input, frame[:1000])
	if got := p.Receive(p.id, 1, uint32(n), uint32(len(frame)-n), 0); got != uint32(len(frame)) {
		t.Errorf("%d bytes are processed, want %d", got, len(frame))
	}
	records, err := abi.Decode(p.table.Words())
	if err != nil || len(records) != 2 {
		t.Fatalf("records %+v, %v", records, err)
	}
	m, start := records[1].(abi.MessageRecord), abi.Address(p.input)
	if want := (abi.Span{Address: start, Length: uint32(len(frame))}); m.Packet != want || m.Flags&abi.FlagOwnMemory != 0 {
		t.Errorf("the packet is %+v with the flags %d, want %+v in the frame", m.Packet, m.Flags, want)
	}
	if want := (abi.Span{Address: start + uint32(len(frame)) - 70_000, Length: 70_000}); m.Payload != want {
		t.Errorf("the payload is %+v, want %+v", m.Payload, want)
	}
	if got := p.Receive(p.id, 2, 5, 7, 0); got != 12 {
		t.Errorf("%d bytes of another attempt are processed, want 12", got)
	}
}

// TestPart checks the size of the next part: it is small after a large message, and large
// after a small part in which the client has skipped nothing.
func TestPart(t *testing.T) {
	p := online(t)
	p.call("onmessage", nil)
	large := pahotest.Encode(t, packets.PUBLISH, &packets.Publish{Topic: "t", Payload: make([]byte, 50_000), Properties: &packets.Properties{}})
	small := pahotest.Encode(t, packets.PUBLISH, &packets.Publish{Topic: "t", Payload: make([]byte, 1000), Properties: &packets.Properties{}})
	for _, c := range []struct {
		name  string
		frame []byte
		part  int
		want  uint32
	}{
		{"a large message as a whole", large, len(large), startPart},
		{"a small message", small, len(small), startPart},
		{"the start of a large message", large, startPart, startPart},
		{"the start of many small messages", bytes.Repeat(small, 50), startPart, maxPart},
		{"many small messages", bytes.Repeat(small, 50), 50 * len(small), maxPart},
		{"a packet without a record", []byte{0xd0, 0}, 2, maxPart},
		{"a large message, and the start of another one", append(bytes.Clone(large), large[:5000]...), len(large) + 5000, startPart},
		{"the rest of a message", large[5000:], len(large) - 5000, startPart},
	} {
		copy(p.input, c.frame[:c.part])
		p.Receive(p.id, 1, uint32(c.part), uint32(len(c.frame)-c.part), 0)
		if p.Header.Part != c.want || p.Header.CrashLength > 0 {
			t.Errorf("after %s, the next part has at most %d bytes, want %d", c.name, p.Header.Part, c.want)
		}
	}
}
