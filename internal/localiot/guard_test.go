package localiot

import (
	"net/http"
	"strings"
	"testing"
	"testing/fstest"
	"time"
)

func TestGuard(t *testing.T) {
	s := start(t, Options{
		WWW:            fstest.MapFS{"index.html": {Data: []byte("page")}},
		AllowedHosts:   []string{"Dev.Example", "192.0.2.7", "[2001:db8::1]", ""},
		AllowedOrigins: []string{"https://app.example:3000", "null", "chrome-extension://abc/"},
	})
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
		{"foreign name that begins well", "localhost.evil.example", "", "host"},
		{"foreign name that ends well", "evillocalhost", "", "host"},
		{"foreign address", "192.0.2.8", "", "host"},
		{"any address", "0.0.0.0:8080", "", "host"},
		{"rebound name", "evil.example:8080", "http://evil.example:8080", "host"},
		{"same origin", "localhost:8080", "http://localhost:8080", ""},
		{"other port", "localhost:8080", "http://localhost:5173", ""},
		{"other loopback name, TLS", "localhost:8080", "https://[::1]:5173", ""},
		{"allowed host's page", "localhost:8080", "https://dev.example", ""},
		{"allowed origin", "localhost:8080", "https://app.example:3000", ""},
		{"allowed origin, other port", "localhost:8080", "https://app.example:3001", "origin"},
		{"allowed opaque origin", "localhost:8080", "null", ""},
		{"allowed extension", "localhost:8080", "chrome-extension://abc", ""},
		{"foreign extension", "localhost:8080", "chrome-extension://localhost", "origin"},
		{"foreign origin", "localhost:8080", "http://evil.example", "origin"},
		{"origin that begins well", "localhost:8080", "http://localhost.evil.example", "origin"},
		{"origin without a scheme", "localhost:8080", "localhost:8080", "origin"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			header := map[string]string{"Host": test.host}
			if test.origin != "" {
				header["Origin"] = test.origin
			}
			for _, path := range []string{"/", "/local.json", "/mqtt"} {
				r, body := get(t, s.url+path, header)
				switch {
				case test.check != "":
					wantRefusal(t, r, body, http.StatusForbidden, test.check)
					if !strings.Contains(body, "-allow-"+test.check) {
						t.Errorf("body %s names no flag", body)
					}
				case path == "/mqtt":
					wantRefusal(t, r, body, http.StatusForbidden, "missing:X-Amz-Algorithm")
				case r.StatusCode != http.StatusOK:
					t.Errorf("%s: %d %s", path, r.StatusCode, body)
				}
			}
		})
	}
}

func TestOpaqueOrigin(t *testing.T) {
	s := start(t, Options{})
	r, body := get(t, s.url+"/local.json", map[string]string{"Origin": "null"})
	wantRefusal(t, r, body, http.StatusForbidden, "origin")
}

// A signed URL does not help a foreign page.
func TestGuardBeforeSignature(t *testing.T) {
	s := start(t, Options{})
	u := sign(t, s.local(), time.Now(), 0)
	u.Scheme = "http"
	r, body := get(t, u.String(), map[string]string{"Origin": "http://evil.example"})
	wantRefusal(t, r, body, http.StatusForbidden, "origin")
}
