package localiot

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/fstest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	"github.com/eclipse/paho.golang/packets"
	"nhooyr.io/websocket"
)

// testServer is a Server behind a real listener.
type testServer struct {
	*Server
	t   *testing.T
	url string // http://127.0.0.1:port
	log *syncBuffer
}

// syncBuffer holds what a server has logged.
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

func start(t *testing.T, o Options) *testServer {
	t.Helper()
	if o.WWW == nil {
		o.WWW = fstest.MapFS{}
	}
	log := new(syncBuffer)
	o.Logger = slog.New(slog.NewTextHandler(log, nil))
	s, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	h := httptest.NewServer(s)
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
		h.Close()
	})
	return &testServer{Server: s, t: t, url: h.URL, log: log}
}

// local is what /local.json says.
func (s *testServer) local() local {
	s.t.Helper()
	r, err := http.Get(s.url + "/local.json")
	if err != nil {
		s.t.Fatal(err)
	}
	defer r.Body.Close()
	var l local
	if err := json.NewDecoder(r.Body).Decode(&l); err != nil {
		s.t.Fatal(err)
	}
	return l
}

// sign signs l's endpoint with the AWS SDK.
func sign(t *testing.T, l local, at time.Time, expires time.Duration) *url.URL {
	t.Helper()
	endpoint := l.Endpoint
	if expires != 0 {
		endpoint += "?X-Amz-Expires=" + strconv.Itoa(int(expires.Seconds()))
	}
	r, err := http.NewRequest(http.MethodGet, endpoint, nil)
	if err != nil {
		t.Fatal(err)
	}
	const emptyHash = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
	signed, _, err := v4.NewSigner().PresignHTTP(t.Context(), aws.Credentials{
		AccessKeyID:     l.Credentials.AccessKeyID,
		SecretAccessKey: l.Credentials.SecretAccessKey,
	}, r, emptyHash, service, l.Region, at)
	if err != nil {
		t.Fatal(err)
	}
	u, err := url.Parse(signed)
	if err != nil {
		t.Fatal(err)
	}
	return u
}

// client speaks MQTT packet by packet. Any error and any silence of 10 s fails the test.
type client struct {
	t       *testing.T
	ctx     context.Context
	ws      *websocket.Conn
	pending *bytes.Reader // the rest of the last WebSocket message
}

// open opens a signed WebSocket.
func (s *testServer) open() *client {
	s.t.Helper()
	return s.dial(sign(s.t, s.local(), time.Now(), 0))
}

// dial opens a WebSocket at a signed URL.
func (s *testServer) dial(u *url.URL) *client {
	s.t.Helper()
	ctx, cancel := context.WithTimeout(s.t.Context(), 10*time.Second)
	ws, _, err := websocket.Dial(ctx, u.String(), &websocket.DialOptions{Subprotocols: []string{"mqtt"}})
	if err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() { ws.CloseNow(); cancel() })
	if ws.Subprotocol() != "mqtt" {
		s.t.Fatalf("subprotocol %q", ws.Subprotocol())
	}
	ws.SetReadLimit(1 << 20)
	return &client{t: s.t, ctx: ctx, ws: ws, pending: bytes.NewReader(nil)}
}

// connect opens a WebSocket and says CONNECT, which change may adapt; it is accepted.
func (s *testServer) connect(id string, change func(*packets.Connect)) (*client, *packets.Connack) {
	s.t.Helper()
	c := s.open()
	ack := c.connect(id, change)
	if ack.ReasonCode != 0 {
		s.t.Fatalf("CONNACK 0x%02X", ack.ReasonCode)
	}
	return c, ack
}

func (c *client) connect(id string, change func(*packets.Connect)) *packets.Connack {
	c.t.Helper()
	p := packets.NewControlPacket(packets.CONNECT).Content.(*packets.Connect)
	p.ClientID, p.CleanStart, p.KeepAlive = id, true, 60
	if change != nil {
		change(p)
	}
	c.send(p)
	return receive[*packets.Connack](c)
}

func (c *client) send(p io.WriterTo) {
	c.t.Helper()
	var b bytes.Buffer
	if _, err := p.WriteTo(&b); err != nil {
		c.t.Fatal(err)
	}
	c.sendBytes(b.Bytes())
}

func (c *client) sendBytes(b []byte) {
	c.t.Helper()
	if err := c.ws.Write(c.ctx, websocket.MessageBinary, b); err != nil {
		c.t.Fatal(err)
	}
}

// next reads one packet. The error is the WebSocket's: a packet never spans two messages.
func (c *client) next() (*packets.ControlPacket, error) {
	c.t.Helper()
	if c.pending.Len() == 0 {
		_, message, err := c.ws.Read(c.ctx)
		if err != nil {
			return nil, err
		}
		c.pending.Reset(message)
	}
	p, err := packets.ReadPacket(c.pending)
	if err != nil {
		c.t.Fatalf("a message that is not whole packets: %v", err)
	}
	return p, nil
}

// receive reads one packet, which must be a P.
func receive[P any](c *client) P {
	c.t.Helper()
	p, err := c.next()
	if err != nil {
		c.t.Fatal(err)
	}
	content, ok := p.Content.(P)
	if !ok {
		c.t.Fatalf("received %v, want %T", p.Content, content)
	}
	return content
}

// disconnected reads the reason of a DISCONNECT, and the orderly end of the connection.
func (c *client) disconnected(reason byte) {
	c.t.Helper()
	if got := receive[*packets.Disconnect](c).ReasonCode; got != reason {
		c.t.Fatalf("DISCONNECT 0x%02X, want 0x%02X", got, reason)
	}
	c.closed()
}

// closed reads the WebSocket's end.
func (c *client) closed() {
	c.t.Helper()
	p, err := c.next()
	if err == nil {
		c.t.Fatalf("received %v, want the end of the connection", p.Content)
	}
	var e websocket.CloseError
	if !errors.As(err, &e) || e.Code != websocket.StatusNormalClosure {
		c.t.Fatalf("connection ended with %v, want a normal closure", err)
	}
}

func (c *client) subscribe(id uint16, filter string, qos byte) {
	c.t.Helper()
	c.send(&packets.Subscribe{PacketID: id, Subscriptions: []packets.SubOptions{{Topic: filter, QoS: qos}}})
	if ack := receive[*packets.Suback](c); ack.PacketID != id || !bytes.Equal(ack.Reasons, []byte{qos}) {
		c.t.Fatalf("SUBACK %d %x, want %d %x", ack.PacketID, ack.Reasons, id, qos)
	}
}

func (c *client) publish(id uint16, topic, payload string) {
	c.t.Helper()
	p := &packets.Publish{PacketID: id, Topic: topic, Payload: []byte(payload), Properties: &packets.Properties{}}
	if id != 0 {
		p.QoS = 1
	}
	c.send(p)
}

// ping returns when the broker has dealt with everything that was sent before.
func (c *client) ping() {
	c.t.Helper()
	c.send(&packets.Pingreq{})
	receive[*packets.Pingresp](c)
}

// get asks for a URL with headers, and returns the answer with its body.
func get(t *testing.T, target string, header map[string]string) (*http.Response, string) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, target, nil)
	if err != nil {
		t.Fatal(err)
	}
	for name, value := range header {
		if name == "Host" {
			r.Host = value
		}
		r.Header.Set(name, value)
	}
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	return answer, string(body)
}

// wantRefusal checks the JSON body that says which check failed.
func wantRefusal(t *testing.T, r *http.Response, body string, status int, check string) {
	t.Helper()
	var f refusal
	if err := json.Unmarshal([]byte(body), &f); err != nil {
		t.Fatalf("body %q: %v", body, err)
	}
	if r.StatusCode != status || f.Check != check || f.Message == "" || f.Code == "" {
		t.Errorf("got %d %s, want %d with check %q", r.StatusCode, body, status, check)
	}
	for name, want := range map[string]string{
		"Content-Type":                  "application/json",
		"Access-Control-Allow-Origin":   "*",
		"Access-Control-Expose-Headers": "Date, x-amzn-ErrorType",
		"X-Amzn-ErrorType":              f.Code,
	} {
		if got := r.Header.Get(name); got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
	if _, err := http.ParseTime(r.Header.Get("Date")); err != nil {
		t.Errorf("Date: %v", err)
	}
}

func TestLocalJSON(t *testing.T) {
	s := start(t, Options{})
	r, body := get(t, s.url+"/local.json", map[string]string{"Origin": "http://localhost:5173"})
	var l local
	if err := json.Unmarshal([]byte(body), &l); err != nil {
		t.Fatal(err)
	}
	if want := "ws://" + strings.TrimPrefix(s.url, "http://") + "/mqtt"; l.Endpoint != want || l.Region != "us-east-1" {
		t.Errorf("endpoint %s, region %s, want %s, us-east-1", l.Endpoint, l.Region, want)
	}
	if id := l.Credentials.AccessKeyID; len(id) != 20 || !strings.HasPrefix(id, "AKIA") || len(l.Credentials.SecretAccessKey) != 40 {
		t.Errorf("credentials are not shaped as AWS's: %s", id)
	}
	for name, want := range map[string]string{
		"Content-Type":                "application/json",
		"Cache-Control":               "no-store",
		"Access-Control-Allow-Origin": "http://localhost:5173",
		"Vary":                        "Origin",
	} {
		if got := r.Header.Get(name); got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
	if other := start(t, Options{}).local(); other.Credentials == l.Credentials {
		t.Error("two servers have the same credentials")
	}
}

func TestLocalJSONOverTLS(t *testing.T) {
	s := start(t, Options{})
	h := httptest.NewTLSServer(s)
	defer h.Close()
	r, err := h.Client().Get(h.URL + "/local.json")
	if err != nil {
		t.Fatal(err)
	}
	defer r.Body.Close()
	var l local
	if err := json.NewDecoder(r.Body).Decode(&l); err != nil {
		t.Fatal(err)
	}
	if want := "wss://" + strings.TrimPrefix(h.URL, "https://") + "/mqtt"; l.Endpoint != want {
		t.Errorf("endpoint %s, want %s", l.Endpoint, want)
	}
}

func TestStaticFiles(t *testing.T) {
	s := start(t, Options{WWW: fstest.MapFS{
		"index.html":  {Data: []byte("<!doctype html>page")},
		"iot.wasm":    {Data: []byte("\x00asm")},
		"iot.js":      {Data: []byte("// js")},
		"worker.mjs":  {Data: []byte("// mjs")},
		"iot.d.ts":    {Data: []byte("// ts")},
		"sub/main.js": {Data: []byte("// sub")},
	}})
	for path, want := range map[string]string{
		"/":            "text/html; charset=utf-8",
		"/iot.wasm":    "application/wasm",
		"/iot.js":      "text/javascript; charset=utf-8",
		"/worker.mjs":  "text/javascript; charset=utf-8",
		"/iot.d.ts":    "text/plain; charset=utf-8",
		"/sub/main.js": "text/javascript; charset=utf-8",
	} {
		r, _ := get(t, s.url+path, nil)
		if got := r.Header.Get("Content-Type"); r.StatusCode != http.StatusOK || got != want {
			t.Errorf("%s: %d %s, want 200 %s", path, r.StatusCode, got, want)
		}
		if r.Header.Get("Cache-Control") != "no-cache" || r.Header.Get("X-Content-Type-Options") != "nosniff" {
			t.Errorf("%s: headers %v", path, r.Header)
		}
	}
	if r, _ := get(t, s.url+"/missing.js", nil); r.StatusCode != http.StatusNotFound {
		t.Errorf("missing file: %d", r.StatusCode)
	}
	if r, err := http.Post(s.url+"/iot.js", "text/plain", nil); err != nil || r.StatusCode != http.StatusMethodNotAllowed {
		t.Errorf("POST: %v, %v", r, err)
	}
	r, _ := get(t, s.url+"/iot.js", map[string]string{"Origin": "https://localhost:3000"})
	if got := r.Header.Get("Access-Control-Allow-Origin"); got != "https://localhost:3000" {
		t.Errorf("Access-Control-Allow-Origin: %q", got)
	}
}

func TestOptions(t *testing.T) {
	if _, err := New(Options{}); err == nil {
		t.Error("no error without WWW")
	}
	if _, err := New(Options{WWW: fstest.MapFS{}, MaximumQoS: 3}); err == nil {
		t.Error("no error for QoS 3")
	}
}

func TestClose(t *testing.T) {
	s := start(t, Options{})
	told, _ := s.connect("told", nil)
	silent := s.open()
	url := sign(t, s.local(), time.Now(), 0).String()
	done := make(chan error)
	go func() { done <- s.Close() }()
	told.disconnected(0x8B)
	silent.closed()
	if err := <-done; err != nil {
		t.Error(err)
	}
	if err := s.Close(); err != nil {
		t.Errorf("closing again: %v", err)
	}
	_, r, err := websocket.Dial(t.Context(), url, &websocket.DialOptions{Subprotocols: []string{"mqtt"}})
	if err == nil || r.StatusCode != http.StatusServiceUnavailable {
		t.Errorf("opening a connection to a closed server: %v", err)
	}
}

// Clients that take no part in closing cannot hold Close up.
func TestCloseUnanswered(t *testing.T) {
	s := start(t, Options{})
	s.connect("silent", nil)
	gone, _ := s.connect("gone", nil)
	gone.send(&packets.Disconnect{})
	stalled, _ := s.connect("stalled", nil)
	stalled.subscribe(1, "flood", 0)
	flood, _ := s.connect("flood", nil)
	for range 200 { // 20 MB, more than the sockets' buffers take
		flood.publish(0, "flood", strings.Repeat("x", 100_000))
	}
	flood.ping()
	if err := s.Close(); err != nil {
		t.Error(err)
	}
}
