package localiot

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"iot.wasm/internal/localiot/mqtttest"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	"github.com/eclipse/paho.golang/packets"
)

// callWith is like call, with headers.
func (s *testServer) callWith(service, method, path, body string, header map[string]string) (*http.Response, string) {
	s.t.Helper()
	r, err := http.NewRequestWithContext(s.t.Context(), method, s.url+path, strings.NewReader(body))
	if err != nil {
		s.t.Fatal(err)
	}
	for name, value := range header {
		r.Header.Set(name, value)
	}
	hash := sha256.Sum256([]byte(body))
	key := aws.Credentials{AccessKeyID: s.key.ID, SecretAccessKey: s.key.Secret}
	if err := v4.NewSigner().SignHTTP(context.Background(), key, r, hex.EncodeToString(hash[:]), service, s.local().Region, time.Now()); err != nil {
		s.t.Fatal(err)
	}
	answer, err := http.DefaultTransport.RoundTrip(r)
	if err != nil {
		s.t.Fatal(err)
	}
	defer answer.Body.Close()
	content, err := io.ReadAll(answer.Body)
	if err != nil {
		s.t.Fatal(err)
	}
	return answer, string(content)
}

func TestHTTPPublish(t *testing.T) {
	s := start(t, Options{})
	c, _ := s.connect("c", nil)
	c.Subscribe(1, "room/+", 1)
	r, body := s.callWith("iotdata", "POST", "/topics/room%2F1?qos=1&retain=true&contentType=text%2Fplain&responseTopic=back&messageExpiry=60", "hello", map[string]string{
		"x-amz-mqtt5-correlation-data":         base64.StdEncoding.EncodeToString([]byte{1, 2}),
		"x-amz-mqtt5-payload-format-indicator": "UTF8_DATA",
		"x-amz-mqtt5-user-properties":          base64.StdEncoding.EncodeToString([]byte(`[{"a":"1"},{"a":"2"}]`)),
	})
	if r.StatusCode != http.StatusOK || !strings.Contains(body, `"message":"OK"`) {
		t.Fatalf("%s %s", r.Status, body)
	}
	m := mqtttest.Receive[*packets.Publish](c)
	p := m.Properties
	if m.Topic != "room/1" || string(m.Payload) != "hello" || m.QoS != 1 || p.ContentType != "text/plain" || p.ResponseTopic != "back" ||
		!bytes.Equal(p.CorrelationData, []byte{1, 2}) || *p.PayloadFormat != 1 || *p.MessageExpiry > 60 || len(p.User) != 2 || p.User[1].Value != "2" {
		t.Errorf("received %v", m)
	}

	if r, body = s.call("iotdata", "GET", "/retainedMessage/room%2F1", ""); r.StatusCode != http.StatusOK ||
		!strings.Contains(body, `"payload":"`+base64.StdEncoding.EncodeToString([]byte("hello"))+`"`) || !strings.Contains(body, `"qos":1`) {
		t.Errorf("retained: %s %s", r.Status, body)
	}
	if r, body = s.call("iotdata", "GET", "/retainedMessage", ""); r.StatusCode != http.StatusOK || !strings.Contains(body, `"topic":"room/1","payloadSize":5,"qos":1`) {
		t.Errorf("list: %s %s", r.Status, body)
	}
	if r, body = s.call("iotdata", "GET", "/retainedMessage/other", ""); r.StatusCode != http.StatusNotFound {
		t.Errorf("no message: %s %s", r.Status, body)
	}

	for path, status := range map[string]int{
		"/topics/$aws/things/lamp/shadow/update":          http.StatusOK,        // a request topic
		"/topics/$aws/things/lamp/shadow/update/accepted": http.StatusForbidden, // the topic of an answer
		"/topics/$aws/events/presence/connected/c":        http.StatusForbidden,
		"/topics/$aws/rules/store/room":                   http.StatusOK,
		"/topics/a/b/c/d/e/f/g/h/i":                       http.StatusBadRequest,
		"/topics/" + strings.Repeat("a", 257):             http.StatusBadRequest,
		"/topics/a%2F%23":                                 http.StatusBadRequest,
	} {
		if r, body := s.call("iotdata", "POST", path, "{}"); r.StatusCode != status {
			t.Errorf("%s: %s %s, want %d", path, r.Status, body, status)
		}
	}
	if r, body := s.call("iotdata", "POST", "/topics/a", strings.Repeat("a", 128<<10+1)); r.StatusCode != http.StatusRequestEntityTooLarge {
		t.Errorf("large payload: %s %s", r.Status, body)
	}
}

func TestHTTPDeleteConnection(t *testing.T) {
	s := start(t, Options{})
	watcher, _ := s.connect("watcher", nil)
	watcher.Subscribe(1, "gone/#", 0)
	for _, name := range []string{"first", "second"} {
		c, _ := s.connect(name, willConnectTo("gone/"+name))
		if r, body := s.call("iotdata", "DELETE", "/connections/"+name+"?preventWillMessage="+fmt.Sprint(name == "first"), ""); r.StatusCode != http.StatusOK {
			t.Errorf("%s %s", r.Status, body)
		}
		c.WantDisconnect(0x98)
	}
	if m := mqtttest.Receive[*packets.Publish](watcher); m.Topic != "gone/second" {
		t.Errorf("received %s", m.Topic)
	}
	if r, body := s.call("iotdata", "DELETE", "/connections/first", ""); r.StatusCode != http.StatusNotFound {
		t.Errorf("%s %s", r.Status, body)
	}
}

// A shadow that is changed by HTTP publishes the same messages as one that is changed by MQTT.
func TestHTTPShadowMessages(t *testing.T) {
	s := start(t, Options{})
	c, _ := s.connect("c", nil)
	c.Subscribe(1, "$aws/things/lamp/shadow/#", 1)
	s.call("iotdata", "POST", "/things/lamp/shadow?name=x", `{"state":{"desired":{"on":true}}}`)
	s.call("iotdata", "POST", "/things/lamp/shadow?name=x", `{"state":1}`) // is refused, and publishes nothing
	s.call("iotdata", "GET", "/things/lamp/shadow?name=x", "")
	s.call("iotdata", "DELETE", "/things/lamp/shadow?name=x", "")
	for _, topic := range []string{"update/accepted", "update/delta", "update/documents", "delete/accepted"} {
		m := mqtttest.Receive[*packets.Publish](c)
		if m.Topic != "$aws/things/lamp/shadow/name/x/"+topic || !strings.Contains(string(m.Payload), `"version":1`) {
			t.Errorf("received %s %s, want %s", m.Topic, m.Payload, topic)
		}
		c.Send(&packets.Puback{PacketID: m.PacketID})
	}
}

// Subscribers receive the messages of updates by HTTP and by MQTT in the order of the versions.
func TestShadowOrder(t *testing.T) {
	const updates = 50 // by HTTP, and by MQTT
	s := start(t, Options{})
	watcher, _ := s.connect("watcher", nil)
	watcher.Subscribe(1, "$aws/things/lamp/shadow/update/accepted", 0)
	sender, _ := s.connect("sender", nil)
	var done sync.WaitGroup
	defer done.Wait()
	done.Go(func() {
		for i := range updates {
			if r, body := s.call("iotdata", "POST", "/things/lamp/shadow", fmt.Sprintf(`{"state":{"desired":{"a":%d}}}`, i)); r.StatusCode != http.StatusOK {
				t.Errorf("%s %s", r.Status, body)
			}
		}
	})
	for i := range updates {
		sender.Publish(0, "$aws/things/lamp/shadow/update", fmt.Sprintf(`{"state":{"reported":{"a":%d}}}`, i))
	}
	for version := 1; version <= 2*updates; version++ {
		var got struct{ Version int }
		m := mqtttest.Receive[*packets.Publish](watcher)
		if err := json.Unmarshal(m.Payload, &got); err != nil || got.Version != version {
			t.Fatalf("version %d, %v, want %d", got.Version, err, version)
		}
	}
}
