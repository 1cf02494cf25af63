package localiot

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"iot.wasm/internal/localiot/mqtttest"

	"github.com/eclipse/paho.golang/packets"
)

// temporaryKeys are the credentials in a response of Cognito.
type temporaryKeys struct{ AccessKeyID, SecretKey, SessionToken string }

// cognitoKeys gets a new identity from Cognito and returns its keys; logins is JSON.
func (s *testServer) cognitoKeys(logins string) temporaryKeys {
	s.t.Helper()
	l := s.local().Cognito
	var got struct {
		IdentityID  string
		Credentials temporaryKeys
	}
	for _, request := range []struct{ operation, body string }{
		{"GetId", fmt.Sprintf(`{"IdentityPoolId":%q,"Logins":%s}`, l.IdentityPoolID, logins)},
		{"GetCredentialsForIdentity", `{"IdentityId":%q,"Logins":` + logins + `}`},
	} {
		if request.operation != "GetId" {
			request.body = fmt.Sprintf(request.body, got.IdentityID)
		}
		r, err := http.NewRequestWithContext(s.t.Context(), http.MethodPost, l.Endpoint, strings.NewReader(request.body))
		if err != nil {
			s.t.Fatal(err)
		}
		r.Header.Set("X-Amz-Target", "AWSCognitoIdentityService."+request.operation)
		response, err := http.DefaultClient.Do(r)
		if err != nil {
			s.t.Fatal(err)
		}
		err = json.NewDecoder(response.Body).Decode(&got)
		response.Body.Close()
		if err != nil || response.StatusCode != http.StatusOK {
			s.t.Fatalf("%s: %s, %v", request.operation, response.Status, err)
		}
	}
	return got.Credentials
}

// signWith returns a URL signed with temporary keys. The session token is not signed, as AWS IoT
// requires.
func (s *testServer) signWith(k temporaryKeys, at time.Time) *url.URL {
	s.t.Helper()
	l := s.local()
	l.Credentials = credentials{k.AccessKeyID, k.SecretKey}
	u := sign(s.t, l, at, 0)
	u.RawQuery += "&X-Amz-Security-Token=" + url.QueryEscape(k.SessionToken)
	return u
}

// wantRefused checks that the server refuses a URL because of check.
func (s *testServer) wantRefused(u *url.URL, check string) {
	s.t.Helper()
	httpURL := *u
	httpURL.Scheme = "http"
	r, body := get(s.t, httpURL.String(), nil)
	wantRefusal(s.t, r, body, http.StatusForbidden, check)
}

func TestCognitoGuest(t *testing.T) {
	s := start(t, Options{})
	k := s.cognitoKeys("{}")
	c := s.dial(s.signWith(k, time.Now()))
	if ack := c.Connect("guest", willConnectTo("public/gone")); ack.ReasonCode != 0 {
		t.Fatalf("CONNACK 0x%02X", ack.ReasonCode)
	}
	for i, test := range []struct {
		filter string
		reason byte
	}{
		{"public/#", 1}, {"public/a/+", 1}, {"hello", 1}, {"$share/g/public/a", 1},
		{"#", 0x87}, {"public", 0x87}, {"+/a", 0x87}, {"hello/a", 0x87}, {"publicity", 0x87}, {"$share/g/private", 0x87},
	} {
		c.Send(&packets.Subscribe{PacketID: uint16(i + 1), Subscriptions: []packets.SubOptions{{Topic: test.filter, QoS: 1}}})
		if got := mqtttest.Receive[*packets.Suback](c).Reasons; got[0] != test.reason {
			t.Errorf("SUBACK for %s: 0x%02X, want 0x%02X", test.filter, got[0], test.reason)
		}
	}
	for topic, reason := range map[string]byte{"public/none": 0, "hello": 0, "public": 0x87, "private": 0x87} {
		c.Publish(7, topic, "")
		for {
			p, err := c.Next()
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
	// The policy applies to topic aliases too.
	c = s.dial(s.signWith(k, time.Now()))
	c.Connect("guest", nil)
	alias := uint16(1)
	for _, topic := range []string{"private", ""} {
		c.Send(&packets.Publish{PacketID: 8, QoS: 1, Topic: topic, Properties: &packets.Properties{TopicAlias: &alias}})
		if got := mqtttest.Receive[*packets.Puback](c).ReasonCode; got != 0x87 {
			t.Errorf("PUBACK for topic %q and an alias: 0x%02X, want 0x87", topic, got)
		}
	}
	c.Publish(0, "private", "")
	c.WantDisconnect(0x87)

	c = s.dial(s.signWith(k, time.Now()))
	if ack := c.Connect("guest", willConnectTo("private/gone")); ack.ReasonCode != 0x87 {
		t.Errorf("CONNACK 0x%02X for a will that the policy forbids, want 0x87", ack.ReasonCode)
	}
}

func willConnectTo(topic string) func(*packets.Connect) {
	return func(p *packets.Connect) { p.WillFlag, p.WillTopic, p.WillMessage = true, topic, []byte("bye") }
}

func TestCognitoLogin(t *testing.T) {
	s := start(t, Options{})
	s.wantRefused(s.signWith(s.cognitoKeys(`{"localhost":"alice"}`), time.Now()), "policy")

	s = start(t, Options{AttachPolicy: true})
	c := s.dial(s.signWith(s.cognitoKeys(`{"localhost":"bob"}`), time.Now()))
	c.Connect("bob", nil)
	c.Subscribe(1, "#", 0)
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
			h.Get("Access-Control-Allow-Methods") != "POST" || !strings.Contains(h.Get("Access-Control-Allow-Headers"), "x-amz-target")) {
			t.Errorf("headers %v", h)
		}
	}
}

func TestTemporaryKeysExpire(t *testing.T) {
	s := start(t, Options{Faults: true})
	k := s.cognitoKeys("{}")
	c := s.dial(s.signWith(k, time.Now()))
	c.Connect("c", nil)
	s.control(`{"expireCredentials":true,"credentialLifetime":2}`, 0)
	s.wantRefused(s.signWith(k, time.Now()), "credentials-expired")
	c.Ping() // an open connection does not end when its keys expire

	k = s.cognitoKeys("{}")
	s.dial(s.signWith(k, time.Now()))
	s.control(`{"clockSkew":10}`, 0) // the keys have expired, and the skew is below 5 min
	s.wantRefused(s.signWith(k, time.Now()), "credentials-expired")
}

// A client that does not complete its request does not block other clients.
func TestUnfinishedCognitoRequest(t *testing.T) {
	s := start(t, Options{Faults: true})
	c, err := net.Dial("tcp", strings.TrimPrefix(s.url, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	fmt.Fprint(c, "POST /cognito HTTP/1.1\r\nHost: localhost\r\nX-Amz-Target: AWSCognitoIdentityService.GetId\r\nContent-Length: 100\r\nExpect: 100-continue\r\n\r\n")
	// The server sends 100 Continue when it begins to read the body.
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
			t.Errorf("%s waits for the request of another client: %v", path, err)
			continue
		}
		response.Body.Close()
	}
}

// TestCognitoPaths checks the paths to which AWS's clients send their requests: the endpoint's own, the
// same with a slash (the SDK for JavaScript), and / (the CRT). A signature has no effect.
func TestCognitoPaths(t *testing.T) {
	s := start(t, Options{})
	body := fmt.Sprintf(`{"IdentityPoolId":%q}`, s.local().Cognito.IdentityPoolID)
	send := func(method, path string, header map[string]string) (*http.Response, string) {
		r, err := http.NewRequestWithContext(t.Context(), method, s.url+path, strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		for name, value := range header {
			r.Header.Set(name, value)
		}
		response, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		defer response.Body.Close()
		text, err := io.ReadAll(response.Body)
		if err != nil {
			t.Fatal(err)
		}
		return response, string(text)
	}
	for _, path := range []string{"/cognito", "/cognito/", "/"} {
		header := map[string]string{"X-Amz-Target": "AWSCognitoIdentityService.GetId", "Origin": "http://localhost:5173"}
		for _, authorization := range []string{"", "AWS4-HMAC-SHA256 Credential=AKIA/20250102/us-east-1/cognito-identity/aws4_request, SignedHeaders=host, Signature=0"} {
			if authorization != "" {
				header["Authorization"] = authorization
			}
			if r, text := send(http.MethodPost, path, header); r.StatusCode != http.StatusOK || !strings.Contains(text, `"IdentityId":"us-east-1:`) {
				t.Errorf("POST %s: %s %s", path, r.Status, text)
			}
		}
		preflight := map[string]string{
			"Origin":                         "http://localhost:5173",
			"Access-Control-Request-Method":  "POST",
			"Access-Control-Request-Headers": "amz-sdk-invocation-id,amz-sdk-request,cache-control,content-type,x-amz-target,x-amz-user-agent",
		}
		r, _ := send(http.MethodOptions, path, preflight)
		allowed := strings.ToLower(r.Header.Get("Access-Control-Allow-Headers"))
		for name := range strings.SplitSeq(preflight["Access-Control-Request-Headers"], ",") {
			if !strings.Contains(allowed, name) {
				t.Errorf("OPTIONS %s: %s does not contain %s", path, allowed, name)
			}
		}
		if r.StatusCode != http.StatusOK || r.Header.Get("Access-Control-Allow-Origin") != "http://localhost:5173" {
			t.Errorf("OPTIONS %s: %s %v", path, r.Status, r.Header)
		}
	}
}
