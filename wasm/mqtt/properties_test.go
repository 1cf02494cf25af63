package mqtt

import (
	"bytes"
	"testing"
)

func TestPropertiesRoundTrip(t *testing.T) {
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
