package broker

import (
	"bytes"
	"testing"

	"iot.wasm/internal/localiot/mqtttest"

	"github.com/eclipse/paho.golang/packets"
)

// A will keeps its properties, and a delayed will its own expiry.
func TestWillProperties(t *testing.T) {
	s := start(t, Options{})
	watcher, _ := s.connect("watcher", nil)
	watcher.Subscribe(1, "gone", 1)
	for _, delay := range []byte{0, 1} {
		c := s.open()
		// paho does not encode all properties of a will.
		properties := "\x18\x00\x00\x00" + string(delay) + "\x02\x00\x00\x00\x3c" + "\x01\x01" + "\x03\x00\x0atext/plain" +
			"\x08\x00\x04back" + "\x09\x00\x02\x00\xff" + "\x26\x00\x01k\x00\x01v" + "\x26\x00\x01k\x00\x01w"
		body := "\x00\x04MQTT\x05\x0e\x00\x3c\x05\x11\x00\x00\x01\x2c\x00\x01c" + string(rune(len(properties))) + properties + "\x00\x04gone\x00\x03bye"
		c.SendBytes([]byte("\x10" + string(rune(len(body))) + body))
		mqtttest.Receive[*packets.Connack](c)
		c.WS.CloseNow()
		p := mqtttest.Receive[*packets.Publish](watcher)
		q := p.Properties
		if string(p.Payload) != "bye" || p.QoS != 1 || q.MessageExpiry == nil || *q.MessageExpiry != 60 || q.PayloadFormat == nil || *q.PayloadFormat != 1 ||
			q.ContentType != "text/plain" || q.ResponseTopic != "back" || !bytes.Equal(q.CorrelationData, []byte{0, 255}) || len(q.User) != 2 || q.User[1].Value != "w" {
			t.Errorf("delay %d: received %v", delay, p)
		}
		watcher.Send(&packets.Puback{PacketID: p.PacketID})
	}
}

// The session's end sends a delayed will. The client may thereby hasten it.
func TestDelayedWillAtEndOfSession(t *testing.T) {
	s := start(t, Options{})
	watcher, _ := s.connect("watcher", nil)
	watcher.Subscribe(1, "gone", 0)
	c, _ := s.connect("c", willConnect(60, 300, true))
	c.WS.CloseNow()
	s.waitOffline("c")
	s.endInTime("c")
	wantMessage(t, watcher, "gone", "bye", 0)

	c, _ = s.connect("c", willConnect(60, 300, true))
	zero := uint32(0)
	c.Send(&packets.Disconnect{ReasonCode: 4, Properties: &packets.Properties{SessionExpiryInterval: &zero}})
	wantMessage(t, watcher, "gone", "bye", 0)

	// A retained will.
	c, _ = s.connect("c", func(p *packets.Connect) {
		willConnect(0, 0, true)(p)
		p.WillRetain = true
	})
	c.WS.CloseNow()
	wantMessage(t, watcher, "gone", "bye", 0)
	if r, ok := s.Retained("gone"); !ok || string(r.Payload) != "bye" {
		t.Errorf("the will is not retained: %v", r)
	}
}
