package localiot

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"iot.wasm/internal/localiot/mqtttest"

	"github.com/eclipse/paho.golang/packets"
	"nhooyr.io/websocket"
)

// lifecycleEvent contains the members of all lifecycle events.
type lifecycleEvent struct {
	ClientID        string `json:"clientId"`
	Timestamp       int64  `json:"timestamp"`
	EventType       string `json:"eventType"`
	Session         string `json:"sessionIdentifier"`
	Address         string `json:"ipAddress"`
	Version         int64  `json:"versionNumber"`
	ClientInitiated *bool  `json:"clientInitiatedDisconnect"`
	Reason          string `json:"disconnectReason"`
	FailureReason   string `json:"connectFailureReason"`
	Topics          []string
}

// nextEvent receives an event, which must have the topic $aws/events/<topic>.
func nextEvent(t *testing.T, c *mqtttest.Client, topic string) (e lifecycleEvent) {
	t.Helper()
	p := mqtttest.Receive[*packets.Publish](c)
	if p.QoS > 0 {
		c.Send(&packets.Puback{PacketID: p.PacketID})
	}
	if p.Topic != "$aws/events/"+topic {
		t.Fatalf("received %s %s, want the topic $aws/events/%s", p.Topic, p.Payload, topic)
	}
	if err := json.Unmarshal(p.Payload, &e); err != nil {
		t.Fatalf("%s: %v", p.Payload, err)
	}
	return e
}

func TestPresence(t *testing.T) {
	s := start(t, Options{Faults: true})
	watcher, _ := s.connect("watcher", nil)
	watcher.Subscribe(1, "$aws/events/presence/#", 1)
	var last int64
	for _, test := range []struct {
		reason    string
		initiated bool
		end       func(*mqtttest.Client)
	}{
		{"CLIENT_INITIATED_DISCONNECT", true, func(c *mqtttest.Client) { c.Send(&packets.Disconnect{}) }},
		{"CLIENT_INITIATED_DISCONNECT", true, func(c *mqtttest.Client) { c.WS.Close(websocket.StatusGoingAway, "") }},
		{"CLIENT_INITIATED_DISCONNECT", true, func(c *mqtttest.Client) { c.WS.Close(websocket.StatusCode(4000), "") }},
		{"CONNECTION_LOST", false, func(c *mqtttest.Client) { c.WS.CloseNow() }},
		{"CLIENT_ERROR", false, func(c *mqtttest.Client) { c.Send(packets.NewControlPacket(packets.AUTH).Content) }},
		{"CLIENT_ERROR", false, func(c *mqtttest.Client) { c.Publish(0, "a", strings.Repeat("x", 128<<10+1)) }},
		{"AUTH_ERROR", false, func(c *mqtttest.Client) { c.Publish(0, "$aws/events/presence/connected/other", "{}") }},
		{"THROTTLED", false, func(c *mqtttest.Client) {
			var p packets.Subscribe
			for i := range 9 {
				p.Subscriptions = append(p.Subscriptions, packets.SubOptions{Topic: strings.Repeat("a", i+1)})
			}
			p.PacketID = 1
			c.Send(&p)
		}},
		// The connection of the case before may still be closing, and then counts too.
		{"SERVER_INITIATED_DISCONNECT", false, func(*mqtttest.Client) { s.control(`{"disconnect":{"client":"a/b","reason":139}}`, anyNumber) }},
		{"SERVER_ERROR", false, func(*mqtttest.Client) { s.control(`{"disconnect":{"client":"a/b","reason":128}}`, anyNumber) }},
	} {
		c, _ := s.connect("a/b", nil)
		on := nextEvent(t, watcher, "presence/connected/a/b")
		if age := time.Since(time.UnixMilli(on.Timestamp)); on.ClientID != "a/b" || on.EventType != "connected" || len(on.Session) != 36 || on.Address != "127.0.0.1" ||
			on.Version <= last || on.ClientInitiated != nil || on.Reason != "" || age < -time.Minute || age > time.Minute {
			t.Errorf("%s: event %+v after version %d", test.reason, on, last)
		}
		last = on.Version
		test.end(c)
		off := nextEvent(t, watcher, "presence/disconnected/a/b")
		if off.EventType != "disconnected" || off.Reason != test.reason || off.ClientInitiated == nil || *off.ClientInitiated != test.initiated ||
			off.Session != on.Session || off.Version != on.Version || off.Address != "" {
			t.Errorf("event %+v, want %s of %+v", off, test.reason, on)
		}
		c.WS.CloseNow()
	}
	// These two events may have any order.
	s.connect("twice", nil)
	first := nextEvent(t, watcher, "presence/connected/twice")
	s.connect("twice", nil)
	for range 2 {
		p := mqtttest.Receive[*packets.Publish](watcher)
		watcher.Send(&packets.Puback{PacketID: p.PacketID})
		var e lifecycleEvent
		json.Unmarshal(p.Payload, &e)
		if replaced := e.Version == first.Version; replaced != (e.Reason == "DUPLICATE_CLIENTID") || !replaced && e.Version < first.Version {
			t.Errorf("event %s of the replacement of %+v", p.Payload, first)
		}
	}
}

func TestSubscriptionEvents(t *testing.T) {
	s := start(t, Options{})
	watcher, _ := s.connect("watcher", nil)
	watcher.Subscribe(1, "$aws/events/subscriptions/+/c", 0)
	c, _ := s.connect("c", nil)
	c.Send(&packets.Subscribe{PacketID: 1, Subscriptions: []packets.SubOptions{{Topic: "a/#"}, {Topic: "#/a"}, {Topic: "$share/g/b"}}})
	if e := nextEvent(t, watcher, "subscriptions/subscribed/c"); strings.Join(e.Topics, " ") != "a/# $share/g/b" || e.EventType != "subscribed" || e.ClientID != "c" {
		t.Errorf("event %+v", e)
	}
	mqtttest.Receive[*packets.Suback](c)
	c.Send(&packets.Unsubscribe{PacketID: 2, Topics: []string{"a/#", "other"}})
	if e := nextEvent(t, watcher, "subscriptions/unsubscribed/c"); strings.Join(e.Topics, " ") != "a/#" || e.EventType != "unsubscribed" {
		t.Errorf("event %+v", e)
	}
}

// A client needs the permission to subscribe to events, and a refused CONNECT has an event of its own.
func TestEventsWithPolicy(t *testing.T) {
	s := start(t, Options{})
	watcher, _ := s.connect("watcher", nil)
	watcher.Subscribe(1, "$aws/events/presence/+/guest", 0)
	guest := s.dial(s.signWith(s.cognitoKeys(`{}`), time.Now()))
	guest.MustConnect("guest", nil)
	nextEvent(t, watcher, "presence/connected/guest")
	guest.Send(&packets.Subscribe{PacketID: 1, Subscriptions: []packets.SubOptions{{Topic: "$aws/events/subscriptions/subscribed/+"}}})
	if ack := mqtttest.Receive[*packets.Suback](guest); ack.Reasons[0] != 0x87 {
		t.Errorf("SUBACK %x, want 87", ack.Reasons)
	}
	guest.Send(&packets.Disconnect{})
	nextEvent(t, watcher, "presence/disconnected/guest")
	refused := s.dial(s.signWith(s.cognitoKeys(`{}`), time.Now()))
	ack := refused.Connect("guest", func(p *packets.Connect) { p.WillFlag, p.WillTopic = true, "private" })
	if ack.ReasonCode != 0x87 {
		t.Errorf("CONNACK 0x%02X, want 0x87", ack.ReasonCode)
	}
	if e := nextEvent(t, watcher, "presence/connect_failed/guest"); e.FailureReason != "AUTHORIZATION_FAILED" || e.Address != "127.0.0.1" || e.Version != 0 {
		t.Errorf("event %+v", e)
	}
}

// A connection with a signed URL ends after its lifetime. A client with MQTT 5 gets a DISCONNECT.
func TestConnectionLifetime(t *testing.T) {
	s := start(t, Options{ConnectionLifetime: 500 * time.Millisecond})
	c, _ := s.connect("c", nil)
	if d := mqtttest.Receive[*packets.Disconnect](c); d.ReasonCode != packets.DisconnectAdministrativeAction {
		t.Errorf("DISCONNECT 0x%02X, want 0x98 (administrative action)", d.ReasonCode)
	}
}
