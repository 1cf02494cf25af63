package broker

import (
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"iot.wasm/internal/localiot/mqtttest"

	"github.com/eclipse/paho.golang/packets"
)

// bubble runs a test with the clock of package synctest.
func bubble(t *testing.T, o Options, test func(*testing.T, *pipeServer)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		s := startPipe(t, o)
		defer s.stop()
		test(t, s)
	})
}

// ended returns how long a connection continues from now.
func ended(c *mqtttest.Client) time.Duration {
	begin := time.Now()
	for {
		if _, _, err := c.WS.Read(c.Context()); err != nil {
			return time.Since(begin)
		}
	}
}

// The broker closes a connection after one and a half times the keep-alive without a packet from the
// client [MQTT-3.1.2-22]. Part of a packet, a WebSocket ping or a message to the client do not count.
func TestKeepAliveDuration(t *testing.T) {
	bubble(t, Options{}, func(t *testing.T, s *pipeServer) {
		for keepAlive, want := range map[uint16]time.Duration{0: 1800 * time.Second, 1: 45 * time.Second, 60: 90 * time.Second, 65535: 1800 * time.Second} {
			c := s.open(t)
			c.MustConnect("c", func(p *packets.Connect) { p.KeepAlive = keepAlive })
			if got := ended(c); got != want {
				t.Errorf("keep-alive %d s: closed after %v, want %v", keepAlive, got, want)
			}
		}
		c := s.open(t)
		c.MustConnect("c", nil)
		c.Subscribe(1, "t", 0)
		time.Sleep(50 * time.Second)
		c.Ping()
		time.Sleep(50 * time.Second)
		s.Publish(Publication{Topic: "t"})
		mqtttest.Receive[*packets.Publish](c)
		c.SendBytes([]byte("\x30\x64part"))
		if got := ended(c); got != 40*time.Second {
			t.Errorf("closed %v after part of a packet, want 40 s", got)
		}
	})
}

// Until closes a connection, before and after its CONNECT.
func TestUntil(t *testing.T) {
	o := new(recorder)
	bubble(t, Options{Observer: o, ConnectTimeout: 48 * time.Hour}, func(t *testing.T, s *pipeServer) {
		until := time.Now().Add(24 * time.Hour)
		s.options = ConnOptions{Until: until}
		silent := s.open(t)
		v5 := s.open(t)
		v5.MustConnect("five", nil)
		v4 := s.open(t)
		v4.SendBytes([]byte("\x10\x0e\x00\x04MQTT\x04\x02\x00\x3c\x00\x02v4"))
		v4.WantBytes("\x20\x02\x00\x00")
		for time.Until(until) > 30*time.Second {
			v5.Ping()
			v4.SendBytes([]byte("\xc0\x00"))
			v4.WantBytes("\xd0\x00")
			time.Sleep(25 * time.Second)
		}
		time.Sleep(time.Until(until) - time.Second)
		closed := make(chan time.Duration, 2)
		for _, c := range []*mqtttest.Client{v4, silent} {
			go func() { closed <- ended(c) }()
		}
		v5.WantDisconnect(0x98)
		for range 2 {
			if after := <-closed; after != time.Second {
				t.Errorf("closed after %v, want 1 s", after)
			}
		}
		o.want(t, "connected five", "connected v4", "disconnected five WEBSOCKET_TTL_EXPIRATION false", "disconnected v4 WEBSOCKET_TTL_EXPIRATION false")
	})
}

// With RateQuotas, a connection transmits 512 KiB a second, in both directions together.
func TestThroughput(t *testing.T) {
	bubble(t, Options{RateQuotas: true}, func(t *testing.T, s *pipeServer) {
		c := s.open(t)
		c.MustConnect("c", nil)
		c.Subscribe(1, "t", 0)
		other := s.open(t)
		other.MustConnect("other", nil)
		payload := strings.Repeat("x", maxPayload)
		begin := time.Now()
		// The first second's 512 KiB are not delayed.
		for range 8 {
			other.Publish(0, "none", payload)
		}
		other.Ping()
		if took := time.Since(begin); took < time.Second || took > 1200*time.Millisecond {
			t.Errorf("8 * 128 KiB from the client took %v, want 1 s", took)
		}
		begin = time.Now()
		for range 8 {
			if err := s.Publish(Publication{Topic: "t", Payload: []byte(payload)}); err != nil {
				t.Fatal(err)
			}
		}
		for range 8 {
			mqtttest.Receive[*packets.Publish](c)
		}
		if took := time.Since(begin); took < time.Second || took > 1200*time.Millisecond {
			t.Errorf("8 * 128 KiB to the client took %v, want 1 s", took)
		}
		// What the client receives delays what it sends.
		begin = time.Now()
		c.Publish(0, "none", payload)
		c.Ping()
		if took := time.Since(begin); took < 200*time.Millisecond || took > 400*time.Millisecond {
			t.Errorf("128 KiB after 1 MiB took %v, want 0.25 s", took)
		}
	})
	// A connection that waits for its throughput closes at once.
	bubble(t, Options{RateQuotas: true}, func(t *testing.T, s *pipeServer) {
		c := s.open(t)
		c.MustConnect("c", nil)
		c.Subscribe(1, "t", 0)
		for range 40 {
			s.Publish(Publication{Topic: "t", Payload: make([]byte, maxPayload)})
		}
		begin := time.Now()
		go s.DisconnectClient("c", false, false)
		ended(c)
		if took := time.Since(begin); took > 2*CloseGrace {
			t.Errorf("closing took %v", took)
		}
	})
}

// Thousands of sessions expire at their own times, and a session that continues does not.
func TestSessionsExpire(t *testing.T) {
	bubble(t, Options{}, func(t *testing.T, s *pipeServer) {
		const n = 2000
		for i := range n {
			c := s.open(t)
			c.MustConnect(fmt.Sprint("c", i), mqtttest.WithSession(true, 10))
			c.Subscribe(1, "t", 1)
			c.Send(&packets.Disconnect{})
			ended(c)
			time.Sleep(time.Second)
		}
		if err := s.Publish(Publication{Topic: "t", QoS: 1, Payload: []byte("x")}); err != nil {
			t.Fatal(err)
		}
		state := func() (sessions, filters, stored int) {
			s.Broker.mu.Lock()
			defer s.Broker.mu.Unlock()
			return len(s.sessions), len(s.filters.children), s.stored
		}
		if sessions, _, stored := state(); sessions != n || stored == 0 {
			t.Errorf("%d sessions, %d bytes stored", sessions, stored)
		}
		time.Sleep(3600*time.Second - 1000*time.Second)
		if sessions, _, _ := state(); sessions < n/2-2 || sessions > n/2+2 {
			t.Errorf("%d sessions, want half of %d", sessions, n)
		}
		c := s.open(t)
		c.MustConnect(fmt.Sprint("c", n-1), mqtttest.WithSession(false, 10))
		time.Sleep(1001 * time.Second)
		if sessions, filters, stored := state(); sessions != 1 || filters != 1 || stored == 0 {
			t.Errorf("%d sessions, %d filters, %d bytes stored; want those of one client", sessions, filters, stored)
		}
	})
}
