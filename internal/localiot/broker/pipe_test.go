package broker

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"testing"

	"iot.wasm/internal/localiot/mqtttest"

	"nhooyr.io/websocket"
)

// pipeListener is a net.Listener whose connections are pipes. Package synctest needs them.
type pipeListener struct {
	conns chan net.Conn
	done  chan struct{}
	once  sync.Once
}

func (l *pipeListener) Accept() (net.Conn, error) {
	select {
	case c := <-l.conns:
		return c, nil
	case <-l.done:
		return nil, net.ErrClosed
	}
}

func (l *pipeListener) Close() error {
	l.once.Do(func() { close(l.done) })
	return nil
}

func (l *pipeListener) Addr() net.Addr { return pipeAddr{} }

func (l *pipeListener) dial(context.Context, string, string) (net.Conn, error) {
	client, server := net.Pipe()
	select {
	case l.conns <- server:
		return client, nil
	case <-l.done:
		return nil, errors.New("the server is closed")
	}
}

type pipeAddr struct{}

func (pipeAddr) Network() string { return "pipe" }
func (pipeAddr) String() string  { return "pipe" }

// pipeServer serves a Broker over pipes.
type pipeServer struct {
	*Broker
	listener *pipeListener
	http     *http.Server
	client   *http.Client
	options  ConnOptions // of later connections

	serving sync.WaitGroup
	mu      sync.Mutex
	conns   []*Conn
}

// startPipe starts a Broker over pipes. The caller must call stop.
func startPipe(tb testing.TB, o Options) *pipeServer {
	tb.Helper()
	if o.Logger == nil {
		o.Logger = slog.New(slog.NewTextHandler(io.Discard, nil))
	}
	b, err := New(o)
	if err != nil {
		tb.Fatal(err)
	}
	l := &pipeListener{conns: make(chan net.Conn), done: make(chan struct{})}
	s := &pipeServer{Broker: b, listener: l, client: &http.Client{Transport: &http.Transport{DialContext: l.dial}}}
	s.http = &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.serving.Add(1)
		defer s.serving.Done()
		if socket, err := Accept(w, r, "mqtt", nil); err == nil {
			c := b.NewConn(socket, s.options)
			s.mu.Lock()
			s.conns = append(s.conns, c)
			s.mu.Unlock()
			c.Serve()
		}
	})}
	s.serving.Go(func() { s.http.Serve(l) })
	return s
}

// stop ends all connections and the Broker.
func (s *pipeServer) stop() {
	s.http.Close()
	s.mu.Lock()
	for _, c := range s.conns {
		c.Close()
	}
	s.mu.Unlock()
	s.serving.Wait()
	s.client.CloseIdleConnections()
	s.Broker.Close()
}

// open opens a WebSocket.
func (s *pipeServer) open(t *testing.T) *mqtttest.Client {
	t.Helper()
	ws, _, err := websocket.Dial(t.Context(), "http://pipe/", &websocket.DialOptions{Subprotocols: []string{"mqtt"}, HTTPClient: s.client})
	if err != nil {
		t.Fatal(err)
	}
	return mqtttest.New(t, ws)
}
