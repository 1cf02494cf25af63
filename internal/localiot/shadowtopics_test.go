package localiot

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"iot.wasm/internal/localiot/mqtttest"

	"github.com/eclipse/paho.golang/packets"
)

// shadowClient is a client that has subscribed to all answers of one shadow.
type shadowClient struct {
	*mqtttest.Client
	t      *testing.T
	prefix string
}

// shadowClient connects a client for the shadow with that topic prefix.
func (s *testServer) shadowClient(id, prefix string) *shadowClient {
	s.t.Helper()
	c, _ := s.connect(id, nil)
	for i, topic := range []string{
		"get/accepted", "get/rejected", "update/accepted", "update/rejected",
		"update/delta", "update/documents", "delete/accepted", "delete/rejected",
	} {
		c.Subscribe(uint16(i+1), prefix+"/"+topic, 1)
	}
	return &shadowClient{c, s.t, prefix}
}

// request publishes a request with QoS 1, and reads its PUBACK.
func (c *shadowClient) request(operation, body string) {
	c.t.Helper()
	c.Publish(9, c.prefix+"/"+operation, body)
	if ack := mqtttest.Receive[*packets.Puback](c.Client); ack.ReasonCode != 0 {
		c.t.Fatalf("PUBACK 0x%02X", ack.ReasonCode)
	}
}

// want reads an answer, acknowledges it, and compares it with a document. It ignores timestamps.
func (c *shadowClient) want(topic, document string) {
	c.t.Helper()
	p := mqtttest.Receive[*packets.Publish](c.Client)
	if p.Topic != c.prefix+"/"+topic || p.QoS != 1 {
		c.t.Fatalf("received %v, want %s", p, topic)
	}
	c.Send(&packets.Puback{PacketID: p.PacketID})
	var got map[string]any
	if err := json.Unmarshal(p.Payload, &got); err != nil {
		c.t.Fatalf("%s: %v", p.Payload, err)
	}
	delete(got, "timestamp")
	delete(got, "metadata")
	for _, part := range []string{"previous", "current"} {
		if part, ok := got[part].(map[string]any); ok {
			delete(part, "metadata")
		}
	}
	text, err := json.Marshal(got) // sorts the members
	if err != nil {
		c.t.Fatal(err)
	}
	if string(text) != document {
		c.t.Fatalf("%s\n got %s\nwant %s", topic, text, document)
	}
}

// A light bulb and its switch.
func TestShadow(t *testing.T) {
	for _, prefix := range []string{"$aws/things/bulb/shadow", "$aws/things/bulb/shadow/name/light"} {
		t.Run(prefix, func(t *testing.T) {
			s := start(t, Options{})
			bulb := s.shadowClient("bulb", prefix)
			name := "bulb"
			if strings.HasSuffix(prefix, "/light") {
				name = "light"
			}
			bulb.request("get", "")
			bulb.want("get/rejected", `{"code":404,"message":"No shadow exists with name: '`+name+`'"}`)
			bulb.request("update", `{"state":{"reported":{"on":false}},"clientToken":"b1"}`)
			bulb.want("update/accepted", `{"clientToken":"b1","state":{"reported":{"on":false}},"version":1}`)
			bulb.want("update/documents", `{"clientToken":"b1","current":{"state":{"reported":{"on":false}},"version":1}}`)

			lightSwitch := s.shadowClient("switch", prefix)
			lightSwitch.request("update", `{"state":{"desired":{"on":true}},"clientToken":"s1"}`)
			for _, c := range []*shadowClient{lightSwitch, bulb} {
				c.want("update/accepted", `{"clientToken":"s1","state":{"desired":{"on":true}},"version":2}`)
				c.want("update/delta", `{"clientToken":"s1","state":{"on":true},"version":2}`)
				c.want("update/documents", `{"clientToken":"s1",`+
					`"current":{"state":{"desired":{"on":true},"reported":{"on":false}},"version":2},`+
					`"previous":{"state":{"reported":{"on":false}},"version":1}}`)
			}

			bulb.request("update", `{"state":{"reported":{"on":true}},"version":1}`)
			for _, c := range []*shadowClient{bulb, lightSwitch} {
				c.want("update/rejected", `{"code":409,"message":"Version conflict"}`)
			}
			bulb.request("update", `{"state":{"reported":{"on":true}},"version":2}`)
			for _, c := range []*shadowClient{bulb, lightSwitch} {
				c.want("update/accepted", `{"state":{"reported":{"on":true}},"version":3}`)
				c.want("update/documents", `{"current":{"state":{"desired":{"on":true},"reported":{"on":true}},"version":3},`+
					`"previous":{"state":{"desired":{"on":true},"reported":{"on":false}},"version":2}}`)
			}

			lightSwitch.request("get", `{"clientToken":"s2"}`)
			for _, c := range []*shadowClient{lightSwitch, bulb} {
				c.want("get/accepted", `{"clientToken":"s2","state":{"desired":{"on":true},"reported":{"on":true}},"version":3}`)
			}
			bulb.request("delete", "")
			for _, c := range []*shadowClient{bulb, lightSwitch} {
				c.want("delete/accepted", `{"version":3}`)
			}
			bulb.request("delete", "")
			bulb.want("delete/rejected", `{"code":404,"message":"No shadow exists with name: '`+name+`'"}`)
		})
	}
}

func TestShadowTopics(t *testing.T) {
	const (
		foreign = iota
		answer
		request
	)
	for topic, want := range map[string]int{
		"$aws/things/t/shadow/get":                        request,
		"$aws/things/t/shadow/update":                     request,
		"$aws/things/t/shadow/delete":                     request,
		"$aws/things/t/shadow/name/n/get":                 request,
		"$aws/things/name/shadow/name/name/update":        request,
		"$aws/things//shadow/get":                         request, // rejected, because the thing has no name
		"$aws/things/t/shadow/get/accepted":               answer,
		"$aws/things/t/shadow/update/rejected":            answer,
		"$aws/things/t/shadow/update/delta":               answer,
		"$aws/things/t/shadow/update/documents":           answer,
		"$aws/things/t/shadow/delete/accepted":            answer,
		"$aws/things/t/shadow/name/n/update/delta":        answer,
		"$aws/things/t/shadow":                            answer,
		"$aws/things/t/shadow/":                           answer,
		"$aws/things/t/shadow/put":                        answer,
		"$aws/things/t/shadow/name/get":                   answer,
		"$aws/things/t/shadow/name//get":                  answer,
		"$aws/things/t/shadow/n/update":                   answer,
		"$aws/things/t/shadow/names/n/update":             answer,
		"$aws/things/t/shadow/name/n/update/x/y":          answer,
		"$aws/things/t/jobs/get":                          foreign,
		"$aws/things/t":                                   foreign,
		"$aws/things/a/b/shadow/get":                      foreign,
		"$aws/thing/t/shadow/get":                         foreign,
		"aws/things/t/shadow/get":                         foreign,
		"x/$aws/things/t/shadow/get":                      foreign,
		"$aws/events/presence/connected/$aws/shadow/get":  foreign,
		"$share/g/$aws/things/t/shadow/update/documents/": foreign,
	} {
		owned, isRequest := shadowTopics{}.Owns(topic)
		if owned != (want >= answer) || isRequest != (want == request) {
			t.Errorf("%s: owned %v, request %v", topic, owned, isRequest)
		}
	}
}

// Clients can subscribe to the answers and publish requests, and not the other way round.
func TestShadowAnswersCannotBeForged(t *testing.T) {
	s := start(t, Options{})
	const prefix = "$aws/things/bulb/shadow"
	bulb := s.shadowClient("bulb", prefix)
	forger, _ := s.connect("forger", nil)
	for i, topic := range []string{"update/delta", "update/accepted", "update/documents", "get/accepted", "name/x/update/delta", "other"} {
		forger.Publish(uint16(i+1), prefix+"/"+topic, `{"state":{"on":true},"version":99}`)
		if ack := mqtttest.Receive[*packets.Puback](forger); ack.ReasonCode != 0x87 {
			t.Errorf("%s: PUBACK 0x%02X, want 0x87", topic, ack.ReasonCode)
		}
	}
	forger.Publish(0, prefix+"/update/delta", `{}`)
	forger.WantDisconnect(0x87)
	bulb.Ping() // The bulb has received nothing.
}

// Bad requests get the answers of AWS IoT, and the server continues.
func TestShadowBadRequests(t *testing.T) {
	s := start(t, Options{})
	for _, test := range []struct{ thing, body, rejected string }{
		{"bulb", `{`, `{"code":400,"message":"Invalid JSON"}`},
		{"bulb", "", `{"code":400,"message":"Invalid JSON"}`},
		{"bulb", `{"state":{"reported":"` + strings.Repeat("[", 50_000) + `"}}`, `{"code":400,"message":"Reported node must be an object"}`},
		{"bulb", strings.Repeat("[", 120_000), `{"code":400,"message":"JSON contains too many levels of nesting; maximum is 6"}`},
		{"bulb", `{"state":{"reported":{"a":"` + strings.Repeat("x", 9000) + `"}},"clientToken":"c"}`,
			`{"clientToken":"c","code":413,"message":"The payload exceeds the maximum size allowed"}`},
		{"bulb", "{\"\xff\":1}", `{"code":415,"message":"Unsupported documented encoding; supported encoding is UTF-8"}`},
		{"..", `{"state":{}}`, `{"code":400,"message":"Invalid thing name"}`},
		{"", `{"state":{}}`, `{"code":400,"message":"Invalid thing name"}`},
	} {
		c := s.shadowClient("c", "$aws/things/"+test.thing+"/shadow")
		c.request("update", test.body)
		c.want("update/rejected", test.rejected)
	}
}

// The guest policy, which has no shadow topics, forbids requests and subscriptions.
func TestShadowPolicy(t *testing.T) {
	s := start(t, Options{})
	c := s.dial(s.signWith(s.cognitoKeys("{}"), time.Now()))
	c.Connect("guest", nil)
	c.Send(&packets.Subscribe{PacketID: 1, Subscriptions: []packets.SubOptions{{Topic: "$aws/things/bulb/shadow/get/accepted"}}})
	if ack := mqtttest.Receive[*packets.Suback](c); !bytes.Equal(ack.Reasons, []byte{0x87}) {
		t.Errorf("SUBACK %x, want 87", ack.Reasons)
	}
	c.Publish(2, "$aws/things/bulb/shadow/update", `{"state":{}}`)
	if ack := mqtttest.Receive[*packets.Puback](c); ack.ReasonCode != 0x87 {
		t.Errorf("PUBACK 0x%02X, want 0x87", ack.ReasonCode)
	}
}

// Shadows survive a restart of the broker.
func TestShadowAfterRestart(t *testing.T) {
	s := start(t, Options{Faults: true})
	const prefix = "$aws/things/truck/shadow"
	c := s.shadowClient("truck", prefix)
	c.request("update", `{"state":{"reported":{"km":7}}}`)
	c.want("update/accepted", `{"state":{"reported":{"km":7}},"version":1}`)
	s.control(`{"restart":"lose-sessions"}`, 1)
	c = s.shadowClient("truck", prefix)
	c.request("get", "")
	c.want("get/accepted", `{"state":{"reported":{"km":7}},"version":1}`)
}

// Timestamps come from the clock of the server, which a fault can change.
func TestShadowClock(t *testing.T) {
	s := start(t, Options{Faults: true})
	c, _ := s.connect("c", nil)
	s.control(`{"clockSkew":86400}`, 0)
	c.Subscribe(1, "$aws/things/bulb/shadow/update/accepted", 0)
	c.Publish(0, "$aws/things/bulb/shadow/update", `{"state":{}}`)
	var document struct{ Timestamp int64 }
	p := mqtttest.Receive[*packets.Publish](c)
	if err := json.Unmarshal(p.Payload, &document); err != nil {
		t.Fatal(err)
	}
	if ahead := document.Timestamp - time.Now().Unix(); ahead < 86300 || ahead > 86500 {
		t.Errorf("the timestamp is %d s ahead, want 86400 s", ahead)
	}
}

// Subscribers receive the documents of concurrent updates in the order of the versions.
func TestShadowVersionOrder(t *testing.T) {
	s := start(t, Options{})
	watcher, _ := s.connect("watcher", nil)
	watcher.Subscribe(1, "$aws/things/truck/shadow/update/accepted", 0)
	const clients, each = 4, 50
	for i := range clients {
		c, _ := s.connect(fmt.Sprint("c", i), nil)
		for n := range each {
			c.Publish(0, "$aws/things/truck/shadow/update", fmt.Sprintf(`{"state":{"reported":{"c%d":%d}}}`, i, n))
		}
	}
	for version := range clients * each {
		var document struct{ Version int }
		p := mqtttest.Receive[*packets.Publish](watcher)
		if err := json.Unmarshal(p.Payload, &document); err != nil || document.Version != version+1 {
			t.Fatalf("received %s, want version %d", p.Payload, version+1)
		}
	}
}
