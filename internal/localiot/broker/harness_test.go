package broker

import (
	"log/slog"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"sync"
	"testing"

	"iot.wasm/internal/localiot/mqtttest"

	mochi "github.com/mochi-mqtt/server/v2/packets"

	"github.com/eclipse/paho.golang/packets"
)

// testBroker is a Broker behind an HTTP server that opens WebSockets without authentication.
type testBroker struct {
	*Broker
	t    *testing.T
	http *httptest.Server
	log  *syncBuffer

	options ConnOptions // of later connections

	serving  sync.WaitGroup
	stopOnce sync.Once

	mu    sync.Mutex
	conns map[*Conn]struct{}
}

// start starts a Broker, which stops at the end of the test.
func start(t *testing.T, o Options) *testBroker {
	t.Helper()
	log := new(syncBuffer)
	o.Logger = slog.New(slog.NewTextHandler(log, nil))
	b, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	s := &testBroker{Broker: b, t: t, log: log, conns: make(map[*Conn]struct{})}
	s.http = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.serving.Add(1)
		defer s.serving.Done()
		socket, err := Accept(w, r, "mqtt", nil)
		if err != nil {
			t.Error(err)
			return
		}
		c := b.NewConn(socket, s.options)
		s.mu.Lock()
		s.conns[c] = struct{}{}
		s.mu.Unlock()
		c.Serve()
	}))
	t.Cleanup(s.stop)
	return s
}

// stop closes all connections and then the Broker. A second call does nothing.
func (s *testBroker) stop() {
	s.stopOnce.Do(func() {
		s.http.Close()
		for _, c := range s.connections() {
			c.Disconnect(mochi.ErrServerShuttingDown)
		}
		s.serving.Wait()
		if err := s.Close(); err != nil {
			s.t.Error(err)
		}
	})
}

// in returns a testBroker for the same Broker. Its methods report errors to the subtest t.
func (s *testBroker) in(t *testing.T) *testBroker {
	return &testBroker{Broker: s.Broker, t: t, http: s.http, log: s.log}
}

// connections returns all connections since the start.
func (s *testBroker) connections() (list []*Conn) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for c := range s.conns {
		list = append(list, c)
	}
	return list
}

// session returns the session of a client id, or nil.
func (s *testBroker) session(id string) *session {
	s.Broker.mu.Lock()
	defer s.Broker.mu.Unlock()
	return s.sessions[id]
}

// endInTime ends the session of a client that is not connected, as if its time had elapsed.
func (s *testBroker) endInTime(id string) {
	x := s.session(id)
	s.Broker.mu.Lock()
	since := x.disconnected
	s.Broker.mu.Unlock()
	s.expire(x, since)
}

// waitOffline waits until the broker has ended the connection of a client whose session continues.
func (s *testBroker) waitOffline(id string) {
	for {
		s.Broker.mu.Lock()
		online := s.sessions[id].conn != nil
		s.Broker.mu.Unlock()
		if !online {
			return
		}
		runtime.Gosched()
	}
}

// open opens a WebSocket.
func (s *testBroker) open() *mqtttest.Client {
	s.t.Helper()
	return mqtttest.Dial(s.t, s.http.URL)
}

// connect opens a WebSocket and sends a CONNECT, which the broker must accept. change may modify the
// CONNECT; it may be nil.
func (s *testBroker) connect(id string, change func(*packets.Connect)) (*mqtttest.Client, *packets.Connack) {
	s.t.Helper()
	c := s.open()
	return c, c.MustConnect(id, change)
}

// syncBuffer holds the log of a Broker.
type syncBuffer struct {
	mu sync.Mutex
	b  strings.Builder
}

func (s *syncBuffer) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.Write(p)
}

func (s *syncBuffer) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.String()
}
