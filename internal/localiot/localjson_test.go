package localiot

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/fstest"
	"time"
)

func TestLocalJSON(t *testing.T) {
	s := start(t, Options{})
	r, body := get(t, s.url+"/local.json", map[string]string{"Origin": "http://localhost:5173"})
	var l local
	if err := json.Unmarshal([]byte(body), &l); err != nil {
		t.Fatal(err)
	}
	if want := "ws://" + strings.TrimPrefix(s.url, "http://") + "/mqtt"; l.Endpoint != want || l.Region != "us-east-1" {
		t.Errorf("endpoint %s, region %s, want %s, us-east-1", l.Endpoint, l.Region, want)
	}
	if id := l.Credentials.AccessKeyID; len(id) != 20 || !strings.HasPrefix(id, "AKIA") || len(l.Credentials.SecretAccessKey) != 40 {
		t.Errorf("the credentials do not have the format of AWS: %s", id)
	}
	for name, want := range map[string]string{
		"Content-Type":                "application/json",
		"Cache-Control":               "no-store",
		"Access-Control-Allow-Origin": "http://localhost:5173",
		"Vary":                        "Origin",
	} {
		if got := r.Header.Get(name); got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
	if other := start(t, Options{}).local(); other.Credentials == l.Credentials {
		t.Error("two servers have the same credentials")
	}
}

// Everything that contains the region contains that of Options.Region.
func TestRegion(t *testing.T) {
	if _, err := New(Options{WWW: fstest.MapFS{}, Region: "Frankfurt"}); err == nil {
		t.Error("no error for an invalid region")
	}
	s := start(t, Options{Region: "eu-central-1"})
	l := s.local()
	if l.Region != "eu-central-1" || !strings.HasPrefix(l.Cognito.IdentityPoolID, "eu-central-1:") {
		t.Errorf("/local.json: %+v", l)
	}
	s.connect("c", nil)
	if r, body := s.call("iot", "POST", "/things/lamp", ""); !strings.Contains(body, `"arn:aws:iot:eu-central-1:`) {
		t.Errorf("CreateThing: %s %s", r.Status, body)
	}
	k := s.cognitoKeys("{}")
	c := s.dial(s.signWith(k, time.Now()))
	c.MustConnect("guest", nil) // the policy of the role contains the region
	c.Subscribe(1, "hello", 0)

	l.Region = "us-east-1"
	u := sign(t, l, time.Now(), 0)
	u.Scheme = "http"
	r, body := get(t, u.String(), nil)
	wantRefusal(t, r, body, http.StatusForbidden, "region")
	if !strings.Contains(body, "'us-east-1'") || !strings.Contains(body, "'eu-central-1'") {
		t.Errorf("the refusal names one region only: %s", body)
	}
}

func TestLocalJSONOverTLS(t *testing.T) {
	s := start(t, Options{})
	h := httptest.NewTLSServer(s)
	defer h.Close()
	r, err := h.Client().Get(h.URL + "/local.json")
	if err != nil {
		t.Fatal(err)
	}
	defer r.Body.Close()
	var l local
	if err := json.NewDecoder(r.Body).Decode(&l); err != nil {
		t.Fatal(err)
	}
	if want := "wss://" + strings.TrimPrefix(h.URL, "https://") + "/mqtt"; l.Endpoint != want {
		t.Errorf("endpoint %s, want %s", l.Endpoint, want)
	}
}
