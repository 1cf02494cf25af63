package localiot

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"iot.wasm/internal/localiot/iam"

	"nhooyr.io/websocket"
)

// temporaryKey issues a temporary key that allows everything.
func (s *testServer) temporaryKey(expires time.Time) iam.AccessKey {
	s.t.Helper()
	k, err := s.keys.IssueTemporary(expires, iam.Owner{})
	if err != nil {
		s.t.Fatal(err)
	}
	return k
}

// The server refuses a handshake with status 403. A fetch of the same URL returns the reason.
func TestRefusedHandshakes(t *testing.T) {
	s := start(t, Options{})
	l := s.local()
	unexpiredKey, expiredKey := s.temporaryKey(time.Now().Add(time.Hour)), s.temporaryKey(time.Now())
	temporary, expired, unknown, foreign, wrong := l, l, l, l, l
	temporary.Credentials = credentials{unexpiredKey.ID, unexpiredKey.Secret}
	expired.Credentials = credentials{expiredKey.ID, expiredKey.Secret}
	unknown.Credentials.AccessKeyID = "AKIAUNKNOWN"
	foreign.Region = "eu-west-1"
	wrong.Credentials.SecretAccessKey += "x"

	now := time.Now()
	set := func(name, value string) func(url.Values) {
		return func(q url.Values) { q.Set(name, value) }
	}
	for _, test := range []struct {
		name   string
		local  local
		at     time.Time
		change func(url.Values)
		check  string
	}{
		{"unsigned", l, now, func(q url.Values) { clear(q) }, "missing:X-Amz-Algorithm"},
		{"no signature", l, now, func(q url.Values) { q.Del("X-Amz-Signature") }, "missing:X-Amz-Signature"},
		{"two dates", l, now, func(q url.Values) { q.Add("X-Amz-Date", "20250102T030405Z") }, "duplicate:X-Amz-Date"},
		{"algorithm", l, now, set("X-Amz-Algorithm", "AWS4-HMAC-SHA512"), "algorithm"},
		{"signed headers", l, now, set("X-Amz-SignedHeaders", "host;x-amz-date"), "signed-headers"},
		{"date", l, now, set("X-Amz-Date", "today"), "date"},
		{"credential", l, now, set("X-Amz-Credential", "AKIA"), "credential"},
		{"region", foreign, now, nil, "region"},
		{"clock behind", l, now.Add(-6 * time.Minute), nil, "skew"},
		{"clock ahead", l, now.Add(6 * time.Minute), nil, "skew"},
		{"lifetime", l, now, set("X-Amz-Expires", "0"), "expires"},
		{"unknown key", unknown, now, nil, "access-key"},
		{"wrong secret", wrong, now, nil, "signature"},
		{"token for a long-term key", l, now, set("X-Amz-Security-Token", "token"), "token"},
		{"missing token", temporary, now, nil, "token"},
		{"wrong token", temporary, now, set("X-Amz-Security-Token", "token"), "token"},
		{"credentials expired", expired, now, set("X-Amz-Security-Token", expiredKey.SessionToken), "credentials-expired"},
		{"added parameter", l, now, set("clientId", "me"), "signature"},
	} {
		t.Run(test.name, func(t *testing.T) {
			u := sign(t, test.local, test.at, 0)
			if test.change != nil {
				q := u.Query()
				test.change(q)
				u.RawQuery = q.Encode()
			}
			_, r, err := websocket.Dial(t.Context(), u.String(), &websocket.DialOptions{Subprotocols: []string{"mqtt"}})
			if err == nil || r == nil || r.StatusCode != http.StatusForbidden {
				t.Errorf("WebSocket: got %v, want 403", err)
			}
			u.Scheme = "http"
			r, body := get(t, u.String(), map[string]string{"Origin": "http://localhost:5173"})
			wantRefusal(t, r, body, http.StatusForbidden, test.check)
			for _, secret := range []string{l.Credentials.SecretAccessKey, unexpiredKey.Secret, unexpiredKey.SessionToken, expiredKey.Secret, expiredKey.SessionToken, u.Query().Get("X-Amz-Signature")} {
				if secret != "" && strings.Contains(body, secret) {
					t.Errorf("the body contains a secret: %s", body)
				}
			}
		})
	}
}

func TestAcceptedHandshakes(t *testing.T) {
	s := start(t, Options{})
	l := s.local()
	k := s.temporaryKey(time.Now().Add(time.Hour))
	temporary := l
	temporary.Credentials = credentials{k.ID, k.Secret}
	withToken := sign(t, temporary, time.Now(), time.Hour)
	withToken.RawQuery += "&X-Amz-Security-Token=" + url.QueryEscape(k.SessionToken)
	for name, u := range map[string]*url.URL{
		"long-term key": sign(t, l, time.Now(), 0),
		"with lifetime": sign(t, l, time.Now(), 24*time.Hour),
		"clock behind":  sign(t, l, time.Now().Add(-4*time.Minute), 0),
		"with token":    withToken,
	} {
		t.Run(name, func(t *testing.T) {
			ws, _, err := websocket.Dial(t.Context(), u.String(), &websocket.DialOptions{
				Subprotocols: []string{"mqttv3.1", "mqtt"},
				HTTPHeader:   http.Header{"Origin": {"http://localhost:5173"}},
			})
			if err != nil {
				t.Fatal(err)
			}
			defer ws.CloseNow()
			if ws.Subprotocol() != "mqtt" {
				t.Errorf("subprotocol %q", ws.Subprotocol())
			}
		})
	}
}

func TestOldSubprotocol(t *testing.T) {
	s := start(t, Options{})
	u := sign(t, s.local(), time.Now(), 0).String()
	ws, _, err := websocket.Dial(t.Context(), u, &websocket.DialOptions{Subprotocols: []string{"mqttv3.1"}})
	if err != nil {
		t.Fatal(err)
	}
	defer ws.CloseNow()
	if ws.Subprotocol() != "mqttv3.1" {
		t.Errorf("subprotocol %q", ws.Subprotocol())
	}
}

func TestFetchOfValidURL(t *testing.T) {
	s := start(t, Options{})
	u := sign(t, s.local(), time.Now(), 0)
	u.Scheme = "http"
	r, body := get(t, u.String(), nil)
	wantRefusal(t, r, body, http.StatusUpgradeRequired, "upgrade")
	if r.Header.Get("Upgrade") != "websocket" {
		t.Errorf("Upgrade: %q", r.Header.Get("Upgrade"))
	}
}

func TestMissingSubprotocol(t *testing.T) {
	s := start(t, Options{})
	u := sign(t, s.local(), time.Now(), 0).String()
	for _, offered := range [][]string{nil, {"mqttv3"}, {"MQTT"}} {
		_, r, err := websocket.Dial(t.Context(), u, &websocket.DialOptions{Subprotocols: offered})
		if err == nil || r.StatusCode != http.StatusBadRequest {
			t.Errorf("offering %v: got %v, want 400", offered, err)
		}
	}
}

// MQTT requires binary messages [MQTT-6.0.0-1].
func TestTextMessage(t *testing.T) {
	c := start(t, Options{}).open()
	if err := c.WS.Write(t.Context(), websocket.MessageText, []byte("hello")); err != nil {
		t.Fatal(err)
	}
	if _, err := c.Read(); websocket.CloseStatus(err) != websocket.StatusUnsupportedData {
		t.Errorf("got %v, want close code 1003", err)
	}
}
