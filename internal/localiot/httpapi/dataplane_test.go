package httpapi

import (
	"encoding/base64"
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"
)

// testMessages implements Messages with a fixed content.
type testMessages struct {
	retained     []RetainedMessage
	disconnected []string
}

func (m *testMessages) Retained(topic string) (RetainedMessage, bool) {
	for _, message := range m.retained {
		if message.Topic == topic {
			return message, true
		}
	}
	return RetainedMessage{}, false
}

func (m *testMessages) RetainedTopics() []RetainedMessage { return m.retained }

func (m *testMessages) Disconnect(id string, cleanSession, preventWill bool) (bool, error) {
	m.disconnected = append(m.disconnected, fmt.Sprint(id, " ", cleanSession, " ", preventWill))
	return id != "unknown", nil
}

func TestShadow(t *testing.T) {
	a := startAPI(t)
	var document struct {
		State   struct{ Desired, Reported, Delta map[string]any }
		Version int
	}
	update := `{"state":{"desired":{"on":true}},"clientToken":"t"}`
	a.want(a.send(signedRequest{method: "POST", path: "/things/lamp/shadow", body: update}), &document)
	if document.Version != 1 || document.State.Desired["on"] != true {
		t.Errorf("update: %+v", document)
	}
	a.want(a.send(signedRequest{method: "POST", path: "/things/lamp/shadow?name=night", body: update}), nil)
	a.want(a.send(signedRequest{method: "GET", path: "/things/lamp/shadow"}), &document)
	if document.State.Delta["on"] != true {
		t.Errorf("get: %+v", document)
	}
	var names struct{ Results []string }
	a.want(a.send(signedRequest{method: "GET", path: "/api/things/shadow/ListNamedShadowsForThing/lamp?pageSize=10"}), &names)
	if !reflect.DeepEqual(names.Results, []string{"night"}) {
		t.Errorf("list: %+v", names)
	}
	a.want(a.send(signedRequest{method: "DELETE", path: "/things/lamp/shadow?name=night"}), &document)
	for name, test := range map[string]struct {
		method, path, body string
		status             int
		code, message      string
	}{
		"no shadow":     {"GET", "/things/lamp/shadow?name=night", "", 404, "ResourceNotFoundException", "No shadow exists with name: 'night'"},
		"conflict":      {"POST", "/things/lamp/shadow", `{"state":{},"version":7}`, 409, "ConflictException", "Version conflict"},
		"not JSON":      {"POST", "/things/lamp/shadow", `{`, 400, "InvalidRequestException", "Invalid JSON"},
		"no state":      {"POST", "/things/lamp/shadow", `{}`, 400, "InvalidRequestException", "Missing required node: state"},
		"deep":          {"POST", "/things/lamp/shadow", `{"state":` + strings.Repeat(`{"a":`, 5000), 400, "InvalidRequestException", "JSON contains too many levels of nesting; maximum is 6"},
		"large":         {"POST", "/things/lamp/shadow", `{"state":{"desired":{"a":"` + strings.Repeat("x", 9000) + `"}}}`, 413, "RequestEntityTooLargeException", "The payload exceeds the maximum size allowed"},
		"larger":        {"POST", "/things/lamp/shadow", strings.Repeat("x", maxBody), 413, "RequestEntityTooLargeException", "The payload exceeds the maximum size allowed"},
		"largest":       {"POST", "/things/lamp/shadow", strings.Repeat("x", maxBody+1), 413, "RequestEntityTooLargeException", "Request body is too large"},
		"not UTF-8":     {"POST", "/things/lamp/shadow", "\xff", 415, "UnsupportedDocumentEncodingException", "Unsupported documented encoding; supported encoding is UTF-8"},
		"dots":          {"GET", "/things/../shadow", "", 400, "InvalidRequestException", "Invalid thing name"},
		"encoded dots":  {"GET", "/things/%2e%2e%2f/shadow", "", 400, "InvalidRequestException", "Invalid thing name"},
		"shadow name":   {"GET", "/things/lamp/shadow?name=../x", "", 400, "InvalidRequestException", "Invalid shadow name"},
		"page size":     {"GET", "/api/things/shadow/ListNamedShadowsForThing/lamp?pageSize=101", "", 400, "InvalidRequestException", "pageSize must be a whole number from 1 to 100."},
		"page size NaN": {"GET", "/api/things/shadow/ListNamedShadowsForThing/lamp?pageSize=x", "", 400, "InvalidRequestException", "pageSize must be a whole number from 1 to 100."},
		"next token":    {"GET", "/api/things/shadow/ListNamedShadowsForThing/lamp?nextToken=%21", "", 400, "InvalidRequestException", "Invalid nextToken"},
	} {
		t.Run(name, func(t *testing.T) {
			if message := a.wantError(a.send(signedRequest{method: test.method, path: test.path, body: test.body}), test.status, test.code); message != test.message {
				t.Errorf("message %q, want %q", message, test.message)
			}
		})
	}
}

func encode(s string) string { return base64.StdEncoding.EncodeToString([]byte(s)) }

func TestPublish(t *testing.T) {
	a := startAPI(t)
	for _, q := range []signedRequest{
		{path: "/topics/a%2Fb%20c", body: "hello"},
		{path: "/topics/a/b%2F/../c?qos=1&retain=true", body: ""},
		{path: "/topics/x?contentType=text%2Fplain&responseTopic=r%2Fs&messageExpiry=60", body: "é", header: map[string]string{
			"x-amz-mqtt5-correlation-data":         encode("c\x00d"),
			"x-amz-mqtt5-payload-format-indicator": "UTF8_DATA",
			"x-amz-mqtt5-user-properties":          encode(`[{"b":"1"},{"a":"2","b":"3"},{}]`),
		}},
		{path: "/topics/x?messageExpiry=0"},
		{path: "/topics/x?messageExpiry=604801", header: map[string]string{"x-amz-mqtt5-payload-format-indicator": "UNSPECIFIED_BYTES"}},
		{path: "/topics/public/x", id: limitedID},
	} {
		q.method = "POST"
		var got struct{ Message string }
		a.want(a.send(q), &got)
		if got.Message != "OK" {
			t.Errorf("message %q", got.Message)
		}
	}
	want := []Publication{
		{Topic: "a/b c", Payload: []byte("hello")},
		{Topic: "a/b//../c", Payload: []byte{}, QoS: 1, Retain: true},
		{Topic: "x", Payload: []byte("é"), ContentType: "text/plain", ResponseTopic: "r/s", MessageExpiry: 60,
			CorrelationData: []byte("c\x00d"), PayloadFormat: 1, UserProperties: [][2]string{{"b", "1"}, {"a", "2"}, {"b", "3"}}},
		{Topic: "x", Payload: []byte{}, MessageExpiry: 1},
		{Topic: "x", Payload: []byte{}, MessageExpiry: 604800},
		{Topic: "public/x", Payload: []byte{}},
	}
	for i := range want {
		if want[i].CorrelationData == nil {
			want[i].CorrelationData = []byte{}
		}
		if !reflect.DeepEqual(a.published[i], want[i]) {
			t.Errorf("published %+v, want %+v", a.published[i], want[i])
		}
	}
	n := len(a.published)
	for name, test := range map[string]struct {
		query  signedRequest
		status int
		code   string
	}{
		"wildcard":         {signedRequest{path: "/topics/a%2F%23"}, 400, "InvalidRequestException"},
		"no topic":         {signedRequest{path: "/topics/"}, 404, "UnknownOperationException"},
		"NUL":              {signedRequest{path: "/topics/a%00"}, 400, "InvalidRequestException"},
		"not UTF-8":        {signedRequest{path: "/topics/%ff"}, 400, "InvalidRequestException"},
		"QoS":              {signedRequest{path: "/topics/a?qos=2"}, 400, "InvalidRequestException"},
		"retain":           {signedRequest{path: "/topics/a?retain=yes"}, 400, "InvalidRequestException"},
		"expiry":           {signedRequest{path: "/topics/a?messageExpiry=-1"}, 400, "InvalidRequestException"},
		"response topic":   {signedRequest{path: "/topics/a?responseTopic=%2B"}, 400, "InvalidRequestException"},
		"content type":     {signedRequest{path: "/topics/a?contentType=%ff"}, 400, "InvalidRequestException"},
		"correlation data": {signedRequest{path: "/topics/a", header: map[string]string{"x-amz-mqtt5-correlation-data": "!"}}, 400, "InvalidRequestException"},
		"format":           {signedRequest{path: "/topics/a", header: map[string]string{"x-amz-mqtt5-payload-format-indicator": "1"}}, 400, "InvalidRequestException"},
		"payload":          {signedRequest{path: "/topics/a", body: "\xff", header: map[string]string{"x-amz-mqtt5-payload-format-indicator": "UTF8_DATA"}}, 400, "InvalidRequestException"},
		"user properties":  {signedRequest{path: "/topics/a", header: map[string]string{"x-amz-mqtt5-user-properties": encode(`{"a":1}`)}}, 400, "InvalidRequestException"},
		"oversize":         {signedRequest{path: "/topics/a", body: strings.Repeat("x", maxPayload+1)}, 413, "RequestEntityTooLargeException"},
		"not permitted":    {signedRequest{path: "/topics/a", id: limitedID}, 403, "ForbiddenException"},
		"retain, refused":  {signedRequest{path: "/topics/public/a?retain=true", id: limitedID}, 403, "ForbiddenException"},
	} {
		t.Run(name, func(t *testing.T) {
			test.query.method = "POST"
			a.wantError(a.send(test.query), test.status, test.code)
		})
	}
	if len(a.published) != n {
		t.Error("a refused message was published")
	}
}

func TestRetained(t *testing.T) {
	a := startAPI(t)
	at := time.UnixMilli(1767323045678)
	a.messages.retained = []RetainedMessage{
		{Topic: "a", Payload: []byte("x\x00"), PayloadSize: 2, QoS: 1, LastModified: at, UserProperties: [][2]string{{"k", "v"}}},
		{Topic: "a/b", PayloadSize: 1, LastModified: at},
		{Topic: "c", PayloadSize: 1, LastModified: at},
	}
	got := a.send(signedRequest{method: "GET", path: "/retainedMessage/a"})
	a.want(got, nil)
	if want := `{"topic":"a","payload":"eAA=","qos":1,"lastModifiedTime":1767323045678,"userProperties":"W3siayI6InYifV0="}`; got.body != want {
		t.Errorf("got %s, want %s", got.body, want)
	}
	a.want(a.send(signedRequest{method: "GET", path: "/retainedMessage/a%2Fb"}), nil)
	a.wantError(a.send(signedRequest{method: "GET", path: "/retainedMessage/d"}), 404, "ResourceNotFoundException")
	a.wantError(a.send(signedRequest{method: "GET", path: "/retainedMessage/a", id: limitedID}), 403, "ForbiddenException")

	var page struct {
		RetainedTopics []struct {
			Topic                              string
			PayloadSize, QoS, LastModifiedTime int
		}
		NextToken string
	}
	var topics []string
	for path := "/retainedMessage?maxResults=2"; ; path = "/retainedMessage?maxResults=2&nextToken=" + page.NextToken {
		page.NextToken = ""
		a.want(a.send(signedRequest{method: "GET", path: path}), &page)
		for _, m := range page.RetainedTopics {
			topics = append(topics, fmt.Sprintf("%s %d %d", m.Topic, m.PayloadSize, m.QoS))
		}
		if page.NextToken == "" {
			break
		}
	}
	if want := []string{"a 2 1", "a/b 1 0", "c 1 0"}; !reflect.DeepEqual(topics, want) {
		t.Errorf("topics %q, want %q", topics, want)
	}
	for _, query := range []string{"maxResults=0", "maxResults=201", "nextToken=%21"} {
		a.wantError(a.send(signedRequest{method: "GET", path: "/retainedMessage?" + query}), 400, "InvalidRequestException")
	}
}

func TestDeleteConnection(t *testing.T) {
	a := startAPI(t)
	a.want(a.send(signedRequest{method: "DELETE", path: "/connections/a%2Fb?cleanSession=true"}), nil)
	a.want(a.send(signedRequest{method: "DELETE", path: "/connections/c?preventWillMessage=true"}), nil)
	a.wantError(a.send(signedRequest{method: "DELETE", path: "/connections/unknown"}), 404, "ResourceNotFoundException")
	a.wantError(a.send(signedRequest{method: "DELETE", path: "/connections/$x"}), 400, "InvalidRequestException")
	a.wantError(a.send(signedRequest{method: "DELETE", path: "/connections/x?cleanSession=1"}), 400, "InvalidRequestException")
	if want := []string{"a/b true false", "c false true", "unknown false false"}; !reflect.DeepEqual(a.messages.disconnected, want) {
		t.Errorf("got %q, want %q", a.messages.disconnected, want)
	}
}

// FuzzUserProperties checks that a value is either refused or a list of texts.
func FuzzUserProperties(f *testing.F) {
	f.Add(encode(`[{"deviceName":"alpha"},{"deviceCnt":"45"}]`))
	f.Add(encode(`[{"a":["b"]},null,{"a":{"b":"c"}}]`))
	f.Add("!")
	f.Fuzz(func(t *testing.T, encoded string) {
		properties, err := parseUserProperties(encoded)
		for _, p := range properties {
			if err != nil || !isText(p[0]) || !isText(p[1]) {
				t.Fatalf("%q: %q, %v", encoded, properties, err)
			}
		}
	})
}
