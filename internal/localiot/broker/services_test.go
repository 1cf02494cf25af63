package broker

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"iot.wasm/internal/localiot/mqtttest"

	"github.com/eclipse/paho.golang/packets"
)

// echo is a Service that owns the topics below a prefix. It answers a request below prefix/ask/ with two
// messages below prefix/told/, which count the requests.
type echo struct {
	prefix string
	n      int
}

func (e *echo) Owns(topic string) (owned, request bool) {
	rest, owned := strings.CutPrefix(topic, e.prefix+"/")
	return owned, owned && strings.HasPrefix(rest, "ask/")
}

func (e *echo) Handle(r Request) []Message {
	e.n++
	to := strings.Replace(r.Topic, "/ask/", "/told/", 1)
	return []Message{
		{Topic: to, Payload: fmt.Appendf(nil, "%d %s", e.n, r.Payload)},
		{Topic: to + "/again", Payload: fmt.Append(nil, e.n)},
	}
}

// wantMessage reads a PUBLISH with that topic and payload, and acknowledges it.
func wantMessage(t *testing.T, c *mqtttest.Client, topic, payload string, qos byte) {
	t.Helper()
	p := mqtttest.Receive[*packets.Publish](c)
	if p.Topic != topic || string(p.Payload) != payload || p.QoS != qos || p.Retain {
		t.Fatalf("received %v, want %s %q with QoS %d", p, topic, payload, qos)
	}
	if qos == 1 {
		c.Send(&packets.Puback{PacketID: p.PacketID})
	}
}

func TestService(t *testing.T) {
	s := start(t, Options{Services: []Service{&echo{prefix: "$aws/one"}, &echo{prefix: "$aws"}}})
	asker, _ := s.connect("asker", nil)
	asker.Subscribe(1, "$aws/one/told/#", 1)
	watcher, _ := s.connect("watcher", nil)
	watcher.Subscribe(1, "$aws/+/ask/a", 0)
	watcher.Subscribe(2, "$aws/one/told/a/again", 0)
	watcher.Subscribe(3, "#", 0) // does not include topics that begin with $

	asker.Publish(7, "$aws/one/ask/a", "hello")
	if ack := mqtttest.Receive[*packets.Puback](asker); ack.PacketID != 7 || ack.ReasonCode != 0 {
		t.Fatalf("PUBACK %d 0x%02X, want 7 0x00", ack.PacketID, ack.ReasonCode)
	}
	wantMessage(t, asker, "$aws/one/told/a", "1 hello", 1)
	wantMessage(t, asker, "$aws/one/told/a/again", "1", 1)
	wantMessage(t, watcher, "$aws/one/ask/a", "hello", 0)
	wantMessage(t, watcher, "$aws/one/told/a/again", "1", 0)

	// With QoS 0, and by a topic alias.
	alias := uint16(1)
	for i, topic := range []string{"$aws/one/ask/a", ""} {
		asker.Send(&packets.Publish{Topic: topic, Properties: &packets.Properties{TopicAlias: &alias}})
		wantMessage(t, asker, "$aws/one/told/a", fmt.Sprint(i+2, " "), 1)
		wantMessage(t, asker, "$aws/one/told/a/again", fmt.Sprint(i+2), 1)
	}

	// The second service, and a topic that no service owns.
	asker.Subscribe(2, "$aws/two/#", 0)
	asker.Publish(0, "$aws/ask/b", "")
	asker.Subscribe(3, "plain", 0)
	asker.Publish(0, "plain", "x")
	wantMessage(t, asker, "plain", "x", 0)
	asker.Ping()
}

// Each subscriber receives the answers in the order of the requests.
func TestServiceOrder(t *testing.T) {
	s := start(t, Options{NoQuotas: true, Services: []Service{&echo{prefix: "$aws"}}})
	watcher, _ := s.connect("watcher", nil)
	watcher.Subscribe(1, "$aws/told/a/again", 0)
	const clients, each = 4, 100
	for i := range clients {
		c, _ := s.connect(fmt.Sprint("c", i), nil)
		for range each {
			c.Publish(0, "$aws/ask/a", "x")
		}
	}
	for i := range clients * each {
		wantMessage(t, watcher, "$aws/told/a/again", fmt.Sprint(i+1), 0)
	}
}

// Clients can publish neither to the topics of answers, nor retained messages to request topics.
func TestServiceRefusesPublish(t *testing.T) {
	e := &echo{prefix: "$aws"}
	s := start(t, Options{Services: []Service{e}})
	watcher, _ := s.connect("watcher", nil)
	watcher.Subscribe(1, "$aws/#", 0)
	for _, p := range []*packets.Publish{
		{Topic: "$aws/told/a"},
		{Topic: "$aws/unknown"},
		{Topic: "$aws/ask/a", Retain: true},
	} {
		t.Run(fmt.Sprintf("%s, retain %v", p.Topic, p.Retain), func(t *testing.T) {
			s := s.in(t)
			p.Properties = &packets.Properties{}
			c, _ := s.connect("c", nil)
			p.QoS, p.PacketID = 1, 5
			c.Send(p)
			if ack := mqtttest.Receive[*packets.Puback](c); ack.PacketID != 5 || ack.ReasonCode != 0x87 {
				t.Errorf("PUBACK %d 0x%02X, want 5 0x87", ack.PacketID, ack.ReasonCode)
			}
			p.QoS, p.PacketID = 0, 0
			c.Send(p)
			c.WantDisconnect(0x87)

			ack := s.open().Connect("c", func(connect *packets.Connect) {
				connect.WillFlag, connect.WillTopic, connect.WillMessage, connect.WillRetain = true, p.Topic, []byte("x"), p.Retain
			})
			if ack.ReasonCode != 0x87 {
				t.Errorf("CONNACK 0x%02X for the same will, want 0x87", ack.ReasonCode)
			}
		})
	}
	// MQTT 3.1.1 has no reason codes: the broker closes the connection.
	c := s.open()
	c.SendBytes([]byte("\x10\x0d\x00\x04MQTT\x04\x02\x00\x3c\x00\x01c"))
	c.WantBytes("\x20\x02\x00\x00")
	c.SendBytes([]byte("\x32\x10\x00\x0b$aws/told/a\x00\x05x"))
	c.WantClose()

	watcher.Ping() // The watcher has received nothing.
	if e.n != 0 {
		t.Errorf("the service received %d requests", e.n)
	}
}

// A will on a request topic is sent to subscribers only.
func TestServiceIgnoresWills(t *testing.T) {
	s := start(t, Options{Services: []Service{&echo{prefix: "$aws"}}})
	watcher, _ := s.connect("watcher", nil)
	watcher.Subscribe(1, "$aws/#", 0)
	c, _ := s.connect("c", func(p *packets.Connect) {
		p.WillFlag, p.WillTopic, p.WillMessage = true, "$aws/ask/a", []byte("bye")
	})
	c.WS.CloseNow()
	wantMessage(t, watcher, "$aws/ask/a", "bye", 0)
	watcher.Ping()
}

// Answers wait for a subscriber that is not connected.
func TestServiceAndSessions(t *testing.T) {
	s := start(t, Options{Services: []Service{&echo{prefix: "$aws"}}})
	c, _ := s.connect("c", mqtttest.WithSession(true, 10))
	c.Subscribe(1, "$aws/told/a", 1)
	c.Send(&packets.Disconnect{})
	c.WantClose()
	other, _ := s.connect("other", nil)
	other.Publish(0, "$aws/ask/a", "x")
	other.Ping()
	c, _ = s.connect("c", mqtttest.WithSession(false, 10))
	wantMessage(t, c, "$aws/told/a", "1 x", 1)
}

// No Local does not apply to answers.
func TestServiceAndNoLocal(t *testing.T) {
	s := start(t, Options{Services: []Service{&echo{prefix: "$aws"}}})
	c, _ := s.connect("c", nil)
	c.Send(&packets.Subscribe{PacketID: 1, Subscriptions: []packets.SubOptions{{Topic: "$aws/#", NoLocal: true}}})
	if ack := mqtttest.Receive[*packets.Suback](c); !bytes.Equal(ack.Reasons, []byte{0}) {
		t.Fatalf("SUBACK %x", ack.Reasons)
	}
	c.Publish(0, "$aws/ask/a", "x")
	wantMessage(t, c, "$aws/told/a", "1 x", 0)
	wantMessage(t, c, "$aws/told/a/again", "1", 0)
	c.Ping()

	// No client has the client id of answers.
	hostile := s.open()
	hostile.SendBytes([]byte("\x10\x0e\x00\x04MQTT\x05\x02\x00\x3c\x00\x00\x01\x00"))
	hostile.WantClose()
}
