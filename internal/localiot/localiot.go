// Package localiot is a stand-in for AWS IoT Core that runs on the developer's own machine: a page
// and its wasm, the credentials to sign with, and an MQTT broker that is reached as AWS's is, by a
// WebSocket whose URL is signed with SigV4.
//
// It imitates AWS's limits and answers, so that what works here works there, and says in a readable
// body what a browser's WebSocket cannot: why it was refused.
package localiot

import (
	"errors"
	"io/fs"
	"log/slog"
	"net/http"
	"os"
	"sync"
	"time"

	"iot.wasm/internal/sigv4verify"

	"github.com/mochi-mqtt/server/v2/packets"
	"nhooyr.io/websocket"
)

const (
	region  = "us-east-1"
	service = "iotdevicegateway"
)

// Options say what a Server serves, and to whom. Only WWW must be set.
type Options struct {
	// WWW holds the files that are served at /.
	WWW fs.FS

	// MaximumQoS is the highest quality of service that clients may use: 1, as with AWS IoT, when
	// zero, and 2 at most.
	MaximumQoS byte

	// AllowedHosts are names or addresses, without a port, that a request's Host may name beside
	// the loopback ones: localhost, *.localhost, 127.0.0.0/8 and ::1. Pages of these hosts may use
	// the server too, from any port.
	AllowedHosts []string

	// AllowedOrigins are origins, such as https://app.example:3000 or null, whose pages may use the
	// server beside those of the allowed hosts.
	AllowedOrigins []string

	// CredentialLifetime is how long the temporary keys of Cognito live; 1 h when zero.
	CredentialLifetime time.Duration

	// AttachPolicy attaches an AWS IoT policy that allows everything to authenticated identities.
	// Without one their handshake is forbidden, as with AWS.
	AttachPolicy bool

	// NoQuotas lifts AWS's structural quotas: the lengths of payloads, topics and client ids, the
	// depth of topics, and the number of subscriptions and of filters in a packet. What CONNACK
	// announces stays.
	NoQuotas bool

	// RateQuotas enforces AWS's rates: 100 publishes a second on a connection, in and out together,
	// and one CONNECT a second for a client id.
	RateQuotas bool

	// Faults opens /control, where a test on this machine says what is to go wrong.
	Faults bool

	// Logger is told of clients that break the protocol. It never sees a URL, a payload or a
	// credential. When nil, warnings go to the standard error.
	Logger *slog.Logger

	now            func() time.Time // time.Now when nil
	connectTimeout time.Duration    // how long a client may wait with its CONNECT; 30 s when zero
}

// Server is the stand-in, an http.Handler for one listener or several. It must be closed.
type Server struct {
	options  Options
	guard    guard
	clock    *clock
	keys     *keyStore
	key      accessKey // handed out by /local.json
	verifier *sigv4verify.Verifier
	cognito  *cognito
	pending  *pending // nil without faults
	mux      *http.ServeMux

	mu     sync.Mutex
	closed bool
	broker *broker
	conns  map[*conn]struct{}
	open   sync.WaitGroup // handshakes and connections
}

// New starts a Server with credentials of its own, different at every start.
func New(o Options) (*Server, error) {
	if o.WWW == nil {
		return nil, errors.New("localiot: Options.WWW is not set")
	}
	if o.MaximumQoS == 0 {
		o.MaximumQoS = 1
	}
	if o.MaximumQoS > 2 {
		return nil, errors.New("localiot: Options.MaximumQoS is above 2")
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelWarn}))
	}
	if o.connectTimeout == 0 {
		o.connectTimeout = 30 * time.Second
	}
	if o.now == nil {
		o.now = time.Now
	}
	s := &Server{
		options: o,
		guard:   newGuard(o.AllowedHosts, o.AllowedOrigins),
		clock:   &clock{base: o.now},
		keys:    newKeyStore(),
		mux:     http.NewServeMux(),
		conns:   make(map[*conn]struct{}),
	}
	if o.Faults {
		s.pending = &pending{frozen: make(map[*wire]string)}
		s.mux.HandleFunc("POST /control", s.serveControl)
	}
	broker, err := newBroker(o, s.clock, s.pending)
	if err != nil {
		return nil, err
	}
	s.broker = broker
	s.key = s.keys.issue()
	s.verifier = &sigv4verify.Verifier{Region: region, Service: service, Now: s.clock.now, Lookup: s.keys.lookup}
	s.cognito = newCognito(o, s.keys, s.clock)
	s.mux.Handle("POST /cognito", s.cognito)
	s.mux.Handle("OPTIONS /cognito", s.cognito)
	s.mux.HandleFunc("GET /mqtt", s.serveMQTT)
	s.mux.HandleFunc("GET /local.json", s.serveLocalJSON)
	s.mux.Handle("GET /", staticFiles(o.WWW))
	return s, nil
}

// ServeHTTP implements http.Handler.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("X-Content-Type-Options", "nosniff")
	w.Header().Set("Date", s.clock.now().UTC().Format(http.TimeFormat))
	if refusal := s.guard.check(r); refusal != nil {
		refusal.write(w)
		return
	}
	s.mux.ServeHTTP(w, r)
}

// closeTimeout bounds Close. All connections close at the same time.
const closeTimeout = 2 * closeGrace

// Close tells every client that the server shuts down (DISCONNECT 0x8B), closes the connections
// and stops the broker. It takes 2 s at most, and may be called again.
func (s *Server) Close() error {
	s.mu.Lock()
	if s.closed {
		s.mu.Unlock()
		return nil
	}
	s.closed = true
	for c := range s.conns {
		c.refuse(packets.ErrServerShuttingDown)
	}
	broker := s.broker
	s.mu.Unlock()
	if s.pending != nil {
		s.pending.thaw(everybody)
	}

	done := make(chan struct{})
	go func() {
		s.open.Wait()
		close(done)
	}()
	select {
	case <-done:
		return broker.Close()
	case <-time.After(closeTimeout):
		return errors.New("localiot: connections are still open")
	}
}

// enter counts a handshake in, unless the server is closed.
func (s *Server) enter() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return false
	}
	s.open.Add(1)
	return true
}

// serveConn lets the broker speak to a client until the connection ends.
func (s *Server) serveConn(ws *websocket.Conn, wire *wire, policy *policy) {
	s.mu.Lock()
	c := newConn(ws, wire, policy, s.broker)
	if s.closed {
		c.refuse(packets.ErrServerShuttingDown)
	}
	s.conns[c] = struct{}{}
	s.mu.Unlock()

	c.broker.serve(c)

	s.mu.Lock()
	delete(s.conns, c)
	s.mu.Unlock()
	close(c.gone)
}
