package e2e

import (
	"bytes"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/eclipse/paho.golang/packets"
	"nhooyr.io/websocket"

	"iot.wasm/test/harness"
)

// script is a broker whose answers are defined by a test.
type script struct {
	t        *testing.T
	endpoint string

	mu    sync.Mutex
	types []string // of the received packets
}

// scriptConn is a connection to a script.
type scriptConn struct {
	*script
	ws      *websocket.Conn
	request *http.Request
}

// newScript serves a script that calls answer for each received packet.
func newScript(t *testing.T, answer func(c *scriptConn, cp *packets.ControlPacket)) *script {
	t.Helper()
	s := &script{t: t}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		ws, err := websocket.Accept(w, r, &websocket.AcceptOptions{Subprotocols: []string{"mqtt"}, InsecureSkipVerify: true})
		if err != nil {
			return
		}
		ws.SetReadLimit(-1)
		defer ws.CloseNow()
		stream := websocket.NetConn(r.Context(), ws, websocket.MessageBinary)
		for {
			cp, err := packets.ReadPacket(stream)
			if err != nil {
				return
			}
			s.mu.Lock()
			s.types = append(s.types, cp.PacketType())
			s.mu.Unlock()
			answer(&scriptConn{s, ws, r}, cp)
		}
	}))
	t.Cleanup(server.Close)
	s.endpoint = "ws" + strings.TrimPrefix(server.URL, "http") + "/mqtt"
	return s
}

// seen lists the types of the received packets.
func (s *script) seen() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return strings.Join(s.types, " ")
}

// An encoder is a packet of paho.
type encoder interface {
	WriteTo(io.Writer) (int64, error)
}

// send sends packets in one WebSocket message.
func (c *scriptConn) send(list ...encoder) {
	var b bytes.Buffer
	for _, p := range list {
		if _, err := p.WriteTo(&b); err != nil {
			c.t.Error(err)
		}
	}
	_ = c.ws.Write(c.request.Context(), websocket.MessageBinary, b.Bytes())
}

func properties() *packets.Properties { return &packets.Properties{} }

// throttled serves a proxy to target. The proxy reads perSecond bytes per second from the
// page. buffer is the size of its receive buffer in bytes; 0 selects the system's default.
// With a small buffer, the unsent bytes wait in the browser.
func throttled(t *testing.T, target string, perSecond, buffer int) (address string) {
	t.Helper()
	return harness.Listen(t, func(page *net.TCPConn) {
		defer page.Close()
		if buffer > 0 {
			_ = page.SetReadBuffer(buffer)
		}
		broker, err := net.Dial("tcp", target)
		if err != nil {
			return
		}
		go func() {
			defer broker.Close()
			const parts = 20 // of a second
			tick := time.NewTicker(time.Second / parts)
			defer tick.Stop()
			for {
				if _, err := io.CopyN(broker, page, int64(perSecond/parts)); err != nil {
					return
				}
				<-tick.C
			}
		}()
		_, _ = io.Copy(page, broker)
	})
}
