package broker

import (
	"bufio"
	"bytes"
	"context"
	"encoding/binary"
	"io"
	"log/slog"
	"net/http"
	"testing"
	"time"

	"github.com/eclipse/paho.golang/packets"
	mochi "github.com/mochi-mqtt/server/v2/packets"
)

// FuzzConnections sends two streams of bytes to a Broker, over one connection after the other, while
// another client is connected. The Broker must not panic, must end both connections, and must continue to
// serve the other client. chunk is the size of a WebSocket message, and end selects how the client ends
// the connections.
func FuzzConnections(f *testing.F) {
	const (
		connect    = "\x10\x0e\x00\x04MQTT\x05\x02\x00\x3c\x00\x00\x01c" // Clean Start
		persistent = "\x10\x13\x00\x04MQTT\x05\x00\x00\x3c\x05\x11\x00\x00\x00\x3c\x00\x01c"
		version4   = "\x10\x0d\x00\x04MQTT\x04\x00\x00\x3c\x00\x01c"
		will       = "\x10\x1b\x00\x04MQTT\x05\x2e\x00\x3c\x00\x00\x01c\x05\x18\x00\x00\x00\x01\x00\x01w\x00\x01x"
		subscribe  = "\x82\x13\x00\x01\x00\x00\x01t\x01\x00\x0a$share/g/t\x01"
		wildcard   = "\x82\x07\x00\x01\x00\x00\x01#\x01"
		publish    = "\x32\x07\x00\x01t\x00\x02\x00x"
		retained   = "\x33\x0c\x00\x01t\x00\x02\x05\x02\x00\x00\x00\x01x"
		aliased    = "\x32\x0a\x00\x01t\x00\x02\x03\x23\x00\x01x" + "\x32\x09\x00\x00\x00\x03\x03\x23\x00\x01x"
		exactly    = "\x34\x07\x00\x01t\x00\x07\x00x" + "\x62\x02\x00\x07"
		request    = "\x32\x0e\x00\x08$aws/ask\x00\x05\x00x"
		acks       = "\x40\x02\x00\x01" + "\x40\x02\x00\x02" + "\x50\x02\x00\x01" + "\x70\x02\x00\x01"
		rest       = "\xa2\x06\x00\x09\x00\x00\x01t" + "\xc0\x00"
		disconnect = "\xe0\x00"
	)
	for i, streams := range [][2]string{
		{connect + subscribe + publish + acks + rest + disconnect, connect + wildcard + publish},
		{persistent + subscribe + publish + publish, persistent + acks + publish + disconnect},
		{version4 + "\x82\x06\x00\x01\x00\x01t\x01" + "\x32\x06\x00\x01t\x00\x02x", version4 + acks},
		{will + wildcard + retained, connect + subscribe + aliased},
		{persistent + subscribe + exactly + request, will + acks + exactly},
		{persistent + subscribe, version4 + publish},
	} {
		f.Add([]byte(streams[0]), []byte(streams[1]), uint16(i*5), byte(i))
	}
	for _, cases := range mochi.TPacketData {
		for _, c := range cases {
			f.Add([]byte(connect+string(c.RawBytes)+rest), c.RawBytes, uint16(0), byte(0))
		}
	}
	f.Fuzz(func(t *testing.T, first, second []byte, chunk uint16, end byte) {
		var log bytes.Buffer
		s := startPipe(t, Options{
			MaximumQoS: end>>1&1 + 1, NoQuotas: end>>2&1 == 1, RateQuotas: end>>3&1 == 1, Services: []Service{reply{}}, Observer: new(recorder),
			Logger: slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelError})),
		})
		witness := s.open(t)
		witness.MustConnect("witness of the fuzz test", nil)
		witness.Subscribe(1, "witness/of/the/fuzz/test", 0)
		for _, stream := range [][]byte{first, second} {
			s.sendStream(t, stream, int(chunk), end&1 == 1)
			witness.Publish(0, "witness/of/the/fuzz/test", "still here")
			if p, err := witness.Next(); err != nil {
				t.Fatal(err)
			} else if p, ok := p.Content.(*packets.Publish); !ok || string(p.Payload) != "still here" {
				t.Fatalf("received %v", p)
			}
		}
		witness.WS.CloseNow()
		s.stop()
		if log.Len() > 0 {
			t.Fatal(log.String())
		}
	})
}

// sendStream opens a connection, sends a stream, and waits until the Broker has ended the connection. If
// cut is set, the connection ends without a close frame. The client ignores what it receives.
func (s *pipeServer) sendStream(t *testing.T, stream []byte, chunk int, cut bool) {
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	client, err := s.listener.dial(ctx, "", "")
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	io.WriteString(client, "GET / HTTP/1.1\r\nHost: pipe\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"+
		"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Protocol: mqtt\r\n\r\n")
	reader := bufio.NewReader(client)
	if response, err := http.ReadResponse(reader, nil); err != nil || response.StatusCode != http.StatusSwitchingProtocols {
		t.Fatal(response, err)
	}
	go io.Copy(io.Discard, reader)
	if chunk == 0 {
		chunk = len(stream) + 1
	}
	for len(stream) > 0 && err == nil {
		n := min(chunk, len(stream))
		_, err = client.Write(maskedFrame(0x82, stream[:n]))
		stream = stream[n:]
	}
	if cut {
		client.Close()
	} else {
		client.Write(maskedFrame(0x88, []byte{1000 >> 8, 1000 & 0xff})) // the Broker closes the pipe then
	}
	select {
	case <-s.ended:
	case <-ctx.Done():
		t.Fatal("the broker has not ended the connection")
	}
}

// maskedFrame returns a WebSocket frame whose masking key is 0.
func maskedFrame(first byte, payload []byte) []byte {
	f := binary.BigEndian.AppendUint64([]byte{first, 0x80 | 127}, uint64(len(payload)))
	if len(payload) < 126 {
		f = []byte{first, 0x80 | byte(len(payload))}
	} else if len(payload) < 1<<16 {
		f = binary.BigEndian.AppendUint16([]byte{first, 0x80 | 126}, uint16(len(payload)))
	}
	return append(append(f, 0, 0, 0, 0), payload...)
}
