// Package localiot is a local stand-in for AWS IoT Core. It is an HTTP server on the developer's own
// machine. It serves a page and its wasm, issues credentials, and accepts MQTT connections over
// WebSocket at SigV4-signed URLs.
//
// It has the limits and the reason codes of AWS, so that a page behaves as with AWS. If it refuses a
// request, the response contains the reason. A browser does not report why a WebSocket was refused.
//
// Each service is a package below this package. Package localiot connects the services to one HTTP
// server. The services do not import localiot, and import each other in one direction only:
//
//	localiot ─┬─▶ broker ────▶ store
//	          ├─▶ authorizer ▶ iam ──▶ bounded, store, sigv4verify
//	          ├─▶ cognito ───▶ iam, web, bounded
//	          ├─▶ httpapi ───▶ iam, jobs, shadow, things, sigv4verify
//	          ├─▶ lifecycle ─▶ broker
//	          ├─▶ jobs, shadow ──▶ things ──▶ store
//	          ├─▶ faults
//	          └─▶ web
//
// The packages jsontext and uuid have functions that several services use. The package mqtttest is the MQTT
// client of the tests, and casetest runs the test cases in files.
package localiot

import (
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net/http"
	"os"
	"slices"
	"sync"
	"time"

	"iot.wasm/internal/localiot/authorizer"
	"iot.wasm/internal/localiot/broker"
	"iot.wasm/internal/localiot/cognito"
	"iot.wasm/internal/localiot/faults"
	"iot.wasm/internal/localiot/httpapi"
	"iot.wasm/internal/localiot/iam"
	"iot.wasm/internal/localiot/jobs"
	"iot.wasm/internal/localiot/lifecycle"
	"iot.wasm/internal/localiot/shadow"
	"iot.wasm/internal/localiot/store"
	"iot.wasm/internal/localiot/things"
	"iot.wasm/internal/localiot/web"
	"iot.wasm/internal/sigv4verify"

	"github.com/mochi-mqtt/server/v2/packets"
)

const (
	service = "iotdevicegateway" // the service name in the signatures of AWS IoT
	account = iam.Account        // the AWS account in ARNs
)

// Options configure a Server. Only WWW must be set.
type Options struct {
	// WWW holds the files that are served at /.
	WWW fs.FS

	// Region is the name of the AWS region in signatures, ARNs and the ids of Cognito. If it is empty, the
	// region is us-east-1.
	Region string

	// MaximumQoS is the highest QoS that clients may use, 1 or 2. Zero means 1, as with AWS IoT.
	MaximumQoS byte

	// AllowedHosts are host names or IP addresses, without a port. The server accepts requests to these
	// hosts and to the loopback hosts: localhost, *.localhost, 127.0.0.0/8 and ::1. Pages of all these
	// hosts, at any port, may use the server.
	AllowedHosts []string

	// AllowedOrigins are further origins whose pages may use the server. Examples are
	// https://app.example:3000 and null.
	AllowedOrigins []string

	// ConnectionLifetime is how long a connection with a signed URL may last. Zero means 24 h, as with AWS
	// IoT.
	ConnectionLifetime time.Duration

	// CredentialLifetime is how long temporary keys from Cognito are valid. Zero means 1 h.
	CredentialLifetime time.Duration

	// AttachPolicy attaches an AWS IoT policy that allows everything to authenticated Cognito
	// identities. Without the policy, the server refuses the WebSocket handshakes of these identities,
	// as AWS does.
	AttachPolicy bool

	// Policy is the name of a file with an AWS IoT policy document. It applies to the long-term key and, as
	// the policy of their role, to unauthenticated Cognito identities. If it is empty, the key allows
	// everything, and the identities have the policy iam.Guest.
	Policy string

	// Authorizer is the name of a file with custom authorizers; see package authorizer.
	Authorizer string

	// Data is the folder in which the server keeps its state. If it is empty, the server keeps its state
	// in memory only.
	Data string

	// NoQuotas turns off the structural quotas of AWS IoT; see broker.Options.
	NoQuotas bool

	// RateQuotas enforces the rate quotas of AWS IoT; see broker.Options.
	RateQuotas bool

	// Faults enables /control. A program on this machine can inject faults by a POST to /control; see
	// faults.Request.
	Faults bool

	// Logger logs a warning for each client that breaks the protocol. At the level Info it logs one line for
	// each connect, refusal, subscribe, publish and step of a shadow or a job. The Server logs no query, no
	// payload and no credential. If Logger is nil, the Server writes warnings to the standard error.
	Logger *slog.Logger
}

// Server is the local AWS IoT Core. It is an http.Handler for one or more listeners. The caller of New
// must call Close.
type Server struct {
	options  Options
	guard    web.Guard
	clock    *clock
	store    *store.DB // nil unless Options.Data is set
	keys     *iam.KeyStore
	policies *iam.Registry
	custom   *authorizer.Set // nil unless Options.Authorizer is set
	key      iam.AccessKey   // the long-term key in /local.json
	verifier *sigv4verify.Verifier
	cognito  *cognito.Pool
	shadows  *shadow.Service
	things   *things.Service
	jobs     *jobs.Service
	notifier *jobNotifier
	faults   *faults.Pending // nil unless Options.Faults is set
	api      *httpapi.API
	mux      *http.ServeMux

	mu     sync.Mutex
	closed bool
	broker *broker.Broker // replaced by the fault Restart
	conns  map[*connection]struct{}
	active sync.WaitGroup // counts handshakes and connections
}

// connection is the MQTT connection of one client.
type connection struct {
	mqtt  *broker.Conn
	tcp   *faults.Conn  // nil unless Options.Faults is set
	ended chan struct{} // closed when the connection is no longer in Server.conns
}

// New starts a Server with random credentials. It returns an error if WWW is nil, if MaximumQoS is above
// 2, or if Region, Data, Policy or Authorizer cannot be used.
func New(o Options) (*Server, error) {
	if o.WWW == nil {
		return nil, errors.New("localiot: Options.WWW is not set")
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelWarn}))
	}
	if o.Region == "" {
		o.Region = "us-east-1"
	} else if !sigv4verify.IsRegion(o.Region) {
		return nil, fmt.Errorf("localiot: %q is not the name of a region", o.Region)
	}
	s := &Server{
		options: o,
		guard:   web.NewGuard(o.AllowedHosts, o.AllowedOrigins),
		clock:   new(clock),
		mux:     http.NewServeMux(),
		conns:   make(map[*connection]struct{}),
	}
	if s.options.ConnectionLifetime == 0 {
		s.options.ConnectionLifetime = 24 * time.Hour
	}
	var err error
	if o.Data != "" {
		if s.store, err = store.Open(o.Data); err != nil {
			return nil, err
		}
	}
	if err = s.openIAM(); err != nil {
		s.store.Close()
		return nil, err
	}
	s.verifier = &sigv4verify.Verifier{Region: o.Region, Service: service, Now: s.clock.now, Lookup: s.keys.Lookup}
	pool := cognito.Options{
		Region:   o.Region,
		Keys:     s.keys,
		Now:      s.clock.now,
		Store:    s.store,
		Lifetime: o.CredentialLifetime,
		Logger:   o.Logger,
	}
	if o.Faults {
		s.faults = faults.NewPending()
		pool.Fault = s.faults.NextCognito
		s.mux.HandleFunc("POST /control", s.serveControl)
	}
	if s.cognito, err = cognito.New(pool); err == nil {
		err = s.openServices()
	}
	if err == nil {
		s.broker, err = s.newBroker()
	}
	if err != nil {
		s.store.Close()
		return nil, err
	}
	s.notifier.start(s.jobs, s.publish)
	s.api = s.newAPI()
	// The SDK for JavaScript adds a slash to the path of an endpoint, and the CRT posts to /.
	for _, path := range []string{"/cognito", "/cognito/{$}", "/{$}"} {
		s.mux.Handle("POST "+path, s.cognito)
		s.mux.Handle("OPTIONS "+path, s.cognito)
	}
	s.mux.HandleFunc("GET /mqtt", s.serveMQTT)
	s.mux.HandleFunc("GET /local.json", s.serveLocalJSON)
	s.mux.HandleFunc("POST /local/jobs", s.serveLocalJobs)
	s.mux.Handle("GET /", staticFiles(o.WWW))
	return s, nil
}

// openServices creates the services that keep their state in s.store.
func (s *Server) openServices() (err error) {
	if s.shadows, err = shadow.New(shadow.Options{Now: s.clock.now, Store: s.store}); err != nil {
		return err
	}
	if s.things, err = things.New(things.Options{Region: s.options.Region, Account: account, Store: s.store}); err != nil {
		return err
	}
	s.notifier = newJobNotifier(s.options.Logger)
	s.jobs, err = jobs.New(jobs.Options{
		Now:         s.clock.now,
		Store:       s.store,
		Region:      s.options.Region,
		Account:     account,
		ThingExists: s.things.Exists,
		Notify:      s.notifier.notify,
	})
	return err
}

// currentBroker returns the broker, which the fault Restart replaces.
func (s *Server) currentBroker() *broker.Broker {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.broker
}

// publish publishes a message of a service.
func (s *Server) publish(p broker.Publication) error { return s.currentBroker().Publish(p) }

func (s *Server) newBroker() (*broker.Broker, error) {
	var b *broker.Broker
	publish := func(p broker.Publication) error { return b.Publish(p) }
	o := broker.Options{
		MaximumQoS: s.options.MaximumQoS,
		NoQuotas:   s.options.NoQuotas,
		RateQuotas: s.options.RateQuotas,
		Now:        s.clock.now,
		Services:   []broker.Service{shadowTopics{s.shadows, s.options.Logger}, jobTopics{s.jobs, s.options.Logger}},
		Observer:   lifecycle.New(publish, s.clock.now, s.options.Logger),
		Store:      s.store,
		Logger:     s.options.Logger,
	}
	if s.faults != nil {
		o.RefuseConnect = s.faults.NextConnack
	}
	var err error
	b, err = broker.New(o) // A Broker has events only after New.
	return b, err
}

// doors are the paths, except those of the HTTP APIs, at which a refusal has the error shape of AWS. Other
// paths are those of files.
var doors = []string{"/cognito", "/cognito/", "/control", "/local.json", "/local/jobs", "/mqtt"}

// ServeHTTP implements http.Handler.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("X-Content-Type-Options", "nosniff")
	w.Header().Set("Date", s.clock.now().UTC().Format(http.TimeFormat))
	if refusal := s.guard.Check(r); refusal != nil {
		s.refuse(w, r, http.StatusForbidden, *refusal)
		return
	}
	if s.api.Owns(r) && !cognito.Addresses(r) && !isUnsignedFile(s.options.WWW, r) {
		s.api.ServeHTTP(w, r) // not by the mux, which redirects paths with dots
		return
	}
	if _, pattern := s.mux.Handler(r); pattern == "" && slices.Contains(doors, r.URL.Path) {
		s.refuse(w, r, http.StatusMethodNotAllowed, web.Refusal{Check: "method", Code: "MethodNotAllowedException", Message: "The path does not support this method."})
		return
	}
	s.mux.ServeHTTP(w, r)
}

// closeTimeout bounds Close. All connections close at the same time.
const closeTimeout = 2 * broker.CloseGrace

// Close sends DISCONNECT 0x8B (server shutting down) to every client, closes the connections and
// stops the broker. It waits at most 2 s for the connections to end, and returns an error if one is
// then still open. A second call does nothing.
func (s *Server) Close() error {
	s.mu.Lock()
	if s.closed {
		s.mu.Unlock()
		return nil
	}
	s.closed = true
	for c := range s.conns {
		c.mqtt.Disconnect(packets.ErrServerShuttingDown)
	}
	b := s.broker
	s.mu.Unlock()
	if s.faults != nil {
		s.faults.Thaw(faults.AllClients)
	}
	s.notifier.stop()

	done := make(chan struct{})
	go func() {
		s.active.Wait()
		close(done)
	}()
	select {
	case <-done:
		return errors.Join(b.Close(), s.store.Close())
	case <-time.After(closeTimeout):
		return errors.Join(errors.New("localiot: connections are still open"), s.store.Close())
	}
}

// beginHandshake counts a handshake in s.active. If the server is closed, it returns false and does not
// count the handshake.
func (s *Server) beginHandshake() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return false
	}
	s.active.Add(1)
	return true
}

// serveConn serves a client until its connection ends. tcp is nil unless Options.Faults is set.
func (s *Server) serveConn(socket *broker.Socket, tcp *faults.Conn, o broker.ConnOptions) {
	s.mu.Lock()
	c := &connection{mqtt: s.broker.NewConn(socket, o), tcp: tcp, ended: make(chan struct{})}
	if s.closed {
		c.mqtt.Disconnect(packets.ErrServerShuttingDown)
	}
	s.conns[c] = struct{}{}
	s.mu.Unlock()

	c.mqtt.Serve()

	s.mu.Lock()
	delete(s.conns, c)
	s.mu.Unlock()
	close(c.ended)
}
