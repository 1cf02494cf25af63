package broker

import (
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"iot.wasm/internal/localiot/mqtttest"

	"github.com/eclipse/paho.golang/packets"
)

// Stored messages are sent in the order of their publication, also on several connections.
func TestStoredMessagesInOrder(t *testing.T) {
	s := start(t, Options{})
	c, _ := s.connect("c", mqtttest.WithSession(true, 10))
	c.Subscribe(1, "t/#", 1)
	leave(c)
	other, _ := s.connect("other", nil)
	const n = 300
	for i := range n {
		other.Publish(uint16(i+1), fmt.Sprint("t/", i%7), fmt.Sprint(i))
		mqtttest.Receive[*packets.Puback](other)
	}
	for next := 0; next < n; {
		c, _ := s.connect("c", mqtttest.WithSession(false, 10))
		acknowledged := 4
		if n-next <= 10 {
			acknowledged = n - next
		}
		for i := range min(10, n-next) {
			p := mqtttest.Receive[*packets.Publish](c)
			if string(p.Payload) != fmt.Sprint(next+i) {
				t.Fatalf("received %v, want message %d", p, next+i)
			}
			if i < acknowledged {
				c.Send(&packets.Puback{PacketID: p.PacketID})
			}
		}
		next += acknowledged
		c.Send(&packets.Disconnect{})
		for {
			if _, err := c.Next(); err != nil {
				break
			}
		}
	}
}

// The broker has at most 100 messages in flight to a client, whatever its Receive Maximum is.
func TestWindow(t *testing.T) {
	s := start(t, Options{})
	c, _ := s.connect("c", mqtttest.WithSession(true, 65535))
	c.Subscribe(1, "t", 1)
	other, _ := s.connect("other", nil)
	other.PublishAll(150, "t")
	for range 100 {
		mqtttest.Receive[*packets.Publish](c)
	}
	c.Ping()
	c.Send(&packets.Puback{PacketID: 50})
	if p := mqtttest.Receive[*packets.Publish](c); string(p.Payload) != "100" {
		t.Errorf("received %v, want message 100", p)
	}
	c.Ping()
}

// With RateQuotas, a resumed session gets 10 stored messages a second.
func TestRateOfStoredMessages(t *testing.T) {
	var now atomic.Int64
	s := start(t, Options{RateQuotas: true, Now: func() time.Time { return time.Unix(now.Add(10), 0) }})
	c, _ := s.connect("c", mqtttest.WithSession(true, 100))
	c.Subscribe(1, "t", 1)
	leave(c)
	other, _ := s.connect("other", nil)
	other.PublishAll(5, "t")
	c, _ = s.connect("c", mqtttest.WithSession(false, 100))
	begin := time.Now()
	other.Publish(1, "t", "5") // a new message comes after the stored ones
	for i := range 6 {
		wantMessage(t, c, "t", fmt.Sprint(i), 1)
	}
	if took := time.Since(begin); took < 390*time.Millisecond || took > 3*time.Second {
		t.Errorf("took %v, want 0.4 s", took)
	}
}

// A bound in bytes limits the messages that a session stores, and the log has one line about it.
func TestStoredMessagesAreBounded(t *testing.T) {
	s := start(t, Options{})
	c, _ := s.connect("c", mqtttest.WithSession(true, 1))
	c.Subscribe(1, "t", 1)
	leave(c)
	other, _ := s.connect("other", nil)
	payload := strings.Repeat("x", 100_000)
	const n = maxStored / 100_000 * 2
	for i := range n {
		other.Publish(uint16(i+1), "t", payload)
		if ack := mqtttest.Receive[*packets.Puback](other); ack.ReasonCode != 0 {
			t.Fatalf("PUBACK 0x%02X", ack.ReasonCode)
		}
	}
	check := func() {
		t.Helper()
		s.Broker.mu.Lock()
		defer s.Broker.mu.Unlock()
		if s.stored > maxStored || s.stored < maxStored-200_000 || s.sessions["c"].bytes != s.stored {
			t.Errorf("%d bytes are stored, want almost %d", s.stored, maxStored)
		}
	}
	check()
	if got := strings.Count(s.log.String(), "too many unacknowledged messages"); got != 1 {
		t.Errorf("%d warnings, want one", got)
	}
	c, _ = s.connect("c", mqtttest.WithSession(false, 100))
	for range maxStored / 100_400 {
		p := mqtttest.Receive[*packets.Publish](c)
		c.Send(&packets.Puback{PacketID: p.PacketID})
	}
	c.Ping()
	other.Publish(1, "t", "small")
	wantMessage(t, c, "t", "small", 1)
	c.Ping()
	s.Broker.mu.Lock()
	defer s.Broker.mu.Unlock()
	if s.stored != 0 {
		t.Errorf("%d bytes are stored, want none", s.stored)
	}
}

// A connected client that does not read has a bounded queue, and is not disconnected. It receives the
// messages of QoS 1 that its session stores.
func TestClientThatDoesNotRead(t *testing.T) {
	s := start(t, Options{})
	c, _ := s.connect("c", nil)
	c.Subscribe(1, "zero", 0)
	c.Subscribe(2, "one", 1)
	other, _ := s.connect("other", nil)
	payload := strings.Repeat("x", 100_000)
	for range 4 * maxUnsent / len(payload) {
		other.Publish(0, "zero", payload)
	}
	other.PublishAll(50, "one")
	var conn *Conn
	s.Broker.mu.Lock()
	conn = s.sessions["c"].conn
	s.Broker.mu.Unlock()
	conn.mu.Lock()
	unsent := conn.out.unsent
	conn.mu.Unlock()
	if unsent > maxUnsent {
		t.Errorf("%d bytes wait, want at most %d", unsent, maxUnsent)
	}
	zero, one := 0, 0
	for one < 50 {
		p := mqtttest.Receive[*packets.Publish](c)
		if p.QoS == 0 {
			zero++
			continue
		}
		if string(p.Payload) != fmt.Sprint(one) {
			t.Fatalf("received %v, want message %d", p, one)
		}
		one++
		c.Send(&packets.Puback{PacketID: p.PacketID})
	}
	c.Ping()
	if zero < maxUnsent/len(payload)-1 || zero == 4*maxUnsent/len(payload) {
		t.Errorf("received %d messages with QoS 0", zero)
	}
	if got := strings.Count(s.log.String(), "the client does not read"); got != 1 {
		t.Errorf("%d warnings, want one", got)
	}
}

// A client that sends requests but reads no replies is not read from, so it does not fill the memory.
func TestRepliesAreBounded(t *testing.T) {
	s := start(t, Options{})
	c, _ := s.connect("c", nil)
	pings := []byte(strings.Repeat("\xc0\x00", 1<<19))
	go func() {
		for c.WS.Write(t.Context(), 2, pings) == nil {
		}
	}()
	var conn *Conn
	for _, conn = range s.connections() {
	}
	deadline := time.Now().Add(10 * time.Second)
	for replies := 0; replies <= maxReplies; {
		if time.Now().After(deadline) {
			t.Fatalf("%d replies wait", replies)
		}
		conn.mu.Lock()
		replies = conn.out.replies
		conn.mu.Unlock()
	}
	for range 1000 {
		conn.mu.Lock()
		if n := conn.out.replies; n > maxReplies+1 {
			t.Errorf("%d replies wait", n)
		}
		conn.mu.Unlock()
	}
	c.WS.CloseNow()
}

// An expired message is not sent, and the expiry of a message counts down.
func TestMessageExpiry(t *testing.T) {
	s := start(t, Options{})
	c, _ := s.connect("c", mqtttest.WithSession(true, 10))
	c.Subscribe(1, "t", 1)
	leave(c)
	other, _ := s.connect("other", nil)
	for i, expiry := range []uint32{1, 0, 604800, 604801, 1 << 31} {
		other.Send(&packets.Publish{PacketID: uint16(i + 1), QoS: 1, Topic: "t", Payload: fmt.Append(nil, expiry), Properties: &packets.Properties{MessageExpiry: &expiry}})
		mqtttest.Receive[*packets.Puback](other)
	}
	s.Broker.mu.Lock()
	waiting := s.sessions["c"].waiting
	waiting[0].message.expires = time.Now().Add(-time.Second)
	// The minimum is 1 s.
	if left := time.Until(waiting[1].message.expires); left > time.Second || left < -10*time.Second {
		t.Errorf("the message with the expiry 0 expires in %v, want 1 s", left)
	}
	waiting[1].message.expires = time.Now().Add(500 * time.Second)
	waiting[2].message.expires = time.Now().Add(99500 * time.Millisecond)
	s.Broker.mu.Unlock()
	c, _ = s.connect("c", mqtttest.WithSession(false, 10))
	for _, want := range []struct {
		payload string
		expiry  uint32
	}{{"0", 500}, {"604800", 100}, {"604801", 604800}, {fmt.Sprint(1 << 31), 604800}} {
		p := mqtttest.Receive[*packets.Publish](c)
		got := uint32(0)
		if p.Properties.MessageExpiry != nil {
			got = *p.Properties.MessageExpiry
		}
		if string(p.Payload) != want.payload || got != want.expiry {
			t.Errorf("received %v, want %v", p, want)
		}
		c.Send(&packets.Puback{PacketID: p.PacketID})
	}
	c.Ping()
}
