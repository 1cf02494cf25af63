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
		{[]byte{0x7f}, 127, 1, "largest of one byte"},
		{[]byte{0x80, 1}, 128, 2, "smallest of two"},
		{[]byte{0xff, 0xff, 0xff, 0x7f}, maxVarint, 4, "largest"},
		{[]byte{0xff, 0xff, 0xff, 0xff}, 0, -1, "four bytes that go on"},
		{[]byte{0xff, 0xff, 0xff, 0xff, 1}, 0, -1, "five bytes"},
		{[]byte{0x80, 0}, 0, -1, "longer than it need be"},
		{[]byte{0x80, 0x80, 0}, 0, -1, "longer than it need be, by two"},
		{[]byte{0x80}, 0, 0, "cut"},
		{nil, 0, 0, "nothing"},
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

func TestPropertiesComeBack(t *testing.T) {
	want := []Property{
		{ID: PayloadFormat, Number: 1},
		{ID: MessageExpiry, Number: 0xfffffffe},
		{ID: ContentType, Data: []byte("text/plain")},
		{ID: ResponseTopic, Data: []byte("a/b")},
		{ID: CorrelationData, Data: []byte{0, 1, 0xff}},
		{ID: UserProperty, Data: []byte("k"), Value: []byte("")},
		{ID: UserProperty, Data: []byte("k"), Value: []byte("ü")},
	}
	var raw []byte
	for _, p := range want {
		raw = appendProperty(raw, p)
	}
	if err := checkProperties(typePublish, raw); err != nil {
		t.Fatal(err)
	}
	i := 0
	for p, rest, ok := NextProperty(raw); ok; p, rest, ok = NextProperty(rest) {
		w := want[i]
		if p.ID != w.ID || p.Number != w.Number || !bytes.Equal(p.Data, w.Data) || !bytes.Equal(p.Value, w.Value) {
			t.Errorf("property %d is %v, want %v", i, p, w)
		}
		i++
	}
	if i != len(want) {
		t.Errorf("%d properties, want %d", i, len(want))
	}
}
