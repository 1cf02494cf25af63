package broker

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"iot.wasm/internal/localiot/mqtttest"

	"github.com/eclipse/paho.golang/packets"
)

// All sessions together store at most maxStoredTotal bytes. A message for several sessions counts once.
func TestTotalOfStoredMessages(t *testing.T) {
	s := start(t, Options{})
	for i := range 3 {
		c, _ := s.connect(fmt.Sprint("c", i), mqtttest.WithSession(true, 100))
		c.Subscribe(1, "t", 1)
		leave(c)
		s.waitOffline(fmt.Sprint("c", i))
	}
	payload := strings.Repeat("x", 1000)
	size := newMessage("t", []byte(payload), 1, false, nil).size
	reserve := func(n int) {
		s.Broker.mu.Lock()
		defer s.Broker.mu.Unlock()
		s.stored += n
	}
	reserve(maxStoredTotal - 2*size) // as if other sessions stored them
	other, _ := s.connect("other", nil)
	for i := range 4 {
		other.Publish(uint16(i+1), "t", payload)
		if ack := mqtttest.Receive[*packets.Puback](other); ack.ReasonCode != 0 {
			t.Errorf("PUBACK 0x%02X", ack.ReasonCode)
		}
	}
	for i := range 3 {
		c, _ := s.connect(fmt.Sprint("c", i), mqtttest.WithSession(false, 100))
		for range 2 {
			p := mqtttest.Receive[*packets.Publish](c)
			c.Send(&packets.Puback{PacketID: p.PacketID})
		}
		c.Ping()
	}
	if got := strings.Count(s.log.String(), "too many unacknowledged messages"); got != 3 {
		t.Errorf("%d warnings, want one for each session", got)
	}
	reserve(2*size - maxStoredTotal)
	s.Broker.mu.Lock()
	defer s.Broker.mu.Unlock()
	if s.stored != 0 {
		t.Errorf("%d bytes are stored, want none", s.stored)
	}
}

// Retained messages have at most maxRetained bytes. The broker refuses a message of a client that does not
// fit. A message of a service that does not fit replaces the message of its topic by none.
func TestRetainedMessagesAreBounded(t *testing.T) {
	s := start(t, Options{})
	retain := func(topic string, n int) {
		t.Helper()
		if err := s.Publish(Publication{Topic: topic, Retain: true, Payload: make([]byte, n)}); err != nil {
			t.Fatal(err)
		}
	}
	want := func(topics string) {
		t.Helper()
		got := ""
		for _, r := range s.RetainedTopics() {
			got += r.Topic
		}
		if got != topics {
			t.Errorf("the retained messages are %q, want %q", got, topics)
		}
	}
	reserve := func(n int) {
		s.Broker.mu.Lock()
		defer s.Broker.mu.Unlock()
		s.Broker.retained.bytes += n
	}
	retain("a", 10)
	reserve(maxRetained - 10_000)
	retain("b", 5000)
	want("ab")
	c, _ := s.connect("c", nil)
	for payload, want := range map[string]byte{strings.Repeat("x", 9000): 0x97, "": 0} {
		c.Send(&packets.Publish{PacketID: 1, QoS: 1, Topic: "c", Retain: true, Payload: []byte(payload), Properties: &packets.Properties{}})
		if ack := mqtttest.Receive[*packets.Puback](c); ack.ReasonCode != want {
			t.Errorf("%d bytes: PUBACK 0x%02X, want 0x%02X", len(payload), ack.ReasonCode, want)
		}
		if code := s.CheckMessage("c", len(payload), true).Code; code != want {
			t.Errorf("%d bytes: CheckMessage 0x%02X, want 0x%02X", len(payload), code, want)
		}
	}
	want("ab")
	for range 3 {
		retain("c", 9000)
	}
	retain("a", 9000)
	want("b")
	if got := strings.Count(s.log.String(), "too many retained messages"); got != 1 {
		t.Errorf("%d warnings, want one", got)
	}
	retain("b", 0)
	retain("a", 9000)
	want("a")
	// A message that has expired makes room.
	if err := s.Publish(Publication{Topic: "expired", Retain: true, Payload: make([]byte, 300), MessageExpiry: 1}); err != nil {
		t.Fatal(err)
	}
	s.Broker.mu.Lock()
	s.Broker.retained.messages["expired"].message.expires = time.Now()
	s.Broker.retained.swept = time.Time{}
	s.Broker.mu.Unlock()
	retain("d", 300)
	want("ad")
	retain("d", 0)
	retain("a", 0)
	reserve(10_000 - maxRetained)
	s.Broker.mu.Lock()
	defer s.Broker.mu.Unlock()
	if s.Broker.retained.bytes != 0 {
		t.Errorf("%d bytes are retained, want none", s.Broker.retained.bytes)
	}
}

// The number of sessions is bounded. A client whose session exists may connect.
func TestSessionsAreBounded(t *testing.T) {
	s := start(t, Options{})
	s.connect("c", nil)
	s.Broker.mu.Lock()
	for i := range maxSessions - 1 {
		id := fmt.Sprint("session ", i)
		s.sessions[id] = newSession(id)
	}
	s.Broker.mu.Unlock()
	if ack := s.open().Connect("other", nil); ack.ReasonCode != 0x97 {
		t.Errorf("CONNACK 0x%02X, want 0x97", ack.ReasonCode)
	}
	s.connect("c", nil)
}
