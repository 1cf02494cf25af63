package mqtt

import (
	"bytes"
	"reflect"
	"strings"
	"testing"

	"github.com/eclipse/paho.golang/packets"
)

// Each optional property of a will is encoded on its own, and paho decodes it.
func TestWillProperties(t *testing.T) {
	long := strings.Repeat("x", maxFieldLen)
	for _, c := range []struct {
		name string
		will Will
		want packets.Properties
	}{
		{"none", Will{}, packets.Properties{}},
		{"delay", Will{Delay: 1 << 31}, packets.Properties{WillDelayInterval: new(uint32(1 << 31))}},
		{"payload format", Will{PayloadFormatUTF8: true}, packets.Properties{PayloadFormat: new(byte(1))}},
		{"message expiry", Will{MessageExpiry: new(uint32(60))}, packets.Properties{MessageExpiry: new(uint32(60))}},
		{"message expiry of 0 seconds", Will{MessageExpiry: new(uint32(0))}, packets.Properties{MessageExpiry: new(uint32(0))}},
		{"content type", Will{ContentType: "text/plain"}, packets.Properties{ContentType: "text/plain"}},
		{"response topic", Will{ResponseTopic: "réply/to"}, packets.Properties{ResponseTopic: "réply/to"}},
		{"correlation data", Will{CorrelationData: []byte{0, 0xff}}, packets.Properties{CorrelationData: []byte{0, 0xff}}},
		{"longest values", Will{ContentType: long, ResponseTopic: long, CorrelationData: []byte(long)},
			packets.Properties{ContentType: long, ResponseTopic: long, CorrelationData: []byte(long)}},
		{"user properties", Will{User: []UserPair{{"k", "1"}, {"k", "2"}, {"", ""}}},
			packets.Properties{User: []packets.User{{Key: "k", Value: "1"}, {Key: "k", Value: "2"}, {}}}},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := c.will
			w.Topic, w.Payload, w.QoS = "w", []byte("offline"), 1
			b := appendConnect(nil, &ConnectOptions{ClientID: "c", Password: []byte("p"), Will: &w})
			cp, err := packets.ReadPacket(bytes.NewReader(b))
			if err != nil {
				t.Fatal(err)
			}
			p := cp.Content.(*packets.Connect)
			if p.WillTopic != "w" || string(p.WillMessage) != "offline" || p.WillQOS != 1 || string(p.Password) != "p" {
				t.Errorf("the rest of the payload: %v", p)
			}
			if !reflect.DeepEqual(*p.WillProperties, c.want) {
				t.Errorf("%v, want %v", p.WillProperties, &c.want)
			}
		})
	}
}
