package broker

import (
	"fmt"
	"testing"

	"iot.wasm/internal/localiot/mqtttest"

	"github.com/eclipse/paho.golang/packets"
)

// leave sends a DISCONNECT and waits for the end of the connection.
func leave(c *mqtttest.Client) {
	c.Send(&packets.Disconnect{})
	c.WantClose()
}

// Each message is sent to one member, in turn.
func TestSharedSubscription(t *testing.T) {
	s := start(t, Options{})
	var members []*mqtttest.Client
	for i := range 3 {
		c, _ := s.connect(fmt.Sprint("m", i), nil)
		c.Subscribe(1, "$share/g/t/+", 1)
		members = append(members, c)
	}
	other, _ := s.connect("other", nil)
	other.Subscribe(1, "$share/h/t/#", 0) // another group
	for i := range 6 {
		other.Publish(0, "t/a", fmt.Sprint(i))
		wantMessage(t, members[i%3], "t/a", fmt.Sprint(i), 0)
		wantMessage(t, other, "t/a", fmt.Sprint(i), 0)
	}
	members[0].Send(&packets.Unsubscribe{PacketID: 1, Topics: []string{"$share/g/t/+"}})
	mqtttest.Receive[*packets.Unsuback](members[0])
	for i := range 4 {
		other.Publish(0, "t/a", fmt.Sprint(i))
		wantMessage(t, other, "t/a", fmt.Sprint(i), 0)
	}
	members[0].Ping()
	for _, c := range members[1:] {
		for range 2 {
			mqtttest.Receive[*packets.Publish](c)
		}
		c.Ping()
	}
}

// Members that are connected receive all messages. Without such a member, the messages wait for the first
// member that connects.
func TestSharedSubscriptionWithOfflineMembers(t *testing.T) {
	s := start(t, Options{})
	session := mqtttest.WithSession(true, 100)
	one, _ := s.connect("one", session)
	one.Subscribe(1, "$share/g/t", 1)
	leave(one)
	two, _ := s.connect("two", session)
	two.Subscribe(1, "$share/g/t", 1)
	other, _ := s.connect("other", nil)
	other.PublishAll(20, "t")
	for i := range 20 {
		wantMessage(t, two, "t", fmt.Sprint(i), 1)
	}
	leave(two)
	other.PublishAll(5, "t")
	other.Publish(0, "t", "QoS 0 is not stored")
	other.Ping()
	one, _ = s.connect("one", mqtttest.WithSession(false, 100))
	for i := range 5 {
		wantMessage(t, one, "t", fmt.Sprint(i), 1)
	}
	two, _ = s.connect("two", mqtttest.WithSession(false, 100))
	two.Ping()
	leave(one)
	leave(two)

	// A new member also gets the messages.
	other.PublishAll(2, "t")
	other.Subscribe(1, "$share/g/t", 1)
	for i := range 2 {
		wantMessage(t, other, "t", fmt.Sprint(i), 1)
	}
	other.Ping()
}

// The messages that a member has not received move to another member when its connection ends. Those that
// it has not acknowledged move when its session ends.
func TestSharedSubscriptionMoves(t *testing.T) {
	s := start(t, Options{})
	one, _ := s.connect("one", mqtttest.WithSession(true, 2))
	one.Subscribe(1, "$share/g/t", 1)
	other, _ := s.connect("other", nil)
	other.PublishAll(5, "t")
	two, _ := s.connect("two", nil)
	two.Subscribe(1, "$share/g/t", 1)
	leaveUnread := func(c *mqtttest.Client, n int) {
		t.Helper()
		for range n {
			mqtttest.Receive[*packets.Publish](c)
		}
		leave(c)
	}
	leaveUnread(one, 2)
	for i := range 3 {
		wantMessage(t, two, "t", fmt.Sprint(2+i), 1)
	}
	two.Ping()
	one, _ = s.connect("one", mqtttest.WithSession(false, 2))
	leaveUnread(one, 2) // the unacknowledged messages are sent again
	s.endInTime("one")
	for i := range 2 {
		wantMessage(t, two, "t", fmt.Sprint(i), 1)
	}
	two.Ping()

	// A group without members stores nothing.
	leave(two)
	s.Broker.mu.Lock()
	defer s.Broker.mu.Unlock()
	if n := len(s.groups); n != 0 {
		t.Errorf("%d groups", n)
	}
	if s.stored != 0 || len(s.filters.children) != 0 {
		t.Errorf("%d bytes and %d filters are stored", s.stored, len(s.filters.children))
	}
}
