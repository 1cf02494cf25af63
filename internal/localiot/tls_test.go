package localiot

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"iot.wasm/internal/localiot/mqtttest"
	"iot.wasm/internal/localiot/tlscert"

	"github.com/eclipse/paho.golang/packets"
	"nhooyr.io/websocket"
)

// secure starts a second listener of a Server, with a local certificate. It returns the https URL, and a
// client that trusts only the CA of this certificate.
func (s *testServer) secure() (url string, client *http.Client) {
	s.t.Helper()
	certificate, err := tlscert.Local(s.t.TempDir(), nil, time.Now())
	if err != nil {
		s.t.Fatal(err)
	}
	ca, err := os.ReadFile(certificate.CAFile)
	if err != nil {
		s.t.Fatal(err)
	}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(ca)
	h := httptest.NewUnstartedServer(s)
	h.TLS = &tls.Config{Certificates: []tls.Certificate{certificate.TLS}}
	h.StartTLS()
	s.t.Cleanup(h.Close)
	transport := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots}}
	s.t.Cleanup(transport.CloseIdleConnections)
	return strings.Replace(h.URL, "127.0.0.1", "localhost", 1), &http.Client{Transport: transport}
}

func TestWSS(t *testing.T) {
	s := start(t, Options{Faults: true})
	url, client := s.secure()
	r, err := client.Get(url + "/local.json")
	if err != nil {
		t.Fatal(err)
	}
	defer r.Body.Close()
	var l local
	if err := json.NewDecoder(r.Body).Decode(&l); err != nil {
		t.Fatal(err)
	}
	if l.Endpoint != strings.Replace(url, "https", "wss", 1)+"/mqtt" || l.Cognito.Endpoint != url+"/cognito" {
		t.Fatalf("/local.json of %s: %+v", url, l)
	}
	dial := func() *mqtttest.Client {
		return mqtttest.DialWith(t, sign(t, l, time.Now(), 0).String(), websocket.DialOptions{HTTPClient: client})
	}
	c := dial()
	c.MustConnect("secure", nil)
	c.Subscribe(1, "a", 1)
	c.Publish(0, "a", "over TLS")
	if m := mqtttest.Receive[*packets.Publish](c); string(m.Payload) != "over TLS" {
		t.Errorf("payload %q", m.Payload)
	}

	s.control(`{"cut":"secure"}`, 1)
	if p, err := c.Next(); !errors.Is(err, syscall.ECONNRESET) {
		t.Errorf("received %v, %v, want a reset", p, err)
	}
	c = dial()
	c.MustConnect("secure", nil)
	s.control(`{"freeze":"secure"}`, 1)
	s.control(`{"thaw":"secure"}`, 1)
	c.Ping()
}
