package localiot

import (
	"encoding/json"
	"net/http/httptest"
	"strings"
	"testing"
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
