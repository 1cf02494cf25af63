package broker

import (
	"bytes"
	"context"
	"strings"
	"testing"
	"time"

	"github.com/eclipse/paho.golang/packets"
	"nhooyr.io/websocket"
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
		"Session Expiry Interval":           {*p.SessionExpiryInterval, uint32(3600)},
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
			t.Errorf("keep-alive %d: Server Keep Alive %d, want %d", asked, got, want)
		}
	}
}

func TestKeepAliveTimeout(t *testing.T) {
	s := start(t, Options{})
	c, _ := s.connect("silent", nil)
	for _, conn := range s.connections() {
		conn.mu.Lock()
		conn.timer.Reset(0)
		conn.mu.Unlock()
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
		{"user name and password of zero length", "empty", func(p *packets.Connect) {
			p.UsernameFlag, p.PasswordFlag = true, true
		}, 0},
		{"password of zero length without a user name", "empty", func(p *packets.Connect) { p.PasswordFlag = true }, 0},
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

// Like AWS IoT, the broker supports MQTT 3.1.1.
func TestVersion4(t *testing.T) {
	s := start(t, Options{})
	c := s.open()
	c.SendBytes([]byte("\x10\x0e\x00\x04MQTT\x04\x02\x00\x3c\x00\x02v4"))
	c.WantBytes("\x20\x02\x00\x00")
	c.SendBytes([]byte("\x82\x06\x00\x01\x00\x01t\x01"))
	c.WantBytes("\x90\x03\x00\x01\x01")
	c.SendBytes([]byte("\x32\x07\x00\x01t\x00\x05hi"))
	message, err := c.Read()
	if err != nil || !bytes.HasPrefix(message, []byte("\x40\x02\x00\x05")) {
		t.Errorf("received % x, %v; want PUBACK 5", message, err)
	}
	c.SendBytes([]byte("\x34\x07\x00\x01t\x00\x06hi")) // for QoS 2, the broker closes the connection; in MQTT 3.1.1 a server sends no DISCONNECT
	for {
		message, err := c.Read()
		if err != nil {
			break
		}
		if message[0]>>4 == 14 {
			t.Errorf("received % x", message)
		}
	}
}

// The broker closes a connection that sends no complete CONNECT within ConnectTimeout.
func TestConnectTimeout(t *testing.T) {
	s := start(t, Options{ConnectTimeout: 300 * time.Millisecond})
	for name, send := range map[string]func(context.Context, *websocket.Conn) error{
		"nothing": nil,
		"part of a CONNECT": func(ctx context.Context, ws *websocket.Conn) error {
			return ws.Write(ctx, websocket.MessageBinary, []byte{packets.CONNECT << 4, 100, 0, 4, 'M'})
		},
		"empty messages": func(ctx context.Context, ws *websocket.Conn) error {
			return ws.Write(ctx, websocket.MessageBinary, nil)
		},
		"WebSocket pings": func(ctx context.Context, ws *websocket.Conn) error { return ws.Ping(ctx) },
	} {
		t.Run(name, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
			defer cancel()
			ws := s.in(t).open().WS
			ended := make(chan error, 1)
			go func() {
				for {
					if _, _, err := ws.Read(ctx); err != nil {
						ended <- err
						return
					}
				}
			}()
			for again := send != nil; again; again = name != "part of a CONNECT" {
				if err := send(ctx, ws); err != nil {
					break
				}
			}
			if err := <-ended; ctx.Err() != nil {
				t.Errorf("the connection is open after 20 s: %v", err)
			}
		})
	}
}

// ConnectTimeout may expire before NewConn returns.
func TestConnectTimeoutExpiresAtOnce(t *testing.T) {
	s := start(t, Options{ConnectTimeout: 1})
	for range 100 {
		s.open().WantClose()
	}
}
