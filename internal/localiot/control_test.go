package localiot

import (
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"syscall"
	"testing"
	"time"

	"iot.wasm/internal/localiot/mqtttest"

	"github.com/eclipse/paho.golang/packets"
	"nhooyr.io/websocket"
)

const anyNumber = -1

// control requests faults. The number of changed connections must be connections, unless this is anyNumber.
func (s *testServer) control(body string, connections int) {
	s.t.Helper()
	response, err := http.Post(s.url+"/control", "application/json", strings.NewReader(body))
	if err != nil {
		s.t.Fatal(err)
	}
	defer response.Body.Close()
	var got struct {
		Connections int
		Message     string
	}
	if err := json.NewDecoder(response.Body).Decode(&got); err != nil {
		s.t.Fatal(err)
	}
	if response.StatusCode != http.StatusOK || connections != anyNumber && got.Connections != connections {
		s.t.Fatalf("%s: %d %s, changed %d connections, want %d", body, response.StatusCode, got.Message, got.Connections, connections)
	}
}

// wantCut checks that a connection ends without a closing handshake.
func wantCut(t *testing.T, c *mqtttest.Client) {
	t.Helper()
	p, err := c.Next()
	if err == nil {
		t.Fatalf("received %v, want the end of the connection", p.Content)
	}
	if websocket.CloseStatus(err) != -1 {
		t.Fatalf("connection ended with %v, want a cut", err)
	}
}

func TestControlRefuses(t *testing.T) {
	s := start(t, Options{Faults: true})
	r := httptest.NewRequest(http.MethodPost, "http://localhost/control", strings.NewReader(`{"explode":true}`))
	r.RemoteAddr = "127.0.0.1:1234"
	w := httptest.NewRecorder()
	s.ServeHTTP(w, r)
	wantRefusal(t, w.Result(), w.Body.String(), http.StatusBadRequest, "control")

	r = httptest.NewRequest(http.MethodPost, "http://localhost/control", strings.NewReader("{}"))
	r.RemoteAddr = "192.0.2.7:1234"
	w = httptest.NewRecorder()
	s.ServeHTTP(w, r)
	wantRefusal(t, w.Result(), w.Body.String(), http.StatusForbidden, "control")

	without := start(t, Options{})
	if r, err := http.Post(without.url+"/control", "application/json", strings.NewReader("{}")); err != nil || r.StatusCode != http.StatusMethodNotAllowed {
		t.Errorf("without faults: %v, %v", r, err)
	}
}

func TestClockSkew(t *testing.T) {
	s := start(t, Options{Faults: true})
	s.control(`{"clockSkew":-3600}`, 0)
	u := sign(t, s.local(), time.Now(), 0)
	u.Scheme = "http"
	r, body := get(t, u.String(), nil)
	wantRefusal(t, r, body, http.StatusForbidden, "skew")
	date, err := http.ParseTime(r.Header.Get("Date"))
	if err != nil || time.Until(date) > -59*time.Minute || time.Until(date) < -61*time.Minute {
		t.Errorf("Date %v, %v; want the time an hour ago", date, err)
	}
	s.dial(sign(t, s.local(), date, 0)) // a client can correct its clock by the Date header
	s.control(`{"clockSkew":0}`, 0)
	s.open()
}

func TestCut(t *testing.T) {
	s := start(t, Options{Faults: true})
	one, _ := s.connect("one", nil)
	two, _ := s.connect("two", nil)
	s.control(`{"cut":"nobody"}`, 0)
	s.control(`{"cut":"one"}`, 1)
	wantCut(t, one)
	two.Ping()
	s.control(`{"cut":"*"}`, 1)
	wantCut(t, two)
}

func TestFreeze(t *testing.T) {
	s := start(t, Options{Faults: true})
	c, _ := s.connect("c", mqtttest.WithSession(true, 100))
	other, _ := s.connect("other", nil)
	c.Subscribe(1, "t", 1)
	s.control(`{"freeze":"c"}`, 1)
	other.PublishAll(1, "t")
	c.Publish(9, "u", "")
	other.Ping() // the server has processed packets that were sent later than those of c
	s.control(`{"thaw":"c"}`, 1)
	got := map[byte]int{}
	for range 2 {
		p, err := c.Next()
		if err != nil {
			t.Fatal(err)
		}
		got[p.Type]++
	}
	if got[packets.PUBLISH] != 1 || got[packets.PUBACK] != 1 {
		t.Errorf("received %v", got)
	}

	// A client can take over the session of a frozen connection. The frozen connection closes after it
	// has thawed.
	s.control(`{"freeze":"*"}`, 2)
	next, ack := s.connect("c", mqtttest.WithSession(false, 100))
	if !ack.SessionPresent {
		t.Error("no session present")
	}
	mqtttest.Receive[*packets.Publish](next)
	next.Ping()
	s.control(`{"thaw":"*"}`, 2)
	if p, err := c.Next(); err == nil && p.Type != packets.DISCONNECT {
		t.Errorf("received %v", p.Content)
	}
	other.Ping()

	// A frozen connection can be cut.
	s.control(`{"freeze":"other"}`, 1)
	s.control(`{"cut":"other"}`, 1)
	wantCut(t, other)
	s.control(`{"thaw":"other"}`, 0)
	// A frozen connection does not delay Close.
	s.connect("last", nil)
	s.control(`{"freeze":"last"}`, 1)
}

// A restart ends a freeze, as a cut does.
func TestRestartOfFrozenConnection(t *testing.T) {
	s := start(t, Options{Faults: true})
	c, _ := s.connect("c", nil)
	s.control(`{"freeze":"c"}`, 1)
	s.control(`{"restart":"keep-sessions"}`, 1)
	wantCut(t, c)
	s.control(`{"thaw":"*"}`, 0)
}

func TestConnackAndDisconnect(t *testing.T) {
	s := start(t, Options{Faults: true})
	s.control(`{"connack":{"reason":136,"count":2}}`, 0)
	for _, want := range []byte{0x88, 0x88, 0} {
		c := s.open()
		if got := c.Connect("c", nil).ReasonCode; got != want {
			t.Fatalf("CONNACK 0x%02X, want 0x%02X", got, want)
		}
		if want != 0 {
			c.WantClose()
			continue
		}
		s.control(`{"disconnect":{"client":"c","reason":151}}`, 1)
		c.WantDisconnect(0x97)
	}
	s.control(`{"connack":{"reason":136}}`, 0)
	s.control(`{"connack":{"reason":136,"count":0}}`, 0)
	s.connect("c", nil)
}

func TestRefusedUpgrades(t *testing.T) {
	s := start(t, Options{Faults: true})
	s.control(`{"upgrade":{"status":503}}`, 0)
	u := sign(t, s.local(), time.Now(), 0)
	_, r, err := websocket.Dial(t.Context(), u.String(), &websocket.DialOptions{Subprotocols: []string{"mqtt"}})
	if err == nil || r.StatusCode != http.StatusServiceUnavailable {
		t.Errorf("got %v, want 503", err)
	}
	probe := *u
	probe.Scheme = "http"
	r, body := get(t, probe.String(), nil)
	if r.StatusCode != http.StatusServiceUnavailable || !strings.Contains(body, `"check":"fault"`) {
		t.Errorf("fetch after a refusal: %d %s, want 503 with check \"fault\"", r.StatusCode, body)
	}
	if code, sent := r.Header["X-Amzn-Errortype"]; sent {
		t.Errorf("x-amzn-ErrorType: %q, want no header", code)
	}
	s.dial(u)
	if r, _ := get(t, probe.String(), nil); r.StatusCode != http.StatusUpgradeRequired {
		t.Errorf("fetch after a success: %d, want 426", r.StatusCode)
	}
}

func TestRestart(t *testing.T) {
	s := start(t, Options{Faults: true})
	c, _ := s.connect("c", mqtttest.WithSession(true, 100))
	c.Subscribe(1, "t", 1)
	for _, test := range []struct {
		how     string
		present bool
	}{{"keep-sessions", true}, {"lose-sessions", false}, {"keep-sessions", true}} {
		s.control(`{"restart":"`+test.how+`"}`, 1)
		wantCut(t, c)
		var ack *packets.Connack
		c, ack = s.connect("c", mqtttest.WithSession(false, 100))
		if ack.SessionPresent != test.present {
			t.Errorf("%s: session present %v", test.how, ack.SessionPresent)
		}
		c.Ping()
	}
}

// A cut resets the TCP connection.
func TestCutIsAReset(t *testing.T) {
	s := start(t, Options{Faults: true})
	c, _ := s.connect("c", nil)
	s.control(`{"cut":"c"}`, 1)
	if _, err := c.Read(); !errors.Is(err, syscall.ECONNRESET) {
		t.Errorf("got %v, want a connection reset", err)
	}
}
