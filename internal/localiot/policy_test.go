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

// The broker asks the policy about each action of a client.
func TestPolicyActions(t *testing.T) {
	s := start(t, Options{Policy: writeFile(t, `{"Version":"2012-10-17","Statement":[
		{"Effect":"Allow","Action":"iot:Connect","Resource":"arn:aws:iot:us-east-1:123456789012:client/good-*","Condition":{"ForAllValues:StringEquals":{"iot:ConnectAttributes":["LastWill"]}}},
		{"Effect":"Allow","Action":["iot:Publish","iot:Receive"],"Resource":"arn:aws:iot:us-east-1:123456789012:topic/${iot:ClientId}/*"},
		{"Effect":"Deny","Action":"iot:Receive","Resource":"arn:aws:iot:us-east-1:123456789012:topic/*/private"},
		{"Effect":"Allow","Action":"iot:Subscribe","Resource":"arn:aws:iot:us-east-1:123456789012:topicfilter/${iot:ClientId}/#"}]}`)})
	for id, test := range map[string]struct {
		change func(*packets.Connect)
		reason byte
	}{
		"good-1": {nil, 0},
		"good-2": {willConnectTo("good-2/will"), 0},
		"good-3": {willConnectTo("good-2/will"), 0x87},
		"good-4": {mqtttest.WithSession(true, 10), 0x87},
		"bad":    {nil, 0x87},
	} {
		if ack := s.open().Connect(id, test.change); ack.ReasonCode != test.reason {
			t.Errorf("%s: CONNACK 0x%02X, want 0x%02X", id, ack.ReasonCode, test.reason)
		}
	}
	c, _ := s.connect("good-5", nil)
	c.Subscribe(1, "good-5/#", 1)
	c.Send(&packets.Subscribe{PacketID: 2, Subscriptions: []packets.SubOptions{{Topic: "good-5/a"}}})
	if ack := mqtttest.Receive[*packets.Suback](c); ack.Reasons[0] != 0x87 {
		t.Errorf("SUBACK 0x%02X, want 0x87", ack.Reasons[0])
	}
	c.Send(&packets.Publish{PacketID: 3, QoS: 1, Retain: true, Topic: "good-5/a", Properties: &packets.Properties{}})
	if ack := mqtttest.Receive[*packets.Puback](c); ack.ReasonCode != 0x87 {
		t.Errorf("PUBACK of a retained message 0x%02X, want 0x87", ack.ReasonCode)
	}
	for _, topic := range []string{"good-5/private", "good-5/a"} {
		c.Publish(0, topic, topic)
	}
	if p := mqtttest.Receive[*packets.Publish](c); p.Topic != "good-5/a" {
		t.Errorf("received a message of %s, which the policy denies", p.Topic)
	}
}

// A registered thing is attached to the client that has its name.
func TestPolicyOfThing(t *testing.T) {
	s := start(t, Options{Policy: writeFile(t, `{"Version":"2012-10-17","Statement":[
		{"Effect":"Allow","Action":"iot:Connect","Resource":"arn:aws:iot:*:*:client/${iot:Connection.Thing.ThingName}","Condition":{"Bool":{"iot:Connection.Thing.IsAttached":"true"}}}]}`)})
	if r, body := s.call("iot", "POST", "/things/lamp", "{}"); r.StatusCode != http.StatusOK {
		t.Fatalf("CreateThing: %s %s", r.Status, body)
	}
	for id, reason := range map[string]byte{"lamp": 0, "truck": 0x87} {
		if ack := s.open().Connect(id, nil); ack.ReasonCode != reason {
			t.Errorf("%s: CONNACK 0x%02X, want 0x%02X", id, ack.ReasonCode, reason)
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
	s.Close() // the log must not be read before
	if log := s.log.String(); !strings.Contains(log, "msg=policy") || !strings.Contains(log, "topic/public/*") {
		t.Errorf("the log does not contain the policy of guests: %s", log)
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

// Policies see the address of a client of the HTTP APIs.
func TestPolicySourceIP(t *testing.T) {
	s := start(t, Options{Policy: writeFile(t, `{"Version":"2012-10-17","Statement":[
		{"Effect":"Allow","Action":"iot:*","Resource":"*","Condition":{"IpAddress":{"aws:SourceIp":["127.0.0.0/8","::1"]}}},
		{"Effect":"Deny","Action":"iot:Publish","Resource":"*","Condition":{"IpAddress":{"aws:SourceIp":["127.0.0.0/8","::1"]}}}]}`)})
	if r, body := s.call("iotdata", "GET", "/retainedMessage", ""); r.StatusCode != http.StatusOK {
		t.Errorf("allowed: %s %s", r.Status, body)
	}
	if r, body := s.call("iotdata", "POST", "/topics/a", "x"); r.StatusCode != http.StatusForbidden {
		t.Errorf("denied: %s %s", r.Status, body)
	}
}
