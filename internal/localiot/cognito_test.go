package localiot

import (
	"bufio"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/eclipse/paho.golang/packets"
)

// ask sends one request to Cognito, and returns its answer or the name of its error.
func (s *testServer) ask(action, body string) (cognitoAnswer, string) {
	s.t.Helper()
	r, err := http.NewRequestWithContext(s.t.Context(), http.MethodPost, s.url+"/cognito", strings.NewReader(body))
	if err != nil {
		s.t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/x-amz-json-1.1")
	r.Header.Set("X-Amz-Target", action)
	r.Header.Set("Origin", "http://localhost:5173")
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		s.t.Fatal(err)
	}
	defer response.Body.Close()
	var got struct {
		cognitoAnswer
		cognitoError
	}
	if err := json.NewDecoder(response.Body).Decode(&got); err != nil {
		s.t.Fatal(err)
	}
	if (response.StatusCode == http.StatusOK) != (got.Type == "") || (got.Type == "") != (got.Message == "") || response.Header.Get("x-amzn-ErrorType") != got.Type {
		s.t.Errorf("%s: %d %s %q, headers %v", action, response.StatusCode, got.Type, got.Message, response.Header)
	}
	if origin := response.Header.Get("Access-Control-Allow-Origin"); origin != "http://localhost:5173" {
		s.t.Errorf("Access-Control-Allow-Origin: %q", origin)
	}
	return got.cognitoAnswer, got.Type
}

// identify returns an identity and its keys; logins is JSON.
func (s *testServer) identify(logins string) (id string, c cognitoCredentials) {
	s.t.Helper()
	got, e := s.ask("AWSCognitoIdentityService.GetId", fmt.Sprintf(`{"IdentityPoolId":%q,"Logins":%s}`, s.local().Cognito.IdentityPoolID, logins))
	if e != "" {
		s.t.Fatal(e)
	}
	id = got.IdentityID
	got, e = s.ask("AWSCognitoIdentityService.GetCredentialsForIdentity", fmt.Sprintf(`{"IdentityId":%q,"Logins":%s}`, id, logins))
	if e != "" || got.IdentityID != id {
		s.t.Fatalf("%s for %s, want %s", e, got.IdentityID, id)
	}
	return id, *got.Credentials
}

// signWith signs with temporary keys, as AWS IoT has it: the token is not signed.
func (s *testServer) signWith(k cognitoCredentials, at time.Time) *url.URL {
	s.t.Helper()
	l := s.local()
	l.Credentials = credentials{k.AccessKeyID, k.SecretKey}
	u := sign(s.t, l, at, 0)
	u.RawQuery += "&X-Amz-Security-Token=" + url.QueryEscape(k.SessionToken)
	return u
}

// refused checks that a URL opens no WebSocket, and which check it fails.
func (s *testServer) refused(u *url.URL, check string) {
	s.t.Helper()
	probe := *u
	probe.Scheme = "http"
	r, body := get(s.t, probe.String(), nil)
	wantRefusal(s.t, r, body, http.StatusForbidden, check)
}

func TestCognitoGuest(t *testing.T) {
	s := start(t, Options{CredentialLifetime: 90 * time.Second})
	if got, want := s.local().Cognito.Endpoint, s.url+"/cognito"; got != want {
		t.Errorf("endpoint %s, want %s", got, want)
	}
	asked := time.Now()
	id, k := s.identify("{}")
	if !strings.HasPrefix(id, "us-east-1:") || len(id) != 46 || !strings.HasPrefix(k.AccessKeyID, "ASIA") || !strings.ContainsAny(k.SessionToken, "+") || !strings.ContainsAny(k.SessionToken, "/") || !strings.ContainsAny(k.SessionToken, "=") {
		t.Errorf("not shaped as AWS's: %s, %s, %d bytes of token", id, k.AccessKeyID, len(k.SessionToken))
	}
	if life := k.Expiration - float64(asked.UnixMilli())/1000; life < 90 || life > 120 {
		t.Errorf("the keys live for %g s", life)
	}

	c := s.dial(s.signWith(k, time.Now()))
	if ack := c.connect("guest", willConnectTo("public/gone")); ack.ReasonCode != 0 {
		t.Fatalf("CONNACK 0x%02X", ack.ReasonCode)
	}
	for i, test := range []struct {
		filter string
		reason byte
	}{
		{"public/#", 1}, {"public/a/+", 1}, {"hello", 1}, {"$share/g/public/a", 1},
		{"#", 0x87}, {"public", 0x87}, {"+/a", 0x87}, {"hello/a", 0x87}, {"publicity", 0x87}, {"$share/g/private", 0x87},
	} {
		c.send(&packets.Subscribe{PacketID: uint16(i + 1), Subscriptions: []packets.SubOptions{{Topic: test.filter, QoS: 1}}})
		if got := receive[*packets.Suback](c).Reasons; got[0] != test.reason {
			t.Errorf("SUBACK for %s: 0x%02X, want 0x%02X", test.filter, got[0], test.reason)
		}
	}
	for topic, reason := range map[string]byte{"public/none": 0, "hello": 0, "public": 0x87, "private": 0x87} {
		c.publish(7, topic, "")
		for {
			p, err := c.next()
			if err != nil {
				t.Fatal(err)
			}
			if ack, ok := p.Content.(*packets.Puback); ok {
				if ack.PacketID != 7 || ack.ReasonCode != reason {
					t.Errorf("PUBACK for %s: %d 0x%02X, want 7 0x%02X", topic, ack.PacketID, ack.ReasonCode, reason)
				}
				break
			}
		}
	}
	// Behind an alias, too.
	c = s.dial(s.signWith(k, time.Now()))
	c.connect("guest", nil)
	alias := uint16(1)
	for _, topic := range []string{"private", ""} {
		c.send(&packets.Publish{PacketID: 8, QoS: 1, Topic: topic, Properties: &packets.Properties{TopicAlias: &alias}})
		if got := receive[*packets.Puback](c).ReasonCode; got != 0x87 {
			t.Errorf("PUBACK for topic %q and an alias: 0x%02X, want 0x87", topic, got)
		}
	}
	c.publish(0, "private", "")
	c.disconnected(0x87)

	c = s.dial(s.signWith(k, time.Now()))
	if ack := c.connect("guest", willConnectTo("private/gone")); ack.ReasonCode != 0x87 {
		t.Errorf("CONNACK 0x%02X for a will that is not allowed, want 0x87", ack.ReasonCode)
	}
}

func willConnectTo(topic string) func(*packets.Connect) {
	return func(p *packets.Connect) { p.WillFlag, p.WillTopic, p.WillMessage = true, topic, []byte("bye") }
}

func TestCognitoLogin(t *testing.T) {
	s := start(t, Options{})
	id, k := s.identify(`{"localhost":"alice"}`)
	s.refused(s.signWith(k, time.Now()), "policy")
	if again, _ := s.identify(`{"localhost":"alice"}`); again != id {
		t.Errorf("the same user is %s, then %s", id, again)
	}

	s = start(t, Options{AttachPolicy: true})
	id, _ = s.identify("{}")
	got, e := s.ask("AWSCognitoIdentityService.GetCredentialsForIdentity", fmt.Sprintf(`{"IdentityId":%q,"Logins":{"localhost":"bob"}}`, id))
	if e != "" {
		t.Fatal(e)
	}
	c := s.dial(s.signWith(*got.Credentials, time.Now()))
	c.connect("bob", nil)
	c.subscribe(1, "#", 0)
	for logins, want := range map[string]string{`{}`: "NotAuthorizedException", `{"localhost":"eve"}`: "NotAuthorizedException", `{"localhost":"bob"}`: ""} {
		if _, e := s.ask("AWSCognitoIdentityService.GetCredentialsForIdentity", fmt.Sprintf(`{"IdentityId":%q,"Logins":%s}`, id, logins)); e != want {
			t.Errorf("bob's identity with %s: %q, want %q", logins, e, want)
		}
	}
}

func TestCognitoErrors(t *testing.T) {
	s := start(t, Options{Faults: true})
	pool := s.local().Cognito.IdentityPoolID
	other := "us-east-1:00000000-0000-4000-8000-000000000000"
	const getID, getCredentials = "AWSCognitoIdentityService.GetId", "AWSCognitoIdentityService.GetCredentialsForIdentity"
	for _, test := range []struct{ action, body, want string }{
		{"", `{}`, "UnknownOperationException"},
		{"AWSCognitoIdentityService.ListIdentities", `{}`, "UnknownOperationException"},
		{getID, ``, "InvalidParameterException"},
		{getID, `[]`, "InvalidParameterException"},
		{getID, `{"IdentityPoolId":5}`, "InvalidParameterException"},
		{getID, `{}`, "InvalidParameterException"},
		{getID, `{"IdentityPoolId":"us-east-1_abc"}`, "InvalidParameterException"},
		{getID, `{"IdentityPoolId":"` + other + `"}`, "ResourceNotFoundException"},
		{getID, `{"IdentityPoolId":"` + pool + `","Logins":{"localhost":""}}`, "NotAuthorizedException"},
		{getID, `{"IdentityPoolId":"` + pool + `","Logins":{"localhost":"expired"}}`, "NotAuthorizedException"},
		{getID, `{"IdentityPoolId":"` + pool + `","Logins":{"accounts.google.com":"token"}}`, "NotAuthorizedException"},
		{getID, `{"IdentityPoolId":"` + pool + strings.Repeat(" ", maxCognitoRequest) + `"}`, "InvalidParameterException"},
		{getCredentials, `{}`, "InvalidParameterException"},
		{getCredentials, `{"IdentityId":"` + other + `"}`, "ResourceNotFoundException"},
	} {
		if _, got := s.ask(test.action, test.body); got != test.want {
			t.Errorf("%s %.80s: %q, want %q", test.action, test.body, got, test.want)
		}
	}
	id, _ := s.identify("{}")
	s.control(`{"cognito":{"error":"TooManyRequestsException","count":2}}`, 0)
	for _, want := range []string{"TooManyRequestsException", "TooManyRequestsException", ""} {
		if _, got := s.ask(getCredentials, `{"IdentityId":"`+id+`"}`); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
	s.control(`{"forgetIdentities":true}`, 0)
	if _, got := s.ask(getCredentials, `{"IdentityId":"`+id+`"}`); got != "ResourceNotFoundException" {
		t.Errorf("a forgotten identity: %q", got)
	}
}

func TestCognitoPreflight(t *testing.T) {
	s := start(t, Options{})
	for origin, status := range map[string]int{"http://localhost:5173": http.StatusOK, "http://evil.example": http.StatusForbidden} {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodOptions, s.url+"/cognito", nil)
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Origin", origin)
		r.Header.Set("Access-Control-Request-Method", "POST")
		r.Header.Set("Access-Control-Request-Headers", "content-type,x-amz-target")
		response, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		response.Body.Close()
		if response.StatusCode != status {
			t.Errorf("%s: %d, want %d", origin, response.StatusCode, status)
		}
		if h := response.Header; status == http.StatusOK && (h.Get("Access-Control-Allow-Origin") != origin ||
			h.Get("Access-Control-Allow-Methods") != "POST" || !strings.Contains(h.Get("Access-Control-Allow-Headers"), "X-Amz-Target")) {
			t.Errorf("headers %v", h)
		}
	}
}

// What a server remembers of those who come is bounded, and the oldest goes first.
func TestRecent(t *testing.T) {
	r := newRecent[int](3)
	for i := range 5 {
		r.put(fmt.Sprint(i), i)
	}
	if len(r.entries) != 3 || len(r.order) != 3 || r.entries["4"] != 4 {
		t.Errorf("holds %v", r.entries)
	}
	if _, ok := r.entries["1"]; ok {
		t.Error("has not forgotten the oldest")
	}
}

func TestTemporaryKeysExpire(t *testing.T) {
	s := start(t, Options{Faults: true})
	_, k := s.identify("{}")
	c := s.dial(s.signWith(k, time.Now()))
	c.connect("c", nil)
	s.control(`{"expireCredentials":true,"credentialLifetime":2}`, 0)
	s.refused(s.signWith(k, time.Now()), "credentials-expired")
	c.ping() // a connection outlives its keys

	_, k = s.identify("{}")
	s.dial(s.signWith(k, time.Now()))
	s.control(`{"clockSkew":10}`, 0) // 2 s have passed for the keys, and the page's clock is near enough
	s.refused(s.signWith(k, time.Now()), "credentials-expired")
}

// A client that does not finish its request holds up nobody else.
func TestUnfinishedCognitoRequest(t *testing.T) {
	s := start(t, Options{Faults: true})
	c, err := net.Dial("tcp", strings.TrimPrefix(s.url, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	fmt.Fprint(c, "POST /cognito HTTP/1.1\r\nHost: localhost\r\nX-Amz-Target: AWSCognitoIdentityService.GetId\r\nContent-Length: 100\r\nExpect: 100-continue\r\n\r\n")
	// Its body is being read once the server asks for it.
	if line, err := bufio.NewReader(c).ReadString('\n'); err != nil || !strings.Contains(line, "100 Continue") {
		t.Fatalf("%q, %v", line, err)
	}
	fmt.Fprint(c, "{")

	client := &http.Client{Timeout: 10 * time.Second}
	for path, body := range map[string]string{"/cognito": `{}`, "/control": `{"credentialLifetime":60,"forgetIdentities":true}`} {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, s.url+path, strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("X-Amz-Target", "AWSCognitoIdentityService.GetId")
		response, err := client.Do(r)
		if err != nil {
			t.Errorf("%s waits for another client's request: %v", path, err)
			continue
		}
		response.Body.Close()
	}
}
