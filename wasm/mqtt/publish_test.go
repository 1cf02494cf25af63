package mqtt

import (
	"math/rand/v2"
	"reflect"
	"strings"
	"testing"
)

// compareDecoders compares decodeSimplePublish with decodePublish. b begins with a packet. The
// result is whether decodeSimplePublish accepts it.
func compareDecoders(t *testing.T, b []byte) bool {
	t.Helper()
	simple := Publish{Duplicate: true, Missing: 1, Ticket: 1, alias: 1, packetID: 1, Properties: b}
	size := decodeSimplePublish(&simple, b)
	if size == 0 {
		return false
	}
	e := NewEngine(discardHandler{}, 0)
	e.state = connected
	header, want, err := e.packetSize(b)
	if err != nil || size != want || size > len(b) {
		t.Fatalf("%x: the simple decoder finds %d bytes, want %d: %v", b, size, want, err)
	}
	var m Publish
	if err := decodePublish(&m, b[0]&15, b[header:size]); err != nil {
		t.Fatalf("%x: only the simple decoder accepts the packet: %v", b, err)
	}
	m.Packet = b[:size]
	if len(m.Properties) == 0 {
		m.Properties = nil
	}
	if !reflect.DeepEqual(simple, m) {
		t.Fatalf("%x: the simple decoder returns\n%+v, want\n%+v", b, simple, m)
	}
	return true
}

// TestSimplePublish compares the decoders for random packets, for packets with an error, and
// for parts of packets.
func TestSimplePublish(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	accepted := 0
	for range 100_000 {
		topic := []byte(strings.Repeat("topic/", 4)[:r.IntN(24)])
		b := appendPublish(nil, topic, nil, make([]byte, []int{0, 1, 100, 127, 16383, 16400}[r.IntN(6)]), byte(r.IntN(3)), r.IntN(2) == 0, false, uint16(r.IntN(3)), 0)
		b = append(b, 0x30, 0)
		for range r.IntN(3) {
			b[r.IntN(min(len(b), 30))] = byte(r.Uint32())
		}
		if r.IntN(4) == 0 {
			b = b[:1+r.IntN(len(b))]
		}
		if compareDecoders(t, b) {
			accepted++
		}
	}
	if accepted < 10_000 {
		t.Errorf("the simple decoder accepts only %d packets", accepted)
	}
}

// TestScanTopic compares scanTopic with the rules of a topic, for each byte in each position.
func TestScanTopic(t *testing.T) {
	hashes := map[uint32]bool{}
	for n := 1; n < 26; n++ {
		for at := range n {
			for c := range 256 {
				topic := []byte(strings.Repeat("t", n))
				topic[at] = byte(c)
				_, simple := scanTopic(topic)
				if want := c >= '$' && c < 0x80 && c != '+'; simple != want {
					t.Fatalf("scanTopic(%q) is %t, want %t", topic, simple, want)
				}
			}
		}
	}
	for i := range 64 {
		hash, _ := scanTopic([]byte("sensors/temperature/" + string(rune('0'+i)) + "/value"))
		hashes[hash>>26] = true
	}
	if len(hashes) < 30 {
		t.Errorf("64 topics have only %d hashes of 6 bits", len(hashes))
	}
	if _, simple := scanTopic(nil); simple {
		t.Error("an empty topic is simple")
	}
}
