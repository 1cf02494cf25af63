package localiot

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"net/http"
	"net/url"
	"os"
	"strings"
	"testing"

	"iot.wasm/internal/localiot/mqtttest"

	"github.com/eclipse/paho.golang/packets"
	"nhooyr.io/websocket"
)

// authorizerFile writes a rule file with the authorizer door, which requires signatures, and the default
// authorizer users. It returns the name of the file, and a function that signs a token.
func authorizerFile(t *testing.T) (name string, sign func(token string) string) {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.MarshalPKIXPublicKey(&key.PublicKey)
	if err != nil {
		t.Fatal(err)
	}
	type object map[string]any
	documents := []any{json.RawMessage(`{"Version":"2012-10-17","Statement":[
		{"Effect":"Allow","Action":"iot:Connect","Resource":"*"},
		{"Effect":"Allow","Action":"iot:Publish","Resource":"arn:aws:iot:us-east-1:123456789012:topic/telemetry/${iot:ClientId}"}]}`)}
	content, err := json.Marshal(object{"authorizers": []any{
		object{
			"name": "door", "tokenKeyName": "token",
			"publicKey": string(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der})),
			"rules":     []any{object{"token": "open sesame", "principalId": "visitor", "policyDocuments": documents, "disconnectAfterInSeconds": 300}},
		},
		object{
			"name": "users", "signingDisabled": true, "default": true,
			"rules": []any{object{"username": "alice", "password": "secret", "principalId": "alice", "policyDocuments": documents, "refreshAfterInSeconds": 300}},
		},
	}})
	if err != nil {
		t.Fatal(err)
	}
	return writeFile(t, string(content)), func(token string) string {
		hash := sha256.Sum256([]byte(token))
		s, err := rsa.SignPKCS1v15(nil, key, crypto.SHA256, hash[:])
		if err != nil {
			t.Fatal(err)
		}
		return base64.StdEncoding.EncodeToString(s)
	}
}

// customURL returns the URL of a client of a custom authorizer. The page's client makes the same query
// (wasm/client/authorizer.go).
func (s *testServer) customURL(name, token, signature string) *url.URL {
	q := url.Values{"x-amz-customauthorizer-name": {name}, "token": {token}, "x-amz-customauthorizer-signature": {signature}}
	return &url.URL{Scheme: "ws", Host: strings.TrimPrefix(s.url, "http://"), Path: "/mqtt", RawQuery: strings.ReplaceAll(q.Encode(), "+", "%20")}
}

func withLogin(username, password string) func(*packets.Connect) {
	return func(p *packets.Connect) {
		p.UsernameFlag, p.Username = username != "", username
		p.PasswordFlag, p.Password = password != "", []byte(password)
	}
}

// wantTelemetry checks that the policy of authorizerFile applies to a client.
func wantTelemetry(t *testing.T, c *mqtttest.Client, id string) {
	t.Helper()
	for topic, reason := range map[string]byte{"telemetry/" + id: 0x10 /* no matching subscribers */, "telemetry/other": 0x87} {
		c.Publish(1, topic, "")
		if ack := mqtttest.Receive[*packets.Puback](c); ack.ReasonCode != reason && !(reason == 0x10 && ack.ReasonCode == 0) {
			t.Errorf("PUBACK for %s: 0x%02X, want 0x%02X", topic, ack.ReasonCode, reason)
		}
	}
	c.Send(&packets.Subscribe{PacketID: 2, Subscriptions: []packets.SubOptions{{Topic: "telemetry/" + id}}})
	if ack := mqtttest.Receive[*packets.Suback](c); ack.Reasons[0] != 0x87 {
		t.Errorf("SUBACK 0x%02X, want 0x87", ack.Reasons[0])
	}
}

func TestAuthorizerInQuery(t *testing.T) {
	file, sign := authorizerFile(t)
	s := start(t, Options{Authorizer: file})
	c := s.dial(s.customURL("door", "open sesame", sign("open sesame")))
	c.MustConnect("c", nil)
	wantTelemetry(t, c, "c")

	for check, u := range map[string]*url.URL{
		"authorizer-name":      s.customURL("window", "open sesame", sign("open sesame")),
		"authorizer-token":     s.customURL("door", "", sign("open sesame")),
		"authorizer-rule":      s.customURL("door", "close", sign("close")),
		"authorizer-signature": s.customURL("door", "open sesame", sign("close")),
	} {
		_, r, err := websocket.Dial(t.Context(), u.String(), &websocket.DialOptions{Subprotocols: []string{"mqtt"}})
		if err == nil || r == nil || r.StatusCode != http.StatusForbidden {
			t.Errorf("%s: got %v, want 403", check, err)
		}
		s.wantRefused(u, check)
	}
	// A signature of AWS is valid beside authorizers.
	s.connect("signed", nil)
}

func TestAuthorizerInUserName(t *testing.T) {
	file, sign := authorizerFile(t)
	s := start(t, Options{Authorizer: file})
	plain := &url.URL{Scheme: "ws", Host: strings.TrimPrefix(s.url, "http://"), Path: "/mqtt"}
	token := "?x-amz-customauthorizer-name=door&token=open%20sesame&x-amz-customauthorizer-signature="
	for _, test := range []struct {
		username, password string
		reason             byte
	}{
		{"alice", "secret", 0},
		{"alice?SDK=GoV2&Version=1", "secret", 0},
		{"alice?x-amz-customauthorizer-name=users", "secret", 0},
		{token + url.QueryEscape(sign("open sesame")), "", 0},
		{token + url.QueryEscape(sign("close")), "", 0x87},
		{"alice", "Secret", 0x87},
		{"bob", "secret", 0x87},
		{"alice?x-amz-customauthorizer-name=window", "secret", 0x87},
		{"", "", 0x87},
	} {
		c := s.dial(plain)
		if ack := c.Connect("c", withLogin(test.username, test.password)); ack.ReasonCode != test.reason {
			t.Errorf("user name %.40q: CONNACK 0x%02X, want 0x%02X", test.username, ack.ReasonCode, test.reason)
		} else if test.reason == 0 {
			wantTelemetry(t, c, "c")
		}
	}
	// MQTT 3.1.1: a CONNECT for the client id c with the user name bob. The CONNACK has return code 5.
	c := s.dial(plain)
	c.SendBytes([]byte("\x10\x12\x00\x04MQTT\x04\x82\x00\x3C\x00\x01c\x00\x03bob"))
	c.WantBytes("\x20\x02\x00\x05")
}

// Without custom authorizers a request without a signature is refused.
func TestNoAuthorizer(t *testing.T) {
	s := start(t, Options{})
	s.wantRefused(s.customURL("door", "a", "b"), "missing:X-Amz-Algorithm")
}

// A client that an authorizer no longer accepts is disconnected.
func TestAuthorizerRefresh(t *testing.T) {
	file, sign := authorizerFile(t)
	s := start(t, Options{Authorizer: file, Faults: true})
	door := s.dial(s.customURL("door", "open sesame", sign("open sesame")))
	door.MustConnect("door", nil)
	users := s.dial(&url.URL{Scheme: "ws", Host: strings.TrimPrefix(s.url, "http://"), Path: "/mqtt"})
	users.MustConnect("users", withLogin("alice", "secret"))
	s.control(`{"clockSkew":301}`, 0)
	users.Ping() // the rule applies still
	door.Send(&packets.Pingreq{})
	door.WantDisconnect(0x87)

	if err := os.WriteFile(file, []byte("{}"), 0o600); err != nil {
		t.Fatal(err)
	}
	s.control(`{"clockSkew":900}`, 0)
	users.Send(&packets.Pingreq{})
	users.WantDisconnect(0x87)
	s.wantRefused(s.customURL("door", "open sesame", sign("open sesame")), "authorizer-file")
}
