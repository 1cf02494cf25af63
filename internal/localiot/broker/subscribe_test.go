package broker

import (
	"bytes"
	"strings"
	"testing"

	"iot.wasm/internal/localiot/mqtttest"

	"github.com/eclipse/paho.golang/packets"
)

// wantGranted subscribes to a filter with QoS 0, and checks the reason code of the SUBACK.
func wantGranted(t *testing.T, c *mqtttest.Client, filter string, want byte) {
	t.Helper()
	c.Send(&packets.Subscribe{PacketID: 1, Subscriptions: []packets.SubOptions{{Topic: filter}}})
	if got := mqtttest.Receive[*packets.Suback](c).Reasons; !bytes.Equal(got, []byte{want}) {
		t.Errorf("filter %.40q: SUBACK %x, want %02x", filter, got, want)
	}
}

func TestFilters(t *testing.T) {
	s := start(t, Options{Services: []Service{&echo{prefix: "$aws/things"}}})
	for filter, want := range map[string]byte{
		"":     0x8F,
		"#":    0,
		"+":    0,
		"/":    0,
		"a/+":  0,
		"a/#":  0,
		"+/+/": 0,
		"a+":   0x8F,
		"a#":   0x8F,
		"a/b+": 0x8F,
		"a/#/": 0x8F,
		"#/a":  0x8F,

		"$share/g/t":  0,
		"$share/g/#":  0,
		"$share/g//":  0,
		"$share":      0x8F,
		"$share/":     0x8F,
		"$share/g":    0x8F,
		"$share/g/":   0x8F,
		"$share//t":   0x8F,
		"$share/+/t":  0x8F,
		"$share/g#/t": 0x8F,
		"$share/g/a+": 0x8F,
		"$share/" + strings.Repeat("g", 128) + "/t": 0,
		"$share/" + strings.Repeat("g", 129) + "/t": 0x8F,

		"$aws/things/told/a":           0,
		"$aws/things/ask/a":            0,
		"$aws/things/#":                0,
		"$aws/+/told/a":                0,
		"$aws/#":                       0,
		"$aws/events/presence/+/#":     0,
		"$aws/events/presence/x/y":     0,
		"$share/g/$aws/events/a":       0,
		"$aws/other":                   0x87,
		"$aws":                         0x87,
		"$other":                       0x87,
		"$SYS/#":                       0x87,
		"$aws/rules":                   0x87,
		"$aws/rules/rule/t":            0x87,
		"$aws/rules/#":                 0x87,
		"$share/g/$aws/rules/rule/#":   0x87,
		"$share/g/$share/h/$aws/other": 0x87,
	} {
		c, _ := s.connect("c", nil)
		wantGranted(t, c, filter, want)
		c.WS.CloseNow()
	}
}

// a/# does not match a.
func TestWildcards(t *testing.T) {
	s := start(t, Options{})
	for _, test := range []struct {
		filter      string
		match, none string
	}{
		{"a/#", "a/b a/b/c a/ a//", "a ab b/a"},
		{"#", "a /a a/b", "$aws/rules/r/t"},
		{"+", "a", "a/b /a"},
		{"+/b", "a/b /b", "b a/b/c"},
		{"a/+/c", "a/b/c a//c", "a/c a/b/b/c"},
		{"a/+/#", "a/b/c a/b/c/d a//c", "a a/b"},
		{"/", "/", "a"},
	} {
		c, _ := s.connect("c", nil)
		c.Subscribe(1, test.filter, 0)
		for topic := range strings.FieldsSeq(test.match) {
			c.Publish(0, topic, "")
			wantMessage(t, c, topic, "", 0)
		}
		for topic := range strings.FieldsSeq(test.none) {
			c.Publish(0, topic, "")
			c.Ping()
		}
	}
}

// A client with several matching subscriptions receives a message once, with the highest QoS.
func TestOverlappingSubscriptions(t *testing.T) {
	s := start(t, Options{})
	c, _ := s.connect("c", nil)
	c.Subscribe(1, "a/+", 0)
	c.Subscribe(2, "a/b", 1)
	c.Subscribe(3, "#", 0)
	other, _ := s.connect("other", nil)
	other.Publish(1, "a/b", "x")
	wantMessage(t, c, "a/b", "x", 1)
	c.Ping()
}

func TestNoLocal(t *testing.T) {
	s := start(t, Options{})
	c, _ := s.connect("c", nil)
	c.Send(&packets.Subscribe{PacketID: 1, Subscriptions: []packets.SubOptions{{Topic: "t", NoLocal: true}}})
	mqtttest.Receive[*packets.Suback](c)
	c.Publish(0, "t", "own")
	c.Ping()
	other, _ := s.connect("other", nil)
	other.Publish(0, "t", "x")
	wantMessage(t, c, "t", "x", 0)
	// A shared subscription must not have No Local [MQTT-3.8.3-4].
	c.Send(&packets.Subscribe{PacketID: 2, Subscriptions: []packets.SubOptions{{Topic: "$share/g/t", NoLocal: true}}})
	c.WantDisconnect(0x82)
}

func TestRetainOptions(t *testing.T) {
	s := start(t, Options{})
	c, _ := s.connect("c", nil)
	retain := func(payload string) {
		c.Send(&packets.Publish{Topic: "t", Payload: []byte(payload), Retain: true, Properties: &packets.Properties{}})
	}
	retain("x")
	subscribe := func(handling byte, asPublished bool) {
		t.Helper()
		c.Send(&packets.Subscribe{PacketID: 1, Subscriptions: []packets.SubOptions{{Topic: "t", RetainHandling: handling, RetainAsPublished: asPublished}}})
		mqtttest.Receive[*packets.Suback](c)
	}
	want := func(payload string, retained bool) {
		t.Helper()
		if p := mqtttest.Receive[*packets.Publish](c); string(p.Payload) != payload || p.Retain != retained {
			t.Fatalf("received %v, want %q with RETAIN %v", p, payload, retained)
		}
	}
	subscribe(2, false)
	c.Ping()
	subscribe(1, false) // the subscription exists
	c.Ping()
	subscribe(0, false)
	want("x", true)
	retain("y")
	want("y", false)
	subscribe(2, true)
	retain("z")
	want("z", true)
	retain("")
	want("", true)
	subscribe(0, true)
	c.Ping()
	c.Send(&packets.Subscribe{PacketID: 1, Subscriptions: []packets.SubOptions{{Topic: "t", RetainHandling: 3}}})
	c.WantDisconnect(0x82)
}

// Clients publish to a reserved topic only if a service owns it, or for Basic Ingest.
func TestReservedTopics(t *testing.T) {
	s := start(t, Options{Services: []Service{&echo{prefix: "$aws/things"}}})
	watcher, _ := s.connect("watcher", nil)
	watcher.Subscribe(1, "$aws/#", 0)
	for _, test := range []struct {
		topic  string
		retain bool
		reason byte
	}{
		{"$aws/rules/rule/a/b", false, 0},
		{"$aws/rules/rule", false, 0},
		{"$aws/rules/rule/a/b", true, 0x87},
		{"$aws/rules//a", false, 0x87},
		{"$aws/rules", false, 0x87},
		{"$aws/events/presence/connected/watcher", false, 0x87},
		{"$aws/events/presence/connected/watcher", true, 0x87},
		{"$aws/other", false, 0x87},
		{"$aws", false, 0x90},
		{"$SYS/a", false, 0x90},
		{"$share/g/t", false, 0x90},
		{"$", true, 0x90},
	} {
		c, _ := s.connect("c", nil)
		p := &packets.Publish{PacketID: 5, QoS: 1, Topic: test.topic, Retain: test.retain, Properties: &packets.Properties{}}
		c.Send(p)
		if ack := mqtttest.Receive[*packets.Puback](c); ack.ReasonCode != test.reason {
			t.Errorf("%s, retain %v: PUBACK 0x%02X, want 0x%02X", test.topic, test.retain, ack.ReasonCode, test.reason)
		}
		if test.reason != 0 {
			p.QoS, p.PacketID = 0, 0
			c.Send(p)
			c.WantDisconnect(test.reason)
		}
	}
	watcher.Ping()
	if log := s.log.String(); !strings.Contains(log, "msg=publish client=c topic=$aws/rules/rule/a/b") {
		t.Errorf("the log has no line of Basic Ingest: %s", log)
	}
}
