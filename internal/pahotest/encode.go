// Package pahotest encodes MQTT packets with paho, for the tests of other packages.
package pahotest

import (
	"bytes"
	"testing"

	"github.com/eclipse/paho.golang/packets"
)

// Encode returns the bytes of a control packet. kind is its packet type, for example
// packets.CONNACK, and content its paho struct. Encode fails the test if paho cannot encode
// the packet.
func Encode(t testing.TB, kind byte, content packets.Packet) []byte {
	t.Helper()
	packet := packets.NewControlPacket(kind)
	packet.Content = content
	var b bytes.Buffer
	if _, err := packet.WriteTo(&b); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}
