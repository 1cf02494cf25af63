package broker

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"iot.wasm/internal/localiot/mqtttest"

	"github.com/eclipse/paho.golang/packets"
)

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

// A client can take over the session of a client that reads nothing.
func TestTakeoverOfStalledClient(t *testing.T) {
	s := start(t, Options{})
	stalled, _ := s.connect("same", nil)
	stalled.Subscribe(1, "flood", 0)
	flood, _ := s.connect("flood", nil)
	payload := strings.Repeat("x", 100_000)
	for range 200 { // 20 MB, more than the buffers of the sockets hold
		flood.Publish(0, "flood", payload)
	}
	flood.Ping()
	begin := time.Now()
	s.connect("same", nil)
	if took := time.Since(begin); took > 5*time.Second {
		t.Errorf("CONNACK took %v", took)
	}
}

// After many takeovers in quick succession, the last client is still subscribed.
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

	first, _ = s.connect("clean start", willConnect(60, 300, true))
	_, ack = s.connect("clean start", willConnect(60, 300, true))
	first.WantDisconnect(0x8E)
	if ack.SessionPresent {
		t.Error("session present")
	}
	want("bye")
	watcher.Ping() // no other message arrives before the PINGRESP
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

	s.endInTime("c")

	c, ack := s.connect("c", expiring)
	if ack.SessionPresent {
		t.Error("session present")
	}
	c.Publish(0, "t", "no recipient")
	c.Ping()
}

// A timer of an earlier disconnection does not end the session.
func TestLateExpiry(t *testing.T) {
	s := start(t, Options{})
	for range 2 {
		c, _ := s.connect("c", mqtttest.WithSession(false, 10))
		leave(c)
		s.waitOffline("c")
		s.expire(s.session("c"), time.Now().Add(-time.Second))
	}
	if _, ack := s.connect("c", mqtttest.WithSession(false, 10)); !ack.SessionPresent {
		t.Error("the session has ended")
	}
}
