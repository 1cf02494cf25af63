package wasmfile

import (
	"bytes"
	"math"
	"slices"
	"testing"
)

func TestSigned(t *testing.T) {
	for _, v := range []int32{0, 1, -1, 63, 64, -64, -65, 8191, 1 << 20, math.MaxInt32, math.MinInt32} {
		b := appendSigned(nil, v)
		got, used := readSigned(append(slices.Clone(b), 0xff))
		if int32(got) != v || used != len(b) {
			t.Errorf("%d is encoded as % x and decoded as %d, %d bytes", v, b, int32(got), used)
		}
	}
	if _, used := readSigned([]byte{0x80, 0x80}); used != 0 {
		t.Error("a truncated number is decoded")
	}
}

func TestJoinSegments(t *testing.T) {
	module := func(list ...segment) []byte {
		body := appendSegments(nil, list)
		b := append([]byte("\x00asm\x01\x00\x00\x00"), 1, 1, 0) // the header and an empty type section
		b = append(b, dataSection, byte(len(body)))
		return append(b, body...)
	}
	far := uint32(2 + joinGap)
	got, err := joinSegments(module(segment{far + 4, []byte{5}}, segment{0, []byte{1, 2}}, segment{far, []byte{3}}, segment{0xffff0000, []byte{6}}))
	if err != nil {
		t.Fatal(err)
	}
	whole := slices.Concat([]byte{1, 2}, make([]byte, joinGap), []byte{3, 0, 0, 0, 5})
	if want := module(segment{0, whole}, segment{0xffff0000, []byte{6}}); !bytes.Equal(got, want) {
		t.Errorf("joined to % x,\nwant % x", got, want)
	}
	for name, b := range map[string][]byte{
		"empty":                      nil,
		"truncated":                  module(segment{0, []byte{1, 2}})[:14],
		"another address expression": append([]byte("\x00asm\x01\x00\x00\x00"), dataSection, 2, 1, 1),
		"too many bytes":             append([]byte("\x00asm\x01\x00\x00\x00"), dataSection, 2, 0, 1),
		"too few segments":           append([]byte("\x00asm\x01\x00\x00\x00"), dataSection, 1, 9),
	} {
		if _, err := joinSegments(b); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}
