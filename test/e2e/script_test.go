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
)

// script is a broker that does what the test says with each packet.
type script struct {
	t        *testing.T
	endpoint string

	mu    sync.Mutex
	types []string // of the packets that have come
}

// scriptConn is one connection to it.
type scriptConn struct {
	*script
	ws      *websocket.Conn
	request *http.Request
}

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

// seen lists the types of the packets that have come.
func (s *script) seen() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return strings.Join(s.types, " ")
}

// encoder is a packet of paho's.
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

// throttled is a proxy to target that takes so many bytes a second from the page.
// A small buffer keeps in the browser what has not left.
func throttled(t *testing.T, target string, perSecond, buffer int) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	go func() {
		for {
			page, err := l.Accept()
			if err != nil {
				return
			}
			if buffer > 0 {
				_ = page.(*net.TCPConn).SetReadBuffer(buffer)
			}
			broker, err := net.Dial("tcp", target)
			if err != nil {
				_ = page.Close()
				continue
			}
			go func() {
				_, _ = io.Copy(page, broker)
				_ = page.Close()
			}()
			go func() {
				defer broker.Close()
				const slice = 20 // of a second
				for tick := time.NewTicker(time.Second / slice); ; <-tick.C {
					if _, err := io.CopyN(broker, page, int64(perSecond/slice)); err != nil {
						tick.Stop()
						return
					}
				}
			}()
		}
	}()
	return l.Addr().String()
}
