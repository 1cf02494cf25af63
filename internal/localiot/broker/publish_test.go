package broker

import (
	"bytes"
	"testing"

	"iot.wasm/internal/localiot/mqtttest"

	"github.com/eclipse/paho.golang/packets"
)

func TestPublish(t *testing.T) {
	s := start(t, Options{})
	alice, _ := s.connect("alice", nil)
	bob, _ := s.connect("bob", nil)
	bob.Subscribe(1, "room/+", 1)

	alice.Publish(0, "room/0", "none acknowledged")
	if p := mqtttest.Receive[*packets.Publish](bob); p.QoS != 0 || p.Topic != "room/0" || string(p.Payload) != "none acknowledged" {
		t.Errorf("received %v", p)
	}

	alice.Publish(7, "room/1", "acknowledged")
	if ack := mqtttest.Receive[*packets.Puback](alice); ack.PacketID != 7 || ack.ReasonCode != 0 {
		t.Errorf("PUBACK %d 0x%02X, want 7 0x00", ack.PacketID, ack.ReasonCode)
	}
	p := mqtttest.Receive[*packets.Publish](bob)
	if p.QoS != 1 || p.Topic != "room/1" || string(p.Payload) != "acknowledged" {
		t.Errorf("received %v", p)
	}
	if p.Properties.MessageExpiry != nil {
		t.Errorf("the broker added a message expiry of %d", *p.Properties.MessageExpiry)
	}
	bob.Send(&packets.Puback{PacketID: p.PacketID})
	bob.Ping()
}

// The PUBACK has reason code 0x00, and does not contain the user properties of the PUBLISH.
func TestPubackOfUserProperties(t *testing.T) {
	s := start(t, Options{})
	c, _ := s.connect("c", nil)
	c.Send(&packets.Publish{PacketID: 9, QoS: 1, Topic: "t", Properties: &packets.Properties{
		User: []packets.User{{Key: "k", Value: "v"}},
	}})
	c.WantBytes("\x40\x02\x00\x09")
}

func TestMaximumQoS(t *testing.T) {
	s := start(t, Options{})
	c, _ := s.connect("c", nil)
	c.Send(&packets.Subscribe{PacketID: 1, Subscriptions: []packets.SubOptions{{Topic: "t", QoS: 2}}})
	c.WantDisconnect(0x9B)
	c, _ = s.connect("c", nil)
	c.Send(&packets.Publish{PacketID: 2, QoS: 2, Topic: "t", Properties: &packets.Properties{}})
	c.WantDisconnect(0x9B)
}

func TestQoS2WhereAllowed(t *testing.T) {
	s := start(t, Options{MaximumQoS: 2})
	c, ack := s.connect("c", nil)
	if ack.Properties.MaximumQOS != nil {
		t.Errorf("Maximum QoS %d is announced", *ack.Properties.MaximumQOS)
	}
	c.Subscribe(1, "t", 2)
	c.Send(&packets.Publish{PacketID: 2, QoS: 2, Topic: "t", Payload: []byte("once"), Properties: &packets.Properties{}})
	if p := mqtttest.Receive[*packets.Pubrec](c); p.PacketID != 2 {
		t.Fatalf("PUBREC %d, want 2", p.PacketID)
	}
	in := mqtttest.Receive[*packets.Publish](c)
	if in.QoS != 2 || string(in.Payload) != "once" {
		t.Fatalf("received %v", in)
	}
	c.Send(&packets.Pubrel{PacketID: 2})
	if p := mqtttest.Receive[*packets.Pubcomp](c); p.PacketID != 2 {
		t.Fatalf("PUBCOMP %d, want 2", p.PacketID)
	}
	c.Send(&packets.Pubrec{PacketID: in.PacketID})
	if p := mqtttest.Receive[*packets.Pubrel](c); p.PacketID != in.PacketID {
		t.Fatalf("PUBREL %d, want %d", p.PacketID, in.PacketID)
	}
	c.Send(&packets.Pubcomp{PacketID: in.PacketID})
	c.Ping()
}

func TestSubscriptions(t *testing.T) {
	s := start(t, Options{})
	c, _ := s.connect("c", nil)
	c.Send(&packets.Publish{Topic: "kept/1", Payload: []byte("kept"), Retain: true, Properties: &packets.Properties{}})
	c.Subscribe(1, "kept/#", 0)
	c.Subscribe(2, "kept/1", 0) // like AWS IoT, the broker sends retained messages only for a filter without wildcards
	if p := mqtttest.Receive[*packets.Publish](c); p.Topic != "kept/1" || !p.Retain {
		t.Errorf("received %v", p)
	}
	c.Send(&packets.Subscribe{PacketID: 3, Subscriptions: []packets.SubOptions{{Topic: "$SYS/broker/version"}}})
	if ack := mqtttest.Receive[*packets.Suback](c); !bytes.Equal(ack.Reasons, []byte{0x87}) {
		t.Errorf("SUBACK %x, want 87", ack.Reasons)
	}
	c.Subscribe(4, "$share/group/shared", 0)
	c.Publish(0, "shared", "one")
	if p := mqtttest.Receive[*packets.Publish](c); p.Topic != "shared" {
		t.Errorf("received %v", p)
	}
	c.Send(&packets.Unsubscribe{PacketID: 5, Topics: []string{"kept/#", "never"}})
	if ack := mqtttest.Receive[*packets.Unsuback](c); ack.PacketID != 5 || !bytes.Equal(ack.Reasons, []byte{0, 0x11}) {
		t.Errorf("UNSUBACK %d %x, want 5 0011", ack.PacketID, ack.Reasons)
	}
	c.Ping()
}

func TestTopicAlias(t *testing.T) {
	s := start(t, Options{})
	allow := uint16(10)
	c, _ := s.connect("c", func(p *packets.Connect) { p.Properties = &packets.Properties{TopicAliasMaximum: &allow} })
	c.Subscribe(1, "a/long/topic", 0)
	alias := uint16(8)
	for _, topic := range []string{"a/long/topic", ""} {
		c.Send(&packets.Publish{Topic: topic, Properties: &packets.Properties{TopicAlias: &alias}})
		p := mqtttest.Receive[*packets.Publish](c)
		if p.Topic != "a/long/topic" || p.Properties.TopicAlias != nil {
			t.Errorf("received %v", p)
		}
	}
}
