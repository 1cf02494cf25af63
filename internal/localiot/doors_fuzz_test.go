package localiot

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
)

// FuzzDoors sends requests to all doors of the server, signed and unsigned. No request causes a panic or an
// internal error.
func FuzzDoors(f *testing.F) {
	s, err := New(Options{WWW: fstest.MapFS{"index.html": {}}, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		f.Fatal(err)
	}
	f.Cleanup(func() { s.Close() })
	methods := []string{"GET", "POST", "PUT", "DELETE", "PATCH", "OPTIONS", "HEAD"}
	services := []string{"", "iotdata", "iot", "iot-jobs-data", "s3"}
	for _, seed := range []struct{ method, service, path, query, header, body string }{
		{"POST", "iotdata", "/things/a/shadow", "name=b", "", `{"state":{"desired":{"a":1}},"version":1}`},
		{"POST", "iotdata", "/topics/a%2Fb", "qos=1&retain=true&messageExpiry=5", "W3siYSI6IjEifV0=", "x"},
		{"GET", "iotdata", "/retainedMessage", "nextToken=YQ&maxResults=1", "", ""},
		{"DELETE", "iotdata", "/connections/c", "cleanSession=true", "", ""},
		{"POST", "iot", "/things/a", "", "", `{"attributePayload":{"attributes":{"a":"b"}}}`},
		{"GET", "iot", "/things", "maxResults=1&nextToken=x&attributeName=a", "", ""},
		{"PUT", "iot", "/jobs/a", "", "", `{"targets":["arn:aws:iot:us-east-1:123456789012:thing/a"],"document":"{}"}`},
		{"PUT", "iot", "/jobs/a/cancel", "force=true", "", `{}`},
		{"POST", "iot", "/policies/p", "", "", `{"policyDocument":"{\"Version\":\"2012-10-17\",\"Statement\":[]}"}`},
		{"PUT", "iot", "/target-policies/p", "", "", `{"target":"us-east-1:a"}`},
		{"POST", "iot-jobs-data", "/things/a/jobs/a", "", "", `{"status":"SUCCEEDED","statusDetails":{}}`},
		{"PUT", "iot-jobs-data", "/things/a/jobs/$next", "", "", `{"stepTimeoutInMinutes":1}`},
		{"POST", "", "/cognito", "", "AWSCognitoIdentityService.GetId", `{"IdentityPoolId":"us-east-1:0"}`},
		{"GET", "", "/mqtt", "X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=a/b/c/d/aws4_request", "", ""},
		{"GET", "", "/../local.json", "", "", ""},
		{"POST", "", "/local/jobs", "", "", `{"jobId":"a","targets":["a"],"document":{"version":"1"}}`},
	} {
		f.Add(slices.Index(methods, seed.method), slices.Index(services, seed.service), seed.path, seed.query, seed.header, []byte(seed.body))
	}
	f.Fuzz(func(t *testing.T, method, service int, path, query, header string, body []byte) {
		if !strings.HasPrefix(path, "/") || service < 0 || method < 0 {
			return
		}
		u, err := url.ParseRequestURI(path)
		if err != nil || u.Host != "" {
			return
		}
		u.Scheme, u.Host, u.RawQuery = "http", "localhost", strings.Map(func(r rune) rune {
			if r <= ' ' || r == '#' || r >= 0x7f {
				return -1
			}
			return r
		}, query)
		r := httptest.NewRequest(methods[method%len(methods)], "http://localhost/", strings.NewReader(string(body)))
		r.URL, r.RequestURI = u, u.RequestURI()
		r.RemoteAddr = "127.0.0.1:1"
		r.Header.Set("Content-Type", "application/json")
		r.Header.Set("X-Amz-Target", header)
		r.Header.Set("x-amz-mqtt5-user-properties", header)
		if name := services[service%len(services)]; name != "" {
			r.Header.Del("X-Amz-Target")
			hash := sha256.Sum256(body)
			key := aws.Credentials{AccessKeyID: s.key.ID, SecretAccessKey: s.key.Secret}
			if err := v4.NewSigner().SignHTTP(context.Background(), key, r, hex.EncodeToString(hash[:]), name, "us-east-1", time.Now()); err != nil {
				return
			}
		}
		w := httptest.NewRecorder()
		s.ServeHTTP(w, r)
		if w.Code == http.StatusInternalServerError {
			t.Errorf("%s %s: %s", r.Method, r.RequestURI, w.Body)
		}
		if h := w.Header(); w.Code >= 400 && h.Get("x-amzn-ErrorType") == "" && !strings.HasPrefix(h.Get("Content-Type"), "text/plain") {
			t.Errorf("%s %s: %d without x-amzn-ErrorType: %s", r.Method, r.RequestURI, w.Code, w.Body)
		}
	})
}
