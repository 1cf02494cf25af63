package broker

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"iot.wasm/internal/localiot/mqtttest"

	"github.com/eclipse/paho.golang/packets"
)

// connect3 returns a CONNECT of MQTT 3.1 or 3.1.1.
func connect3(level byte, flags byte, id string) []byte {
	name := "MQTT"
	if level == 3 {
		name = "MQIsdp"
	}
	body := fmt.Sprintf("\x00%c%s%c%c\x00\x3c\x00%c%s", len(name), name, level, flags, len(id), id)
	return append([]byte{0x10, byte(len(body))}, body...)
}

const cleanSession = 2

// A CONNACK of MQTT 3.1.1 has the codes 0 to 5.
func TestConnackOfVersion3(t *testing.T) {
	refuse := byte(0)
	s := start(t, Options{RefuseConnect: func() (byte, bool) { return refuse, refuse != 0 }})
	will := func(topic string) []byte {
		p := connect3(4, cleanSession|4, "c")
		p = append(p, 0, byte(len(topic)))
		p = append(append(p, topic...), 0, 0)
		p[1] = byte(len(p) - 2)
		return p
	}
	for _, test := range []struct {
		name    string
		connect []byte
		refuse  byte
		code    byte
	}{
		{"accepted", connect3(4, cleanSession, "c"), 0, 0},
		{"MQTT 3.1", connect3(3, cleanSession, "c"), 0, 0},
		{"no client id", connect3(4, cleanSession, ""), 0, 0},
		{"unknown version", []byte("\x10\x0d\x00\x04MQTT\x06\x02\x00\x3c\x00\x01c"), 0, 1},
		{"MQTT with level 3", []byte("\x10\x0d\x00\x04MQTT\x03\x02\x00\x3c\x00\x01c"), 0, 1},
		{"MQIsdp with level 4", []byte("\x10\x0f\x00\x06MQIsdp\x04\x02\x00\x3c\x00\x01c"), 0, 1},
		{"client id with $", connect3(4, cleanSession, "$c"), 0, 2},
		{"client id too long", connect3(4, cleanSession, strings.Repeat("c", 101)+strings.Repeat("d", 0)), 0, 0},
		{"no client id and a session", connect3(4, 0, ""), 0, 2},
		{"MQTT 3.1 without a client id", connect3(3, cleanSession, ""), 0, 2},
		{"server unavailable", connect3(4, cleanSession, "c"), 0x88, 3},
		{"quota", connect3(4, cleanSession, "c"), 0x97, 3},
		{"password", connect3(4, cleanSession, "c"), 0x86, 4},
		{"not authorized", connect3(4, cleanSession, "c"), 0x87, 5},
		{"will for a reserved topic", will("$aws/x"), 0, 5},
	} {
		t.Run(test.name, func(t *testing.T) {
			refuse = test.refuse
			c := s.in(t).open()
			c.SendBytes(test.connect)
			c.WantBytes("\x20\x02\x00" + string(test.code))
			if test.code != 0 {
				c.WantClose()
			} else {
				c.Ping()
			}
		})
	}
	refuse = 0
	for name, connect := range map[string][]byte{
		"unknown protocol": []byte("\x10\x0d\x00\x04MQTX\x04\x02\x00\x3c\x00\x01c"),
		"reserved flag":    connect3(4, 3, "c"),
	} {
		t.Run(name, func(t *testing.T) {
			c := s.in(t).open()
			c.SendBytes(connect)
			c.WantClose()
		})
	}
}

// A session of MQTT 3.1.1 without Clean Session stores messages.
func TestSessionOfVersion3(t *testing.T) {
	s := start(t, Options{})
	c := s.open()
	c.SendBytes(connect3(4, 0, "c"))
	c.WantBytes("\x20\x02\x00\x00")
	c.SendBytes([]byte("\x82\x0b\x00\x01\x00\x01t\x01\x00\x02a+\x00"))
	c.WantBytes("\x90\x04\x00\x01\x01\x80")
	c.SendBytes([]byte("\xe0\x00"))
	c.WantClose()
	other, _ := s.connect("other", nil)
	expiry := uint32(60)
	other.Send(&packets.Publish{PacketID: 1, QoS: 1, Topic: "t", Payload: []byte("hi"), Properties: &packets.Properties{MessageExpiry: &expiry, ContentType: "x"}})
	mqtttest.Receive[*packets.Puback](other)
	c = s.open()
	c.SendBytes(connect3(4, 0, "c"))
	c.WantBytes("\x20\x02\x01\x00\x32\x07\x00\x01t\x00\x01hi")
	c.SendBytes([]byte("\x40\x02\x00\x01\xa2\x05\x00\x02\x00\x01t"))
	c.WantBytes("\xb0\x02\x00\x02")

	// A client with the other version cannot resume the session, but can replace it.
	again := s.open()
	if ack := again.Connect("c", mqtttest.WithSession(false, 10)); ack.ReasonCode != 0x80 || ack.SessionPresent {
		t.Errorf("CONNACK 0x%02X, want 0x80", ack.ReasonCode)
	}
	again.WantClose()
	c.Ping()
	s.connect("c", mqtttest.WithSession(true, 10))
	c = s.open()
	c.SendBytes(connect3(4, 0, "c"))
	c.WantBytes("\x20\x02\x00\x03")
	c = s.open()
	c.SendBytes(connect3(3, 2, "c"))
	c.WantBytes("\x20\x02\x00\x00")
}

// The broker assigns a client id that cannot be used again.
func TestAssignedClientID(t *testing.T) {
	for _, o := range []Options{{}, {NoQuotas: true}} {
		s := start(t, o)
		c, ack := s.connect("", mqtttest.WithSession(true, 10))
		id := ack.Properties.AssignedClientID
		if !strings.HasPrefix(id, "$GEN/") || len(id) != len("$GEN/")+36 {
			t.Errorf("assigned client id %q", id)
		}
		if _, again := s.connect("", nil); again.Properties.AssignedClientID == id {
			t.Errorf("the client id %q was assigned twice", id)
		}
		leave(c)
		if ack := s.open().Connect(id, mqtttest.WithSession(false, 10)); ack.ReasonCode != 0x85 {
			t.Errorf("CONNACK 0x%02X, want 0x85", ack.ReasonCode)
		}
	}
}

// The Authorizer and Login get the assigned client id.
func TestPolicyOfAssignedClientID(t *testing.T) {
	s := start(t, Options{})
	var login string
	a := new(rules)
	s.options = ConnOptions{Login: func(id, _ string, _ []byte) (Authorizer, error) {
		login = id
		return a, nil
	}}
	_, ack := s.connect("", nil)
	id := ack.Properties.AssignedClientID
	if want := []string{id + " false false"}; login != id || !slices.Equal(a.connects, want) {
		t.Errorf("Login got %q, and the Authorizer %q; want %q", login, a.connects, want)
	}
}

func TestAuthenticationMethod(t *testing.T) {
	s := start(t, Options{})
	c := s.open()
	if ack := c.Connect("c", func(p *packets.Connect) { p.Properties = &packets.Properties{AuthMethod: "SCRAM"} }); ack.ReasonCode != 0x8C {
		t.Errorf("CONNACK 0x%02X, want 0x8C", ack.ReasonCode)
	}
	c.WantClose()
}

// The expiry of a session is at most one hour, also in a DISCONNECT.
func TestSessionExpiry(t *testing.T) {
	s := start(t, Options{})
	for _, asked := range []uint32{0, 1, 3600, 3601, 1<<32 - 1} {
		c, ack := s.connect("c", func(p *packets.Connect) { p.Properties = &packets.Properties{SessionExpiryInterval: &asked} })
		if got := ack.Properties.SessionExpiryInterval; asked <= 3600 && got != nil || asked > 3600 && (got == nil || *got != 3600) {
			t.Errorf("asked for %d s: got %v", asked, got)
		}
		want := min(asked, 3600)
		if got := s.session("c").expiry.Seconds(); got != float64(want) {
			t.Errorf("asked for %d s: the session expires after %v s", asked, got)
		}
		if asked == 1 {
			longer := uint32(1 << 31)
			c.Send(&packets.Disconnect{Properties: &packets.Properties{SessionExpiryInterval: &longer}})
			c.WantClose()
			if got := s.session("c").expiry.Seconds(); got != 3600 {
				t.Errorf("after DISCONNECT the session expires after %v s", got)
			}
		}
		if asked == 0 {
			longer := uint32(10)
			c.Send(&packets.Disconnect{Properties: &packets.Properties{SessionExpiryInterval: &longer}})
			c.WantDisconnect(0x82)
		}
	}
	// A session ends by itself.
	c, _ := s.connect("c", func(p *packets.Connect) {
		second := uint32(1)
		p.Properties = &packets.Properties{SessionExpiryInterval: &second}
	})
	session := s.session("c")
	leave(c)
	for s.session("c") == session {
	}
}
