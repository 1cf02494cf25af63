package broker

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
	"time"

	"iot.wasm/internal/localiot/mqtttest"

	"github.com/eclipse/paho.golang/packets"
)

func TestConnack(t *testing.T) {
	s := start(t, Options{})
	_, ack := s.connect("limits", func(p *packets.Connect) {
		expiry := uint32(604801)
		p.Properties = &packets.Properties{SessionExpiryInterval: &expiry}
	})
	p := ack.Properties
	for name, got := range map[string]struct{ got, want any }{
		"Receive Maximum":                   {*p.ReceiveMaximum, uint16(100)},
		"Topic Alias Maximum":               {*p.TopicAliasMaximum, uint16(8)},
		"Maximum Packet Size":               {*p.MaximumPacketSize, uint32(149504)},
		"Maximum QoS":                       {*p.MaximumQOS, byte(1)},
		"Session Expiry Interval":           {*p.SessionExpiryInterval, uint32(604800)},
		"Retain Available":                  {*p.RetainAvailable, byte(1)},
		"Wildcard Subscription Available":   {*p.WildcardSubAvailable, byte(1)},
		"Shared Subscription Available":     {*p.SharedSubAvailable, byte(1)},
		"Subscription Identifier Available": {*p.SubIDAvailable, byte(0)},
	} {
		if got.got != got.want {
			t.Errorf("%s: %v, want %v", name, got.got, got.want)
		}
	}
}

func TestServerKeepAlive(t *testing.T) {
	s := start(t, Options{})
	for asked, want := range map[uint16]uint16{0: 1200, 1: 30, 29: 30, 30: 0, 1200: 0, 1201: 1200, 65535: 1200} {
		_, ack := s.connect("keep-alive", func(p *packets.Connect) { p.KeepAlive = asked })
		got := uint16(0)
		if ack.Properties.ServerKeepAlive != nil {
			got = *ack.Properties.ServerKeepAlive
		}
		if got != want {
			t.Errorf("keep-alive %d: server says %d, want %d", asked, got, want)
		}
	}
}

func TestKeepAliveTimeout(t *testing.T) {
	s := start(t, Options{})
	c, _ := s.connect("silent", nil)
	for _, conn := range s.connections() {
		conn.SetDeadline(time.Now())
	}
	c.WantDisconnect(0x8D)
}

func TestRefusedConnects(t *testing.T) {
	s := start(t, Options{})
	will := func(topic string, qos byte) func(*packets.Connect) {
		return func(p *packets.Connect) { p.WillFlag, p.WillTopic, p.WillQOS = true, topic, qos }
	}
	for _, test := range []struct {
		name, id string
		change   func(*packets.Connect)
		reason   byte
	}{
		{"client id with $", "$me", nil, 0x85},
		{"client id too long", strings.Repeat("x", 129), nil, 0x85},
		{"longest client id", strings.Repeat("x", 128), nil, 0},
		{"will with QoS 2", "will", will("gone", 2), 0x9B},
		{"will for a filter", "will", will("gone/#", 0), 0x90},
		{"will without a payload", "will", will("gone", 1), 0},
	} {
		t.Run(test.name, func(t *testing.T) {
			c := s.in(t).open()
			if got := c.Connect(test.id, test.change).ReasonCode; got != test.reason {
				t.Fatalf("CONNACK 0x%02X, want 0x%02X", got, test.reason)
			}
			if test.reason != 0 {
				c.WantClose()
			}
		})
	}
}

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
		t.Errorf("the broker has added a message expiry of %d", *p.Properties.MessageExpiry)
	}
	bob.Send(&packets.Puback{PacketID: p.PacketID})
	bob.Ping()
}

// The broker would answer 0x01, which no PUBACK may have, and repeat the user properties.
func TestPubackOfUserProperties(t *testing.T) {
	s := start(t, Options{})
	c, _ := s.connect("c", nil)
	c.Send(&packets.Publish{PacketID: 9, QoS: 1, Topic: "t", Properties: &packets.Properties{
		User: []packets.User{{Key: "k", Value: "v"}},
	}})
	if message, want := c.ReadMessage(), []byte{0x40, 2, 0, 9}; !bytes.Equal(message, want) {
		t.Errorf("PUBACK % x, want % x", message, want)
	}
}

func TestMaximumQoS(t *testing.T) {
	s := start(t, Options{})
	c, _ := s.connect("c", nil)
	c.Send(&packets.Subscribe{PacketID: 1, Subscriptions: []packets.SubOptions{{Topic: "t", QoS: 2}}})
	if ack := mqtttest.Receive[*packets.Suback](c); !bytes.Equal(ack.Reasons, []byte{1}) {
		t.Errorf("SUBACK %x, want 01", ack.Reasons)
	}
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
	c.Subscribe(2, "kept/1", 0) // the only one that gets the retained message, as with AWS IoT
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

func TestTakeover(t *testing.T) {
	s := start(t, Options{})
	first, _ := s.connect("same", nil)
	second, _ := s.connect("same", nil)
	first.WantDisconnect(0x8E)
	second.Subscribe(1, "t", 1)
	second.Publish(2, "t", "still here")
	mqtttest.Receive[*packets.Puback](second)
	mqtttest.Receive[*packets.Publish](second)
}

// A client that does not read cannot hold up the one that takes its place.
func TestTakeoverOfStalledClient(t *testing.T) {
	s := start(t, Options{})
	stalled, _ := s.connect("same", nil)
	stalled.Subscribe(1, "flood", 0)
	flood, _ := s.connect("flood", nil)
	payload := strings.Repeat("x", 100_000)
	for range 200 { // 20 MB, more than the sockets' buffers take
		flood.Publish(0, "flood", payload)
	}
	flood.Ping()
	begin := time.Now()
	s.connect("same", nil)
	if took := time.Since(begin); took > writeTimeout/2 {
		t.Errorf("CONNACK took %v", took)
	}
}

// Clients that come and go under one name at a high rate do not cost the last of them its place.
func TestTakeoversInARow(t *testing.T) {
	s := start(t, Options{})
	other, _ := s.connect("other", nil)
	for i := range 100 {
		first, _ := s.connect("same", nil)
		first.Subscribe(1, "t", 0)
		if i%2 == 0 {
			first.WS.CloseNow()
		}
		second, _ := s.connect("same", nil)
		second.Subscribe(1, "t", 0)
		if i%2 != 0 {
			first.WantDisconnect(0x8E)
		}
		other.Publish(0, "t", fmt.Sprint(i))
		if p := mqtttest.Receive[*packets.Publish](second); string(p.Payload) != fmt.Sprint(i) {
			t.Fatalf("round %d: received %v", i, p)
		}
		second.Send(&packets.Disconnect{})
		second.WantClose()
	}
}

func willConnect(delay, expiry uint32, clean bool) func(*packets.Connect) {
	return func(p *packets.Connect) {
		p.CleanStart = clean
		p.Properties = &packets.Properties{SessionExpiryInterval: &expiry}
		p.WillFlag, p.WillTopic, p.WillMessage = true, "gone", []byte("bye")
		p.WillProperties = &packets.Properties{WillDelayInterval: &delay}
	}
}

func TestWill(t *testing.T) {
	s := start(t, Options{})
	watcher, _ := s.connect("watcher", nil)
	watcher.Subscribe(1, "gone", 0)
	want := func(payload string) {
		t.Helper()
		if p := mqtttest.Receive[*packets.Publish](watcher); string(p.Payload) != payload {
			t.Fatalf("received %v, want the will %q", p, payload)
		}
	}

	c, _ := s.connect("cut", willConnect(0, 0, true))
	c.WS.CloseNow()
	want("bye")

	c, _ = s.connect("cut without session", willConnect(60, 0, true))
	c.WS.CloseNow()
	want("bye")

	c, _ = s.connect("empty", func(p *packets.Connect) { p.WillFlag, p.WillTopic = true, "gone" })
	c.WS.CloseNow()
	want("")

	c, _ = s.connect("breaks the protocol", willConnect(0, 0, true))
	c.SendBytes([]byte{0xF0, 0})
	c.WantDisconnect(0x82)
	want("bye")

	c, _ = s.connect("leaves", willConnect(0, 0, true))
	c.Send(&packets.Disconnect{})
	c.WantClose()

	first, _ := s.connect("resumes", willConnect(60, 300, true))
	_, ack := s.connect("resumes", willConnect(60, 300, false))
	first.WantDisconnect(0x8E)
	if !ack.SessionPresent {
		t.Error("no session present")
	}

	first, _ = s.connect("starts afresh", willConnect(60, 300, true))
	_, ack = s.connect("starts afresh", willConnect(60, 300, true))
	first.WantDisconnect(0x8E)
	if ack.SessionPresent {
		t.Error("session present")
	}
	want("bye")
	watcher.Ping() // and nothing else has come
}

func TestExpiredSessionHasNoSubscriptions(t *testing.T) {
	s := start(t, Options{})
	expiring := func(p *packets.Connect) {
		expiry := uint32(3600)
		p.CleanStart, p.Properties = false, &packets.Properties{SessionExpiryInterval: &expiry}
	}
	c, _ := s.connect("c", expiring)
	c.Subscribe(1, "t", 0)
	c.Send(&packets.Disconnect{})
	c.WantClose()

	cl, _ := s.server.Clients.Get("c")
	(&hook{broker: s.Broker}).OnClientExpired(cl)
	s.server.Clients.Delete("c")

	c, ack := s.connect("c", expiring)
	if ack.SessionPresent {
		t.Error("session present")
	}
	c.Publish(0, "t", "not subscribed any more")
	c.Ping()
}

// MQTT 3.1.1, which AWS IoT speaks too.
func TestVersion4(t *testing.T) {
	s := start(t, Options{})
	c := s.open()
	c.SendBytes([]byte("\x10\x0e\x00\x04MQTT\x04\x02\x00\x3c\x00\x02v4"))
	if got := c.ReadMessage(); string(got) != "\x20\x02\x00\x00" {
		t.Fatalf("received % x, want a CONNACK", got)
	}
	c.SendBytes([]byte("\x82\x06\x00\x01\x00\x01t\x01"))
	if got := c.ReadMessage(); string(got) != "\x90\x03\x00\x01\x01" {
		t.Fatalf("received % x, want a SUBACK", got)
	}
	c.SendBytes([]byte("\x32\x07\x00\x01t\x00\x05hi"))
	if message := c.ReadMessage(); !bytes.HasPrefix(message, []byte("\x40\x02\x00\x05")) {
		t.Errorf("received % x, want a PUBACK of 5", message)
	}
	c.SendBytes([]byte("\x34\x07\x00\x01t\x00\x06hi")) // QoS 2: closed, without the DISCONNECT that it does not know
	for {
		_, message, err := c.WS.Read(c.Ctx)
		if err != nil {
			break
		}
		if message[0]>>4 == 14 {
			t.Errorf("received % x", message)
		}
	}
}

func TestLogIsDiscreet(t *testing.T) {
	s := start(t, Options{})
	c, _ := s.connect("c", nil)
	p := packets.NewControlPacket(packets.CONNECT).Content.(*packets.Connect)
	p.ClientID, p.UsernameFlag, p.Username, p.PasswordFlag, p.Password = "c", true, "user-name", true, []byte("pass-word")
	c.Send(p) // a second CONNECT
	c.WantDisconnect(0x82)
	c, _ = s.connect("c", nil)
	c.Send(&packets.Publish{Topic: "private", Payload: []byte("pay-load"), QoS: 2, PacketID: 1, Properties: &packets.Properties{}})
	c.WantDisconnect(0x9B)
	s.stop() // the broker logs until then
	log := s.log.String()
	if !strings.Contains(log, "second connect") || !strings.Contains(log, "qos not supported") {
		t.Errorf("the log does not tell what happened: %s", log)
	}
	for _, private := range []string{"user-name", "pass-word", "pay-load", "private"} {
		if strings.Contains(log, private) {
			t.Errorf("the log holds %q: %s", private, log)
		}
	}
}
