package localiot

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"
)

// call sends a request that is signed for a service, and returns the response with its body.
func (s *testServer) call(service, method, path, body string) (*http.Response, string) {
	s.t.Helper()
	return s.callWith(service, method, path, body, nil)
}

func TestHTTPShadow(t *testing.T) {
	s := start(t, Options{})
	r, body := s.call("iotdata", "POST", "/things/lamp/shadow", `{"state":{"desired":{"on":true}}}`)
	if r.StatusCode != http.StatusOK || !strings.Contains(body, `"version":1`) {
		t.Errorf("update: %s %s", r.Status, body)
	}
	if r, body = s.call("iotdata", "GET", "/things/lamp/shadow", ""); r.StatusCode != http.StatusOK || !strings.Contains(body, `"delta":{"on":true}`) {
		t.Errorf("get: %s %s", r.Status, body)
	}
	if r, body = s.call("iot", "GET", "/endpoint?endpointType=iot:Data-ATS", ""); body != `{"endpointAddress":"`+strings.TrimPrefix(s.url, "http://")+`"}` {
		t.Errorf("endpoint: %s %s", r.Status, body)
	}
	if r, body = s.call("iotdata", "GET", "/things/../shadow", ""); r.StatusCode != http.StatusBadRequest {
		t.Errorf("dots: %s %s", r.Status, body)
	}
}

// Like AWS, the HTTP APIs answer unsigned requests and CORS preflights with 403 and without CORS headers.
func TestHTTPUnsigned(t *testing.T) {
	s := start(t, Options{})
	for _, method := range []string{"GET", "POST", "OPTIONS"} {
		r, err := http.NewRequestWithContext(t.Context(), method, s.url+"/things/lamp/shadow", nil)
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Origin", "http://localhost:5173")
		answer, err := http.DefaultTransport.RoundTrip(r)
		if err != nil {
			t.Fatal(err)
		}
		var body struct{ Message string }
		err = json.NewDecoder(answer.Body).Decode(&body)
		answer.Body.Close()
		if err != nil || answer.StatusCode != http.StatusForbidden || body.Message != "Missing Authentication Token" ||
			answer.Header.Get("x-amzn-ErrorType") != "MissingAuthenticationTokenException" || answer.Header.Get("Access-Control-Allow-Origin") != "" {
			t.Errorf("%s: %s %v %+v", method, answer.Status, answer.Header, body)
		}
	}
}
