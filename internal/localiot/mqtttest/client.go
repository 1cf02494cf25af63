// Package mqtttest is an MQTT 5 client for tests of the local AWS IoT Core. The test sends and
// receives packet by packet.
package mqtttest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"testing"
	"time"

	"github.com/eclipse/paho.golang/packets"
	"nhooyr.io/websocket"
)

// timeout bounds each wait for the server.
const timeout = 10 * time.Second

// Client is one WebSocket connection. A method without an error result fails the test on any error.
// Every method fails the test if the server sends nothing for 10 s.
type Client struct {
	WS *websocket.Conn

	t      *testing.T
	unread *bytes.Reader // the rest of the last WebSocket message
}

// Dial opens a WebSocket with the subprotocol mqtt. The WebSocket is closed at the end of the test.
func Dial(t *testing.T, url string) *Client {
	t.Helper()
	return DialWith(t, url, websocket.DialOptions{})
}

// DialWith is like Dial, with options for the handshake. If the options contain no subprotocols, the
// subprotocol is mqtt. The server must select the first subprotocol.
func DialWith(t *testing.T, url string, o websocket.DialOptions) *Client {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), timeout)
	defer cancel()
	if len(o.Subprotocols) == 0 {
		o.Subprotocols = []string{"mqtt"}
	}
	ws, _, err := websocket.Dial(ctx, url, &o)
	if err != nil {
		t.Fatal(err)
	}
	if ws.Subprotocol() != o.Subprotocols[0] {
		t.Fatalf("subprotocol %q", ws.Subprotocol())
	}
	return New(t, ws)
}

// New returns a Client for an open WebSocket. The WebSocket is closed at the end of the test.
func New(t *testing.T, ws *websocket.Conn) *Client {
	t.Helper()
	t.Cleanup(func() { ws.CloseNow() })
	ws.SetReadLimit(1 << 20)
	return &Client{WS: ws, t: t, unread: bytes.NewReader(nil)}
}

// Connect sends a CONNECT and returns the CONNACK. change may modify the CONNECT; it may be nil.
func (c *Client) Connect(id string, change func(*packets.Connect)) *packets.Connack {
	c.t.Helper()
	p := packets.NewControlPacket(packets.CONNECT).Content.(*packets.Connect)
	p.ClientID, p.CleanStart, p.KeepAlive = id, true, 60
	if change != nil {
		change(p)
	}
	c.Send(p)
	return Receive[*packets.Connack](c)
}

// MustConnect is like Connect, and fails the test if the broker refuses the CONNECT.
func (c *Client) MustConnect(id string, change func(*packets.Connect)) *packets.Connack {
	c.t.Helper()
	ack := c.Connect(id, change)
	if ack.ReasonCode != 0 {
		c.t.Fatalf("CONNACK 0x%02X", ack.ReasonCode)
	}
	return ack
}

// WithSession returns a function for the parameter change of Connect. The function sets the clean start
// flag, a Session Expiry Interval of one hour, and the Receive Maximum.
func WithSession(cleanStart bool, receiveMaximum uint16) func(*packets.Connect) {
	return func(p *packets.Connect) {
		expiry := uint32(3600)
		p.CleanStart = cleanStart
		p.Properties = &packets.Properties{ReceiveMaximum: &receiveMaximum, SessionExpiryInterval: &expiry}
	}
}

// Context returns the context of the test.
func (c *Client) Context() context.Context { return c.t.Context() }

// Send sends one packet as one WebSocket message.
func (c *Client) Send(p io.WriterTo) {
	c.t.Helper()
	var b bytes.Buffer
	if _, err := p.WriteTo(&b); err != nil {
		c.t.Fatal(err)
	}
	c.SendBytes(b.Bytes())
}

// SendBytes sends one WebSocket message.
func (c *Client) SendBytes(b []byte) {
	c.t.Helper()
	ctx, cancel := context.WithTimeout(c.t.Context(), timeout)
	defer cancel()
	if err := c.WS.Write(ctx, websocket.MessageBinary, b); err != nil {
		c.t.Fatal(err)
	}
}

// Next reads one packet. It returns an error if the WebSocket has ended. It fails the test if a
// WebSocket message ends within a packet.
func (c *Client) Next() (*packets.ControlPacket, error) {
	c.t.Helper()
	if c.unread.Len() == 0 {
		message, err := c.Read()
		if err != nil {
			return nil, err
		}
		c.unread.Reset(message)
	}
	p, err := packets.ReadPacket(c.unread)
	if err != nil {
		c.t.Fatalf("a WebSocket message does not contain whole packets: %v", err)
	}
	return p, nil
}

// Read reads one WebSocket message. It returns an error if the WebSocket has ended.
func (c *Client) Read() ([]byte, error) {
	c.t.Helper()
	ctx, cancel := context.WithTimeout(c.t.Context(), timeout)
	defer cancel()
	_, message, err := c.WS.Read(ctx)
	if ctx.Err() != nil {
		c.t.Fatalf("received nothing for %v", timeout)
	}
	return message, err
}

// WantBytes reads one WebSocket message, which must consist of these bytes.
func (c *Client) WantBytes(want string) {
	c.t.Helper()
	message, err := c.Read()
	if err != nil {
		c.t.Fatal(err)
	}
	if string(message) != want {
		c.t.Fatalf("received % x, want % x", message, want)
	}
}

// Receive reads one packet, which must have the type P.
func Receive[P any](c *Client) P {
	c.t.Helper()
	p, err := c.Next()
	if err != nil {
		c.t.Fatal(err)
	}
	content, ok := p.Content.(P)
	if !ok {
		c.t.Fatalf("received %v, want %T", p.Content, content)
	}
	return content
}

// WantDisconnect reads a DISCONNECT with a reason code, and then the closing handshake.
func (c *Client) WantDisconnect(reason byte) {
	c.t.Helper()
	if got := Receive[*packets.Disconnect](c).ReasonCode; got != reason {
		c.t.Fatalf("DISCONNECT 0x%02X, want 0x%02X", got, reason)
	}
	c.WantClose()
}

// WantClose reads the closing handshake of the WebSocket, with close code 1000.
func (c *Client) WantClose() {
	c.t.Helper()
	p, err := c.Next()
	if err == nil {
		c.t.Fatalf("received %v, want the end of the connection", p.Content)
	}
	var e websocket.CloseError
	if !errors.As(err, &e) || e.Code != websocket.StatusNormalClosure {
		c.t.Fatalf("connection ended with %v, want close code 1000", err)
	}
}

// Subscribe subscribes to a filter with the packet identifier id. The broker must grant qos.
func (c *Client) Subscribe(id uint16, filter string, qos byte) {
	c.t.Helper()
	c.Send(&packets.Subscribe{PacketID: id, Subscriptions: []packets.SubOptions{{Topic: filter, QoS: qos}}})
	if ack := Receive[*packets.Suback](c); ack.PacketID != id || !bytes.Equal(ack.Reasons, []byte{qos}) {
		c.t.Fatalf("SUBACK %d %x, want %d %x", ack.PacketID, ack.Reasons, id, qos)
	}
}

// Publish sends a PUBLISH with the packet identifier id and QoS 1. If id is 0, the QoS is 0.
func (c *Client) Publish(id uint16, topic, payload string) {
	c.t.Helper()
	p := &packets.Publish{PacketID: id, Topic: topic, Payload: []byte(payload), Properties: &packets.Properties{}}
	if id != 0 {
		p.QoS = 1
	}
	c.Send(p)
}

// PublishAll publishes n messages with QoS 1, each with its index from 0 as the payload, and waits until
// the broker has distributed them.
func (c *Client) PublishAll(n int, topic string) {
	c.t.Helper()
	for i := range n {
		c.Publish(uint16(i+1), topic, fmt.Sprint(i))
		if ack := Receive[*packets.Puback](c); int(ack.PacketID) != i+1 {
			c.t.Fatalf("PUBACK %d, want %d", ack.PacketID, i+1)
		}
	}
	c.Ping()
}

// Ping sends a PINGREQ and waits for the PINGRESP. The broker has then processed all packets that the
// client sent before.
func (c *Client) Ping() {
	c.t.Helper()
	c.Send(&packets.Pingreq{})
	Receive[*packets.Pingresp](c)
}
