package localiot

import (
	"net/http"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/eclipse/paho.golang/packets"
	"nhooyr.io/websocket"
)

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
	connected, _ := s.connect("connected", nil)
	unconnected := s.open() // has sent no CONNECT
	url := sign(t, s.local(), time.Now(), 0).String()
	done := make(chan error)
	go func() { done <- s.Close() }()
	connected.WantDisconnect(0x8B)
	unconnected.WantClose()
	if err := <-done; err != nil {
		t.Error(err)
	}
	if err := s.Close(); err != nil {
		t.Errorf("second Close: %v", err)
	}
	_, r, err := websocket.Dial(t.Context(), url, &websocket.DialOptions{Subprotocols: []string{"mqtt"}})
	if err == nil || r.StatusCode != http.StatusServiceUnavailable {
		t.Errorf("handshake after Close: %v, want 503", err)
	}
}

// Close succeeds if clients do not complete the closing handshake.
func TestCloseWithoutClosingHandshake(t *testing.T) {
	s := start(t, Options{})
	s.connect("silent", nil)
	leaving, _ := s.connect("leaving", nil)
	leaving.Send(&packets.Disconnect{})
	stalled, _ := s.connect("stalled", nil)
	stalled.Subscribe(1, "flood", 0)
	flood, _ := s.connect("flood", nil)
	for range 200 { // 20 MB, more than the buffers of the sockets hold
		flood.Publish(0, "flood", strings.Repeat("x", 100_000))
	}
	flood.Ping()
	if err := s.Close(); err != nil {
		t.Error(err)
	}
}

func TestLogHoldsNoSecret(t *testing.T) {
	s := start(t, Options{})
	c, _ := s.connect("c", nil)
	c.SendBytes([]byte{0xF0, 0}) // AUTH, which AWS IoT does not support
	c.WantDisconnect(0x82)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	log := s.log.String()
	if log == "" {
		t.Error("the log is empty")
	}
	for _, secret := range []string{"X-Amz", s.key.ID, s.key.Secret} {
		if strings.Contains(log, secret) {
			t.Errorf("the log contains %q: %s", secret, log)
		}
	}
}

// The server calls the guard before it checks anything else, such as the signature.
func TestGuardPrecedesAllPaths(t *testing.T) {
	s := start(t, Options{Faults: true})
	signed := sign(t, s.local(), time.Now(), 0)
	for _, path := range []string{"/", "/local.json", "/cognito", "/control", "/mqtt?" + signed.RawQuery} {
		r, body := get(t, s.url+path, map[string]string{"Host": "evil.example"})
		wantRefusal(t, r, body, http.StatusForbidden, "host")
		r, body = get(t, s.url+path, map[string]string{"Origin": "http://evil.example"})
		wantRefusal(t, r, body, http.StatusForbidden, "origin")
	}
}
