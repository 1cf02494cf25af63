package mqtt

import (
	"bytes"
	"testing"
)

func TestVarint(t *testing.T) {
	for _, c := range []struct {
		in   []byte
		v    uint32
		n    int
		name string
	}{
		{[]byte{0}, 0, 1, "zero"},
		{[]byte{0x7f}, 127, 1, "largest in one byte"},
		{[]byte{0x80, 1}, 128, 2, "smallest in two bytes"},
		{[]byte{0xff, 0xff, 0xff, 0x7f}, maxVarint, 4, "largest"},
		{[]byte{0xff, 0xff, 0xff, 0xff}, 0, -1, "four bytes with continuation"},
		{[]byte{0xff, 0xff, 0xff, 0xff, 1}, 0, -1, "five bytes"},
		{[]byte{0x80, 0}, 0, -1, "longer than necessary"},
		{[]byte{0x80, 0x80, 0}, 0, -1, "longer than necessary by two"},
		{[]byte{0x80}, 0, 0, "truncated"},
		{nil, 0, 0, "empty"},
	} {
		if v, n := readVarint(c.in); v != c.v || n != c.n {
			t.Errorf("%s: %x gives %d, %d; want %d, %d", c.name, c.in, v, n, c.v, c.n)
		}
		if c.n > 0 {
			if got := appendVarint(nil, c.v); !bytes.Equal(got, c.in) {
				t.Errorf("%d encodes to %x, want %x", c.v, got, c.in)
			}
			if got := varintLen(int(c.v)); got != c.n {
				t.Errorf("varintLen(%d) = %d, want %d", c.v, got, c.n)
			}
		}
	}
}
