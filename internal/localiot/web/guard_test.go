package web

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

func TestGuard(t *testing.T) {
	guard := NewGuard(
		[]string{"Dev.Example", "192.0.2.7", "[2001:db8::1]", ""},
		[]string{"https://app.example:3000", "null", "chrome-extension://abc/"},
	)
	tests := []struct {
		name, host, origin, check string
	}{
		{"loopback name", "localhost:8080", "", ""},
		{"loopback name, capitals and dot", "LocalHost.:8080", "", ""},
		{"name below localhost", "app.localhost", "", ""},
		{"loopback address", "127.0.0.1:1234", "", ""},
		{"another loopback address", "127.9.8.7", "", ""},
		{"IPv6 loopback", "[::1]:8080", "", ""},
		{"IPv6 loopback without port", "[::1]", "", ""},
		{"allowed name", "dev.example:8080", "", ""},
		{"allowed address", "192.0.2.7:8080", "", ""},
		{"allowed IPv6 address", "[2001:db8::1]:8080", "", ""},
		{"foreign name", "evil.example", "", "host"},
		{"foreign name that begins with localhost", "localhost.evil.example", "", "host"},
		{"foreign name that ends with localhost", "evillocalhost", "", "host"},
		{"foreign address", "192.0.2.8", "", "host"},
		{"unspecified address", "0.0.0.0:8080", "", "host"},
		{"DNS rebinding", "evil.example:8080", "http://evil.example:8080", "host"},
		{"same origin", "localhost:8080", "http://localhost:8080", ""},
		{"other port", "localhost:8080", "http://localhost:5173", ""},
		{"other loopback name, TLS", "localhost:8080", "https://[::1]:5173", ""},
		{"page of an allowed host", "localhost:8080", "https://dev.example", ""},
		{"allowed origin", "localhost:8080", "https://app.example:3000", ""},
		{"allowed origin, other port", "localhost:8080", "https://app.example:3001", "origin"},
		{"allowed opaque origin", "localhost:8080", "null", ""},
		{"allowed extension", "localhost:8080", "chrome-extension://abc", ""},
		{"foreign extension", "localhost:8080", "chrome-extension://localhost", "origin"},
		{"foreign origin", "localhost:8080", "http://evil.example", "origin"},
		{"origin that begins with localhost", "localhost:8080", "http://localhost.evil.example", "origin"},
		{"origin without a scheme", "localhost:8080", "localhost:8080", "origin"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			r := httptest.NewRequest(http.MethodGet, "http://localhost/", nil)
			r.Host = test.host
			if test.origin != "" {
				r.Header.Set("Origin", test.origin)
			}
			refused := guard.Check(r)
			if allowed := refused == nil; allowed != (test.check == "") {
				t.Fatalf("allowed: %v", allowed)
			}
			if test.check == "" {
				return
			}
			w := httptest.NewRecorder()
			Refuse(w, http.StatusForbidden, *refused)
			body := w.Body.String()
			var refusal Refusal
			if err := json.Unmarshal([]byte(body), &refusal); err != nil {
				t.Fatal(err)
			}
			if w.Code != http.StatusForbidden || refusal.Check != test.check {
				t.Errorf("got %d %s, want 403 with check %q", w.Code, body, test.check)
			}
			if !strings.Contains(body, "-allow-"+test.check) {
				t.Errorf("body %s does not name the flag -allow-%s", body, test.check)
			}
		})
	}
}

func TestOpaqueOriginIsForeign(t *testing.T) {
	r := httptest.NewRequest(http.MethodGet, "http://localhost/", nil)
	r.Header.Set("Origin", "null")
	if NewGuard(nil, nil).Check(r) == nil {
		t.Error("the request is allowed")
	}
}
