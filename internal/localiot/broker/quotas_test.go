package broker

import (
	"bytes"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"iot.wasm/internal/localiot/mqtttest"

	"github.com/eclipse/paho.golang/packets"
)

func TestTopicQuota(t *testing.T) {
	long := strings.Repeat("ü", 128)
	for topic, want := range map[string]bool{
		"a/b/c/d/e/f/g/h":                         true,
		"a/b/c/d/e/f/g/h/":                        false,
		long:                                      true,
		long + "x":                                false,
		"$aws/rules/rule/a/b/c/d/e/f/g/h":         true,
		"$aws/rules/rule/a/b/c/d/e/f/g/h/":        false,
		"$aws/rules/rule/" + long:                 true,
		"$share/group/a/b/c/d/e/f/g/#":            true,
		"$share/group/a/b/c/d/e/f/g/h/#":          false,
		"$aws/things/a/shadow/name/b/get/d":       true,
		"$aws/things/a/shadow/name/b/get/d/e/f/g": false,
	} {
		if got := fitsQuota(topic); got != want {
			t.Errorf("%s: %v, want %v", topic, got, want)
		}
	}
}

func TestStructuralQuotas(t *testing.T) {
	s := start(t, Options{})
	c, _ := s.connect("c", nil)
	payload := strings.Repeat("x", maxPayload)
	for _, test := range []struct {
		topic, payload string
		reason         byte
	}{
		{"t", payload, 0}, {"t", payload + "x", 0x97}, {"a/b/c/d/e/f/g/h", "", 0}, {"a/b/c/d/e/f/g/h/i", "", 0x90}, {strings.Repeat("t", 257), "", 0x90},
	} {
		c.Publish(3, test.topic, test.payload)
		if ack := mqtttest.Receive[*packets.Puback](c); ack.PacketID != 3 || ack.ReasonCode != test.reason {
			t.Errorf("%d bytes to %.20s: PUBACK %d 0x%02X, want 3 0x%02X", len(test.payload), test.topic, ack.PacketID, ack.ReasonCode, test.reason)
		}
	}
	// A PUBLISH with QoS 0 has no acknowledgement, so the connection closes.
	c.Publish(0, "t", payload+"x")
	c.WantDisconnect(0x97)
	c, _ = s.connect("c", nil)
	c.Publish(0, "a/b/c/d/e/f/g/h/i", "")
	c.WantDisconnect(0x90)
	// MQTT 3.1.1 has no reason codes.
	c = s.open()
	c.SendBytes([]byte("\x10\x0d\x00\x04MQTT\x04\x02\x00\x3c\x00\x01c"))
	c.SendBytes([]byte("\x32\x15\x00\x11a/b/c/d/e/f/g/h/i\x00\x01"))
	if message, err := c.Read(); err != nil || message[0] != 0x20 {
		t.Fatalf("% x, %v; want a CONNACK", message, err)
	}
	c.WantClose()
}

// filters returns n different filters. Their last level is a number, which begins at from.
func filters(from, n int) (list []packets.SubOptions) {
	for i := range n {
		list = append(list, packets.SubOptions{Topic: fmt.Sprint("t/", from+i)})
	}
	return list
}

func TestSubscriptionQuotas(t *testing.T) {
	s := start(t, Options{})
	c, _ := s.connect("c", nil)
	subscribe := func(list []packets.SubOptions, want ...byte) {
		t.Helper()
		c.Send(&packets.Subscribe{PacketID: 1, Subscriptions: list})
		if got := mqtttest.Receive[*packets.Suback](c).Reasons; !bytes.Equal(got, want) {
			t.Errorf("SUBACK %x, want %x", got, want)
		}
	}
	for i := range 6 {
		subscribe(filters(8*i, 8), make([]byte, 8)...)
	}
	subscribe([]packets.SubOptions{{Topic: "a/b/c/d/e/f/g/h/#"}, {Topic: "t/0"}, {Topic: "t/48"}, {Topic: "a/#/b"}}, 0x8F, 0, 0, 0x8F)
	subscribe([]packets.SubOptions{{Topic: "t/49"}, {Topic: "t/50"}, {Topic: "t/1"}}, 0, 0x97, 0)
	c.Send(&packets.Unsubscribe{PacketID: 2, Topics: []string{"t/0"}})
	mqtttest.Receive[*packets.Unsuback](c)
	subscribe(filters(50, 1), 0)
	subscribe(filters(51, 1), 0x97)

	c.Send(&packets.Subscribe{PacketID: 1, Subscriptions: filters(0, 9)})
	c.WantDisconnect(0x97)
	c, _ = s.connect("c", nil)
	var topics []string
	for _, f := range filters(0, 9) {
		topics = append(topics, f.Topic)
	}
	c.Send(&packets.Unsubscribe{PacketID: 1, Topics: topics})
	c.WantDisconnect(0x97)
}

func TestNoQuotas(t *testing.T) {
	s := start(t, Options{NoQuotas: true, MaximumQoS: 2})
	c, _ := s.connect("$"+strings.Repeat("c", 128), nil)
	c.Send(&packets.Subscribe{PacketID: 1, Subscriptions: filters(0, 60)})
	if got := mqtttest.Receive[*packets.Suback](c).Reasons; !bytes.Equal(got, make([]byte, 60)) {
		t.Errorf("SUBACK %x", got)
	}
	c.Publish(2, strings.Repeat("t/", 300), strings.Repeat("x", maxPayload+1))
	if got := mqtttest.Receive[*packets.Puback](c).ReasonCode; got != 0 {
		t.Errorf("PUBACK 0x%02X", got)
	}
	c.Send(&packets.Publish{PacketID: 3, QoS: 2, Topic: "two", Properties: &packets.Properties{}})
	mqtttest.Receive[*packets.Pubrec](c)
}

func TestRateQuotas(t *testing.T) {
	var elapsed atomic.Int64 // in seconds; only the test advances the broker's clock
	begin := time.Now()
	s := start(t, Options{RateQuotas: true, Now: func() time.Time { return begin.Add(time.Duration(elapsed.Load()) * time.Second) }})
	c, _ := s.connect("c", nil)
	again := s.open()
	if got := again.Connect("c", nil).ReasonCode; got != 0x97 {
		t.Errorf("CONNACK 0x%02X for the second CONNECT of a second, want 0x97", got)
	}
	sub, _ := s.connect("sub", nil)
	sub.Subscribe(1, "t", 0)
	for _, want := range []int{100, 99} { // in round 2, the message "end" counts too
		for range 150 {
			c.Publish(0, "t", "")
		}
		c.Ping()
		for range want {
			mqtttest.Receive[*packets.Publish](sub)
		}
		elapsed.Add(1)
		c.Publish(0, "t", "end")
		if p := mqtttest.Receive[*packets.Publish](sub); string(p.Payload) != "end" {
			t.Errorf("more than %d messages", want)
		}
	}
	s.connect("c", nil)
}
