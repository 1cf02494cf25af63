package broker

import (
	"testing"

	"github.com/mochi-mqtt/server/v2/packets"
)

// An interval of 0 becomes 1. A packet without the interval remains so.
func TestRaiseExpiry(t *testing.T) {
	const connect = "\x00\x04MQTT\x05\x06\x00\x3c"
	for _, test := range []struct {
		header, body string
		want         uint32
	}{
		{"\x30", "\x00\x01t\x00x", 0},
		{"\x30", "\x00\x01t\x05\x02\x00\x00\x00\x00x", 1},
		{"\x30", "\x00\x01t\x05\x02\x00\x00\x00\x07x", 7},
		{"\x32", "\x00\x01t\x00\x09\x05\x02\x00\x00\x00\x00", 1},
		{"\x32", "\x00\x01t\x00\x09\x25\x01\x01\x23\x00\x02\x03\x00\x01\x02\x08\x00\x01\x02\x09\x00\x02\x02\x02\x26\x00\x01\x02\x00\x03\x02\x02\x02\x26\x00\x00\x00\x00\x02\x00\x00\x00\x00", 1},
		{"\x30", "\x00\x01t\x04\x03\x00\x01\x02", 0},
		{"\x10", connect + "\x00\x00\x01c\x05\x02\x00\x00\x00\x00\x00\x01w\x00\x01x", 1},
		{"\x10", connect + "\x05\x11\x00\x00\x00\x02\x00\x01c\x0a\x18\x00\x00\x00\x02\x02\x00\x00\x00\x00\x00\x01w\x00\x01x", 1},
		{"\x10", connect + "\x05\x11\x00\x00\x00\x02\x00\x01c\x05\x18\x00\x00\x00\x02\x00\x01w\x00\x01x", 0},
		{"\x10", connect + "\x05\x11\x00\x00\x00\x02\x00\x01c\x05\x02\x00\x00\x00\x03\x00\x01w\x00\x01x", 3},
	} {
		version := byte(5)
		if test.header == "\x10" {
			version = 0 // before the CONNECT
		}
		pk, err := decode([]byte(test.header+string(rune(len(test.body)))+test.body), version)
		if err != nil {
			t.Errorf("%x: %v", test.body, err)
		}
		got := pk.Properties.MessageExpiryInterval
		if pk.FixedHeader.Type == packets.Connect {
			got = pk.Connect.WillProperties.MessageExpiryInterval
		}
		if got != test.want {
			t.Errorf("%x: the interval is %d, want %d", test.body, got, test.want)
		}
	}
}
