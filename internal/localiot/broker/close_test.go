package broker

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"

	"iot.wasm/internal/localiot/mqtttest"

	mochi "github.com/mochi-mqtt/server/v2/packets"

	"github.com/eclipse/paho.golang/packets"
)

// A rawClient is an MQTT client that sends and receives single frames of a WebSocket.
type rawClient struct {
	t   *testing.T
	tcp net.Conn
	in  *bufio.Reader
}

// The opcodes of frames [RFC 6455, 5.2].
const (
	opText   = 1
	opBinary = 2
	opClose  = 8
)

// raw opens a WebSocket and connects.
func (s *testBroker) raw(id string) *rawClient {
	s.t.Helper()
	tcp, err := net.Dial("tcp", strings.TrimPrefix(s.http.URL, "http://"))
	if err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() { tcp.Close() })
	c := &rawClient{s.t, tcp, bufio.NewReader(tcp)}
	fmt.Fprintf(tcp, "GET / HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Protocol: mqtt\r\n\r\n")
	r, err := http.ReadResponse(c.in, nil)
	if err != nil || r.StatusCode != http.StatusSwitchingProtocols {
		s.t.Fatal(r, err)
	}
	c.sendPacket(&packets.Connect{ProtocolName: "MQTT", ProtocolVersion: 5, CleanStart: true, KeepAlive: 60, ClientID: id, Properties: &packets.Properties{}})
	if opcode, payload := c.frame(); opcode != opBinary || payload[0] != packets.CONNACK<<4 {
		s.t.Fatalf("received the frame %d with % x, want a CONNACK", opcode, payload)
	}
	return c
}

// send sends a frame with at most 125 bytes. Its masking key is 0.
func (c *rawClient) send(opcode byte, payload []byte) {
	c.tcp.Write(append([]byte{0x80 | opcode, 0x80 | byte(len(payload)), 0, 0, 0, 0}, payload...))
}

func (c *rawClient) sendPacket(p interface {
	WriteTo(io.Writer) (int64, error)
}) {
	var b bytes.Buffer
	if _, err := p.WriteTo(&b); err != nil {
		c.t.Fatal(err)
	}
	c.send(opBinary, b.Bytes())
}

// frame receives a frame.
func (c *rawClient) frame() (opcode byte, payload []byte) {
	c.t.Helper()
	header := make([]byte, 2)
	if _, err := io.ReadFull(c.in, header); err != nil {
		c.t.Fatal(err)
	}
	n := uint64(header[1])
	if n >= 126 {
		length := make([]byte, 8)
		if n == 126 {
			io.ReadFull(c.in, length[6:])
		} else {
			io.ReadFull(c.in, length)
		}
		n = binary.BigEndian.Uint64(length)
	}
	payload = make([]byte, n)
	if _, err := io.ReadFull(c.in, payload); err != nil {
		c.t.Fatal(err)
	}
	return header[0] & 15, payload
}

// The server sends one close frame, even if the close frames of both sides cross, and nothing after it [RFC 6455, 5.5.1].
func TestOneCloseFrame(t *testing.T) {
	s := start(t, Options{})
	// A message of every length of the header precedes the close frame.
	for _, size := range []int{0, 100, 130, 5000, 70_000} {
		for name, end := range map[string]func(c *rawClient){
			"DISCONNECT of the client":     func(c *rawClient) { c.send(opBinary, []byte{0xe0, 0}) },
			"invalid packet of the client": func(c *rawClient) { c.send(opBinary, []byte{0xf0, 0}) },
			"text message of the client":   func(c *rawClient) { c.send(opText, []byte("text")) },
			"take-over":                    func(c *rawClient) { s.in(t).connect("raw", nil) },
			"end by the server": func(c *rawClient) {
				for _, conn := range s.connections() {
					conn.Disconnect(mochi.ErrServerShuttingDown)
				}
			},
		} {
			t.Run(fmt.Sprint(name, " ", size), func(t *testing.T) {
				c := s.in(t).raw("raw")
				c.sendPacket(&packets.Subscribe{PacketID: 1, Subscriptions: []packets.SubOptions{{Topic: "t"}}, Properties: &packets.Properties{}})
				c.frame() // SUBACK
				other, _ := s.in(t).connect("other", nil)
				other.Publish(1, "t", string(bytes.Repeat([]byte{0x88, 0}, size/2))) // looks like close frames
				mqtttest.Receive[*packets.Puback](other)
				if _, message := c.frame(); len(message) < size {
					t.Fatalf("received %d bytes, want a message with %d bytes", len(message), size)
				}
				end(c)
				opcode, _ := c.frame()
				for opcode == opBinary { // a DISCONNECT of the server
					opcode, _ = c.frame()
				}
				if opcode != opClose {
					t.Fatalf("received a frame with opcode %d, want a close frame", opcode)
				}
				c.send(9, []byte("ping"))
				c.send(opClose, []byte{1000 >> 8, 1000 & 0xff})
				if rest, _ := io.ReadAll(c.in); len(rest) != 0 {
					t.Errorf("received % x after the close frame", rest)
				}
			})
		}
	}
}
