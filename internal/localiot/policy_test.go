package localiot

import (
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/eclipse/paho.golang/packets"

	"iot.wasm/internal/localiot/mqtttest"
)

// writeFile writes a file, and returns its name.
func writeFile(t *testing.T, text string) string {
	t.Helper()
	name := filepath.Join(t.TempDir(), "file.json")
	if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return name
}

// The policy in a file applies to the long-term key and to guests.
func TestPolicyFile(t *testing.T) {
	file := writeFile(t, `{"Version":"2012-10-17","Statement":[
		{"Effect":"Allow","Action":"iot:Connect","Resource":"*","Condition":{"ArnLike":{"iot:LastWillTopic":"*"}}},
		{"Effect":"Allow","Action":"iot:*","Resource":"*"},
		{"Effect":"Deny","Action":"*","Resource":"arn:aws:iot:us-east-1:111122223333:topic*/secret/*"}]}`)
	s := start(t, Options{Policy: file})
	if a := s.ActivePolicy(); !strings.Contains(a, file) || !strings.Contains(a, "3 statements") {
		t.Errorf("the active policy is %q", a)
	}
	if w := s.PolicyWarnings(); len(w) != 1 || !strings.Contains(w[0], "iot:LastWillTopic") {
		t.Errorf("warnings %q", w)
	}
	if r, body := s.call("iot", "GET", "/policies", ""); r.StatusCode != http.StatusOK {
		t.Errorf("the key may not use the control plane: %s %s", r.Status, body)
	}
	for name, c := range map[string]*mqtttest.Client{
		"the key": s.open(),
		"a guest": s.dial(s.signWith(s.cognitoKeys("{}"), time.Now())),
	} {
		c.MustConnect("c-"+name[:1], nil)
		c.Subscribe(1, "private", 0)
		c.Publish(2, "secret/a", "")
		if ack := mqtttest.Receive[*packets.Puback](c); ack.ReasonCode != 0x87 {
			t.Errorf("%s: PUBACK 0x%02X, want 0x87", name, ack.ReasonCode)
		}
	}
}

func TestActivePolicyWithoutFile(t *testing.T) {
	s := start(t, Options{})
	if a := s.ActivePolicy(); !strings.Contains(a, "allows everything") {
		t.Errorf("the active policy is %q", a)
	}
	if p := s.GuestPolicy(); !strings.Contains(p, "topic/public/*") {
		t.Errorf("the policy of guests is %s", p)
	}
}

func TestInvalidPolicyFile(t *testing.T) {
	for _, file := range []string{filepath.Join(t.TempDir(), "missing"), writeFile(t, "{}")} {
		if _, err := New(Options{WWW: os.DirFS("."), Policy: file}); err == nil || !strings.Contains(err.Error(), file) {
			t.Errorf("error %v, want one that names the file", err)
		}
	}
}

// A policy that allows no connection refuses the handshake.
func TestPolicyWithoutConnect(t *testing.T) {
	s := start(t, Options{Policy: writeFile(t, `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"iot:Publish","Resource":"*"}}`)})
	s.wantRefused(sign(t, s.local(), time.Now(), 0), "policy")
}

// An attached policy permits an authenticated identity to connect.
func TestAttachedPolicy(t *testing.T) {
	s := start(t, Options{})
	k := s.cognitoKeys(`{"localhost":"alice"}`)
	s.wantRefused(s.signWith(k, time.Now()), "policy")
	document := `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":["iot:Connect","iot:Publish"],"Resource":["arn:aws:iot:us-east-1:123456789012:topic/hello","arn:aws:iot:us-east-1:123456789012:client/*"]}}`
	key, _ := s.keys.Get(k.AccessKeyID)
	for _, request := range []struct {
		method, path string
		body         map[string]string
	}{
		{"POST", "/policies/hello", map[string]string{"policyDocument": document}},
		{"PUT", "/target-policies/hello", map[string]string{"target": key.Owner.IdentityID}},
	} {
		body, _ := json.Marshal(request.body)
		if r, answer := s.call("iot", request.method, request.path, string(body)); r.StatusCode != http.StatusOK {
			t.Fatalf("%s: %s %s", request.path, r.Status, answer)
		}
	}
	c := s.dial(s.signWith(k, time.Now()))
	c.MustConnect("alice", nil)
	for topic, reason := range map[string]byte{"hello": 0, "public/a": 0x87} {
		c.Publish(1, topic, "")
		if ack := mqtttest.Receive[*packets.Puback](c); ack.ReasonCode != reason && !(reason == 0 && ack.ReasonCode == 0x10) {
			t.Errorf("PUBACK for %s: 0x%02X, want 0x%02X", topic, ack.ReasonCode, reason)
		}
	}
}

// The keys are valid after a restart.
func TestKeysAfterRestart(t *testing.T) {
	dir := t.TempDir()
	first, err := New(Options{WWW: os.DirFS("."), Data: dir})
	if err != nil {
		t.Fatal(err)
	}
	key := first.key
	if err := first.Close(); err != nil {
		t.Fatal(err)
	}
	s := start(t, Options{Data: dir})
	if s.key != key {
		t.Error("the long-term key is another one")
	}
	s.connect("c", nil)
}
