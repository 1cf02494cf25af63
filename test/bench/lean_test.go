package main

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"nhooyr.io/websocket"
)

// A peer is a WebSocket outside the browser. It exchanges packets with the lean peer.
type peer struct {
	t      *testing.T
	ctx    context.Context
	ws     *websocket.Conn
	stream []byte // received bytes that packet has not returned
	frames int    // the number of received WebSocket messages
}

// dial starts a lean peer and connects to it with a CONNECT packet. It also returns the lean
// peer's side of the connection.
func dial(t *testing.T, connect []byte) (*peer, *conn) {
	t.Helper()
	l := newLean()
	mux := http.NewServeMux()
	mux.Handle("/mqtt/{name}", l)
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
	t.Cleanup(cancel)
	ws, _, err := websocket.Dial(ctx, "ws"+strings.TrimPrefix(server.URL, "http")+"/mqtt/test", &websocket.DialOptions{Subprotocols: []string{"mqtt"}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = ws.CloseNow() })
	ws.SetReadLimit(-1)
	c := &peer{t: t, ctx: ctx, ws: ws}
	c.send(connect)
	if p := c.packet(); p[0] != 0x20 || p[3] != 0 {
		t.Fatalf("CONNACK is % x, want reason code 0", p)
	}
	k, err := l.get("test")
	if err != nil {
		t.Fatal(err)
	}
	return c, k
}

func (c *peer) send(packets ...[]byte) {
	c.t.Helper()
	if err := c.ws.Write(c.ctx, websocket.MessageBinary, bytes.Join(packets, nil)); err != nil {
		c.t.Fatal(err)
	}
}

// packet returns the next packet. If no received frame contains it, packet reads more frames.
func (c *peer) packet() []byte {
	c.t.Helper()
	for {
		if size, _ := packetSize(c.stream); size > 0 && size <= len(c.stream) {
			p := c.stream[:size]
			c.stream = c.stream[size:]
			return p
		}
		_, b, err := c.ws.Read(c.ctx)
		if err != nil {
			c.t.Fatal(err)
		}
		c.frames++
		c.stream = append(c.stream, b...)
	}
}

var (
	connect5   = []byte{0x10, 16, 0, 4, 'M', 'Q', 'T', 'T', 5, 2, 0, 60, 3, 0x21, 0, 100, 0, 0}
	connect311 = []byte{0x10, 12, 0, 4, 'M', 'Q', 'T', 'T', 4, 2, 0, 60, 0, 0}
)

func TestVersions(t *testing.T) {
	for _, test := range []struct {
		name              string
		connect           []byte
		subscribe, suback []byte
	}{
		{"5", connect5, []byte{0x82, 7, 0, 9, 0, 0, 1, '#', 1}, []byte{0x90, 4, 0, 9, 0, 1}},
		{"3.1.1", connect311, []byte{0x82, 6, 0, 9, 0, 1, '#', 1}, []byte{0x90, 3, 0, 9, 1}},
	} {
		t.Run(test.name, func(t *testing.T) {
			c, _ := dial(t, test.connect)
			c.send(test.subscribe, []byte{0xC0, 0})
			if p := c.packet(); !bytes.Equal(p, test.suback) {
				t.Errorf("SUBACK is % x, want % x", p, test.suback)
			}
			if p := c.packet(); p[0] != 0xD0 {
				t.Errorf("the packet is % x, want PINGRESP", p)
			}
		})
	}
}

func TestBlast(t *testing.T) {
	for _, test := range []struct {
		name   string
		b      blast
		frames int // without the frame of the end message
	}{
		{"one per frame", blast{Count: 100, Size: 200, PerFrame: 1}, 100},
		{"50 per frame", blast{Count: 1010, Size: 200, PerFrame: 50}, 21},
		{"large", blast{Count: 4, Size: 64 << 10, PerFrame: 2}, 2},
		// The client's Receive Maximum is 100.
		{"QoS 1", blast{Count: 1000, Size: 64, QoS: 1, PerFrame: 50}, 20},
	} {
		t.Run(test.name, func(t *testing.T) {
			c, k := dial(t, connect5)
			c.frames = 0
			done := make(chan error, 1)
			go func() { done <- k.blast(c.ctx, test.b) }()
			unacknowledged := 0
			for range test.b.Count {
				p := c.packet()
				_, header := packetSize(p)
				topic := 2 + int(binary.BigEndian.Uint16(p[header:]))
				payload := p[header+topic+1:]
				if test.b.QoS > 0 {
					id := p[header+topic : header+topic+2]
					payload = payload[2:]
					if unacknowledged++; unacknowledged > 100 {
						t.Fatal("the lean peer exceeds the Receive Maximum")
					}
					if len(c.stream) == 0 {
						c.send(bytes.Repeat([]byte{0x40, 2, id[0], id[1]}, unacknowledged))
						unacknowledged = 0
					}
				}
				if p[0] != 0x30|test.b.QoS<<1 || len(payload) != test.b.Size {
					t.Fatalf("the packet begins with % x and has a payload of %d bytes, want QoS %d and %d bytes", p[:header+topic], len(payload), test.b.QoS, test.b.Size)
				}
			}
			if c.frames != test.frames {
				t.Errorf("the client has received %d frames, want %d", c.frames, test.frames)
			}
			if p := c.packet(); !bytes.Contains(p, []byte(endTopic)) {
				t.Errorf("the last packet is % x, want the end message", p)
			}
			if err := <-done; err != nil {
				t.Error(err)
			}
		})
	}
}

func TestPublish(t *testing.T) {
	c, k := dial(t, connect311)
	var some []byte
	for id := range 3 {
		some = k.appendPublish(some, "a", 1, uint16(id+1), make([]byte, 1000))
	}
	k.expect(4)
	c.send(some[:500])
	c.send(some[500:], k.appendPublish(nil, "b", 0, 0, []byte("x")))
	for id := range 3 {
		if p := c.packet(); !bytes.Equal(p, []byte{0x40, 2, 0, byte(id + 1)}) {
			t.Errorf("the packet is % x, want PUBACK %d", p, id+1)
		}
	}
	if p := c.packet(); !bytes.Contains(p, []byte(endTopic)) {
		t.Errorf("the packet after the last PUBACK is % x, want the end message", p)
	}
	echo := k.appendPublish(nil, echoTopic, 0, 0, []byte("hello"))
	c.send(echo)
	if p := c.packet(); !bytes.Equal(p, echo) {
		t.Errorf("the echo is % x, want % x", p, echo)
	}
}

// BenchmarkLean measures the lean peer without a client. The receiver discards the sent
// messages, and the received messages are prepared before the measurement.
func BenchmarkLean(b *testing.B) {
	for _, perFrame := range []int{1, 50} {
		b.Run(fmt.Sprintf("blast, %d per frame", perFrame), func(b *testing.B) {
			k := pipe(b)
			k.version = 5
			for b.Loop() {
				if err := k.blast(b.Context(), blast{Count: 1000, Size: 200, PerFrame: perFrame}); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(b.N)*1000/b.Elapsed().Seconds(), "msg/s")
		})
	}
	b.Run("count", func(b *testing.B) {
		k := pipe(b)
		packet := k.appendPublish(nil, "bench/out/00", 1, 1, make([]byte, 200))
		frame := append([]byte{0x82, 0x80 | 126, byte(len(packet) >> 8), byte(len(packet)), 1, 2, 3, 4}, packet...)
		for i := range packet {
			frame[8+i] ^= frame[4+i&3]
		}
		b.ResetTimer()
		_ = k.read(io.LimitReader(repeated(frame), int64(b.N*len(frame)))) // until the input ends
		b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "msg/s")
	})
}

// repeated is an endless reader of copies of the same bytes.
type repeated []byte

func (r repeated) Read(b []byte) (n int, err error) {
	for len(b)-n >= len(r) {
		n += copy(b[n:], r)
	}
	return n, nil
}

// pipe returns a TCP connection whose other end discards all received bytes.
func pipe(b *testing.B) *conn {
	b.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	defer l.Close()
	near, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		b.Fatal(err)
	}
	far, err := l.Accept()
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { near.Close(); far.Close() })
	go func() { _, _ = io.Copy(io.Discard, far) }()
	k := &conn{net: near, receiveMaximum: 65535}
	k.changed.L = &k.mu
	return k
}
